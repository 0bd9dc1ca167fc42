"""How long do animations take to encode, and how large are they? `python -m bench.encoding`.

Moving house scenes, 16 frames of 512 pixels, as GIF, MP4 and WebP (median of three runs of each, in
a warm process). `--json FILE` keeps the figures. Exit code 1 names the bars that are missed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

import numpy as np
from PIL import Image

from bench.table import Bar, finish, print_table
from bot.page.moving import TICK, Film, Pixels, gif, mp4, webp

KINDS = ("pose", "story", "walking", "arguing", "papers", "pan", "zoom")
FRAMES, SIDE, RUNS, SEED = 16, 512, 3, 7
HOLD = 8 * TICK
GRAIN = 2.0  # levels: a decoded picture is never as smooth as a drawn one
MEGABYTE, KILOBYTE = 1e6, 1e3
WRITERS: dict[str, Callable[[Film], bytes]] = {"gif": gif, "mp4": mp4, "webp": webp}


@dataclass(frozen=True)
class Figures:
    """One film in one format."""

    clip: str
    kind: str
    seconds: float
    bytes: int


def film_of(kind: str) -> Film:
    """A clip of the house's own, enlarged, with the grain of drawn pictures."""
    from engine.house.clips import draw_clip, sample_clip

    random = np.random.default_rng(SEED)
    frames = []
    for frame in draw_clip(sample_clip(Random(SEED), kind), FRAMES):
        large = Image.fromarray(frame).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        grain = random.normal(0, GRAIN, (SIDE, SIDE, 3))
        pixels: Pixels = np.clip(np.asarray(large) + grain, 0, 255).astype(np.uint8)
        frames.append(pixels)
    times = [HOLD, *[TICK] * (FRAMES - 2), HOLD]
    return Film(frames, times, frozenset({0, FRAMES - 1}))


def measured(clip: str, film: Film, kind: str) -> Figures:
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        content = WRITERS[kind](film)
        seconds.append(time.perf_counter() - began)
    return Figures(clip, kind, median(seconds), len(content))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    films = {kind: film_of(kind) for kind in KINDS}
    for write in WRITERS.values():  # libraries are loaded once, not for each film
        write(films[KINDS[0]].thinned(2))
    figures = [measured(clip, film, kind) for clip, film in films.items() for kind in WRITERS]
    print_table(
        ["clip", "format", "seconds", "KB"],
        [[f.clip, f.kind, f"{f.seconds:.2f}", f"{f.bytes / KILOBYTE:.0f}"] for f in figures],
    )
    worst = {kind: [f for f in figures if f.kind == kind] for kind in WRITERS}
    finish(
        [
            *(
                Bar(f"{k.upper()} encoded", max(f.seconds for f in worst[k]), 1, False, " s")
                for k in ("gif", "mp4")
            ),
            Bar("largest GIF", max(f.bytes for f in worst["gif"]) / MEGABYTE, 3, False, " MB"),
            Bar("largest MP4", max(f.bytes for f in worst["mp4"]) / KILOBYTE, 400, False, " KB"),
        ],
        [vars(f) for f in figures],
        options.json,
    )


if __name__ == "__main__":
    main()
