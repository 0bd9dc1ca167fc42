"""The places of the house artist: twelve backgrounds by day and by night."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from engine.house.pencil import Colour, Pencil, mix

DAY_SKY: Colour = (150, 210, 247)
NIGHT_SKY: Colour = (28, 36, 84)
NIGHT: Colour = (24, 26, 70)
THIN = 0.005


class Backdrop:
    """What a place needs to draw itself: pencil, light, and a small random shift."""

    def __init__(self, pencil: Pencil, night: bool, random: Random, sunk: float) -> None:
        self.pencil, self.night, self.random, self.sunk = pencil, night, random, sunk
        self.shift = random.uniform(-0.04, 0.04)
        self.horizon = 0.68 + random.uniform(-0.03, 0.03)

    def lit(self, colour: Colour, dark: float = 0.5) -> Colour:
        return mix(colour, NIGHT, dark) if self.night else colour

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        self.pencil.rectangle(left, top, right, bottom, self.lit(fill), stroke=THIN)

    def fill(self, top: float, bottom: float, fill: Colour) -> None:
        self.pencil.rectangle(-0.02, top, 1.02, bottom, self.lit(fill), stroke=THIN)

    def sky(self, bottom: float) -> None:
        self.pencil.rectangle(
            -0.02, -0.02, 1.02, bottom, NIGHT_SKY if self.night else DAY_SKY, stroke=0
        )
        if self.night:
            moon = (0.86 + self.shift, 0.13 + self.sunk)
            self.pencil.ellipse(*moon, 0.065, 0.065, (250, 245, 205), stroke=THIN)
            for _ in range(9):
                x, y = self.random.random(), self.random.uniform(0, bottom * 0.7)
                self.pencil.ellipse(x, y, 0.006, 0.006, (255, 255, 240), stroke=0)

    def cloud(self, x: float, y: float) -> None:
        colour = (90, 98, 145) if self.night else (255, 255, 255)
        for dx, r in ((-0.06, 0.035), (0, 0.05), (0.06, 0.035)):
            self.pencil.ellipse(x + dx, y, r * 1.2, r, colour, stroke=0)

    def sun(self, x: float, y: float) -> None:
        if not self.night:
            self.pencil.ellipse(x, y + self.sunk, 0.08, 0.08, (255, 222, 80), stroke=THIN)

    def window(self, left: float, top: float, right: float, bottom: float) -> None:
        self.pencil.rectangle(left, top, right, bottom, (240, 240, 235), stroke=THIN)
        glass = NIGHT_SKY if self.night else DAY_SKY
        middle = (left + right) / 2
        self.pencil.rectangle(
            left + 0.015, top + 0.015, middle - 0.006, bottom - 0.015, glass, stroke=0
        )
        self.pencil.rectangle(
            middle + 0.006, top + 0.015, right - 0.015, bottom - 0.015, glass, stroke=0
        )
        if self.night:
            self.pencil.ellipse(right - 0.05, top + 0.06, 0.025, 0.025, (250, 245, 205), stroke=0)

    def tree(self, x: float, ground: float, size: float) -> None:
        self.box(x - 0.03 * size, ground - 0.3 * size, x + 0.03 * size, ground, (125, 85, 50))
        for dx, dy, r in ((-0.1, 0.32, 0.13), (0.1, 0.32, 0.13), (0, 0.45, 0.16)):
            self.pencil.ellipse(
                x + dx * size,
                ground - dy * size,
                r * size,
                r * size,
                self.lit((70, 155, 70)),
                stroke=0,
            )

    def fir(self, x: float, ground: float, size: float, colour: Colour) -> None:
        points = [(x - 0.14 * size, ground), (x, ground - 0.7 * size), (x + 0.14 * size, ground)]
        self.pencil.polygon(points, self.lit(colour), stroke=THIN)


def office(b: Backdrop) -> None:
    b.fill(-0.02, b.horizon, (206, 218, 230))
    b.fill(b.horizon, 1.02, (128, 136, 152))
    b.window(0.06 + b.shift, 0.08, 0.36 + b.shift, 0.4)
    b.box(0.62 + b.shift, 0.1, 0.94 + b.shift, 0.36, (252, 252, 252))
    for i, width in enumerate((0.2, 0.14, 0.24)):
        left = 0.66 + b.shift
        b.pencil.line(
            [(left, 0.16 + i * 0.07), (left + width, 0.16 + i * 0.07)], 0.008, (70, 110, 190)
        )
    b.box(0.8 - b.shift, 0.52, 1.02, 0.86, (120, 140, 170))
    b.box(-0.02, 0.56, 0.16 + b.shift, 0.86, (120, 140, 170))


def park(b: Backdrop) -> None:
    b.sky(b.horizon)
    b.cloud(0.3 + b.shift, 0.12)
    b.cloud(0.72, 0.2 + b.shift)
    b.tree(0.1 + b.shift, b.horizon + 0.06, 1.0)
    b.fill(b.horizon, 1.02, (124, 200, 96))
    b.tree(0.92 + b.shift, b.horizon + 0.1, 1.15)
    for x in (0.08, 0.25, 0.5, 0.68, 0.9):
        b.pencil.ellipse(x + b.shift, 0.94, 0.014, 0.014, b.lit((250, 130, 160)), stroke=0)


def kitchen(b: Backdrop) -> None:
    b.fill(-0.02, b.horizon, (253, 232, 184))
    b.fill(b.horizon, 1.02, (205, 130, 85))
    b.box(0.02 + b.shift, 0.04, 0.34 + b.shift, 0.24, (176, 108, 62))
    b.pencil.line([(0.18 + b.shift, 0.04), (0.18 + b.shift, 0.24)], THIN)
    b.box(0.74 + b.shift, 0.12, 1.02, 0.86, (226, 232, 238))
    b.pencil.line([(0.74 + b.shift, 0.42), (1.0, 0.42)], THIN)
    b.pencil.line([(0.78 + b.shift, 0.26), (0.78 + b.shift, 0.36)], 0.012)
    b.box(-0.02, 0.54, 0.26 + b.shift, 0.88, (176, 108, 62))
    b.box(-0.02, 0.5, 0.28 + b.shift, 0.55, (240, 236, 226))


def street(b: Backdrop) -> None:
    b.sky(b.horizon)
    houses: tuple[tuple[float, float, float, Colour], ...] = (
        (-0.02, 0.24, 0.14, (196, 112, 92)),
        (0.24, 0.5, 0.26, (226, 190, 120)),
    )
    houses += ((0.5, 0.74, 0.18, (140, 152, 186)), (0.74, 1.02, 0.08, (206, 140, 110)))
    for left, right, top, colour in houses:
        b.box(left, top + b.shift, right, b.horizon, colour)
        for row in range(3):
            for column in range(2):
                x, y = left + 0.05 + column * 0.1, top + b.shift + 0.05 + row * 0.13
                pane: Colour = (255, 232, 130) if b.night else (214, 238, 250)
                b.pencil.rectangle(x, y, x + 0.055, y + 0.07, pane, stroke=THIN)
    b.fill(b.horizon, b.horizon + 0.07, (190, 190, 194))
    b.fill(b.horizon + 0.07, 1.02, (96, 98, 108))
    for i in range(4):
        b.box(0.02 + i * 0.28 + b.shift, 0.91, 0.16 + i * 0.28 + b.shift, 0.93, (246, 240, 190))


def beach(b: Backdrop) -> None:
    b.sky(0.46)
    b.sun(0.84 + b.shift, 0.14)
    b.fill(0.46, b.horizon, (58, 150, 214))
    for i in range(3):
        x = 0.12 + i * 0.3 + b.shift
        b.pencil.line([(x, 0.55), (x + 0.1, 0.55)], 0.008, b.lit((200, 232, 250)))
    b.fill(b.horizon, 1.02, (246, 220, 150))
    b.pencil.limb(
        [(0.1 + b.shift, b.horizon + 0.1), (0.07 + b.shift, 0.3)], 0.03, b.lit((150, 105, 60))
    )
    for dx, dy in ((-0.12, 0.02), (0.12, 0.02), (-0.09, -0.08), (0.1, -0.08)):
        x = 0.07 + b.shift
        b.pencil.polygon(
            [(x, 0.27), (x + dx, 0.27 + dy), (x + dx * 0.4, 0.33 + dy)],
            b.lit((60, 150, 80)),
            stroke=THIN,
        )


def forest(b: Backdrop) -> None:
    b.sky(b.horizon)
    b.fill(0.3, b.horizon, (120, 178, 140))
    for x, size in ((0.04, 0.9), (0.24, 0.75), (0.5, 0.7), (0.76, 0.78), (0.97, 0.95)):
        b.fir(x + b.shift, b.horizon + 0.04, size, (42, 116, 66))
    b.fill(b.horizon, 1.02, (92, 136, 66))
    for x in (0.1, 0.86):
        b.box(x + b.shift, 0.86, x + 0.03 + b.shift, 0.92, (244, 236, 220))
        b.pencil.ellipse(x + 0.015 + b.shift, 0.86, 0.04, 0.025, b.lit((214, 60, 52)), stroke=THIN)


def bedroom(b: Backdrop) -> None:
    b.fill(-0.02, b.horizon, (222, 196, 236))
    b.fill(b.horizon, 1.02, (166, 122, 96))
    b.window(0.08 + b.shift, 0.1, 0.34 + b.shift, 0.42)
    b.box(0.96 + b.shift, 0.36, 1.02, 0.86, (130, 84, 56))
    b.box(0.56 + b.shift, 0.58, 1.02, 0.84, (96, 130, 214))
    b.box(0.8 + b.shift, 0.5, 0.98, 0.6, (252, 250, 246))
    b.box(0.68 + b.shift, 0.1, 0.9 + b.shift, 0.3, (250, 214, 120))
    b.pencil.ellipse(0.79 + b.shift, 0.2, 0.05, 0.05, b.lit((236, 120, 130)), stroke=0)


def space(b: Backdrop) -> None:
    b.pencil.rectangle(-0.02, -0.02, 1.02, 1.02, (16, 14, 46), stroke=0)
    for _ in range(22):
        x, y = b.random.random(), b.random.uniform(0, 0.75)
        b.pencil.ellipse(x, y, 0.007, 0.007, (255, 255, 255), stroke=0)
    x, y = 0.83 + b.shift, 0.18
    b.pencil.ellipse(x, y, 0.16, 0.035, (236, 206, 150), stroke=THIN)
    b.pencil.ellipse(x, y, 0.095, 0.095, (222, 140, 80), stroke=THIN)
    b.pencil.ellipse(0.12 + b.shift, 0.16, 0.06, 0.06, (120, 190, 230), stroke=THIN)
    b.pencil.ellipse(0.5, 1.28, 1.1, 0.5, (172, 174, 188), stroke=THIN)
    for cx, r in ((0.12, 0.05), (0.82, 0.06), (0.36, 0.03)):
        b.pencil.ellipse(cx + b.shift, 0.92, r, r * 0.4, (136, 138, 154), stroke=THIN)


def classroom(b: Backdrop) -> None:
    b.fill(-0.02, b.horizon, (240, 226, 190))
    b.fill(b.horizon, 1.02, (186, 140, 92))
    b.box(0.08 + b.shift, 0.06, 0.92 + b.shift, 0.46, (140, 92, 52))
    b.box(0.1 + b.shift, 0.08, 0.9 + b.shift, 0.44, (44, 104, 80))
    for i, width in enumerate((0.16, 0.1)):
        b.pencil.line(
            [(0.15 + b.shift, 0.16 + i * 0.08), (0.15 + b.shift + width, 0.16 + i * 0.08)],
            0.01,
            (240, 244, 236),
        )
        b.pencil.line(
            [(0.7 + b.shift, 0.16 + i * 0.08), (0.7 + b.shift + width, 0.16 + i * 0.08)],
            0.01,
            (240, 244, 236),
        )
    for x in (-0.02, 0.8):
        b.box(x + b.shift, 0.74, x + 0.24 + b.shift, 0.79, (222, 178, 112))
        b.box(x + 0.1 + b.shift, 0.79, x + 0.13 + b.shift, 1.0, (150, 110, 70))


def cafe(b: Backdrop) -> None:
    b.fill(-0.02, b.horizon, (150, 96, 76))
    b.fill(b.horizon, 1.02, (92, 62, 56))
    for i in range(8):
        stripe: Colour = (214, 64, 60) if i % 2 == 0 else (250, 244, 232)
        b.box(-0.02 + i * 0.13, -0.02, 0.11 + i * 0.13, 0.1, stripe)
    for x in (0.14, 0.86):
        b.pencil.line([(x + b.shift, 0.1), (x + b.shift, 0.2)], THIN)
        b.pencil.chord(x + b.shift, 0.26, 0.07, 0.07, 180, 360, (255, 220, 120))
    b.box(-0.02, 0.44, 0.24 + b.shift, 0.47, (214, 170, 120))
    for i in range(3):
        b.box(0.02 + i * 0.07 + b.shift, 0.38, 0.065 + i * 0.07 + b.shift, 0.44, (246, 240, 230))
    b.pencil.ellipse(0.88 + b.shift, 0.74, 0.16, 0.035, b.lit((236, 220, 196)), stroke=THIN)
    b.box(0.865 + b.shift, 0.77, 0.895 + b.shift, 1.0, (60, 44, 44))


def library(b: Backdrop) -> None:
    b.fill(-0.02, b.horizon + 0.04, (120, 78, 48))
    books: tuple[Colour, ...] = (
        (200, 66, 60), (70, 120, 190), (236, 200, 96), (86, 150, 96), (170, 100, 170),
        (236, 232, 216),
    )  # fmt: skip
    for row in range(3):
        bottom = 0.22 + row * 0.23
        b.fill(bottom - 0.19, bottom, (84, 54, 36))
        for i in range(15):
            tall = 0.1 + b.random.random() * 0.07
            left = 0.01 + i * 0.066
            b.box(
                left, bottom - tall, left + 0.052, bottom, books[(i * 5 + row * 2 + (i // 4)) % 6]
            )
    b.fill(b.horizon + 0.04, 1.02, (150, 60, 60))


def snow(b: Backdrop) -> None:
    b.sky(b.horizon)
    for x, top, half in ((0.2, 0.2, 0.3), (0.78, 0.12, 0.36)):
        x += b.shift
        b.pencil.polygon(
            [(x - half, b.horizon), (x, top), (x + half, b.horizon)],
            b.lit((140, 160, 190)),
            stroke=THIN,
        )
        cap = 0.3
        height = b.horizon - top
        b.pencil.polygon(
            [(x - half * cap, top + height * cap), (x, top), (x + half * cap, top + height * cap)],
            b.lit((250, 252, 255), 0.3),
            stroke=THIN,
        )
    b.fir(0.06 + b.shift, b.horizon + 0.06, 0.5, (80, 140, 120))
    b.pencil.rectangle(-0.02, b.horizon, 1.02, 1.02, b.lit((240, 246, 252), 0.35), stroke=THIN)
    for _ in range(16):
        b.pencil.ellipse(
            b.random.random(), b.random.random() * 0.9, 0.009, 0.009, (255, 255, 255), stroke=0
        )


DRAWINGS: dict[str, Callable[[Backdrop], None]] = {
    "office": office, "park": park, "kitchen": kitchen, "street": street, "beach": beach,
    "forest": forest, "bedroom": bedroom, "space": space, "classroom": classroom, "cafe": cafe,
    "library": library, "snow": snow,
}  # fmt: skip


def draw_place(
    pencil: Pencil, place: str, night: bool, random: Random, *, sunk: float = 0.0
) -> None:
    """Fill the whole picture with the named place; sun or moon stand `sunk` lower than ever."""
    DRAWINGS[place](Backdrop(pencil, night, random, sunk))
