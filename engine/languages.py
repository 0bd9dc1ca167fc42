"""In which language something is written. No torch here.

The script decides for all that is not Latin. Latin words are told apart by py3langid, where it is
installed, among the languages that matter, and never under four words: shorter, it guesses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from functools import lru_cache
from typing import Any
from unicodedata import name

LEAST_WORDS = 4
SURE = 0.9  # the probability from which a guess counts
LATIN = "LATIN"
# The language that most people write in a script; letters of others in it decide for these.
SCRIPTS = {
    "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CYRILLIC": "ru",
    "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "THAI": "th", "DEVANAGARI": "hi",
}  # fmt: skip
SIGNS = {"uk": "іїєґ", "fa": "پچژگ"}
KANA = ("HIRAGANA", "KATAKANA")
WORD = re.compile(r"[^\W\d_]+")


def language_of(words: str, latin: Collection[str] = ()) -> str | None:
    """The ISO 639-1 code, or None where it cannot be told.

    `latin`: the languages to tell apart from English in Latin letters; none: nothing is guessed.
    """
    letters = words.casefold()
    scripts = Counter(map(script_of, filter(str.isalpha, letters)))
    if not scripts:
        return None
    script, _ = scripts.most_common(1)[0]
    if script == LATIN:
        return guessed(words, frozenset(latin)) if latin else None
    for language, signs in SIGNS.items():
        if any(sign in letters for sign in signs):
            return language
    if script == "CJK" and any(scripts[kana] for kana in KANA):
        return "ja"
    return SCRIPTS.get(script)


def script_of(letter: str) -> str:
    """The first word of its name in Unicode: "LATIN", "CJK" ..."""
    return name(letter, "?").split()[0]


def guessed(words: str, latin: frozenset[str]) -> str | None:
    if len(WORD.findall(words)) < LEAST_WORDS:
        return None
    identifier = load_identifier(latin | {"en"})
    if identifier is None:
        return None
    language, probability = identifier.classify(words)
    return str(language) if probability >= SURE else None


@lru_cache(maxsize=4)
def load_identifier(languages: frozenset[str]) -> Any:
    """py3langid for some languages; None where it is not installed."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(sorted(languages.intersection(identifier.labels)))
    return identifier
