"""Does a character look like the picture of it that somebody uploaded, or as it was saved?

`python -m bench.reference [--characters 20] [--json FILE] [--sheets FOLDER]`: the house artist is
given drawings of characters made by program, from seeds that training never saw; saved characters
are drawn in a first story, and in a later one of another seed; and a story's first panel leads the
next story, as `/story continue` has it. The words name the species and leave hair or fur and
clothing colour open. The judge says what each of five new panels shows. Nobody here wears a hat,
under which it could not tell the hair.
"""

from __future__ import annotations

import argparse
import base64
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from PIL import Image

from bench.consistency import NOUNS, OPEN, PANELS, SAID, Story, draw, make_story, percent
from bench.table import Bar, count, finish, print_table
from engine.drawing import png_file
from engine.house.drawing import draw as draw_scene
from engine.house.judge import UNSEEN, judge, truth
from engine.house.scenes import SPECIES, Scene, sample_character, sample_scene
from engine.request import CharacterRequest

LATER = 5_000  # added to the number of a first story for the one that comes after it


@dataclass(frozen=True)
class Case:
    """Panels to draw of one character, what it must look like there, and what shows it."""

    story: Story
    looks: dict[str, str]
    shown: Image.Image


@dataclass
class Figures:
    """1.0 for a panel that is as it should be, 0.0 for another."""

    agreement: dict[str, list[float]] = field(default_factory=lambda: {k: [] for k in OPEN})
    obeyed: dict[str, list[float]] = field(default_factory=lambda: {k: [] for k in SAID})


def uploaded(number: int) -> Case:
    """The drawing of a character that training never saw."""
    scene = held_out_scene(Random(f"reference/{number}"))
    who, drawing = scene.actors[0].character, draw_scene(scene)
    looks = {"hair": who.hair_colour, "clothing": who.clothing_colour}
    return Case(story_of(number, who.species, picture=drawing), looks, drawing)


def held_out_scene(random: Random) -> Scene:
    """A scene in colours of one character, of whose hair or fur something shows."""
    while True:
        who = replace(sample_character(random), hat="none")
        scene = sample_scene(random, (who,), style="flat colour")
        if truth(scene)["hair"] != UNSEEN:
            return scene


def saved(number: int) -> Case:
    """A saved character, which must look as in its first story."""
    species, seed = species_of(number), number
    while wears_a_hat(pictures := drawn(story_of(number, species, seed=seed))):
        seed += 1_000
    later = story_of(LATER + number, species, seed=seed)
    return Case(later, looks_of(pictures), pictures[0])


def continued(number: int) -> Case:
    """A character whose first panel leads, and must be looked like."""
    species, first = species_of(number), number
    while wears_a_hat(pictures := drawn(story_of(first, species))[:1]):
        first += 100_000
    later = story_of(LATER + number, species, picture=pictures[0])
    return Case(later, looks_of(pictures), pictures[0])


def drawn(story: Story) -> list[Image.Image]:
    return draw(story, "leading")[0]


def wears_a_hat(pictures: Sequence[Image.Image]) -> bool:
    """In most of the pictures."""
    hats = [verdict.hat == "hat" for verdict in judge(pictures)]
    return sum(hats) > len(hats) / 2


CASES: dict[str, Callable[[int], Case]] = {
    "uploaded drawing": uploaded,
    "saved character": saved,
    "continued story": continued,
}


def species_of(number: int) -> str:
    return Random(f"species/{number}").choice(SPECIES)


def looks_of(pictures: Sequence[Image.Image]) -> dict[str, str]:
    """What most of the pictures show."""
    verdicts = judge(pictures)
    return {k: Counter(getattr(v, k) for v in verdicts).most_common(1)[0][0] for k in OPEN}


def story_of(
    number: int, species: str, *, picture: Image.Image | None = None, seed: int | None = None
) -> Story:
    """The panels of a story of `bench.consistency`, with this character in them."""
    story = make_story(number, named=False)
    png = None if picture is None else base64.b64encode(png_file(picture)).decode()
    kim = CharacterRequest("Kim", f"a {NOUNS.get(species, species)}", seed, png)
    said = tuple({**panel, "species": species} for panel in story.said)
    return Story(replace(story.request, characters=(kim,)), said)


def run(make: Callable[[int], Case], count: int, sheet: Path | None) -> Figures:
    figures, rows = Figures(), []
    for number in range(count):
        case = make(number)
        pictures = drawn(case.story)
        for said, verdict in zip(case.story.said, judge(pictures), strict=True):
            for name in OPEN:
                agrees = getattr(verdict, name) == case.looks[name]
                figures.agreement[name].append(float(agrees))
            for name in SAID:
                figures.obeyed[name].append(float(getattr(verdict, name) == said[name]))
        rows.append([case.shown.resize(pictures[0].size), *pictures])
    if sheet is not None:
        pasted(rows[:8]).save(sheet)
    return figures


def pasted(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Each character in a row: what shows it, then its panels."""
    side = rows[0][0].width
    whole = Image.new("RGB", (side * (PANELS + 1), side * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            whole.paste(picture, (x * side, y * side))
    return whole


def bars(results: dict[str, Figures]) -> list[Bar]:
    """Of uploaded and saved characters; what a continued story keeps is only reported."""
    return [
        Bar(f"{way}: {name} agrees", percent(results[way].agreement[name]), 85, unit=" %")
        for way in ("uploaded drawing", "saved character")
        for name in OPEN
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--characters", type=count, default=20, help="of each kind")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheets", type=Path, help="a folder for sheets of the first eight")
    options = parser.parse_args()
    results = {}
    for way, make in CASES.items():
        sheet = options.sheets and options.sheets / f"reference-{way.replace(' ', '-')}.png"
        results[way] = run(make, options.characters, sheet)
    print(f"{options.characters} characters of each kind, {PANELS} new panels each\n")
    rows = [
        [
            way,
            *(f"{percent(f.agreement[k]):.0f} %" for k in OPEN),
            *(f"{percent(f.obeyed[k]):.0f} %" for k in SAID),
        ]
        for way, f in results.items()
    ]
    print_table(["", *(f"agree: {k}" for k in OPEN), *(f"obey: {k}" for k in SAID)], rows)
    finish(bars(results), {way: vars(f) for way, f in results.items()}, options.json)


if __name__ == "__main__":
    main()
