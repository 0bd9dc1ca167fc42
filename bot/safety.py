"""What is not drawn: nowhere, or where people want it strict. By lists of words that can be edited.

The lists are the files of bot/safe_words, one a language; a folder named in the settings adds
files, or takes the place of those of the same name. All count, whatever language is spoken.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from bot.errors import FileError, Refusal, quoted
from bot.wording import WordList, Writing, folded

Strictness = Literal["off", "standard", "strict"]
STRICTNESSES: tuple[Strictness, ...] = get_args(Strictness)
REFUSED: Mapping[Strictness, tuple[str, ...]] = {
    "off": (),
    "standard": ("sexual", "gore"),
    "strict": ("sexual", "gore", "suggestive", "violent"),
}
LISTS = ("always", "minors", "sexual", "gore", "suggestive", "violent", "innocent")
ALONE_HARMLESS = ("minors", "innocent")
FOLDER = Path(__file__).parent / "safe_words"

_TO_SEVENTEEN = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    "|sixteen|seventeen"
)
CHILDS_AGE = re.compile(
    r"(?<!\d)(?:\d|1[0-7])\s*-?\s*(?:(?:years?|yrs?)\s*-?\s*olds?|y/?o)\b"
    r"|\baged?\s+(?:\d|1[0-7])(?!\d)"
    rf"|(?<!ty[- ])\b(?:{_TO_SEVENTEEN})[- ]years?[- ]olds?\b"
    r"|(?<!\d)(?:\d|1[0-7])\s*[岁歲]"
    r"|(?<![二三四五六七八九十百])(?:[一二两三四五六七八九]|十[一二三四五六七]?)[岁歲]"
)


@dataclass(frozen=True)
class SafeWords:
    """The words of all languages, by list."""

    lists: Mapping[str, WordList]
    any_of_them: WordList  # all but those for children, of whom stories are full

    def check(self, strictness: Strictness, texts: Iterable[str]) -> None:
        """Raises Refusal for what is not drawn at this strictness, or at any."""
        writings = [Writing.of(text) for text in texts]
        if not any(map(self.any_of_them.find, writings)):
            return  # as nearly always
        sexual = self._find(writings, "sexual", "suggestive")
        if self._find(writings, "always") or (sexual and self._shows_minors(writings)):
            raise Refusal("safety.minors")
        word = self._find(writings, *REFUSED[strictness])
        if word is not None:
            raise Refusal("safety.word", word=quoted(word))

    def _shows_minors(self, writings: Sequence[Writing]) -> bool:
        if any(CHILDS_AGE.search(writing.letters) for writing in writings):
            return True
        return self._find(writings, "minors") is not None

    def _find(self, writings: Sequence[Writing], *lists: str) -> str | None:
        harmless = self.lists["innocent"]
        return next(
            (
                word
                for name in lists
                for writing in writings
                if (word := self.lists[name].find(writing, harmless))
            ),
            None,
        )


@cache
def safe_words(folder: Path | None = None) -> SafeWords:
    """The shipped lists with those of the operator's folder. Raises FileError."""
    if folder is not None and not folder.is_dir():
        raise FileError(f"the folder {folder} with lists of words does not exist")
    files = {path.name: path for path in sorted(FOLDER.glob("*.toml"))}
    files |= {path.name: path for path in sorted(folder.glob("*.toml"))} if folder else {}
    entries: dict[str, list[str]] = {name: [] for name in LISTS}
    for path in files.values():
        for name, words in read_lists(path).items():
            entries[name] += words
    refused = [word for name in LISTS if name not in ALONE_HARMLESS for word in entries[name]]
    lists = {name: WordList(words) for name, words in entries.items()}
    return SafeWords(lists, WordList(refused))


def read_lists(path: Path) -> Mapping[str, Sequence[str]]:
    """The lists of one file. Raises FileError, which names what is wrong."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read the list of words {path}: {error}") from None
    for name, words in table.items():
        if name not in LISTS:
            known = ", ".join(LISTS)
            raise FileError(f'{path} has a list "{name}"; the lists are {known}')
        if not isinstance(words, list) or not all(map(is_entry, words)):
            raise FileError(f'the list "{name}" in {path} must hold words in quotes, with letters')
    return table


def is_entry(word: object) -> bool:
    return isinstance(word, str) and any(map(str.isalnum, folded(word)))
