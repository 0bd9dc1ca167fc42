"""The words of one language, read from `tongue_en.toml` or `tongue_zh.toml`.

A new language is a copy of one of these files, its letters in `Language`, and a function in
`describing.py` that describes a character in it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from engine.house.scenes import ANIMALS

Language = Literal["en", "zh"]
Table = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Tongue:
    """One language's words for scenes, every form ready to be put into a sentence."""

    # who
    names: Table
    foreign_names: Table
    nouns: Table
    vague: Table  # where the species is not told
    hair: Table
    coat: Table  # fur or metal
    hair_styles: Table
    clothing: Table  # colours
    clothes: Table
    glasses: Table
    hats: Table
    builds: Table
    skins: tuple[tuple[str, ...], ...]
    beards: tuple[str, ...]
    stickers: tuple[str, ...]
    # what
    acts: Table  # finite, one actor: "types"
    joint_acts: Table  # finite, two actors: "argue"
    doings: Table  # for comma chains: "typing"
    joint_doings: Table
    looks: Table  # finite: "looks sad"
    faces: Table  # for comma chains: "sad"
    joint_faces: Table
    places: Table
    spots: Table
    empty: tuple[str, ...]
    times: Table
    framings: Table
    styles: Table
    papers: tuple[str, ...]
    intros: tuple[str, ...]
    fillers: tuple[str, ...]
    # grammar
    comma: str
    stop: str
    space: str  # between words; empty where a language writes none
    brackets: str  # "{0} ({1})"
    at: str  # what stands before a place
    connectors: tuple[str, ...]  # before the second actor's clause
    both: tuple[str, ...]  # "{0} and {1}"
    long_both: tuple[str, ...]  # where the first has commas of its own
    sides: tuple[str, ...]
    side_names: tuple[tuple[str, str], ...]
    left_right: tuple[str, str]
    own: Table  # what only this language's grammar asks for


def table_key(value: str) -> str:
    """The key in a table of words for a value of `scenes.py`."""
    return value.replace(" ", "_").replace("-", "_")


def read_tongue(language: str) -> Tongue:
    """The words of `tongue_<language>.toml`; an error names a table that is missing or unknown."""
    words = _read(language)
    foreign = _read(words.pop("foreign_names_from"))["names"]
    words["foreign_names"] = _names_by_species(foreign)
    words["names"] = _names_by_species(words["names"])
    words["coat"] = words["hair"] | words["coat"]
    words |= words.pop("grammar") | _grown_forms(words)
    return Tongue(**words)


def _read(language: str) -> dict[str, Any]:
    path = Path(__file__).with_name(f"tongue_{language}.toml")
    words = tomllib.loads(path.read_text(encoding="utf-8"))
    return {key: _frozen(value) for key, value in words.items()}


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(_frozen(inner) for inner in value) if isinstance(value, list) else value


def _names_by_species(names: Table) -> Table:
    men, women = names["men"], names["women"]
    people = {"man": men, "woman": women, "boy": men, "girl": women}
    people |= {"grandpa": men, "grandma": women}
    return people | {"robot": names["robots"]} | dict.fromkeys(ANIMALS, names["pets"])


def _grown_forms(words: dict[str, Any]) -> dict[str, Table]:
    """The tables that `[forms]` makes; takes what they are made of out of `words`."""
    poses = words.pop("poses")
    if rule := words.pop("progressive", None):
        poses = _progressive(poses, **rule)
    feelings, expressions = words.pop("feelings"), words.pop("expressions")
    sources = _conjugated(poses) | {"feeling": feelings, "face": expressions}
    grown = {name: _grow(groups, sources) for name, groups in words.pop("forms").items()}
    grown["looks"] = {key: looks or expressions[key] for key, looks in grown["looks"].items()}
    return grown


def _progressive(
    poses: Table, prefixes: Sequence[str], states: Sequence[str], not_before: str, not_after: str
) -> Table:
    """Every word with every prefix that it bears."""

    def bears(key: str, word: str) -> bool:
        return not (key in states or word[0] in not_before or word[-1] in not_after)

    return {
        key: tuple(
            prefix + word for word in words for prefix in prefixes if not prefix or bears(key, word)
        )
        for key, words in poses.items()
    }


def _conjugated(poses: Table) -> dict[str, Table]:
    """ "does/doing/do" taken apart; a word without strokes is the same in every form."""
    return {
        form: {
            key: tuple(word.split("/")[index] if "/" in word else word for word in words)
            for key, words in poses.items()
        }
        for index, form in enumerate(("does", "doing", "do"))
    }


def _grow(groups: Sequence[Sequence[str]], sources: dict[str, Table]) -> Table:
    """Group after group, each word of the group's source in every pattern of the group."""
    grown: Table = {}
    for patterns in groups:
        (source,) = {name for pattern in patterns for name in re.findall(r"{(\w+)}", pattern)}
        for key, words in sources[source].items():
            forms = (pattern.format(**{source: word}) for word in words for pattern in patterns)
            grown[key] = grown.get(key, ()) + tuple(forms)
    return grown


TONGUES: dict[str, Tongue] = {language: read_tongue(language) for language in get_args(Language)}
