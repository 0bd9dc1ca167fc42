"""The pencil: anti-aliased shapes in fractions of the picture, inked in a drawing style."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import aggdraw
from PIL import Image

Colour = tuple[int, int, int]
Point = tuple[float, float]
Window = tuple[float, float, float]  # left, top and side of what is seen

WHOLE: Window = (0.0, 0.0, 1.0)

INK: Colour = (28, 24, 34)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`a` with `share` (0..1) of `b`."""
    return (
        round(a[0] + (b[0] - a[0]) * share),
        round(a[1] + (b[1] - a[1]) * share),
        round(a[2] + (b[2] - a[2]) * share),
    )


def _grey(colour: Colour) -> int:
    return round(0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2])


def _noir(colour: Colour) -> Colour:
    value = _grey(colour) / 255
    contrast = 1 / (1 + math.exp(-9 * (value - 0.52)))  # film noir: deep blacks, bright lights
    level = round(12 + 236 * contrast)
    return (level, level, level)


def _line_art(colour: Colour) -> Colour:
    level = 255 if _grey(colour) > 60 else 60
    return (level, level, level)


def inked(colour: Colour, style: str) -> Colour:
    """The colour as the style has it: film noir and line art know only grey."""
    if style == "noir":
        return _noir(colour)
    if style == "line art":
        return _line_art(colour)
    if style == "pastel":
        return mix(colour, (255, 250, 245), 0.45)
    return colour


class Pencil:
    """Draws on a square picture; every coordinate and width is a fraction of its side."""

    def __init__(self, pixels: int, style: str) -> None:
        self._pixels = pixels
        self.style = style
        self.ink = mix(INK, (150, 120, 150), 0.55) if style == "pastel" else INK
        self.new_page()

    def new_page(self, window: Window = WHOLE, background: Image.Image | None = None) -> None:
        """Begin a picture: what `window` shows of the drawing, upon `background` (none: white)."""
        left, top, side = window
        self._scale = self._pixels / side
        self._left, self._top = -left * self._scale, -top * self._scale
        self.image = background or Image.new("RGB", (self._pixels, self._pixels), "white")
        self._canvas = aggdraw.Draw(self.image)
        self.stroke = 0.008

    def finish(self) -> Image.Image:
        self._canvas.flush()
        return self.image

    @contextmanager
    def placed(
        self, *, about: Point = (0.0, 0.0), size: float = 1.0, by: Point = (0.0, 0.0)
    ) -> Iterator[None]:
        """What is drawn inside is `size` times as large, seen from `about`, and moved `by`."""
        before = (self._scale, self._left, self._top)
        self._left += self._scale * (about[0] * (1 - size) + by[0])
        self._top += self._scale * (about[1] * (1 - size) + by[1])
        self._scale *= size
        yield
        self._scale, self._left, self._top = before

    def _flat(self, points: Sequence[Point]) -> list[float]:
        """Pixels: x, y, x, y ..."""
        flat: list[float] = []
        for x, y in points:
            flat += (x * self._scale + self._left, y * self._scale + self._top)
        return flat

    def polygon(
        self, points: Sequence[Point], fill: Colour | None, *, stroke: float | None = None
    ) -> None:
        """A closed shape; `stroke` is the width of its outline (None: the usual one, 0: none)."""
        width = (self.stroke if stroke is None else stroke) * self._scale
        flat = self._flat(points)
        pen = aggdraw.Pen(self.ink, width) if width > 0 else None
        brush = aggdraw.Brush(inked(fill, self.style)) if fill is not None else None
        self._canvas.polygon(flat, *[tool for tool in (pen, brush) if tool is not None])

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: Colour | None,
        *,
        stroke: float | None = None,
    ) -> None:
        width = (self.stroke if stroke is None else stroke) * self._scale
        box = self._flat([(x - rx, y - ry), (x + rx, y + ry)])
        pen = aggdraw.Pen(self.ink, width) if width > 0 else None
        brush = aggdraw.Brush(inked(fill, self.style)) if fill is not None else None
        self._canvas.ellipse(box, *[tool for tool in (pen, brush) if tool is not None])

    def rectangle(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        fill: Colour,
        *,
        stroke: float | None = None,
    ) -> None:
        self.polygon(
            [(left, top), (right, top), (right, bottom), (left, bottom)], fill, stroke=stroke
        )

    def rounded(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        power: float,
        fill: Colour,
        *,
        stroke: float | None = None,
    ) -> None:
        """A superellipse: power 2 is an ellipse, larger is more like a box."""
        points = []
        for i in range(48):
            c, s = math.cos(i * math.tau / 48), math.sin(i * math.tau / 48)
            points.append(
                (
                    x + rx * math.copysign(abs(c) ** (2 / power), c),
                    y + ry * math.copysign(abs(s) ** (2 / power), s),
                )
            )
        self.polygon(points, fill, stroke=stroke)

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, width: float
    ) -> None:
        """An open inked arc, degrees clockwise from the right-hand side."""
        steps = 14
        angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
        self.line([(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles], width)

    def chord(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, fill: Colour
    ) -> None:
        """A filled segment of an ellipse between two angles in degrees."""
        angles = [math.radians(start + (end - start) * i / 20) for i in range(21)]
        self.polygon([(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles], fill)

    def line(self, points: Sequence[Point], width: float, colour: Colour | None = None) -> None:
        flat = self._flat(points)
        ink = self.ink if colour is None else inked(colour, self.style)
        self._canvas.line(flat, aggdraw.Pen(ink, max(1.0, width * self._scale)))

    def limb(
        self, points: Sequence[Point], width: float, fill: Colour, *, corner: float = -1.0
    ) -> None:
        """An arm or a leg: a thick outlined line with round ends and joints.

        A bent joint has a pointed corner, unless its turn's cosine is below `corner`.
        """
        pieces = [points]
        if sharpest_turn(points) < corner:
            pieces = [points[i : i + 2] for i in range(len(points) - 1)]
        for extra, colour in ((2 * self.stroke, None), (0.0, fill)):
            radius = (width + extra) / 2
            for piece in pieces:
                self.line(piece, width + extra, colour)
            ink = self.ink if colour is None else inked(colour, self.style)
            for x, y in points:
                box = self._flat([(x - radius, y - radius), (x + radius, y + radius)])
                self._canvas.ellipse(box, aggdraw.Brush(ink))


def sharpest_turn(points: Sequence[Point]) -> float:
    """The cosine of the sharpest turn on the way along the points; -1 is right back."""
    sharpest = 1.0
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:], points[2:], strict=False):
        long = math.hypot(bx - ax, by - ay) * math.hypot(cx - bx, cy - by)
        if long > 0:
            sharpest = min(sharpest, ((bx - ax) * (cx - bx) + (by - ay) * (cy - by)) / long)
    return sharpest
