"""Hair, behind and in front of the face, and hats. Lengths are in head radii."""

from __future__ import annotations

import math

from engine.house.palette import CLOTHING, FUR, WHITE
from engine.house.pencil import Colour, Pencil, Point, mix
from engine.house.scenes import PEOPLE, Character

BOW: Colour = (236, 60, 100)


def hair_behind(p: Pencil, who: Character, head: Point, r: float) -> None:
    """The hair that hangs behind face and shoulders."""
    x, y, hair = head[0], head[1], FUR[who.hair_colour]
    if who.hair_style == "long":
        p.rounded(x, y + 0.42 * r, 1.22 * r, 1.42 * r, 3, hair)
    elif who.hair_style == "bun":
        p.ellipse(x, y - 1.14 * r, 0.44 * r, 0.36 * r, hair)
    elif who.hair_style == "ponytail":
        p.ellipse(x + 1.15 * r, y + 0.25 * r, 0.4 * r, 0.85 * r, hair)
        p.ellipse(x + 0.95 * r, y - 0.5 * r, 0.18 * r, 0.18 * r, (236, 70, 90))
    elif _has_bob(who):
        p.rounded(x, y + 0.1 * r, 1.2 * r, 0.95 * r, 3, hair)
    elif who.hair_style == "curly":
        for dx, dy in (
            (-0.95, 0.3),
            (0.95, 0.3),
            (-1.05, -0.2),
            (1.05, -0.2),
            (-0.8, -0.7),
            (0.8, -0.7),
            (-0.3, -1.0),
            (0.3, -1.0),
        ):
            p.ellipse(x + dx * r, y + dy * r, 0.38 * r, 0.38 * r, hair)


def hair_in_front(p: Pencil, who: Character, head: Point, r: float) -> None:
    """The hair that frames the forehead."""
    if who.species not in PEOPLE:
        return
    x, y, hair = head[0], head[1], FUR[who.hair_colour]
    if who.species == "grandpa":
        for s in (-1, 1):
            p.ellipse(x + s * 0.98 * r, y - 0.2 * r, 0.24 * r, 0.4 * r, hair)
    if who.hair_style == "bald" or who.species == "grandpa":
        return
    if who.hair_style == "spiky":
        points = [(x - 1.0 * r, y - 0.1 * r)]
        for i in range(5):
            left = x + (-0.96 + i * 0.384) * r
            points += [
                (left + 0.02 * r, y - 1.42 * r + abs(i - 2) * 0.12 * r),
                (left + 0.384 * r, y - 0.75 * r),
            ]
        points += [
            (x + 1.0 * r, y - 0.1 * r),
            (x + 0.6 * r, y - 0.52 * r),
            (x, y - 0.42 * r),
            (x - 0.6 * r, y - 0.52 * r),
        ]
        p.polygon(points, hair)
        return
    _cap_of_hair(p, x, y, r, hair)
    if who.hair_style == "curly":
        for dx, dy in ((-0.66, -0.62), (-0.24, -0.74), (0.22, -0.74), (0.64, -0.62)):
            p.ellipse(x + dx * r, y + dy * r, 0.3 * r, 0.27 * r, hair)
    elif who.hair_style == "long":
        for s in (-1, 1):
            p.rounded(x + s * 1.0 * r, y + 0.42 * r, 0.2 * r, 0.85 * r, 3, hair)
    elif _has_bob(who):
        for s in (-1, 1):
            p.rounded(x + s * 0.98 * r, y + 0.3 * r, 0.24 * r, 0.66 * r, 3, hair)


def _has_bob(who: Character) -> bool:
    """Women wear short hair down to the chin."""
    return who.species == "woman" and who.hair_style == "short"


def draw_bow(p: Pencil, head: Point, r: float) -> None:
    """The red bow that every girl wears."""
    x, y = head[0] - 0.62 * r, head[1] - 0.86 * r
    for s in (-1, 1):
        p.polygon([(x, y), (x + s * 0.44 * r, y - 0.26 * r), (x + s * 0.44 * r, y + 0.26 * r)], BOW)
    p.ellipse(x, y, 0.12 * r, 0.12 * r, BOW)


def _cap_of_hair(p: Pencil, x: float, y: float, r: float, hair: Colour) -> None:
    outer = [
        (x + 1.05 * r * math.cos(a), y + 1.08 * r * math.sin(a))
        for a in (math.pi + math.pi * i / 20 for i in range(21))
    ]
    fringe = [
        (x + 1.0 * r, y + 0.1 * r),
        (x + 0.8 * r, y - 0.36 * r),
        (x + 0.3 * r, y - 0.52 * r),
        (x - 0.15 * r, y - 0.44 * r),
        (x - 0.6 * r, y - 0.52 * r),
        (x - 0.84 * r, y - 0.3 * r),
        (x - 1.0 * r, y + 0.1 * r),
    ]
    p.polygon(outer + fringe, hair)


def draw_hat(p: Pencil, who: Character, head: Point, r: float) -> None:
    """Cap, beanie or top hat, in a darker tone of the clothes so that it belongs to them."""
    if who.hat == "none":
        return
    x, y = head[0], head[1] - 0.42 * r
    colour = mix(CLOTHING[who.clothing_colour], (30, 24, 40), 0.28)
    band = mix(colour, WHITE, 0.65)
    if who.hat == "cap":
        p.chord(x, y, 0.98 * r, 0.82 * r, 180, 360, colour)
        p.rounded(x + 0.55 * r, y + 0.02 * r, 0.85 * r, 0.14 * r, 3, colour)
        p.ellipse(x, y - 0.82 * r, 0.1 * r, 0.08 * r, band)
    elif who.hat == "beanie":
        p.chord(x, y, 1.02 * r, 0.95 * r, 180, 360, colour)
        p.rounded(x, y - 0.02 * r, 1.06 * r, 0.18 * r, 5, band)
        p.ellipse(x, y - 1.0 * r, 0.22 * r, 0.22 * r, band)
    else:
        p.rectangle(x - 0.66 * r, y - 1.2 * r, x + 0.66 * r, y, colour)
        p.rectangle(x - 0.66 * r, y - 0.3 * r, x + 0.66 * r, y - 0.08 * r, band)
        p.rounded(x, y + 0.02 * r, 1.2 * r, 0.13 * r, 4, colour)
