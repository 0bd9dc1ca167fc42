"""Balloons drawn: outlines, tails, clouds and bubbles, with smooth black ink around white."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import copysign, cos, hypot, pi, sin

from PIL import Image, ImageDraw

from bot.page.balloons import JUT, Body, Point, chord

WHITE = 255
SMOOTH = 4  # drawn so many times larger, then scaled down
LINE = 4.0  # pixels of outline
PUFF, SUNK = 30.0, 16.0  # a thought's puffs: radius, and how far in from the outline they sit
WOBBLE = (JUT + SUNK) / PUFF - 1  # share by which puffs differ
BUBBLES = (11.0, 8.0, 5.5)  # radii of the circles that lead to who thinks
TAIL_BASE = 34.0


def outline(body: Body, centre: Point, steps: int = 180) -> list[Point]:
    """Points of the superellipse."""
    turns = [2 * pi * step / steps for step in range(steps)]
    power = 2 / body.exponent
    return [
        (
            centre[0] + body.half_width * copysign(abs(cos(turn)) ** power, cos(turn)),
            centre[1] + body.half_height * copysign(abs(sin(turn)) ** power, sin(turn)),
        )
        for turn in turns
    ]


def tail(body: Body, centre: Point, tip: Point) -> list[Point]:
    """A curved tail from inside the body to `tip`."""
    lean = max(-0.5, min(0.5, 0.55 * (tip[0] - centre[0]) / body.half_width))
    root_x = centre[0] + lean * body.half_width
    root_y = centre[1] + body.half_height * chord(abs(lean), body.exponent) - 2 * LINE
    base = min(TAIL_BASE, body.half_width * 0.5) / 2
    bend = (root_x + 0.25 * (tip[0] - root_x), root_y + 0.65 * (tip[1] - root_y))
    left = _curve((root_x - base, root_y), (bend[0] - base * 0.35, bend[1]), tip)
    right = _curve(tip, (bend[0] + base * 0.35, bend[1]), (root_x + base, root_y))
    return [*left, *right[1:]]


def _curve(start: Point, bend: Point, end: Point, steps: int = 16) -> list[Point]:
    """A quadratic Bézier curve."""
    shares = [step / steps for step in range(steps + 1)]
    return [
        (
            (1 - t) ** 2 * start[0] + 2 * t * (1 - t) * bend[0] + t**2 * end[0],
            (1 - t) ** 2 * start[1] + 2 * t * (1 - t) * bend[1] + t**2 * end[1],
        )
        for t in shares
    ]


def puffs(body: Body, centre: Point) -> list[tuple[Point, float]]:
    """Circles along the outline that make a cloud of it: centres and radii."""
    around = outline(body, centre, 720)
    lengths = [hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(around)]
    count = max(8, round(sum(lengths) / (PUFF * 1.35)))
    circles: list[tuple[Point, float]] = []
    spacing, walked = sum(lengths) / count, 0.0
    for point, length in zip(around, lengths, strict=False):
        if walked >= len(circles) * spacing and len(circles) < count:
            wobble = 1 + WOBBLE * (len(circles) % 3 - 1)
            circles.append((_inwards(point, centre, SUNK), PUFF * wobble))
        walked += length
    return circles


def _inwards(point: Point, centre: Point, by: float) -> Point:
    away = hypot(point[0] - centre[0], point[1] - centre[1])
    share = 1 - by / away
    return (centre[0] + (point[0] - centre[0]) * share, centre[1] + (point[1] - centre[1]) * share)


def bubbles(body: Body, centre: Point, tip: Point) -> list[tuple[Point, float]]:
    """Two or three shrinking circles from under the cloud to `tip`, the same gap before each."""
    lean = max(-0.5, min(0.5, 0.6 * (tip[0] - centre[0]) / body.half_width))
    start_x = centre[0] + lean * body.half_width
    start_y = centre[1] + body.half_height * chord(abs(lean), body.exponent) + body.puff
    span = (tip[0] - start_x, tip[1] - start_y)
    length = hypot(*span)
    radii = BUBBLES if length > 3.2 * sum(BUBBLES) else BUBBLES[1:]
    shrink = min(1.0, length / (2.4 * sum(radii)))
    gap = (length - 2 * shrink * sum(radii)) / len(radii)
    circles, walked = [], 0.0
    for radius in radii:
        walked += gap + shrink * radius
        share = walked / length
        circles.append(((start_x + share * span[0], start_y + share * span[1]), shrink * radius))
        walked += shrink * radius
    return circles


def draw_speech(image: Image.Image, body: Body, centre: Point, tip: Point | None) -> None:
    shapes: list[Sequence[Point]] = [outline(body, centre)]
    if tip is not None:
        shapes.append(tail(body, centre, tip))
    _ink(image, shapes, [])


def draw_thought(image: Image.Image, body: Body, centre: Point, tip: Point | None) -> None:
    circles = puffs(body, centre) + (bubbles(body, centre, tip) if tip is not None else [])
    _ink(image, [outline(body, centre)], circles)


def _ink(
    image: Image.Image, shapes: Sequence[Sequence[Point]], circles: Sequence[tuple[Point, float]]
) -> None:
    """White shapes with one black outline around their union, antialiased."""
    points = [point for shape in shapes for point in shape]
    points += [(x + side * r, y + side * r) for (x, y), r in circles for side in (-1, 1)]
    left, top = (int(min(axis)) - 8 for axis in zip(*points, strict=True))
    right, bottom = (int(max(axis)) + 8 for axis in zip(*points, strict=True))
    size = ((right - left) * SMOOTH, (bottom - top) * SMOOTH)
    body, ink = Image.new("L", size), Image.new("L", size)
    for mask, width in ((ink, LINE), (body, 0.0)):
        draw = ImageDraw.Draw(mask)
        for shape in shapes:
            corners = [((x - left) * SMOOTH, (y - top) * SMOOTH) for x, y in shape]
            draw.polygon(corners, fill=WHITE)
            if width:
                closed = [*corners, *corners[:2]]
                draw.line(closed, fill=WHITE, width=round(2 * width * SMOOTH), joint="curve")
        for (x, y), radius in circles:
            reach = (radius + width) * SMOOTH
            at_x, at_y = (x - left) * SMOOTH, (y - top) * SMOOTH
            draw.ellipse((at_x - reach, at_y - reach, at_x + reach, at_y + reach), fill=WHITE)
    for mask, colour in ((ink, (0, 0, 0)), (body, (255, 255, 255))):
        image.paste(colour, (left, top), mask.reduce(SMOOTH))
