"""Small changes of a resting figure that no pose has: the ends of a jump, a nod, a wave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.house.figures import Figure
from engine.house.pencil import Point
from engine.house.posture import Limb

Arm = tuple[Point, Point]  # elbow and hand from the shoulder, in R; x outwards


def _head_moved(figure: Figure, down: float) -> Figure:
    body, r = figure.body, figure.frame.radius
    head = (body.head[0], body.head[1] + 0.5 * down * r)
    return replace(figure, body=replace(body, head=head, face=(0.0, down)))


def _with_arms(figure: Figure, left: Arm | None, right: Arm | None) -> Figure:
    arms = []
    for side, old, new in zip((-1, 1), figure.body.arms, (left, right), strict=True):
        arms.append(old if new is None else _arm(figure, old[0], side, new))
    return replace(figure, body=replace(figure.body, arms=(arms[0], arms[1])))


def _arm(figure: Figure, shoulder: Point, side: int, arm: Arm) -> Limb:
    elbow, hand = (figure.frame.at(side * x, y, shoulder) for x, y in arm)
    return shoulder, elbow, hand


def _far_arm(figure: Figure, arm: Arm) -> Figure:
    """The arm on the side to which the figure acts."""
    left, right = (None, arm) if figure.frame.facing > 0 else (arm, None)
    return _with_arms(figure, left, right)


def _upper_body_moved(figure: Figure, down: float) -> Figure:
    """Everything above the knees `down` by so many R; the feet stay."""
    body, dy = figure.body, down * figure.frame.radius
    arms = [_lower(arm, dy) for arm in body.arms]
    legs = [
        (
            (hip[0], hip[1] + dy),
            (knee[0] + side * 0.9 * max(0.0, dy), knee[1] + 0.5 * dy),
            foot,
        )
        for side, (hip, knee, foot) in zip((-1, 1), body.legs, strict=True)
    ]
    return replace(
        figure,
        body=replace(
            body,
            hip=body.hip + dy,
            neck=body.neck + dy,
            head=(body.head[0], body.head[1] + dy),
            arms=(arms[0], arms[1]),
            legs=(legs[0], legs[1]),
        ),
    )


def _lower(limb: Limb, down: float) -> Limb:
    (ax, ay), (bx, by), (cx, cy) = limb
    return (ax, ay + down), (bx, by + down), (cx, cy + down)


def _crouched(figure: Figure) -> Figure:
    back = ((0.55, 0.4), (0.95, 0.9))
    deep = 0.34 if figure.body.standing < 0.8 else 0.5
    return _with_arms(_upper_body_moved(figure, deep), back, back)


def _in_the_air(figure: Figure) -> Figure:
    up = ((0.62, -0.35), (0.8, -1.25))
    figure = _with_arms(_upper_body_moved(figure, -0.75), up, up)
    r, body = figure.frame.radius, figure.body
    legs = []
    for side, (hip, _, _) in zip((-1, 1), body.legs, strict=True):
        knee = (hip[0] + side * 0.3 * r, hip[1] + 0.4 * r)
        legs.append((hip, knee, (hip[0] + side * 0.25 * r, hip[1] + 0.85 * r)))
    return replace(figure, body=replace(body, legs=(legs[0], legs[1])))


GESTURES: dict[str, Callable[[Figure], Figure]] = {
    "": lambda figure: figure,
    "head up": lambda figure: _head_moved(figure, -0.16),
    "head down": lambda figure: _head_moved(figure, 0.26),
    "hand in": lambda figure: _far_arm(figure, ((0.75, 0.1), (0.42, -0.72))),
    "hand out": lambda figure: _far_arm(figure, ((0.75, 0.1), (1.4, -0.55))),
    "hand back": lambda figure: _far_arm(figure, ((0.62, 0.42), (0.75, -0.3))),
    "crouched": _crouched,
    "in the air": _in_the_air,
}
