"""Is the judge to be trusted? `python -m bench.judge [--scenes 2000] [--json FILE]`.

The share of right answers on fresh drawn scenes of one character, question by question. Every
other bench of pictures leans on this one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.table import Bar, finish, print_table
from engine.house.judge import accuracy, load_judge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = accuracy(load_judge(), options.scenes, seed=987)
    print_table(["attribute", "right"], [[k, f"{100 * v:.1f} %"] for k, v in figures.items()])
    bars = [Bar(f"{name} right", 100 * value, 97, unit=" %") for name, value in figures.items()]
    finish(bars, figures, options.json)


if __name__ == "__main__":
    main()
