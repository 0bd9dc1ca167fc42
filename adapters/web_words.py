"""The web chat's own sentences: one JSON file a language in web/words/; English fills gaps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "web" / "words"
FALLBACK = "en"


@cache
def catalogues() -> Mapping[str, Mapping[str, str]]:
    """Every language by its code: "en", "zh"."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*.json"))
    }


def say(language: str | None, key: str, **values: object) -> str:
    """A sentence in a language; None and languages that are not there: English."""
    words = catalogues().get(best_language(language), {})
    return (words.get(key) or catalogues()[FALLBACK][key]).format(**values)


def best_language(wanted: str | None) -> str:
    """The nearest language that is there: "zh-Hant-TW" is "zh"."""
    short = (wanted or FALLBACK).replace("_", "-").split("-")[0].lower()
    return short if short in catalogues() else FALLBACK
