"""The people, animals and robots of the house artist: big heads, clear faces, twelve poses.

All lengths are in head radii (R); y grows downwards. A figure stands on `ground` at `x`.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.house.faces import draw_face, draw_hat, hair_behind, hair_in_front, head_shape
from engine.house.palette import CLOTHING, FUR, SKINS
from engine.house.pencil import Colour, Pencil, Point, mix
from engine.house.scenes import ANIMALS, PEOPLE, Actor

TROUSERS: Colour = (66, 76, 120)
WOOD: Colour = (178, 122, 74)
PAPER: Colour = (252, 250, 240)
BUILD_WIDTH = {"slim": 0.84, "average": 1.0, "stout": 1.32}

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
    small = character.species in ("boy", "girl", "cat", "rabbit")
    leg, torso = (0.75, 1.05) if small else (1.05, 1.3)
    if actor.pose == "sitting":
        leg = 0.62
    hip = frame.ground - leg * frame.radius
    neck = hip - torso * frame.radius
    head = (frame.x + frame.lean * frame.facing * frame.radius, neck - 0.78 * frame.radius)
    skin = SKINS[character.skin] if character.species in PEOPLE else FUR[character.hair_colour]
    half = 0.56 * BUILD_WIDTH[character.build] * (0.92 if small else 1.0)
    return Body(hip, neck, head, half, skin, CLOTHING[character.clothing_colour])


def draw_figure(frame: Frame, actor: Actor) -> None:
    """Draw one actor, from the parts at the back to the hands and props in front."""
    body = measure(frame, actor)
    if actor.pose == "sitting":
        _chair(frame, body)
    if actor.character.species in ANIMALS:
        _tail(frame, body, actor.character.species)
    if actor.character.species in PEOPLE:
        hair_behind(frame.pencil, actor.character, body.head, frame.radius)
    _legs(frame, actor, body)
    _torso(frame, actor, body)
    head_shape(frame.pencil, actor.character, body.head, frame.radius, body.skin)
    draw_face(frame.pencil, actor, body.head, frame.radius, body.skin)
    hair_in_front(frame.pencil, actor.character, body.head, frame.radius)
    draw_hat(frame.pencil, actor.character, body.head, frame.radius)
    _marks(frame, actor, body)
    _arms_and_props(frame, actor, body)


def _chair(frame: Frame, body: Body) -> None:
    r, p = frame.radius, frame.pencil
    p.rectangle(
        frame.x - 0.95 * r, body.neck + 0.1 * r, frame.x + 0.95 * r, body.hip + 0.1 * r, WOOD
    )
    p.rectangle(
        frame.x - 1.05 * r,
        body.hip,
        frame.x + 1.05 * r,
        body.hip + 0.2 * r,
        mix(WOOD, (0, 0, 0), 0.2),
    )
    for side in (-1, 1):
        x = frame.x + side * 0.9 * r
        p.rectangle(
            x - 0.08 * r, body.hip + 0.2 * r, x + 0.08 * r, frame.ground, mix(WOOD, (0, 0, 0), 0.2)
        )


def _tail(frame: Frame, body: Body, species: str) -> None:
    r, x, y = (
        frame.radius,
        frame.x - frame.facing * 0.5 * frame.radius,
        body.hip - 0.1 * frame.radius,
    )
    side = -frame.facing
    if species in ("rabbit", "bear"):
        frame.pencil.ellipse(
            x + side * 0.2 * r, y, 0.22 * r, 0.22 * r, mix(body.skin, (255, 255, 255), 0.4)
        )
        return
    tip = (x + side * 0.85 * r, y - (0.9 if species == "cat" else 0.5) * r)
    frame.pencil.limb([(x, y), (x + side * 0.6 * r, y - 0.15 * r), tip], 0.18 * r, body.skin)


def _legs(frame: Frame, actor: Actor, body: Body) -> None:
    r, pose = frame.radius, actor.pose
    bare = actor.character.clothes == "dress"
    fill = body.skin if bare or actor.character.species in ANIMALS else TROUSERS
    if actor.character.species == "robot":
        fill = mix(body.skin, (60, 60, 70), 0.4)
    for side in (-1, 1):
        hip = (frame.x + side * 0.26 * r, body.hip - 0.1 * r)
        foot = (frame.x + side * 0.32 * r, frame.ground - 0.08 * r)
        knee = ((hip[0] + foot[0]) / 2, (hip[1] + foot[1]) / 2)
        if pose == "running":
            ahead = side == frame.facing
            foot = (
                frame.x + side * (0.95 if ahead else 0.9) * r,
                frame.ground - (0.1 if ahead else 0.5) * r,
            )
            knee = (frame.x + side * 0.6 * r, body.hip + (0.25 if ahead else 0.5) * r)
        elif pose in ("arguing", "fighting"):
            foot = (frame.x + side * 0.6 * r, frame.ground - 0.08 * r)
            knee = ((hip[0] + foot[0]) / 2, (hip[1] + foot[1]) / 2)
        elif pose == "sitting":
            knee = (frame.x + side * 0.5 * r, body.hip + 0.12 * r)
            foot = (frame.x + side * 0.55 * r, frame.ground - 0.06 * r)
        frame.pencil.limb([hip, knee, foot], 0.36 * r, fill)
        frame.pencil.ellipse(foot[0] + 0.06 * side * r, foot[1], 0.28 * r, 0.15 * r, (58, 46, 50))


def _torso(frame: Frame, actor: Actor, body: Body) -> None:
    r, p, x = frame.radius, frame.pencil, frame.x
    clothes, half = actor.character.clothes, body.half_width * r
    hem = body.hip + (0.42 if clothes == "dress" else 0.12) * r
    flare = 1.5 if clothes == "dress" else 1.0
    shoulder = x + frame.lean * frame.facing * r * 0.6
    p.polygon(
        [
            (shoulder - half * 0.7, body.neck - 0.08 * r),
            (shoulder + half * 0.7, body.neck - 0.08 * r),
            (shoulder + half, body.neck + 0.16 * r), (x + half * 1.02 * flare, hem),
            (x - half * 1.02 * flare, hem), (shoulder - half, body.neck + 0.16 * r),
        ],
        body.cloth,
    )  # fmt: skip
    _CLOTHES.get(clothes, _plain)(frame, body, shoulder, hem)


def _plain(frame: Frame, body: Body, x: float, hem: float) -> None:
    del frame, body, x, hem


def _contrast(cloth: Colour) -> Colour:
    return (40, 40, 48) if sum(cloth) > 480 else (255, 255, 255)


def _slogan(frame: Frame, body: Body, x: float, hem: float) -> None:
    """The sign </> across the chest."""
    r, y, ink = frame.radius, body.neck + 0.72 * frame.radius, _contrast(body.cloth)
    for side in (-1, 1):
        tip = x + side * 0.36 * r
        frame.pencil.line(
            [
                (tip - side * 0.16 * r, y - 0.15 * r),
                (tip, y),
                (tip - side * 0.16 * r, y + 0.15 * r),
            ],
            0.07 * r,
            ink,
        )
    frame.pencil.line([(x - 0.06 * r, y + 0.18 * r), (x + 0.06 * r, y - 0.18 * r)], 0.07 * r, ink)


def _shirt(frame: Frame, body: Body, x: float, hem: float) -> None:
    r, p = frame.radius, frame.pencil
    for side in (-1, 1):
        p.polygon(
            [
                (x, body.neck + 0.22 * r),
                (x + side * 0.34 * r, body.neck + 0.2 * r),
                (x + side * 0.2 * r, body.neck - 0.1 * r),
            ],
            PAPER,
        )
    p.line([(x, body.neck + 0.2 * r), (x, hem)], 0.03 * r)
    for i in range(3):
        p.ellipse(
            x + 0.08 * r,
            body.neck + (0.42 + 0.3 * i) * r,
            0.045 * r,
            0.045 * r,
            _contrast(body.cloth),
            stroke=0,
        )


def _hoodie(frame: Frame, body: Body, x: float, hem: float) -> None:
    r, p = frame.radius, frame.pencil
    p.ellipse(x, body.neck + 0.08 * r, 0.5 * r, 0.2 * r, mix(body.cloth, (0, 0, 0), 0.25))
    for side in (-1, 1):
        p.line(
            [
                (x + side * 0.14 * r, body.neck + 0.22 * r),
                (x + side * 0.14 * r, body.neck + 0.6 * r),
            ],
            0.05 * r,
            _contrast(body.cloth),
        )
    p.polygon(
        [
            (x - 0.36 * r, hem - 0.08 * r),
            (x - 0.24 * r, hem - 0.42 * r),
            (x + 0.24 * r, hem - 0.42 * r),
            (x + 0.36 * r, hem - 0.08 * r),
        ],
        mix(body.cloth, (0, 0, 0), 0.18),
    )


def _suit(frame: Frame, body: Body, x: float, hem: float) -> None:
    r, p = frame.radius, frame.pencil
    p.polygon(
        [
            (x - 0.26 * r, body.neck - 0.08 * r),
            (x + 0.26 * r, body.neck - 0.08 * r),
            (x, body.neck + 0.75 * r),
        ],
        PAPER,
    )
    p.polygon(
        [
            (x - 0.08 * r, body.neck),
            (x + 0.08 * r, body.neck),
            (x + 0.1 * r, body.neck + 0.5 * r),
            (x, body.neck + 0.66 * r),
            (x - 0.1 * r, body.neck + 0.5 * r),
        ],
        (200, 40, 50),
    )
    p.line([(x, body.neck + 0.75 * r), (x, hem)], 0.03 * r)


def _dress(frame: Frame, body: Body, x: float, hem: float) -> None:
    r = frame.radius
    belt = body.neck + 0.85 * r
    half = body.half_width * r * 1.0
    frame.pencil.rectangle(
        frame.x - half * 1.12, belt, frame.x + half * 1.12, belt + 0.16 * r, _contrast(body.cloth)
    )


def _stripes(frame: Frame, body: Body, x: float, hem: float) -> None:
    r, half = frame.radius, body.half_width * frame.radius * 0.94
    for i in range(3):
        y = body.neck + (0.3 + 0.34 * i) * r
        frame.pencil.rectangle(x - half, y, x + half, y + 0.14 * r, _contrast(body.cloth), stroke=0)


_CLOTHES = {
    "slogan T-shirt": _slogan, "shirt": _shirt, "hoodie": _hoodie, "suit": _suit, "dress": _dress,
    "striped sweater": _stripes,
}  # fmt: skip


def _arms_and_props(frame: Frame, actor: Actor, body: Body) -> None:
    r, p, pose = frame.radius, frame.pencil, actor.pose
    shoulder_x = frame.x + frame.lean * frame.facing * r * 0.6
    if pose == "typing":
        _desk(frame, body)
    hands: list[Point] = []
    for arm, side in zip(ARMS[pose], (-frame.facing, frame.facing), strict=True):
        shoulder = (shoulder_x + side * body.half_width * 0.92 * r, body.neck + 0.2 * r)
        elbow, hand = (frame.at(side * x, y, shoulder) for x, y in arm)
        sleeve = actor.character.clothes in ("hoodie", "suit", "striped sweater", "shirt")
        p.limb([shoulder, elbow, hand], 0.27 * r, body.cloth if sleeve else body.skin)
        if not sleeve:
            middle = ((shoulder[0] + elbow[0]) / 2, (shoulder[1] + elbow[1]) / 2)
            p.limb([shoulder, middle], 0.3 * r, body.cloth)
        hands.append(hand)
    if pose == "typing":
        _laptop(frame, body, actor.character.stickers)
    elif pose == "reading":
        _book(frame, body)
    for hand in hands:
        size = 0.24 if pose == "fighting" else 0.19
        p.ellipse(*hand, size * r, size * r, body.skin)
    _in_hand(frame, pose, hands[1])


def _desk(frame: Frame, body: Body) -> None:
    r, top = frame.radius, body.neck + 1.18 * frame.radius
    frame.pencil.rectangle(frame.x - 1.65 * r, top, frame.x + 1.65 * r, top + 0.18 * r, WOOD)
    frame.pencil.rectangle(
        frame.x - 1.5 * r,
        top + 0.18 * r,
        frame.x + 1.5 * r,
        frame.ground + 0.04,
        mix(WOOD, (0, 0, 0), 0.28),
    )


def _laptop(frame: Frame, body: Body, stickers: bool) -> None:
    r, p, x = frame.radius, frame.pencil, frame.x
    top, bottom = body.neck + 0.55 * r, body.neck + 1.2 * r
    p.polygon(
        [(x - 0.55 * r, top), (x + 0.55 * r, top), (x + 0.62 * r, bottom), (x - 0.62 * r, bottom)],
        (186, 192, 202),
    )
    if not stickers:
        p.ellipse(x, (top + bottom) / 2, 0.12 * r, 0.12 * r, (250, 250, 250), stroke=0)
        return
    dots: tuple[tuple[float, float, Colour], ...] = (
        (-0.34, 0.18, (236, 84, 84)), (0.02, 0.22, (250, 206, 70)), (0.36, 0.16, (84, 150, 236)),
        (-0.2, 0.46, (96, 190, 110)), (0.2, 0.46, (220, 120, 210)),
    )  # fmt: skip
    for dx, dy, colour in dots:
        p.ellipse(x + dx * r, top + dy * r, 0.11 * r, 0.11 * r, colour, stroke=0)


def _book(frame: Frame, body: Body) -> None:
    r, p, x, y = frame.radius, frame.pencil, frame.x, body.neck + 0.45 * frame.radius
    for side in (-1, 1):
        cover = [
            (x, y + 0.1 * r),
            (x + side * 0.66 * r, y),
            (x + side * 0.66 * r, y + 0.72 * r),
            (x, y + 0.84 * r),
        ]
        p.polygon(cover, (188, 52, 60))
        page = [
            (x + side * 0.03 * r, y + 0.04 * r),
            (x + side * 0.58 * r, y - 0.06 * r),
            (x + side * 0.58 * r, y + 0.06 * r),
            (x + side * 0.03 * r, y + 0.14 * r),
        ]
        p.polygon(page, PAPER)


def _in_hand(frame: Frame, pose: str, hand: Point) -> None:
    r, p, (x, y) = frame.radius, frame.pencil, hand
    if pose == "drinking":
        p.rectangle(x - 0.2 * r, y - 0.42 * r, x + 0.2 * r, y + 0.02 * r, (250, 250, 250))
        p.rectangle(x - 0.2 * r, y - 0.28 * r, x + 0.2 * r, y - 0.14 * r, (226, 70, 60), stroke=0)
        for dx in (-0.08, 0.1):
            p.line(
                [
                    (x + dx * r, y - 0.5 * r),
                    (x + (dx + 0.08) * r, y - 0.64 * r),
                    (x + dx * r, y - 0.8 * r),
                ],
                0.05 * r,
                (236, 236, 240),
            )
    elif pose == "phoning":
        p.rectangle(x - 0.14 * r, y - 0.36 * r, x + 0.14 * r, y + 0.28 * r, (36, 38, 52))
        p.rectangle(
            x - 0.08 * r, y - 0.28 * r, x + 0.08 * r, y + 0.18 * r, (110, 214, 240), stroke=0
        )


def _marks(frame: Frame, actor: Actor, body: Body) -> None:
    """The comic artist's signs for what a pose means: motion lines, shouts, stars, dots."""
    r, p, f = frame.radius, frame.pencil, frame.facing
    hx, hy = body.head
    if actor.pose == "waving":
        for dx in (1.75, 1.98):
            p.arc(
                frame.x + f * (dx - 0.5) * r,
                body.neck - 0.6 * r,
                0.35 * r,
                0.4 * r,
                -40 if f > 0 else 140,
                40 if f > 0 else 220,
                0.06 * r,
            )
    elif actor.pose == "running":
        for dy in (0.2, 0.6, 1.0):
            p.line(
                [
                    (frame.x - f * 1.2 * r, body.neck + dy * r),
                    (frame.x - f * 2.0 * r, body.neck + dy * r),
                ],
                0.07 * r,
            )
    elif actor.pose == "thinking":
        for dx, dy, size in ((0.95, -0.7, 0.09), (1.15, -1.0, 0.14), (1.45, -1.4, 0.24)):
            p.ellipse(hx + f * dx * r, hy + dy * r, size * r, size * r, (255, 255, 255))
    elif actor.pose == "arguing":
        for dy, slope in ((0.25, -0.25), (0.5, 0.0), (0.75, 0.25)):
            p.line(
                [(hx + f * 1.12 * r, hy + dy * r), (hx + f * 1.5 * r, hy + (dy + slope) * r)],
                0.08 * r,
                (226, 50, 40),
            )
    elif actor.pose == "fighting":
        star(p, frame.x + f * 1.75 * r, body.neck + 0.02 * r, 0.55 * r)


def star(pencil: Pencil, x: float, y: float, radius: float) -> None:
    """The jagged star of a blow."""
    import math

    points = []
    for i in range(16):
        reach = radius * (1.0 if i % 2 == 0 else 0.52)
        points.append(
            (x + reach * math.cos(i * math.tau / 16), y + reach * math.sin(i * math.tau / 16))
        )
    pencil.polygon(points, (255, 214, 60))
