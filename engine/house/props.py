"""Arms, what the hands hold, and the comic artist's signs for what a pose means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.house.palette import PAPER, WOOD
from engine.house.pencil import Colour, Pencil, Point, mix
from engine.house.posture import Body, Frame
from engine.house.scenes import Character

LONG_SLEEVES = ("hoodie", "suit", "striped sweater", "shirt")
DEEP = 0.36  # how far below its place a desk is out of the picture


@dataclass(frozen=True)
class Sign:
    """What a pose shows beside the body, and how much of it is there yet."""

    pose: str
    frame: Frame  # where furniture stands
    body: Body
    presence: float = 1.0  # 1: all of it, 0: nothing


def _share(sign: Sign, start: float, end: float) -> float:
    """How far it is on its way while the presence grows from `start` to `end`; 0..1, smooth."""
    t = min(1.0, max(0.0, (sign.presence - start) / (end - start)))
    return t * t * (3 - 2 * t)


def draw_chairs(signs: Sequence[Sign]) -> None:
    """Behind the figure; a chair slides in from the side where there is nobody."""
    for sign in signs:
        share, frame = _share(sign, 0.2, 0.8), sign.frame
        if sign.pose == "sitting" and share > 0:
            edge = 0.0 if frame.facing > 0 else 1.0
            far = edge - frame.x - frame.facing * 1.1 * frame.radius  # just out of the picture
            with frame.pencil.placed(by=((1 - share) * far, 0.0)):
                _chair(frame, sign.body)


def draw_arms_and_props(frame: Frame, who: Character, body: Body, signs: Sequence[Sign]) -> None:
    r, p = frame.radius, frame.pencil
    typing = [(s, (1 - _share(s, 0.3, 1.0)) * DEEP) for s in signs if s.pose == "typing"]
    for sign, way in typing:
        with p.placed(by=(0.0, way)):
            _desk(sign.frame, sign.body)
    arms = list(zip(body.arms, body.corners, strict=True))[:: frame.facing]
    for (shoulder, elbow, hand), corner in arms:
        fill = body.cloth if who.clothes in LONG_SLEEVES else body.skin
        p.limb([shoulder, elbow, hand], 0.27 * r, fill, corner=corner)
        if who.clothes not in LONG_SLEEVES:
            middle = ((shoulder[0] + elbow[0]) / 2, (shoulder[1] + elbow[1]) / 2)
            p.limb([shoulder, middle], 0.3 * r, body.cloth)
    for sign, way in typing:
        with p.placed(by=(0.0, way)):
            _laptop(sign.frame, sign.body, who.stickers)
    for sign in signs:
        share = _share(sign, 0.4, 0.9)
        if sign.pose == "reading" and share > 0:
            with p.placed(about=(frame.x, body.neck + 0.9 * r), size=share):
                _book(frame, body)
    for (_, _, hand), _ in arms:
        p.ellipse(*hand, body.fist * r, body.fist * r, body.skin)
    for sign in signs:
        share = _share(sign, 0.4, 0.9)
        if share > 0:
            hand = body.arms[:: sign.frame.facing][1][2]
            with p.placed(about=hand, size=share):
                _in_hand(frame, sign.pose, hand)


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


def draw_marks(frame: Frame, body: Body, signs: Sequence[Sign]) -> None:
    """The comic artist's signs for what a pose means: motion lines, shouts, stars, dots."""
    for sign in signs:
        share = _share(sign, 0.66, 1.0)
        if share > 0:
            facing = sign.frame.facing
            about = (body.head[0] + facing * frame.radius, body.neck - 0.3 * frame.radius)
            with frame.pencil.placed(about=about, size=share):
                _mark(replace(frame, facing=facing), sign.pose, body)


def _mark(frame: Frame, pose: str, body: Body) -> None:
    r, p, f = frame.radius, frame.pencil, frame.facing
    hx, hy = body.head
    if pose == "waving":
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
    elif pose == "running":
        for dy in (0.2, 0.6, 1.0):
            p.line(
                [
                    (frame.x - f * 1.2 * r, body.neck + dy * r),
                    (frame.x - f * 2.0 * r, body.neck + dy * r),
                ],
                0.07 * r,
            )
    elif pose == "thinking":
        for dx, dy, size in ((0.95, -0.7, 0.09), (1.15, -1.0, 0.14), (1.45, -1.4, 0.24)):
            p.ellipse(hx + f * dx * r, hy + dy * r, size * r, size * r, (255, 255, 255))
    elif pose == "arguing":
        for dy, slope in ((0.25, -0.25), (0.5, 0.0), (0.75, 0.25)):
            p.line(
                [(hx + f * 1.12 * r, hy + dy * r), (hx + f * 1.5 * r, hy + (dy + slope) * r)],
                0.08 * r,
                (226, 50, 40),
            )
    elif pose == "fighting":
        star(p, frame.x + f * 1.75 * r, body.neck + 0.02 * r, 0.55 * r)


def star(pencil: Pencil, x: float, y: float, radius: float) -> None:
    """The jagged star of a blow."""
    points = []
    for i in range(16):
        reach = radius * (1.0 if i % 2 == 0 else 0.52)
        points.append(
            (x + reach * math.cos(i * math.tau / 16), y + reach * math.sin(i * math.tau / 16))
        )
    pencil.polygon(points, (255, 214, 60))
