"""Letters as shapes: HarfBuzz turns runs of text into placed glyphs, and glyphs into ink."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import uharfbuzz as hb  # type: ignore[import-untyped]
from PIL import Image

from bot.page.fonts import EM, FONTS, load
from bot.page.writing import Run, in_drawing_order

BLACK = (0, 0, 0)
LANGUAGES = {"zh-hans": "zh-Hans", "zh-hant": "zh-Hant"}  # where fonts' names differ from BCP 47
CAP_AND_DESCENT = {  # ems above and below the baseline that a line of the font keeps free
    "latin": (0.74, 0.22),
    "hand": (0.78, 0.22),
    "arabic": (0.86, 0.36),
    "hebrew": (0.74, 0.22),
    "thai": (0.98, 0.30),
    "devanagari": (0.92, 0.34),
    "emoji": (0.84, 0.22),
    "poster": (0.76, 0.06),
    "sans": (0.74, 0.24),
    "symbols": (0.78, 0.22),
}
IDEOGRAPHS = (0.84, 0.14)  # the same for all fonts of Chinese, Japanese and Korean


@dataclass(frozen=True)
class Glyph:
    """One glyph of a line; `x` and `y` (up) in ems from the start of the line's baseline."""

    font: str
    number: int
    x: float
    y: float


PlacedGlyph = tuple[Glyph, float, float]  # where its line starts: x, baseline in pixels


@dataclass(frozen=True)
class ShapedLine:
    """Glyphs side by side, in ems: ink and advances lie between `left` and `right`."""

    glyphs: tuple[Glyph, ...]
    left: float
    right: float
    ascent: float
    descent: float

    @property
    def width(self) -> float:
        return self.right - self.left


def shape_line(line: Sequence[Run]) -> ShapedLine:
    """One line of runs in reading order, as it is drawn from left to right."""
    glyphs: list[Glyph] = []
    pen = left = right = ascent = descent = 0.0
    for run in in_drawing_order(list(line)):
        shaped = shape_run(run)
        glyphs += [Glyph(g.font, g.number, g.x + pen, g.y) for g in shaped.glyphs]
        left, right = min(left, pen + shaped.left), max(right, pen + shaped.right)
        ascent, descent = max(ascent, shaped.ascent), max(descent, shaped.descent)
        pen = right
    return ShapedLine(tuple(glyphs), left, right, ascent, descent)


@lru_cache(maxsize=8192)
def shape_run(run: Run) -> ShapedLine:
    """The glyphs of one run, from left to right whatever its direction."""
    font = load(FONTS[run.font])
    buffer = hb.Buffer()
    buffer.add_str(run.text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if run.level % 2 else "ltr"
    buffer.language = LANGUAGES.get(run.font, run.font if run.font in ("ja", "ko") else "en")
    buffer.flags = hb.BufferFlags.REMOVE_DEFAULT_IGNORABLES
    hb.shape(font, buffer)
    glyphs = []
    pen = left = right = 0.0
    ascent, descent = CAP_AND_DESCENT.get(run.font, IDEOGRAPHS)
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        glyph = Glyph(run.font, info.codepoint, pen + place.x_offset / EM, place.y_offset / EM)
        x0, bottom, x1, top = ink(glyph.font, glyph.number)
        pen += place.x_advance / EM
        left, right = min(left, glyph.x + x0), max(right, pen, glyph.x + x1)
        ascent, descent = max(ascent, glyph.y + top), max(descent, -glyph.y - bottom)
        glyphs.append(glyph)
    return ShapedLine(tuple(glyphs), left, right, ascent, descent)


@lru_cache(maxsize=8192)
def ink(font: str, number: int) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a glyph's ink in ems from its origin."""
    extents = load(FONTS[font]).get_glyph_extents(number)
    if extents is None or not extents.width:
        return (0.0, 0.0, 0.0, 0.0)
    x, y = extents.x_bearing, extents.y_bearing
    return (x / EM, (y + extents.height) / EM, (x + extents.width) / EM, y / EM)


def draw_glyphs(
    image: Image.Image,
    glyphs: Sequence[PlacedGlyph],
    size: float,
    colour: tuple[int, int, int] = BLACK,
) -> None:
    """Ink for glyphs whose line starts at a given x, baseline; `size` pixels an em."""
    for small, corner in _emoji_of(glyphs, size):
        image.paste(small, corner, small)
    draw_letters(image, glyphs, size, colour)


def draw_shadow(image: Image.Image, glyphs: Sequence[PlacedGlyph], size: float) -> None:
    """What letters and emoji cover, white on an "L" image."""
    for small, corner in _emoji_of(glyphs, size):
        image.paste(255, corner, small.getchannel("A"))
    draw_letters(image, glyphs, size, 255)


def draw_letters(
    image: Image.Image,
    glyphs: Sequence[PlacedGlyph],
    size: float,
    colour: tuple[int, int, int] | int,
) -> None:
    """Ink for the glyphs that are no emoji."""
    raster = hb.RasterDraw()
    scale = size / EM
    for glyph, x, baseline in glyphs:
        if glyph.font != "emoji":
            at_x, at_y = x + glyph.x * size, baseline - glyph.y * size
            raster.transform = (scale, 0, 0, scale, at_x, -at_y)  # the raster's y points up
            raster.draw_glyph(load(FONTS[glyph.font]), glyph.number)
    drawn = raster.render()
    if drawn is None or not drawn.extents.width or not drawn.extents.height:
        return
    box = drawn.extents
    mask = Image.frombuffer("L", (box.width, box.height), drawn.buffer, "raw", "L", box.stride, -1)
    image.paste(colour, (box.x_origin, -(box.y_origin + box.height)), mask)


def _emoji_of(
    glyphs: Sequence[PlacedGlyph], size: float
) -> Iterator[tuple[Image.Image, tuple[int, int]]]:
    """Colour glyphs and where they go; those that the font has no picture for are left out."""
    for glyph, x, baseline in glyphs:
        picture = _emoji(glyph.number) if glyph.font == "emoji" else None
        if picture is None:
            continue
        left, bottom, right, top = (edge * size for edge in ink("emoji", glyph.number))
        if right - left >= 1 and top - bottom >= 1:
            small = picture.resize((int(right - left), int(top - bottom)), Image.Resampling.LANCZOS)
            at_x, at_y = x + glyph.x * size, baseline - glyph.y * size
            yield small, (round(at_x + left), round(at_y - top))


@lru_cache(maxsize=256)
def _emoji(number: int) -> Image.Image | None:
    blob = load(FONTS["emoji"]).get_glyph_color_png(number)
    if not blob or not len(blob):
        return None
    return Image.open(BytesIO(blob.data)).convert("RGBA")
