"""Do characters stay themselves, and do panels still show what they should?

`python -m bench.consistency [--stories 40] [--json FILE]`: stories of five panels whose prompts
leave hair or fur and clothing colour open, drawn by the house artist without Consistent
Self-Attention, with synchronous sharing, and with a leading identity (its default way). The judge
(`engine/house/judge.py`, which never saw a painted picture) says what each panel shows. A second
set names hair and clothing colour, to see that named attributes are obeyed.

`python -m bench.consistency --pairs [--stories 40]` asks the same of two characters in one panel
(`bench/pairs.py`).
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import combinations
from pathlib import Path
from random import Random
from statistics import mean

from PIL import Image

from bench import pairs
from bench.table import Bar, count, finish, print_table
from engine.house.judge import Verdict, judge
from engine.house.scenes import (
    CLOTHING_COLOURS,
    EXPRESSIONS,
    HAIR_COLOURS,
    PEOPLE,
    PLACES,
    POSES,
    SPECIES,
)
from engine.models import HOUSE, MODELS, ModelSpec
from engine.request import CharacterRequest, DrawRequest, PanelDrawn, PanelRequest
from engine.story import draw_story

PANELS = 5
OPEN = ("hair", "clothing")
SAID = ("species", "place", "pose", "expression")
POSE_WORDS = {
    "standing": "standing", "waving": "waving", "arms up": "arms up", "sitting": "sitting",
    "running": "running", "typing": "typing on a laptop", "reading": "reading a book",
    "drinking": "drinking", "phoning": "on the phone", "thinking": "thinking",
    "arguing": "arguing", "fighting": "fighting",
}  # fmt: skip
NOUNS = {"grandpa": "old man", "grandma": "old woman"}
WAYS = {
    "without CSA": (HOUSE, 0.0),
    "synchronous": (replace(HOUSE, name="house-synchronous", sharing="noise-matched"), 0.5),
    "leading": (HOUSE, 0.5),
}


@dataclass(frozen=True)
class Story:
    """One story of the bench, and what its prompts say."""

    request: DrawRequest
    said: tuple[dict[str, str], ...]  # panel by panel


@dataclass
class Figures:
    """What was measured of one way."""

    agreement: dict[str, list[float]] = field(default_factory=lambda: {k: [] for k in OPEN})
    obeyed: dict[str, list[float]] = field(default_factory=dict)
    poses: list[float] = field(default_factory=list)  # share of distinct poses seen in a story
    seconds: list[float] = field(default_factory=list)  # a panel


def make_story(number: int, *, named: bool) -> Story:
    """A character of a random species in five scenes; `named`: its colours are said."""
    random = Random(f"{number}/{named}")
    species = random.choice(SPECIES)
    noun = NOUNS.get(species, species)
    said: dict[str, str] = {"species": species}
    description = f"a {noun}"
    if named:
        said |= {"hair": random.choice(HAIR_COLOURS), "clothing": random.choice(CLOTHING_COLOURS)}
        colour = said["hair"]
        coat = f"{colour} hair" if species in PEOPLE else f"{colour} fur"
        if species == "robot":
            description = f"a {colour} robot, wearing a {said['clothing']} shirt"
        else:
            description = f"a {noun} with {coat}, wearing a {said['clothing']} shirt"
    panels, truths = [], []
    for pose in random.sample(POSES, PANELS):
        place, expression = random.choice(PLACES), random.choice(EXPRESSIONS)
        panels.append(
            PanelRequest(f"[Kim] {POSE_WORDS[pose]}, {expression}, in the {place}", ("Kim",))
        )
        truths.append({**said, "place": place, "pose": pose, "expression": expression})
    request = DrawRequest(
        (CharacterRequest("Kim", description),), tuple(panels), seed=1000 + number
    )
    return Story(request, tuple(truths))


def draw(story: Story, way: str) -> tuple[list[Image.Image], float]:
    spec, rate = WAYS[way]
    began = time.monotonic()
    pictures = painted(replace(story.request, rate=rate), spec)
    return pictures, (time.monotonic() - began) / len(pictures)


def painted(request: DrawRequest, spec: ModelSpec) -> list[Image.Image]:
    """The pictures of a story, in order."""
    MODELS[spec.name] = spec
    drawn = {
        event.index: Image.open(BytesIO(event.png)).convert("RGB")
        for event in draw_story(replace(request, model=spec.name))
        if isinstance(event, PanelDrawn)
    }
    return [drawn[panel] for panel in range(len(request.panels))]


def measure(figures: Figures, story: Story, verdicts: Sequence[Verdict]) -> None:
    for name in OPEN:
        seen = [getattr(v, name) for v in verdicts]
        figures.agreement[name].append(mean(a == b for a, b in combinations(seen, 2)))
    for truth, verdict in zip(story.said, verdicts, strict=True):
        for name, value in truth.items():
            figures.obeyed.setdefault(name, []).append(float(getattr(verdict, name) == value))
    figures.poses.append(len({v.pose for v in verdicts}) / PANELS)


def run(way: str, stories: Sequence[Story], sheet: Path | None) -> Figures:
    figures = Figures()
    rows = []
    for story in stories:
        pictures, seconds = draw(story, way)
        figures.seconds.append(seconds)
        measure(figures, story, judge(pictures))
        rows.append(pictures)
    if sheet:
        sheet.mkdir(parents=True, exist_ok=True)
        paste(rows[:8]).save(sheet / f"consistency-{way.replace(' ', '-')}.png")
    return figures


def paste(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    side = rows[0][0].width
    whole = Image.new("RGB", (side * PANELS, side * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            whole.paste(picture, (x * side, y * side))
    return whole


def percent(values: Sequence[float]) -> float:
    return 100 * mean(values)


def peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--stories", type=count, default=40)
    parser.add_argument("--pairs", action="store_true", help="two characters in a panel")
    parser.add_argument("--named", type=count, default=12, help="stories that name the colours")
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--sheets", type=Path, help="a folder for sheets of the first eight stories"
    )
    options = parser.parse_args()
    if options.pairs:
        of_pairs(options.stories, options.json)
    draw(make_story(0, named=False), "leading")  # warm up
    open_stories = [make_story(i, named=False) for i in range(options.stories)]
    results: dict[str, Figures] = {}
    memory: dict[str, float] = {}
    for way in WAYS:
        results[way] = run(way, open_stories, options.sheets)
        memory[way] = peak_megabytes()
    named = run("leading", [make_story(i, named=True) for i in range(options.named)], None)
    print(f"{options.stories} stories of {PANELS} panels, hair and clothing colour left open\n")
    head = ["", *(f"agree: {k}" for k in OPEN), *(f"obey: {k}" for k in SAID)]
    rows = [
        [
            way,
            *(f"{percent(f.agreement[k]):.0f} %" for k in OPEN),
            *(f"{percent(f.obeyed[k]):.0f} %" for k in SAID),
            f"{percent(f.poses):.0f} %",
            f"{sorted(f.seconds)[len(f.seconds) // 2]:.2f}",
            f"{memory[way]:.0f}",
        ]
        for way, f in results.items()
    ]
    print_table([*head, "distinct poses", "s a panel", "peak MB so far"], rows)
    print(
        f"\ncolours named ({options.named} stories): "
        + ", ".join(f"{k} obeyed {percent(named.obeyed[k]):.0f} %" for k in OPEN)
    )
    finish(bars(results, named), {w: vars(f) for w, f in results.items()}, options.json)


def of_pairs(count: int, json_file: Path | None) -> None:
    stories = [pairs.make_pair_story(i, POSE_WORDS, NOUNS) for i in range(count)]
    reached, results = pairs.run(stories, painted, pairs.trust(200))
    finish(reached, {way: vars(figures) for way, figures in results.items()}, json_file)


def bars(results: dict[str, Figures], named: Figures) -> list[Bar]:
    plain, ours = results["without CSA"], results["leading"]

    def agreement(f: Figures) -> float:
        return mean(percent(f.agreement[k]) for k in OPEN)

    def obedience(f: Figures) -> float:
        return mean(percent(f.obeyed[k]) for k in SAID)

    return [
        Bar("agreement of the open attributes", agreement(ours), 80, unit=" %"),
        Bar("agreement above no CSA", agreement(ours) - agreement(plain), 35, unit=" points"),
        Bar(
            "obedience lost", obedience(plain) - obedience(ours), 5, at_least=False, unit=" points"
        ),
        Bar("species obeyed", percent(ours.obeyed["species"]), 90, unit=" %"),
        Bar("place obeyed", percent(ours.obeyed["place"]), 90, unit=" %"),
        Bar("pose obeyed", percent(ours.obeyed["pose"]), 60, unit=" %"),
        Bar("hair colour obeyed when named", percent(named.obeyed["hair"]), 80, unit=" %"),
        Bar("clothing colour obeyed when named", percent(named.obeyed["clothing"]), 80, unit=" %"),
    ]


if __name__ == "__main__":
    main()
