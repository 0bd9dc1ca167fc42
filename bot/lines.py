"""Lines of a story script as somebody types them: what is empty, what stands in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.errors import ScriptError
from engine.prompts import UNSEEN, same_name

MAX_LINE = 2_000  # characters

TWINS = str.maketrans("【】［］＃：（）", "[][]#:()")  # one to one, so that columns stay
# White space, and the zero-width characters that copying from web pages or joining files leaves.
EMPTY = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u2060\ufeff"
# In captions, joiners and direction marks have a meaning; around everything else they have none.
AROUND = EMPTY + UNSEEN
# Control characters that are no white space, and halves of surrogate pairs.
UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Line:
    """One line of the script, `number` from 1."""

    number: int
    text: str

    @property
    def plain(self) -> str:
        """The text with ASCII twins, index for index."""
        return self.text.translate(TWINS)

    @property
    def blank(self) -> bool:
        return not bare(self.text)

    def error(self, key: str, index: int | None = None, /, **values: object) -> ScriptError:
        return ScriptError(key, self.number, None if index is None else index + 1, **values)


@dataclass(frozen=True)
class Bracket:
    """A name in brackets; `start` and `end` are indices in its line, the brackets included."""

    name: str
    start: int
    end: int

    @property
    def nobody(self) -> bool:
        return same_name(self.name) == "nc"


def lines_of(text: str) -> list[Line]:
    """All lines, the blank ones too, however they end."""
    typed = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    return [Line(number, words) for number, words in enumerate(typed, 1)]


def check_line(line: Line) -> None:
    """Refuses a line that is too long or holds control characters."""
    if len(line.text) > MAX_LINE and not line.blank:
        raise line.error("script.long_line", length=len(line.text), limit=MAX_LINE)
    odd = UNPRINTABLE.search(line.text)
    if odd:
        code = f"U+{ord(odd.group()):04X}"
        raise line.error("script.control", odd.start(), code=code)


def leading_name(line: Line) -> Bracket | None:
    """The bracketed name that the line begins with."""
    return next(brackets(line)) if bare(line.plain).startswith("[") else None


def brackets(line: Line) -> Iterator[Bracket]:
    """The bracketed names of the line, from left to right."""
    opened: int | None = None
    for mark in re.finditer(r"[\[\]]", line.plain):
        if mark.group() == "[":
            if opened is not None:
                raise line.error("script.bracket_inside", mark.start())
            opened = mark.start()
        elif opened is None:
            raise line.error("script.bracket_closes", mark.start())
        else:
            name = bare(folded(line.text[opened + 1 : mark.start()]))
            if not name:
                raise line.error("script.bracket_empty", opened)
            yield Bracket(name, opened, mark.end())
            opened = None
    if opened is not None:
        raise line.error("script.bracket_open", opened)


def folded(words: str) -> str:
    """The words with every run of white space made one space, none at the ends."""
    return trimmed(" ".join(words.replace("\ufeff", " ").split()))


def trimmed(words: str) -> str:
    """The words without white space and zero-width characters at their ends."""
    return words.strip(EMPTY)


def bare(words: str) -> str:
    """The words without anything at their ends that nobody sees."""
    return words.strip(AROUND)
