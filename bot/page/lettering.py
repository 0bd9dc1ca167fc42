"""Lettering: text set in lines, balanced and measured, so that its box can be made to fit."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, dropwhile, islice, takewhile
from operator import itemgetter
from typing import Literal

from fontTools.unicodedata import script as script_of
from fontTools.unicodedata import script_name
from PIL import Image
from uniseg.graphemecluster import grapheme_clusters

from bot.errors import Refusal, quoted
from bot.page.breaking import Measured, Unit, balanced_lines, split_wide, units
from bot.page.fonts import FONTS, FontSource, has_letter, is_readable, missing
from bot.page.shaping import BLACK, PlacedGlyph, ShapedLine, draw_glyphs, shape_line, shape_run
from bot.page.writing import (
    CJK_SCRIPTS,
    FONT_OF_SCRIPT,
    NEUTRAL,
    Run,
    cjk_language,
    clean,
    direction,
    needed_fonts,
    runs,
    without_marks,
)

LEADING = 0.2  # ems between the descent of a line and the ascent of the next
MOST_NAMED = 3  # letters that the refusal of a caption quotes
Align = Literal["start", "centre"]


@dataclass(frozen=True)
class PlacedLine:
    """A shaped line whose pen starts at `x`, `baseline`: pixels from its block's corner."""

    shaped: ShapedLine
    x: float
    baseline: float


@dataclass(frozen=True)
class TextBlock:
    """Set text; all of its ink lies within `width` by `height` pixels."""

    lines: tuple[PlacedLine, ...]
    size: float  # pixels an em
    width: float
    height: float


def check_fonts(texts: Iterable[str], fonts: Mapping[str, FontSource] = FONTS) -> None:
    """Raises `Refusal` for letters that no font has, `UserError` where a font is missing."""
    cleaned = [clean(text) for text in texts]
    languages = [cjk_language(text, cleaned) for text in cleaned]
    needed = map(needed_fonts, cleaned, languages)
    for name in sorted(set().union(*needed)):
        if not is_readable(fonts[name]):
            raise missing(fonts[name])
    for text, language in zip(cleaned, languages, strict=True):
        boxes = _first_boxes(text, language) if text else []
        if boxes:
            raise _unlettered(boxes)


def _first_boxes(text: str, language: str) -> list[str]:
    """The first graphemes in a row that would be drawn as boxes, `MOST_NAMED` at most."""
    shown = (
        (cluster, _is_box(Run(cluster, run.font, run.level)))
        for run in runs(text, language)
        for cluster in (grapheme_clusters(run.text) if _lacks(run) else [run.text])
    )
    boxes = takewhile(itemgetter(1), dropwhile(lambda each: not each[1], shown))
    return [cluster for cluster, _ in islice(boxes, MOST_NAMED)]


def _is_box(run: Run) -> bool:
    """Whether this one's font lacks it, rather than only marks on a letter that it has."""
    return _lacks(run) and _lacks(Run(without_marks(run.text) or run.text, run.font, run.level))


def _lacks(run: Run) -> bool:
    return any(glyph.number == 0 for glyph in shape_run(run).glyphs)


def _unlettered(boxes: Sequence[str]) -> Refusal:
    """The sentence that says which letters no font has, and what to do."""
    first = boxes[0]
    parts = without_marks(first) or first  # of a family of emoji one member alone may be missing
    odd = next((c for c in parts if not any(has_letter(name, c) for name in FONTS)), parts[0])
    script = script_of(odd)
    if script in NEUTRAL | CJK_SCRIPTS | FONT_OF_SCRIPT.keys():  # a symbol, or a rare letter
        name = unicodedata.name(odd, "").lower() or f"U+{ord(odd):04X}"
        return Refusal("letters.no_character", letter=quoted(first), name=name)
    letters, script = quoted("".join(boxes)), script_name(script)
    return Refusal("letters.no_letters", count=len(boxes), letters=letters, script=script)


class Text:
    """A clean text, its places to break and their widths in ems; the same for every size."""

    def __init__(self, text: str, language: str, face: str = "latin") -> None:
        self.text = text
        self.is_right_to_left = direction(text) == 1
        self._runs = runs(text, language, face)
        self._ends = list(accumulate(len(run.text) for run in self._runs))
        self._units = units(text, language)
        self._whole = self._measure(self._units)

    def line(self, start: int, end: int) -> ShapedLine:
        """The characters [start, end) on a line of their own."""
        return shape_line(self._cut(start, end))

    def _cut(self, start: int, end: int) -> list[Run]:
        cut = []
        place = bisect_right(self._ends, start)
        while start < end:
            run, run_end = self._runs[place], self._ends[place]
            piece = self.text[start : min(end, run_end)]
            cut.append(Run(piece, run.font, run.level))
            start, place = run_end, place + 1
        return cut

    def _width(self, start: int, end: int) -> float:
        return self.line(start, end).width

    def measured(self, limit: float) -> tuple[list[Unit], Measured]:
        """Units no wider than `limit` ems where graphemes allow, and their widths in ems."""
        if max(self._whole.bare, default=0.0) <= limit:
            return self._units, self._whole
        pieces = split_wide(self.text, self._units, self._bare_width, limit)
        return pieces, self._measure(pieces)

    def _measure(self, pieces: Sequence[Unit]) -> Measured:
        full = [self._width(piece.start, piece.end) for piece in pieces]
        bare = [self._bare_width(piece.start, piece.end) for piece in pieces]
        return Measured([piece.cost for piece in pieces], full, bare)

    def _bare_width(self, start: int, end: int) -> float:
        return self._width(start, start + len(self.text[start:end].rstrip()))

    def lines(self, pieces: Sequence[Unit], ranges: Sequence[tuple[int, int]]) -> list[ShapedLine]:
        """The lines made of these ranges of `pieces`, without the spaces at their ends."""
        spans = [(pieces[first].start, pieces[last - 1].end) for first, last in ranges]
        return [self.line(a, a + len(self.text[a:b].rstrip())) for a, b in spans]


@lru_cache(maxsize=256)
def text_of(text: str, language: str, face: str = "latin") -> Text:
    """The prepared form of a clean `text`; kept, because boxes are tried in several sizes."""
    return Text(text, language, face)


@lru_cache(maxsize=512)
def set_text(
    text: str, language: str, limit: float, size: float, align: Align, face: str = "latin"
) -> TextBlock:
    """The clean `text` in as few lines as `limit` pixels allow, all about equally long.

    `face` is the font of `FONTS` for Latin letters.
    """
    prepared = text_of(text, language, face)
    ems = limit / size * 0.99  # kerning across units is not in their widths
    pieces, measured = prepared.measured(ems)
    lines = prepared.lines(pieces, balanced_lines(measured, ems))
    return stack(lines, size, align, prepared.is_right_to_left)


def stack(
    lines: Sequence[ShapedLine],
    size: float,
    align: Align,
    right_to_left: bool = False,
    leading: float = LEADING,
) -> TextBlock:
    """Lines one below the other at one pitch, ink of the highest and the deepest included."""
    ascent = max((line.ascent for line in lines), default=0.0)
    descent = max((line.descent for line in lines), default=0.0)
    pitch = ascent + descent + leading
    width = max((line.width for line in lines), default=0.0)
    share = 0.5 if align == "centre" else float(right_to_left)
    placed = [
        PlacedLine(
            line,
            ((width - line.width) * share - line.left) * size,
            (ascent + number * pitch) * size,
        )
        for number, line in enumerate(lines)
    ]
    height = len(lines) * pitch - leading if lines else 0.0
    return TextBlock(tuple(placed), size, width * size, height * size)


def draw_text(
    image: Image.Image,
    block: TextBlock,
    left: float,
    top: float,
    colour: tuple[int, int, int] = BLACK,
) -> None:
    """Ink the block with its corner at `left`, `top`."""
    draw_glyphs(image, placed_glyphs(block, left, top), block.size, colour)


def placed_glyphs(block: TextBlock, left: float, top: float) -> list[PlacedGlyph]:
    """The glyphs of a block whose corner is at `left`, `top`."""
    return [
        (glyph, left + line.x, top + line.baseline)
        for line in block.lines
        for glyph in line.shaped.glyphs
    ]
