"""Arms, what the hands hold, and the comic artist's signs for what a pose means."""

from __future__ import annotations

import math

from engine.house.palette import PAPER, WOOD
from engine.house.pencil import Colour, Pencil, Point, mix
from engine.house.posture import Body, Frame
from engine.house.scenes import Actor

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


def draw_arms_and_props(frame: Frame, actor: Actor, body: Body) -> None:
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


def draw_marks(frame: Frame, actor: Actor, body: Body) -> None:
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
    points = []
    for i in range(16):
        reach = radius * (1.0 if i % 2 == 0 else 0.52)
        points.append(
            (x + reach * math.cos(i * math.tau / 16), y + reach * math.sin(i * math.tau / 16))
        )
    pencil.polygon(points, (255, 214, 60))
