"""How a figure stands: its frame in the picture and where its joints are in each pose."""

from __future__ import annotations

from dataclasses import dataclass

from engine.house.palette import CLOTHING, FUR, SKINS
from engine.house.pencil import Colour, Pencil, Point
from engine.house.scenes import CHILDREN, PEOPLE, Actor

Limb = tuple[Point, Point, Point]  # shoulder, elbow, hand; or hip, knee, foot

BUILD_WIDTH = {"slim": 0.84, "average": 1.0, "stout": 1.32}
LEAN = {"running": 0.22, "fighting": 0.22}  # head's shift to the facing side, in R
SITTING_LEG = 0.55  # from the seat to the ground, in R

# Elbow and hand of the near (-1) and far (+1) arm, from the shoulder, in R; x outwards.
ARMS: dict[str, tuple[tuple[Point, Point], tuple[Point, Point]]] = {
    "standing": (((0.32, 0.6), (0.36, 1.25)), ((0.32, 0.6), (0.36, 1.25))),
    "waving": (((0.32, 0.6), (0.36, 1.25)), ((0.75, 0.1), (0.95, -0.75))),
    "arms up": (((0.7, 0.0), (0.85, -0.9)), ((0.7, 0.0), (0.85, -0.9))),
    "sitting": (((0.34, 0.55), (0.0, 1.15)), ((0.34, 0.55), (0.0, 1.15))),
    "running": (((0.55, 0.45), (0.95, 0.05)), ((0.5, 0.5), (0.1, 0.95))),
    "typing": (((0.38, 0.55), (0.1, 0.98)), ((0.38, 0.55), (0.1, 0.98))),
    "reading": (((0.4, 0.6), (0.02, 0.72)), ((0.4, 0.6), (0.02, 0.72))),
    "drinking": (((0.32, 0.6), (0.36, 1.25)), ((0.62, 0.42), (0.6, -0.3))),
    "phoning": (((0.32, 0.6), (0.36, 1.25)), ((0.78, 0.3), (0.62, -0.65))),
    "thinking": (((0.38, 0.5), (-0.3, 0.75)), ((0.45, 0.55), (-0.22, 0.02))),
    "arguing": (((0.6, 0.4), (0.05, 0.85)), ((0.6, 0.3), (1.3, 0.12))),
    "fighting": (((0.62, 0.35), (0.35, -0.25)), ((0.65, 0.1), (1.3, -0.12))),
}


@dataclass(frozen=True)
class Frame:
    """Where a figure stands: everything a drawing function needs, in fractions of the picture."""

    pencil: Pencil
    x: float  # middle of the body
    ground: float
    radius: float  # R
    facing: int  # +1: acts towards the right, -1: towards the left

    def at(self, x: float, y: float, origin: Point) -> Point:
        return (origin[0] + x * self.radius, origin[1] + y * self.radius)


@dataclass(frozen=True)
class Body:
    """Where a figure's joints are, in fractions of the picture, and its colours."""

    hip: float  # height
    neck: float  # height
    head: Point
    shoulder: float  # x of the middle between the shoulders
    half_width: float  # of the shoulders, in R
    standing: float  # from the hip to the ground when it stands, in R
    arms: tuple[Limb, Limb]  # the left one in the picture, the right one
    legs: tuple[Limb, Limb]
    fist: float  # in R
    turn: float  # the facing; between the two while it turns round
    face: Point  # shift of eyes, nose and mouth on the head, in R
    skin: Colour
    cloth: Colour
    corners: tuple[float, float] = (-1.0, -1.0)  # an elbow bent more than this cosine is round


def measure(frame: Frame, actor: Actor) -> Body:
    """The body of an actor at rest in its pose."""
    character, r = actor.character, frame.radius
    small = character.species in (*CHILDREN, "cat", "rabbit")
    standing, torso = (0.6, 0.85) if small else (0.9, 1.15)
    leg = SITTING_LEG if actor.pose == "sitting" else standing
    lean = LEAN.get(actor.pose, 0.0)
    hip = frame.ground - leg * r
    neck = hip - torso * r
    half = 0.56 * BUILD_WIDTH[character.build] * (0.92 if small else 1.0)
    shoulder = frame.x + lean * frame.facing * r * 0.6
    return Body(
        hip=hip,
        neck=neck,
        head=(frame.x + lean * frame.facing * r, neck - 0.78 * r),
        shoulder=shoulder,
        half_width=half,
        standing=standing,
        arms=_arms(frame, actor.pose, (shoulder, neck), half),
        legs=_legs(frame, actor.pose, hip),
        fist=0.24 if actor.pose == "fighting" else 0.19,
        turn=frame.facing,
        face=(0.0, 0.0),
        skin=SKINS[character.skin] if character.species in PEOPLE else FUR[character.hair_colour],
        cloth=CLOTHING[character.clothing_colour],
    )


def _arms(frame: Frame, pose: str, collar: Point, half_width: float) -> tuple[Limb, Limb]:
    r = frame.radius
    arms: dict[int, Limb] = {}
    for arm, side in zip(ARMS[pose], (-frame.facing, frame.facing), strict=True):
        shoulder = (collar[0] + side * half_width * 0.92 * r, collar[1] + 0.2 * r)
        elbow, hand = (frame.at(side * x, y, shoulder) for x, y in arm)
        arms[side] = (shoulder, elbow, hand)
    return arms[-1], arms[1]


def _legs(frame: Frame, pose: str, hip: float) -> tuple[Limb, Limb]:
    return _leg(frame, pose, hip, -1), _leg(frame, pose, hip, 1)


def _leg(frame: Frame, pose: str, hip_height: float, side: int) -> Limb:
    r = frame.radius
    hip = (frame.x + side * 0.26 * r, hip_height - 0.1 * r)
    if pose == "running":
        ahead = side == frame.facing
        knee = (frame.x + side * 0.6 * r, hip_height + (0.25 if ahead else 0.5) * r)
        foot = (
            frame.x + side * (0.95 if ahead else 0.9) * r,
            frame.ground - (0.1 if ahead else 0.5) * r,
        )
        return hip, knee, foot
    if pose == "sitting":
        knee = (frame.x + side * 0.5 * r, hip_height + 0.12 * r)
        return hip, knee, (frame.x + side * 0.55 * r, frame.ground - 0.06 * r)
    apart = 0.6 if pose in ("arguing", "fighting") else 0.32
    foot = (frame.x + side * apart * r, frame.ground - 0.08 * r)
    return hip, ((hip[0] + foot[0]) / 2, (hip[1] + foot[1]) / 2), foot
