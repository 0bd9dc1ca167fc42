"""Do two characters in one panel stay themselves? `python -m bench.consistency --pairs`.

Stories of five panels: each character alone, then three panels of both. Of one the words name hair
or fur and leave the clothing colour open, of the other the other way round. The judge has learnt
pictures of one character, so it sees a panel of two as two pictures: each half, its edges
repeated until it is as wide as high. How far it can be trusted there is measured first, on drawn
scenes whose truth is known.

Both are there where each half shows its own character rather than the other one, so neither one
twice nor the two exchanged: the judge holds the half's own species for likelier. Which of the ten
it holds for the likeliest is in the table as "species".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from random import Random
from statistics import mean

import numpy as np
from PIL import Image

from bench.table import Bar, print_table
from engine.house.drawing import draw as draw_scene
from engine.house.judge import QUESTIONS, UNSEEN, chances, judge, truth
from engine.house.scenes import (
    CLOTHING_COLOURS,
    HAIR_COLOURS,
    PEOPLE,
    PLACES,
    POSES,
    SPECIES,
    sample_character,
    sample_scene,
)
from engine.models import HOUSE, ModelSpec
from engine.request import CharacterRequest, DrawRequest, PanelRequest

SKY = 0.12  # of a panel of two, above the heads: left out, so that figures are as large as alone
MIDDLE = 0.27  # of the width, from its side: where a figure of two stands
ASKED = ("species", "hair", "clothing")
NAMES = ("Ann", "Bob")
TOGETHER = 3  # panels of both
WAYS: dict[str, ModelSpec] = {
    "each its strip": HOUSE,
    "masks": replace(HOUSE, name="house-masks", regions="masks"),
    "unmasked": replace(HOUSE, name="house-unmasked", regions="none"),
}
Draw = Callable[[DrawRequest, ModelSpec], Sequence[Image.Image]]


@dataclass(frozen=True)
class PairStory:
    """A story of two, and what its words say of each character."""

    request: DrawRequest
    named: tuple[dict[str, str], dict[str, str]]


@dataclass
class PairFigures:
    """What was measured of one way: panel by panel; `agree`: character by character."""

    named: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    agree: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    both: list[float] = field(default_factory=list)  # whether both are where they should be
    species: list[float] = field(default_factory=list)  # whether both are what they should be
    leaked: list[float] = field(default_factory=list)  # what was said of the other is seen here


def make_pair_story(number: int, words: dict[str, str], nouns: dict[str, str]) -> PairStory:
    """Two characters of different species; `words`: of poses, `nouns`: of species."""
    random = Random(f"{number}/pair")
    species = random.sample(SPECIES, 2)
    hair, clothing = random.choice(HAIR_COLOURS), random.choice(CLOTHING_COLOURS)
    first, second = (nouns.get(each, each) for each in species)
    coat = {"robot": "metal"}.get(species[0], "hair" if species[0] in PEOPLE else "fur")
    cast = (
        CharacterRequest(NAMES[0], f"a {first} with {hair} {coat}"),
        CharacterRequest(NAMES[1], f"a {second} wearing a {clothing} shirt"),
    )
    named = ({"species": species[0], "hair": hair}, {"species": species[1], "clothing": clothing})
    texts = [f"[{name}] {words[random.choice(POSES)]}, in the {random.choice(PLACES)}"
             for name in NAMES]  # fmt: skip
    for _ in range(TOGETHER):
        pose, place = random.choice(POSES), random.choice(PLACES)
        texts.append(f"[{NAMES[0]}] and [{NAMES[1]}] {words[pose]}, in the {place}")
    casts = [NAMES[:1], NAMES[1:], *[NAMES] * TOGETHER]
    panels = tuple(PanelRequest(text, who) for text, who in zip(texts, casts, strict=True))
    return PairStory(DrawRequest(cast, panels, seed=3000 + number), named)


def side_of(picture: Image.Image, side: int) -> Image.Image:
    """The left (0) or right (1) half as a square picture with its figure in the middle."""
    pixels = np.asarray(picture.convert("RGB"))
    size = pixels.shape[1]
    middle = size // 2
    half = pixels[round(SKY * size) :, middle:] if side else pixels[round(SKY * size) :, :middle]
    missing = len(half) - half.shape[1]
    outer = round(len(half) / 2 - MIDDLE * size)
    wings = (missing - outer, outer) if side else (outer, missing - outer)
    return Image.fromarray(np.pad(half, ((0, 0), wings, (0, 0)), mode="edge"))


def trust(count: int, seed: int = 11) -> dict[str, float]:
    """Share (0..1) of the judge's right answers on halves of freshly drawn scenes of two."""
    random = Random(seed)
    right: dict[str, list[bool]] = defaultdict(list)
    for _ in range(count):
        scene = sample_scene(random, (sample_character(random), sample_character(random)))
        picture = draw_scene(scene)
        verdicts = judge([side_of(picture, side) for side in (0, 1)])
        species = [actor.character.species for actor in scene.actors]
        if species[0] != species[1]:
            right["both there"].append(both_there(picture, species))
        for actor, verdict in zip(scene.actors, verdicts, strict=True):
            answers = truth(replace(scene, actors=(actor,)))
            for name in ASKED:
                if answers[name] != UNSEEN:
                    right[name].append(getattr(verdict, name) == QUESTIONS[name][answers[name]])
    return {name: mean(values) for name, values in right.items()}


def measure(figures: PairFigures, story: PairStory, pictures: Sequence[Image.Image]) -> None:
    together = pictures[len(NAMES) :]
    sides = [judge([side_of(picture, side) for picture in together]) for side in (0, 1)]
    for side, (named, verdicts) in enumerate(zip(story.named, sides, strict=True)):
        for name, value in named.items():
            figures.named[name] += [float(getattr(v, name) == value) for v in verdicts]
        left_open = next(name for name in ASKED if name not in named)
        seen = [getattr(v, left_open) for v in (*judge([pictures[side]]), *verdicts)]
        figures.agree[left_open].append(mean(a == b for a, b in combinations(seen, 2)))
        other = next(name for name in story.named[1 - side] if name != "species")
        said = story.named[1 - side][other]
        figures.leaked += [float(getattr(v, other) == said) for v in verdicts]
    species = [named["species"] for named in story.named]
    figures.both += [float(both_there(picture, species)) for picture in together]
    figures.species += [
        float([left.species, right.species] == species) for left, right in zip(*sides, strict=True)
    ]


def both_there(picture: Image.Image, species: Sequence[str]) -> bool:
    """Whether each half shows rather its own species than the other half's."""
    halves = chances([side_of(picture, side) for side in (0, 1)], "species")
    return all(half[species[i]] > half[species[1 - i]] for i, half in enumerate(halves))


def run(
    stories: Sequence[PairStory], draw: Draw, judged: dict[str, float]
) -> tuple[list[Bar], dict[str, PairFigures]]:
    """Draw and judge every story in every way, and print the table; `judged` is from `trust`."""
    results = {way: PairFigures() for way in WAYS}
    for story in stories:
        for way, spec in WAYS.items():
            measure(results[way], story, draw(story.request, spec))
    rates = ", ".join(f"{name} {100 * share:.1f} %" for name, share in judged.items())
    print(f"{len(stories)} stories, {TOGETHER} panels of two in each")
    print(f"the judge on halves of drawn scenes of two: {rates}\n")
    head = ["", "named: hair", "named: clothing", "both there", "species", "agree: hair",
            "agree: clothing", "the other's colour"]  # fmt: skip
    print_table(head, [[way, *map(percent, _row(figures))] for way, figures in results.items()])
    return bars(results["each its strip"]), results


def _row(figures: PairFigures) -> list[list[float]]:
    return [
        figures.named["hair"], figures.named["clothing"], figures.both, figures.species,
        figures.agree["hair"], figures.agree["clothing"], figures.leaked,
    ]  # fmt: skip


def percent(values: Sequence[float]) -> str:
    return f"{100 * mean(values):.0f} %"


def bars(ours: PairFigures) -> list[Bar]:
    named = mean((*ours.named["hair"], *ours.named["clothing"]))
    agree = mean((*ours.agree["hair"], *ours.agree["clothing"]))
    return [
        Bar("each keeps what the words name", 100 * named, 85, unit=" %"),
        Bar("both are there", 100 * mean(ours.both), 90, unit=" %"),
        Bar("what the words leave open agrees", 100 * agree, 75, unit=" %"),
    ]
