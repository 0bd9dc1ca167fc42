"""Layouts: how many panels stand in which row of which page, and how large they are.

A new layout is one entry in `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

MOST_PANELS = 24
TALLEST, WIDEST = 0.76, 1.32  # width by height of a picture: none is cut by more than a quarter


@dataclass(frozen=True)
class Rect:
    """A rectangle in pixels; `right` and `bottom` are outside."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def shrunk(self, by: float) -> Rect:
        return Rect(self.left + by, self.top + by, self.right - by, self.bottom - by)


@dataclass(frozen=True)
class Row:
    """Panels side by side: their shares of the row's width, and width by height of the row.

    `place` says where in the page's width a row stands that does not fill it: `width` of it.
    """

    shares: tuple[float, ...]
    aspect: float
    width: float = 1.0
    place: float = 0.5


@dataclass(frozen=True)
class Layout:
    """How pages are made from any number of panels; lengths in pixels."""

    pages: Callable[[int], list[list[Row]]]
    width: Callable[[Sequence[Row]], int]  # of the area between the margins
    margin: int = 40
    gutter: int = 24  # between the panels of a row
    row_gap: int = 24  # between rows
    letters: int = 30  # one em of the lettering
    is_airy: bool = False  # lettering may leave its panel and float in the gap above
    tallest: int = 2600  # a page higher than this goes on as another one
    typeset: bool = True


def _chunks(count: int, most: int) -> list[int]:
    """`count` split into as few parts of at most `most` as possible, the longer ones first."""
    parts = ceil(count / most)
    return [count // parts + (number < count % parts) for number in range(parts)]


def _even(count: int, aspect: float) -> Row:
    return Row((1 / count,) * count, aspect)


def _four_panel(count: int) -> list[list[Row]]:
    """Two by two; an odd last panel is a wide one."""
    pages = []
    for first in range(0, count, 4):
        left = min(4, count - first)
        rows = [_even(2, 2.0)] * (left // 2) + [_even(1, 1.3)] * (left % 2)
        pages.append(rows)
    return pages


CLASSIC_ROWS = {  # panels in each row of a page of so many panels
    1: (1,),
    2: (1, 1),
    3: (1, 2),
    4: (2, 2),
    5: (2, 1, 2),
    6: (1, 2, 3),
    7: (2, 3, 2),
}
UNEVEN: dict[
    int, list[tuple[tuple[float, ...], float]]
] = {  # shares of the width, and the aspect of the row
    1: [((1.0,), 1.3)],
    2: [((0.56, 0.44), 2.16), ((0.45, 0.55), 2.2)],
    3: [((0.37, 0.29, 0.34), 2.75), ((0.3, 0.4, 0.3), 2.75)],
}


def _classic(count: int) -> list[list[Row]]:
    """At most seven panels a page; rows of two and three are uneven, each unlike the last."""
    pages = []
    for panels in _chunks(count, max(CLASSIC_ROWS)):
        seen = {1: 0, 2: 0, 3: 0}
        rows = []
        for in_row in CLASSIC_ROWS[panels]:
            variants = UNEVEN[in_row]
            rows.append(Row(*variants[seen[in_row] % len(variants)]))
            seen[in_row] += 1
        pages.append(rows)
    return pages


def _strip(count: int) -> list[list[Row]]:
    """Rows of up to four, three rows to a page."""
    rows = _chunks(count, 4)
    columns = rows[0]
    made = [_even(panels, min(columns, panels * 1.28)) for panels in rows]
    return [made[first : first + 3] for first in range(0, len(made), 3)]


def _webtoon(count: int) -> list[list[Row]]:
    """One below the other, eight to a page, every third one smaller and to a side."""
    pages = []
    done = 0
    for panels in _chunks(count, 8):
        numbers = range(done, done + panels)
        pages.append([_webtoon_row(number) for number in numbers])
        done += panels
    return pages


def _webtoon_row(number: int) -> Row:
    if number % 3 != 2:
        return Row((1.0,), 1.0 if number % 3 == 0 else 1.15)
    return Row((1.0,), 1.0, width=0.82, place=number // 3 % 2)


def _columns_wide(rows: Sequence[Row]) -> int:
    """A strip is as wide as its longest row of panels needs."""
    columns = max(len(row.shares) for row in rows)
    return max(columns * 464 - 24, 700)


LAYOUTS: dict[str, Layout] = {
    "four-panel": Layout(_four_panel, lambda rows: 1120),
    "classic": Layout(_classic, lambda rows: 1120),
    "strip": Layout(_strip, _columns_wide),
    "webtoon": Layout(_webtoon, lambda rows: 720, row_gap=96, is_airy=True, tallest=9000),
    "pictures": Layout(lambda count: [], lambda rows: 0, typeset=False),
}
