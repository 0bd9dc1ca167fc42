"""The story script that people type, read into a `StoryScript`.

    [Tom] a young programmer with glasses        the cast: one character a line

    [Tom] in the office, typing #Tom: "Tabs!"    then the panels: picture # caption
    [NC] the office, papers everywhere           a panel with nobody in it

The cast goes up to the first blank line or line that does not begin with a new name. Its lines have
no `#` (a caption there means that the cast was forgotten), save after a single letter, as in C#.
Every panel names somebody or says [NC]. `Name: words` is a speech balloon and `(Name: words)` a
thought where Name is of the cast, with quote marks around all of the words taken off; any other
caption is a box. Names are compared after NFKC and case folding, and the full-width 【】 ［］ ＃ ：
（） count as their ASCII twins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import dropwhile
from typing import Literal
from unicodedata import normalize

from bot.errors import ScriptError, nearest, quoted
from engine.prompts import UNSEEN, same_name

MAX_CHARACTERS = 12
MAX_PANELS = 24
MAX_LINE = 2_000  # characters

TWINS = str.maketrans("【】［］＃：（）", "[][]#:()")  # one to one, so that columns stay
QUOTES = ('""', "“”", "„“", "„”", "«»", "「」", "『』", "＂＂")
# White space, and the zero-width characters that copying from web pages or joining files leaves.
EMPTY = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u2060\ufeff"
# In captions, joiners and direction marks have a meaning; around everything else they have none.
AROUND = EMPTY + UNSEEN
# Control characters that are no white space, and halves of surrogate pairs.
UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
CAPTION_MARK = re.compile("(?<![^A-Za-z][A-Za-z])#")  # a # that is not the one of C#

Kind = Literal["box", "speech", "thought"]


@dataclass(frozen=True)
class CharacterLine:
    """Somebody of the cast; the description may be empty."""

    name: str
    description: str


@dataclass(frozen=True)
class PanelLine:
    """One panel: `text` keeps brackets as typed, `characters` are its names as the cast has them.

    Without caption, `caption` and `kind` are None; `speaker` is set for "speech" and "thought".
    """

    text: str
    characters: tuple[str, ...]
    caption: str | None
    kind: Kind | None
    speaker: str | None


@dataclass(frozen=True)
class StoryScript:
    """A whole story: 1 to 12 characters, 1 to 24 panels."""

    characters: tuple[CharacterLine, ...]
    panels: tuple[PanelLine, ...]

    def to_json(self, *, ensure_ascii: bool = False) -> str:
        return json.dumps(asdict(self), ensure_ascii=ensure_ascii, indent=2)


Cast = Mapping[str, CharacterLine]  # by `same_name`


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


def parse_script(text: str) -> StoryScript:
    """The story in `text`. Raises ScriptError at the first thing that is wrong."""
    typed = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    lines = [Line(number, words) for number, words in enumerate(typed, 1)]
    for line in lines:
        check_line(line)
    cast, panels = split_cast(lines)
    if not cast and not panels:
        raise ScriptError("script.empty")
    if not cast:
        raise panels[0].error("script.no_cast")
    if not panels:
        raise ScriptError("script.no_panels", name=quoted(next(iter(cast.values())).name))
    if len(panels) > MAX_PANELS:
        raise panels[MAX_PANELS].error(
            "script.too_many_panels", limit=MAX_PANELS, panels=len(panels)
        )
    return StoryScript(tuple(cast.values()), tuple(read_panel(line, cast) for line in panels))


def split_cast(lines: list[Line]) -> tuple[Cast, list[Line]]:
    """The characters at the top, and the lines of the panels, which are not blank."""
    lines = list(dropwhile(lambda line: line.blank, lines))
    cast: dict[str, CharacterLine] = {}
    for index, line in enumerate(lines):
        if line.blank or begins_panels(line, cast):
            return cast, [panel for panel in lines[index:] if not panel.blank]
        character = read_character(line, cast)
        cast[same_name(character.name)] = character
    return cast, []


def begins_panels(line: Line, cast: Cast) -> bool:
    """Whether the line begins with something else than a new name, so that the cast is over."""
    first = leading_name(line)
    if first is None or first.nobody:
        return True
    known = cast.get(same_name(first.name))
    if known is not None and normalize("NFC", known.name) != normalize("NFC", first.name):
        names = {"name": quoted(first.name), "known": quoted(known.name)}
        raise line.error("script.alike", first.start, **names)
    return known is not None


def read_character(line: Line, cast: Cast) -> CharacterLine:
    """A line of the cast, which begins with a name that `cast` does not have yet."""
    first = next(brackets(line))
    if len(cast) == MAX_CHARACTERS:
        raise line.error("script.too_many_characters", first.start, limit=MAX_CHARACTERS)
    in_name = line.plain.find("#", 0, first.end)
    if in_name >= 0:
        raise line.error("script.mark_in_name", in_name)
    mark = CAPTION_MARK.search(line.plain)
    if mark:
        name = quoted(first.name)
        if not cast:
            raise line.error("script.not_introduced", mark.start(), name=name)
        near = quoted(nearest_name(first, cast))
        raise line.error("script.not_introduced_near", mark.start(), name=name, near=near)
    return CharacterLine(first.name, bare(folded(line.text[first.end :])))


def read_panel(line: Line, cast: Cast) -> PanelLine:
    """A panel; every bracketed name in its picture part, before the first #, must be in `cast`."""
    length = len(line.plain.partition("#")[0])
    picture = Line(line.number, line.text[:length])
    found = list(brackets(picture))
    names = [known_name(bracket, picture, cast) for bracket in found if not bracket.nobody]
    check_somebody(picture, found, cast)
    words = picture.text
    for bracket in reversed(found):
        if bracket.nobody:
            words = words[: bracket.start] + words[bracket.end :]
    words = bare(folded(words))
    caption = read_caption(line.text[length + 1 :], cast)
    if not names and not words:
        raise line.error("script.nothing", found[0].start)
    return PanelLine(words, tuple(dict.fromkeys(names)), *caption)


def check_line(line: Line) -> None:
    """Refuses a line that is too long or holds control characters."""
    if len(line.text) > MAX_LINE and not line.blank:
        raise line.error("script.long_line", length=len(line.text), limit=MAX_LINE)
    odd = UNPRINTABLE.search(line.text)
    if odd:
        code = f"U+{ord(odd.group()):04X}"
        raise line.error("script.control", odd.start(), code=code)


def check_somebody(picture: Line, found: list[Bracket], cast: Cast) -> None:
    """Refuses a panel that names nobody without saying so, or that says so but names somebody."""
    named = next((bracket for bracket in found if not bracket.nobody), None)
    if not found:
        name = quoted(next(iter(cast.values())).name)
        start = len(picture.text) - len(picture.text.lstrip())
        raise picture.error("script.nobody", start, name=name)
    if named is not None and any(bracket.nobody for bracket in found):
        raise picture.error("script.somebody", named.start, name=quoted(named.name))


def read_caption(words: str, cast: Cast) -> tuple[str | None, Kind | None, str | None]:
    """The caption, kind and speaker that the words after the # make."""
    words = folded(words)
    seen = bare(words)
    plain = seen.translate(TWINS)
    if not seen:
        return None, None, None
    inside = re.sub(r"\([^()]*\)", "", plain[1:-1])
    two_groups = 0 <= inside.find(")") < inside.rfind("(")  # "(Tom: yes) and (Lisa: no)"
    if plain[0] == "(" and plain[-1] == ")" and not two_groups:
        thought = split_speaker(seen[1:-1], cast)
        if thought:
            return thought[1], "thought", thought[0]
    speech = split_speaker(words, cast)
    return (speech[1], "speech", speech[0]) if speech else (words, "box", None)


def split_speaker(words: str, cast: Cast) -> tuple[str, str] | None:
    """Name and words of "Name: words", if Name, which may be in brackets, is in `cast`."""
    for colon in re.finditer(":", words.translate(TWINS)):
        name = bare(words[: colon.start()])
        if name.translate(TWINS).startswith("[") and name.translate(TWINS).endswith("]"):
            name = name[1:-1]
        speaker = cast.get(same_name(name))
        spoken = trimmed(re.sub(rf"^[{UNSEEN}]+\s", "", words[colon.end() :]))
        if speaker is not None and bare(spoken):
            return speaker.name, unquoted(spoken)
    return None


def unquoted(words: str) -> str:
    """The words without the pair of quote marks around all of them."""
    seen = bare(words)
    inner = seen[1:-1]
    around = [pair for pair in QUOTES if seen[:1] + seen[-1:] == pair]
    if not around or not bare(inner) or any(mark in inner for mark in around[0]):
        return words
    return trimmed(inner)


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


def known_name(bracket: Bracket, line: Line, cast: Cast) -> str:
    """The bracketed name as the cast spells it."""
    character = cast.get(same_name(bracket.name))
    if character is None:
        near = quoted(nearest_name(bracket, cast))
        raise line.error("script.unknown", bracket.start, name=quoted(bracket.name), near=near)
    return character.name


def nearest_name(bracket: Bracket, cast: Cast) -> str:
    return cast[nearest(same_name(bracket.name), cast)].name


def folded(words: str) -> str:
    """The words with every run of white space made one space, none at the ends."""
    return trimmed(" ".join(words.replace("\ufeff", " ").split()))


def trimmed(words: str) -> str:
    """The words without white space and zero-width characters at their ends."""
    return words.strip(EMPTY)


def bare(words: str) -> str:
    """The words without anything at their ends that nobody sees."""
    return words.strip(AROUND)
