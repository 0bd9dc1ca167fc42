"""Finding words of a list in what people write, also where they try to hide them.

Words of scripts with spaces are found whole, so that "Scunthorpe" and "grape" stay what they are;
Chinese, Japanese and Thai ones anywhere. Case, width, accents, zero-width characters, lookalike
letters of other alphabets, digits for letters ("p0rn"), letters drawn out or apart ("p o r n",
"p.o.r.n") make no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category, name, normalize

from bot.blocked_words import UNSEEN, WITHOUT_SPACES

Alternatives = frozenset[str]  # how one written word may be meant
Phrase = tuple[str, ...]

WORD = re.compile(r"[^\W_]+(?:[@$!][^\W_]+)*|[@$][^\W_]+")
CHUNK = re.compile(r"\S+")
DRAWN_OUT = re.compile(r"(.)\1{2,}")
# What is put between Chinese letters to hide them; marks that end a clause are not among it.
BETWEEN = re.compile(r"(?<=[\u3040-\u9fff])[\s.*_~·\-/|+]+(?=[\u3040-\u9fff])")
LEET = str.maketrans("0134578@$!", "oieastbasi")
LOOKALIKES = str.maketrans("аеорсухікмтвнαεορνικτ", "aeopcyxikmtbhaeopvikt")
SPELLED = 3  # letters that stand alone one after the other are a word


def folded(text: str) -> str:
    """Without case, width, accents and what nobody sees."""
    if text.isascii():
        return text.casefold()
    seen = UNSEEN.sub("", normalize("NFKC", text)).casefold()
    return "".join(letter for letter in normalize("NFD", seen) if category(letter) != "Mn")


def has_no_spaces(word: str) -> bool:
    """Whether it is written in a script without spaces between words."""
    return any(name(letter, "").startswith(WITHOUT_SPACES) for letter in word)


@dataclass(frozen=True)
class Writing:
    """Something written, as it is searched: word for word, and letter for letter."""

    words: tuple[Alternatives, ...]
    letters: str

    @classmethod
    @lru_cache(maxsize=1024)  # a story's lines are searched again with each that is added
    def of(cls, text: str) -> Writing:
        plain = folded(text)
        return cls(tuple(words_of(plain)), BETWEEN.sub("", plain))


def words_of(plain: str) -> Iterator[Alternatives]:
    """The words of a folded text in order, each with what it may be meant for."""
    singles = ""
    for chunk in CHUNK.finditer(plain):
        parts = [match[0] for match in WORD.finditer(chunk[0])]
        if len(parts) == 1 and len(parts[0]) == 1:
            singles += parts[0]
        else:
            if len(singles) >= SPELLED:
                yield meant(singles)
            singles = ""
        if len(parts) > 1:  # "under-age", "p.o.r.n"
            yield meant(parts[0]) | meant("".join(parts))
        elif parts:
            yield meant(parts[0])
        yield from map(meant, parts[1:])
    if len(singles) >= SPELLED:
        yield meant(singles)


@lru_cache(maxsize=8192)
def meant(word: str) -> Alternatives:
    """The word itself and what it may stand for; kept, because people use the same words."""
    ways = {word, word.translate(LOOKALIKES)}
    if not word.isalpha() and any(map(str.isalpha, word)):
        ways |= {way.translate(LEET) for way in ways}
    for way in tuple(ways):
        ways |= {DRAWN_OUT.sub(r"\1", way), DRAWN_OUT.sub(r"\1\1", way)}
    return frozenset(ways)


class WordList:
    """Words and phrases to look for; `*` at the end of one stands for any ending."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._anywhere: list[str] = []
        self._whole: dict[str, list[Phrase]] = {}  # by the first word
        self._begun: dict[str, Phrase] = {}  # single words with any ending
        for entry in entries:
            self._add(folded(entry))
        self._beginnings = tuple(self._begun)

    def _add(self, entry: str) -> None:
        if has_no_spaces(entry):
            self._anywhere.append(entry)
            return
        *first, last = WORD.findall(entry.removesuffix("*"))
        phrase = (*first, last + "*" * entry.endswith("*"))
        if not first and entry.endswith("*"):
            self._begun[last] = phrase
        else:
            self._whole.setdefault(phrase[0], []).append(phrase)

    def find(self, writing: Writing, harmless: WordList | None = None) -> str | None:
        """The first that is there, as the list has it, and is not in a `harmless` phrase."""
        hidden: set[int] | None = None  # worked out once, and only where it matters
        for place, phrase in self._found(writing.words):
            if hidden is None:
                hidden = set(harmless.places(writing.words)) if harmless else set()
            if hidden.isdisjoint(range(place, place + len(phrase))):
                return " ".join(phrase).removesuffix("*")
        letters = writing.letters
        if letters.isascii():  # scripts without spaces have letters of their own
            return None
        if any(word in letters for word in self._anywhere):
            for innocent in harmless._anywhere if harmless else ():
                letters = letters.replace(innocent, " ")
        return next((word for word in self._anywhere if word in letters), None)

    def places(self, words: Sequence[Alternatives]) -> Iterator[int]:
        """The numbers of all words that belong to one of the phrases."""
        for place, phrase in self._found(words):
            yield from range(place, place + len(phrase))

    def _found(self, words: Sequence[Alternatives]) -> Iterator[tuple[int, Phrase]]:
        for place, ways in enumerate(words):
            for way in ways:
                for phrase in self._whole.get(way, ()):
                    if fits(phrase, words, place):
                        yield place, phrase
                if way.startswith(self._beginnings):
                    yield place, next(p for b, p in self._begun.items() if way.startswith(b))


def fits(phrase: Phrase, words: Sequence[Alternatives], place: int) -> bool:
    """Whether the words from a place on are those of the phrase."""
    there = words[place : place + len(phrase)]
    return len(there) == len(phrase) and all(map(is_word, phrase, there))


def is_word(pattern: str, ways: Alternatives) -> bool:
    if pattern.endswith("*"):
        return any(way.startswith(pattern[:-1]) for way in ways)
    return pattern in ways
