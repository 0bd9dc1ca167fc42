"""What every bench does at its end: a table, JSON, missed bars by name, exit code 1 for them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bar:
    """One figure that must be reached."""

    name: str
    value: float
    bar: float
    at_least: bool = True
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{self.name}: {self.value:.4g}{self.unit} (bar {sign} {self.bar:g}{self.unit})"


def count(text: str) -> int:
    """For argparse: how many there are to be of what a bench measures."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text}")
    return int(text)


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A Markdown table, columns aligned."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, ["-" * w for w in widths], *rows):
        print("| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |")


def finish(bars: Sequence[Bar], figures: object, json_file: Path | None) -> None:
    """Print the bars, write the JSON if asked for, and exit: 0, or 1 with a bar missed."""
    print()
    for bar in bars:
        print(f"{'met   ' if bar.met else 'MISSED'} {bar}")
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        data = {"figures": figures, "bars": [{**asdict(b), "met": b.met} for b in bars]}
        json_file.write_text(
            json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    missed = [bar.name for bar in bars if not bar.met]
    if missed:
        print(f"\nbars missed: {', '.join(missed)}", file=sys.stderr)
    sys.exit(1 if missed else 0)
