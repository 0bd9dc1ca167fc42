"""The web chat's own catalogues: complete, and free of what nobody says."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from adapters import web_words

ADAPTERS = Path(web_words.__file__).parent
SOURCES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in [
        *ADAPTERS.glob("web_*.py"),
        *ADAPTERS.glob("web/*.js"),
        *ADAPTERS.glob("web/*.html"),
    ]
)
ENGLISH = web_words.catalogues()["en"]


def values(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("language", web_words.catalogues())
def test_a_catalogue_has_every_sentence_with_its_values(language: str) -> None:
    catalogue = web_words.catalogues()[language]
    assert catalogue.keys() == ENGLISH.keys()
    assert {key: values(text) for key, text in catalogue.items()} == {
        key: values(text) for key, text in ENGLISH.items()
    }


def test_every_sentence_that_is_said_is_there() -> None:
    said = re.findall(r'\bsay\(\s*"(\w+)"|data-(?:words|label)="(\w+)"', SOURCES)
    raised = re.findall(r'(?:Refused\(\d+,|NotUnderstood\()\s*"(\w+)"', SOURCES)
    assert {*("".join(pair) for pair in said), *raised} <= ENGLISH.keys()


def test_no_sentence_is_left_over() -> None:
    begun = [key for key in ENGLISH if key.startswith("theme_")]  # their ends are put together
    assert [key for key in ENGLISH if key not in begun and f'"{key}"' not in SOURCES] == []


@pytest.mark.parametrize(
    ("wanted", "spoken"), [("zh-Hant-TW", "zh"), ("zh_CN", "zh"), ("EN", "en"), ("xx", "en")]
)
def test_the_nearest_language_is_taken(wanted: str, spoken: str) -> None:
    assert web_words.best_language(wanted) == spoken
