"""The plan of pages: where every panel, picture and letter goes, before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.page.balloons import Point
from bot.page.layouts import TALLEST, WIDEST, Layout, Rect, Row
from bot.page.lettering import set_text
from bot.page.pictures import crop_for
from bot.page.placing import PagePanel, PlacedWords, Words, beside, place, words_for
from bot.page.writing import cjk_language, clean

TITLE_SIZE = 56.0  # pixels an em
WIDEST_CELL = 1120.0  # pixels: a panel in a row of its own is no wider
ROOMY = 0.9  # of its square: how high a picture should stay when words need room above it


@dataclass(frozen=True)
class PanelPlan:
    """Panel `number` (from 0): `cell` is all its room, `frame` is what the border runs around.

    `crop` is the part of the picture that is shown in `picture`; the frame above that is the
    picture's headroom or a band of words.
    """

    number: int
    cell: Rect
    frame: Rect
    picture: Rect
    crop: Rect
    words: PlacedWords | None


@dataclass(frozen=True)
class PagePlan:
    width: int
    height: int
    panels: tuple[PanelPlan, ...]
    title: PlacedWords | None = None


@dataclass(frozen=True)
class _Cell:
    """One panel of a row, while its height is looked for."""

    number: int
    panel: PagePanel
    left: float
    width: float
    words: Words | None

    @property
    def strip(self) -> float:
        return self.words.strip if self.words and self.words.form != "beside" else 0.0

    @property
    def picture_width(self) -> float:
        is_beside = self.words is not None and self.words.form == "beside"
        return self.width - self.words.strip if self.words and is_beside else self.width


class Planner:
    """Plans the pages of one story in one layout."""

    def __init__(self, panels: Sequence[PagePanel], layout: Layout) -> None:
        self.panels = [
            replace(panel, caption=clean(panel.caption or "") or None) for panel in panels
        ]
        self.layout = layout
        self.captions = [panel.caption for panel in self.panels if panel.caption]

    def pages(self, title: str | None) -> list[PagePlan]:
        """Every page; one that gets too high for its layout goes on as another."""
        plans: list[PagePlan] = []
        first = 0
        for rows in self.layout.pages(len(self.panels)):
            width = self.layout.width(rows)
            heading = self._title(clean(title or ""), width) if not plans else None
            top = heading.box.bottom + self.layout.gutter if heading else self.layout.margin
            placed: list[PanelPlan] = []
            for row in rows:
                for cells, height in self._solved(row, first, width):
                    if placed and top + height + self.layout.margin > self.layout.tallest:
                        plans.append(self._page(width, placed, heading))
                        placed, heading, top = [], None, float(self.layout.margin)
                    placed += [self._panel(cell, top, height) for cell in cells]
                    top += height + self.layout.row_gap
                first += len(row.shares)
            plans.append(self._page(width, placed, heading))
        return plans

    def _page(self, width: int, placed: Sequence[PanelPlan], title: PlacedWords | None) -> PagePlan:
        margin = self.layout.margin
        bottom = max(plan.cell.bottom for plan in placed)
        return PagePlan(width + 2 * margin, round(bottom) + margin, tuple(placed), title)

    def _title(self, title: str, width: int) -> PlacedWords | None:
        if not title:
            return None
        margin = self.layout.margin
        size = TITLE_SIZE
        block = set_text(title, cjk_language(title, self.captions), width, size, "centre")
        while len(block.lines) > 2 and size > self.layout.letters:
            size -= 4
            block = set_text(title, cjk_language(title, self.captions), width, size, "centre")
        left = margin + (width - block.width) / 2
        box = Rect(left, margin, left + block.width, margin + block.height)
        return PlacedWords("box", box, block, (left, margin))

    def _solved(self, row: Row, first: int, width: int) -> Iterator[tuple[list[_Cell], float]]:
        """The row with its height; cut in halves, again if need be, when words are too long."""
        cells = list(self._cells(row, first, width))
        if len(cells) == 1 or all(cell.strip <= _too_high(cells) for cell in cells):
            yield cells, self._height(row, cells)
            return
        half = (len(cells) + 1) // 2
        for start, panels in ((first, half), (first + half, len(cells) - half)):
            share = min(1.0, panels * WIDEST_CELL / width)
            part = Row((1 / panels,) * panels, panels * 1.1, row.width * share, row.place)
            yield from self._solved(part, start, width)

    def _cells(self, row: Row, first: int, width: int) -> Iterator[_Cell]:
        gaps = self.layout.gutter * (len(row.shares) - 1)
        left = self.layout.margin + (1 - row.width) * row.place * width
        for number, share in enumerate(row.shares, first):
            panel = self.panels[number]
            cell_width = (width * row.width - gaps) * share
            height = width * row.width / row.aspect
            words = self._words(panel, cell_width, min(height, cell_width / TALLEST))
            if words and words.strip > 0.2 * cell_width and len(row.shares) == 1:
                words = self._beside(panel, cell_width) or words
            yield _Cell(number, panel, left, cell_width, words)
            left += cell_width + self.layout.gutter

    def _words(self, panel: PagePanel, width: float, height: float) -> Words | None:
        if panel.caption is None:
            return None
        language = cjk_language(panel.caption, self.captions)
        kind = panel.kind or "box"
        return words_for(panel.caption, kind, language, self.layout, width, height)

    def _beside(self, panel: PagePanel, width: float) -> Words | None:
        """A long caption beside its picture."""
        if panel.caption is None or panel.kind not in ("box", None):
            return None
        return beside(panel.caption, cjk_language(panel.caption, self.captions), self.layout, width)

    def _height(self, row: Row, cells: Sequence[_Cell]) -> float:
        """High enough that no picture is cut by more than a quarter, and no words either."""
        inner = sum(cell.width for cell in cells) + self.layout.gutter * (len(cells) - 1)
        height = inner / row.aspect
        for cell in cells:
            if cell.words and cell.words.form == "beside":
                return max(cell.words.height, cell.picture_width * ROOMY)
            roomy = min(height, cell.width) * ROOMY if cell.strip else 0.0
            height = max(height, cell.strip + max(roomy, cell.width / WIDEST))
        return height

    def _panel(self, cell: _Cell, top: float, height: float) -> PanelPlan:
        room = Rect(*map(round, (cell.left, top, cell.left + cell.width, top + height)))
        strip = round(max(cell.strip, height - cell.picture_width / TALLEST))
        if cell.words is None or cell.words.form != "beside":
            picture = Rect(room.left, room.top + strip, room.right, room.bottom)
        elif cell.words.right_to_left:
            picture = Rect(
                room.right - round(cell.picture_width), room.top, room.right, room.bottom
            )
        else:
            picture = Rect(room.left, room.top, room.left + round(cell.picture_width), room.bottom)
        crop = crop_for(cell.panel.picture.size, picture.width / picture.height)
        frame = picture if self.layout.is_airy else room
        words = None
        if cell.words is not None:
            at = _Eye(cell.panel.picture.size, crop, picture)
            words = place(cell.words, room, picture, at, cell.panel.side)
        return PanelPlan(cell.number, room, frame, picture, crop, words)


def _too_high(cells: Sequence[_Cell]) -> float:
    return 0.55 * min(cell.width for cell in cells)


@dataclass(frozen=True)
class _Eye:
    """Finds a point of the picture, in shares of its width and height, on the page."""

    size: tuple[int, int]
    crop: Rect
    picture: Rect

    def __call__(self, x: float, y: float) -> Point:
        across = (x * self.size[0] - self.crop.left) / self.crop.width
        down = (y * self.size[1] - self.crop.top) / self.crop.height
        return (
            self.picture.left + min(0.94, max(0.06, across)) * self.picture.width,
            self.picture.top + down * self.picture.height,
        )


def plan_pages(
    panels: Sequence[PagePanel], layout: Layout, title: str | None = None
) -> list[PagePlan]:
    """Pages of `panels` (at least one) in reading order."""
    return Planner(panels, layout).pages(title)
