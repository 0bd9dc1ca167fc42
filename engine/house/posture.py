"""How a figure stands: its frame in the picture and the heights of its joints."""

from __future__ import annotations

from dataclasses import dataclass

from engine.house.palette import CLOTHING, FUR, SKINS
from engine.house.pencil import Colour, Pencil, Point
from engine.house.scenes import CHILDREN, PEOPLE, Actor

BUILD_WIDTH = {"slim": 0.84, "average": 1.0, "stout": 1.32}


@dataclass(frozen=True)
class Frame:
    """Where a figure stands: everything a drawing function needs, in fractions of the picture."""

    pencil: Pencil
    x: float  # middle of the body
    ground: float
    radius: float  # R
    facing: int  # +1: acts towards the right, -1: towards the left
    lean: float = 0.0  # head's shift to the facing side, in R

    def at(self, x: float, y: float, origin: Point) -> Point:
        return (origin[0] + x * self.radius, origin[1] + y * self.radius)


@dataclass(frozen=True)
class Body:
    """The heights of a figure's joints and its colours."""

    hip: float
    neck: float
    head: Point
    half_width: float  # of the shoulders, in R
    skin: Colour
    cloth: Colour


def measure(frame: Frame, actor: Actor) -> Body:
    character = actor.character
    small = character.species in (*CHILDREN, "cat", "rabbit")
    leg, torso = (0.6, 0.85) if small else (0.9, 1.15)
    if actor.pose == "sitting":
        leg = 0.55
    hip = frame.ground - leg * frame.radius
    neck = hip - torso * frame.radius
    head = (frame.x + frame.lean * frame.facing * frame.radius, neck - 0.78 * frame.radius)
    skin = SKINS[character.skin] if character.species in PEOPLE else FUR[character.hair_colour]
    half = 0.56 * BUILD_WIDTH[character.build] * (0.92 if small else 1.0)
    return Body(hip, neck, head, half, skin, CLOTHING[character.clothing_colour])
