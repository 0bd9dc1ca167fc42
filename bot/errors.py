"""What can go wrong, in words that people may read.

UserError               shown as written: it says what is wrong and what to do
├── Refusal             a sentence of the catalogues: can be said in every language
│   ├── ScriptError     the story script is not understood; knows its line and column
│   └── UnknownChoice   a style, layout … that does not exist; names one alike and lists all
└── FileError           a file or folder cannot be read or written
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from bot.words import say

LONGEST_QUOTE = 60  # characters of somebody's own words that a message repeats


class UserError(Exception):
    """One sentence for the person who asked, without a full stop and fit to follow a colon."""


class Refusal(UserError):
    """A sentence of the catalogues: `key` with `values`. As a string it is English."""

    def __init__(self, key: str, /, **values: object) -> None:
        self.key = key
        self.values = values
        super().__init__(self.say("en"))

    def say(self, language: str | None) -> str:
        """The sentence in a language; English where there is no other."""
        return say(language, self.key, **self.values)


class ScriptError(Refusal):
    """The story script is wrong; `line` and `column` count from 1, or are None."""

    def __init__(
        self, key: str, line: int | None = None, column: int | None = None, /, **values: object
    ) -> None:
        self.line = line
        self.column = column
        super().__init__(key, **values)

    def say(self, language: str | None) -> str:
        words = super().say(language)
        if self.line is None:
            return words
        if self.column is None:
            return say(language, "script.at_line", line=self.line, words=words)
        return say(language, "script.at", line=self.line, column=self.column, words=words)


class UnknownChoice(Refusal):
    """`kind` ("style", "layout") has no entry called `name`; `names` are all there are."""

    def __init__(self, kind: str, name: str, names: Iterable[str]) -> None:
        self.kind = kind
        every = sorted(names)
        near = nearest(name, every)
        is_slip = bool(get_close_matches(name.casefold()[:LONGEST_QUOTE], [near.casefold()]))
        key = "choice.unknown" if is_slip else "choice.unlike"
        super().__init__(key, name=quoted(name), near=near, every=", ".join(every))

    def say(self, language: str | None) -> str:
        kind = say(language, f"choice.{self.kind}")
        return say(language, self.key, kind=kind, **self.values)


class FileError(UserError):
    """A file or folder cannot be read or written."""


def nearest(word: str, words: Iterable[str]) -> str:
    """The one of `words` (at least one) that looks most like `word`, case left aside."""
    by_key = {other.casefold()[:LONGEST_QUOTE]: other for other in words}
    return by_key[get_close_matches(word.casefold()[:LONGEST_QUOTE], by_key, n=1, cutoff=0.0)[0]]


def quoted(words: str) -> str:
    """Somebody's own words, harmless to print and short enough to be repeated in a message."""
    line = printable(words)
    return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"


def printable(words: str) -> str:
    """The words on one line, with a mark for what would steer a terminal or turn text around."""
    joiners = "\u200c\u200d"  # they shape Persian, Indic scripts and emoji
    line = " ".join(words.split())
    return "".join(c if c.isprintable() or c in joiners else "\ufffd" for c in line)
