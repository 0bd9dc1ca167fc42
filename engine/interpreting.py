"""What is written in a language that the model does not read: translated, or told to its person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from engine.languages import language_of
from engine.models import ModelSpec
from engine.prompts import BRACKETED, same_name
from engine.request import AnimateRequest, DrawRequest, Note, Translated

R = TypeVar("R", DrawRequest, AnimateRequest)
LONGEST_NOTE = 800  # characters of what was understood
READS = {("en",): "reads_english", ("en", "zh"): "reads_english_chinese"}  # kinds of notes


class Interpreter(Protocol):
    """Who translates; `engine.translation.Translations` is one."""

    @property
    def languages(self) -> tuple[str, ...]:
        """What can be translated into English."""

    def into_english(self, language: str, texts: list[str]) -> list[str]:
        """Each text in English, its bracketed names as they were."""


@dataclass(frozen=True)
class Reading:
    """What was translated, and what stays in a language that is not read."""

    english: Mapping[str, str]
    unread: Collection[str]


def in_known_words(
    request: R, spec: ModelSpec, interpreter: Interpreter | None, panels: Collection[int]
) -> tuple[R, list[Translated | Note]]:
    """The request in a language that the model reads, as far as that goes.

    All translations come before the notes, which are about `panels` (from 0). Raises `EngineError`
    where translating fails.
    """
    reading: Reading = read(texts_of(request), spec, interpreter)
    english: Mapping[str, str] = reading.english
    notes: list[Translated | Note] = [
        *what_is_drawn(request, english),
        *what_was_understood(request, english, panels),
        *unread(request, spec, reading, panels),
    ]
    said = tuple(
        replace(p, text=english.get(p.text, p.text), negative=english.get(p.negative, p.negative))
        for p in request.panels
    )
    cast = tuple(
        replace(c, description=english.get(c.description, c.description))
        for c in request.characters
    )
    return replace(request, panels=said, characters=cast), notes


def texts_of(request: DrawRequest | AnimateRequest) -> Iterator[str]:
    for panel in request.panels:
        yield from (panel.text, panel.negative)
    yield from (character.description for character in request.characters)


def read(texts: Iterable[str], spec: ModelSpec, interpreter: Interpreter | None) -> Reading:
    """Every text in its language; those that need it are translated, language by language."""
    known = interpreter.languages if interpreter else ()
    latin = [language for language in known if language not in spec.languages]
    foreign: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        language = language_of(BRACKETED.sub(" ", text), latin)
        if language is not None and language not in spec.languages:
            foreign.setdefault(language, []).append(text)
    english: dict[str, str] = {}
    for language in foreign.keys() & set(known):
        assert interpreter is not None, "it knows the language"
        there = foreign.pop(language)
        said = interpreter.into_english(language, there)
        english |= {a: b for a, b in zip(there, said, strict=True) if b.strip()}
    return Reading(english, [text for left in foreign.values() for text in left])


def what_is_drawn(
    request: DrawRequest | AnimateRequest, english: Mapping[str, str]
) -> Iterator[Translated]:
    """The translations of the whole story: panels that nobody waits for lead the others."""
    written = [panel.text for panel in request.panels]
    written += [character.description for character in request.characters]
    texts = tuple(english[text] for text in dict.fromkeys(written) if text in english)
    if texts:
        yield Translated(texts)


def what_was_understood(
    request: DrawRequest | AnimateRequest, english: Mapping[str, str], panels: Collection[int]
) -> Iterator[Note]:
    """One note with all translations, so that mistakes are seen."""
    lines = [
        f"{number + 1}. {english[panel.text]}"
        for number, panel in enumerate(request.panels)
        if number in panels and panel.text in english
    ]
    lines += [
        f"{who.name}: {english[who.description]}"
        for who in request.characters
        if who.description in english
    ]
    if lines:
        words = "\n".join(lines)
        words = words if len(words) <= LONGEST_NOTE else words[: LONGEST_NOTE - 1].rstrip() + "…"
        yield Note(f"understood as:\n{words}", "understood", values={"words": words})


def unread(
    request: DrawRequest | AnimateRequest,
    spec: ModelSpec,
    reading: Reading,
    panels: Collection[int],
) -> Iterator[Note]:
    silent = {same_name(c.name) for c in request.characters if c.description in reading.unread}
    lost = tuple(
        number
        for number, panel in enumerate(request.panels)
        if number in panels
        and (
            panel.text in reading.unread or not silent.isdisjoint(map(same_name, panel.characters))
        )
    )
    if lost:
        numbers = ", ".join(str(number + 1) for number in lost)
        yield Note(
            f"this model reads {' and '.join(spec.languages)} only: the words of panel {numbers}"
            " do not reach it well",
            READS.get(spec.languages, "reads_english"),
            lost,
        )
