"""Poster letters: heavy and white with black around them, as large as their place allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, cos, exp, pi, sin
from unicodedata import normalize

from fontTools.unicodedata import script as script_of
from PIL import Image, ImageChops

from bot.page.breaking import Measured, break_lines, narrowest
from bot.page.lettering import TextBlock, placed_glyphs, stack, text_of
from bot.page.shaping import PlacedGlyph, ShapedLine, draw_glyphs, draw_letters, draw_shadow
from bot.page.writing import cjk_language

FACE = "poster"  # of `FONTS`; its Latin letters are all capitals
SMOOTH = 2  # drawn so many times larger, then scaled down
OUTLINE = 0.07  # ems of black around the letters
# Ems by which letters grow on all sides; not those whose strokes stand close, as in 赢.
HEAVIER = {"hand": 0.022, "arabic": 0.014, "hebrew": 0.014, "thai": 0.008, "devanagari": 0.008}
LEADING = 0.1  # ems between lines
WORTH = (1.0, 0.85, 0.72)  # how good letters of a size are on one line, on two, on three
SLACKS = (1.005, 1.1, 1.25, 1.5)  # widths to break lines at, as shares of the narrowest
MOST_LINES = 12  # of words that three lines would make too small to read
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Room:
    """Where poster letters go: pixels. `smallest` and `largest` are ems that can be read, wanted.

    Outlines are within `width` and `height`.
    """

    width: float
    height: float
    smallest: float
    largest: float


def poster_block(text: str, room: Room, others: Iterable[str] = ()) -> TextBlock:
    """The clean `text` centred on one to three lines, as large as there is room.

    Only where three lines would make its letters smaller than can be read there are more lines.
    `others` are texts of the same picture, as for `cjk_language`.
    """
    words = capitals(text)
    prepared = text_of(words, cjk_language(words, others), FACE)
    pieces, measured = prepared.measured(room.width / room.smallest)
    found: list[tuple[float, int, TextBlock]] = []
    for count in range(1, MOST_LINES + 1):
        narrow = narrowest(measured, [1.0], count)
        for slack in SLACKS:
            ranges = break_lines(measured, [narrow * slack])
            block = _filling(prepared.lines(pieces, ranges), room)
            found.append((_worth(block, ranges, measured), len(found), block))
        best = max(found)[2]
        if count >= len(WORTH) and best.size >= room.smallest:
            break
    return best


def _worth(block: TextBlock, ranges: Sequence[tuple[int, int]], text: Measured) -> float:
    """How good these lines are: large letters, few lines, broken where it reads well."""
    breaks = sum(text.costs[end - 1] for _, end in ranges[:-1])
    return block.size * WORTH[min(len(ranges), len(WORTH)) - 1] * exp(-breaks)


def _filling(lines: Sequence[ShapedLine], room: Room) -> TextBlock:
    """The lines as large as they fit."""
    ems = stack(lines, 1.0, "centre", leading=LEADING)
    wide, high = (side + 2 * OUTLINE for side in (ems.width, ems.height))
    size = min(room.largest, room.width / wide, room.height / high)
    return stack(lines, size, "centre", leading=LEADING)


def capitals(text: str) -> str:
    """Cyrillic and Greek in capitals, as posters have them; the Greek ones bear no accent."""
    if not {script_of(c) for c in text} & {"Cyrl", "Grek"}:
        return text
    bare = re.sub("(?<=[Α-Ωα-ω])\u0301", "", normalize("NFD", text))
    return normalize("NFC", bare).upper()


def draw_poster(image: Image.Image, block: TextBlock, left: float, top: float) -> None:
    """The block in white with black around it, the corner of its letters at `left`, `top`."""
    size = block.size * SMOOTH
    margin = ceil(OUTLINE * block.size) + 2
    canvas = (
        (ceil(block.width) + 2 * margin) * SMOOTH,
        (ceil(block.height) + 2 * margin) * SMOOTH,
    )
    glyphs = [
        (glyph, x * SMOOTH, baseline * SMOOTH)
        for glyph, x, baseline in placed_glyphs(block, margin, margin)
    ]
    shadow = Image.new("L", canvas)
    draw_shadow(shadow, glyphs, size)
    corner = (round(left) - margin, round(top) - margin)
    image.paste(BLACK, corner, _spread(shadow, OUTLINE * size).reduce(SMOOTH))
    image.paste(WHITE, corner, _letters(glyphs, size, canvas).reduce(SMOOTH))
    emoji = [g for g in placed_glyphs(block, round(left), round(top)) if g[0].font == "emoji"]
    draw_glyphs(image, emoji, block.size)


def _letters(glyphs: Sequence[PlacedGlyph], size: float, canvas: tuple[int, int]) -> Image.Image:
    """The letters in white on black, each font's as heavy as its strokes allow."""
    whole = Image.new("L", canvas)
    for font in sorted({glyph.font for glyph, _, _ in glyphs}):
        letters = Image.new("L", canvas)
        draw_letters(letters, [placed for placed in glyphs if placed[0].font == font], size, 255)
        letters = _spread(letters, HEAVIER.get(font, 0.0) * size)
        whole = ImageChops.lighter(whole, letters)
    return whole


def _spread(mask: Image.Image, radius: float) -> Image.Image:
    """White grown by `radius` pixels on all sides, corners rounded; the margin must be as wide."""
    grown = mask
    for ring in (radius, radius / 2):  # the inner one fills what thin strokes leave open
        steps = max(8, ceil(2 * pi * ring / 3))
        shifts = {
            (round(ring * cos(2 * pi * step / steps)), round(ring * sin(2 * pi * step / steps)))
            for step in range(steps)
        }
        for shift in sorted(shifts):
            grown = ImageChops.lighter(grown, ImageChops.offset(mask, *shift))
    return grown
