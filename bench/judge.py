"""Is the judge to be trusted? `python -m bench.judge [--scenes 2000] [--json FILE]`.

The share of right answers on fresh drawn scenes of one character, question by question. Every
other bench of pictures leans on this one. Beside it, on a quarter as many, what is left of that
when the scenes have gone through the house artist's autoencoder, as all that it paints has.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from bench.table import Bar, count, finish, print_table
from engine.house.judge import accuracy, load_judge
from engine.loading import load_model
from engine.models import HOUSE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=count, default=2000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    artist = load_model(HOUSE, torch.device("cpu"))

    def stored(pictures: Tensor) -> Tensor:
        with artist.painting():
            parts = pictures.split(20)
            return torch.cat([artist.decode(artist.encode(part)) for part in parts])

    figures = accuracy(load_judge(), options.scenes, seed=987)
    again = accuracy(load_judge(), options.scenes // 4 or 1, seed=989, through=stored)
    rows = [[name, f"{100 * figures[name]:.1f} %", f"{100 * again[name]:.1f} %"] for name in again]
    print_table(["attribute", "drawn", "drawn, stored in latents"], rows)
    bars = [Bar(f"{name} right", 100 * value, 97, unit=" %") for name, value in figures.items()]
    finish(bars, {"drawn": figures, "stored": again}, options.json)


if __name__ == "__main__":
    main()
