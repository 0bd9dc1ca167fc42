"""Everything the bot says, from catalogues: `say("zh", "queue.place", ahead=2)`.

A language is a folder of TOML files here; its catalogue is all of them together, and `[queue]
place = "…"` in any file is the key "queue.place". A sentence may hold {values}, with the format
specs of Python ("{limit:,}"). One that depends on a number is a table of plural forms, chosen by
the value `count`: `panels = { one = "{count} panel", other = "{count} panels" }`.

A new language is a new folder and, where its plurals are not those of English, an entry in
`PLURALS`. What it does not say yet is said in English.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FALLBACK = "en"
FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})  # CLDR's plural categories
Sentence = str | Mapping[str, str]  # a mapping: plural forms


def one_or_other(count: int) -> str:
    """English, German, Spanish …"""
    return "one" if count == 1 else "other"


PLURALS: Mapping[str, Callable[[int], str]] = {"zh": lambda count: "other"}


def say(language: str | None, key: str, /, **values: object) -> str:
    """The sentence of `key` with its values filled in; in English where the language lacks it.

    A key that no catalogue has is shown as it is, rather than nothing at all.
    """
    for name in (known_language(language), FALLBACK):
        sentence = catalogue(name).get(key)
        if sentence is not None:
            return pick(name, sentence, values).format(**values)
    return key


def known_language(language: str | None) -> str:
    """The catalogue for what a platform or person says: "zh-CN" is zh, "xx" or None is en."""
    name = (language or FALLBACK).replace("_", "-").split("-")[0].lower()
    return name if name in languages() else FALLBACK


@cache
def languages() -> tuple[str, ...]:
    """Every language that has a catalogue, English first."""
    names = sorted(path.name for path in FOLDER.iterdir() if any(path.glob("*.toml")))
    return (FALLBACK, *(name for name in names if name != FALLBACK))


@cache
def catalogue(language: str) -> Mapping[str, Sentence]:
    """Every sentence of a language by its key."""
    sentences: dict[str, Sentence] = {}
    for path in sorted((FOLDER / language).glob("*.toml")):
        sentences.update(flat(tomllib.loads(path.read_text(encoding="utf-8"))))
    return sentences


def flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Sentence]]:
    """Nested tables as dotted keys; a table of plural forms stays one sentence."""
    for name, value in table.items():
        if isinstance(value, str) or FORMS.issuperset(value):
            yield prefix + name, value
        else:
            yield from flat(value, f"{prefix}{name}.")


def pick(language: str, sentence: Sentence, values: Mapping[str, object]) -> str:
    """The plural form for the value `count`, where there are forms."""
    if isinstance(sentence, str):
        return sentence
    form = PLURALS.get(language, one_or_other)(int(str(values["count"])))
    return sentence.get(form, sentence["other"])
