"""Words that a server does not want to see: found whole, in any script, case and width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from unicodedata import category, name

from engine.prompts import same_name

# Nobody sees them, so they hide no word: soft hyphen, zero width, direction marks.
UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# In these scripts words stand side by side without spaces, so a word has no edges to look for.
WITHOUT_SPACES = ("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


def folded_words(text: str) -> str:
    """What all spellings of a text have in common."""
    return same_name(UNSEEN.sub("", text))


def blocked_word(words: Sequence[str], texts: Iterable[str]) -> str | None:
    """The first of the folded words that stands in one of the texts."""
    if not words:
        return None
    for text in map(folded_words, texts):
        for word in words:
            if stands_in(word, text):
                return word
    return None


def stands_in(word: str, text: str) -> bool:
    """Whether a folded word stands in a folded text, not as a part of a longer word."""
    at = text.find(word) if word else -1
    while at >= 0:
        end = at + len(word)
        if not joined(text, at) and not joined(text, end):
            return True
        at = text.find(word, at + 1)
    return False


def joined(text: str, at: int) -> bool:
    """Whether the letters before and after a place in the text belong to one word."""
    if not 0 < at < len(text):
        return False
    return all(in_spaced_word(letter) for letter in text[at - 1 : at + 1])


def in_spaced_word(letter: str) -> bool:
    """Letters, digits and the marks on them, in a script that puts spaces between words."""
    return category(letter)[0] in "LMN" and not name(letter, "").startswith(WITHOUT_SPACES)
