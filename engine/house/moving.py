"""Figures between two poses: what an animator calls in-betweens.

Arms swing on arcs (angles and lengths are interpolated, not places), feet step, faces change with
a blink, things come and go. Time runs from 0 to 1; what happens follows from the two ends alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.house.faces import BROWS, Look
from engine.house.figures import Figure
from engine.house.pencil import Point, sharpest_turn
from engine.house.posture import Body, Frame, Limb
from engine.house.props import Sign

BLINK = (0.4, 0.6)  # eyes are closed
EVEN_POSES = ("sitting", "typing", "reading")  # their things look alike from both sides
WALKS = 1.0  # who goes farther than this, in R, takes steps
STRIDE = 1.3  # a step, in R
STEP_TIME = 0.7  # of one foot, when a figure shifts its feet
STEP_HEIGHT, SIDE_STEP_HEIGHT = 0.34, 0.2  # of the feet, in R
SHARP = -0.6  # cosine of an elbow's turn: only those that are sharper are made round
LEG_SWING, ARM_SWING = 0.5, 0.45  # in R; in radians


def smooth(t: float) -> float:
    """Ease in and out."""
    return t * t * (3 - 2 * t)


def rise(t: float) -> float:
    """Fast at first, then slower and slower, as what was thrown up."""
    return t * (2 - t)


def fall(t: float) -> float:
    """Slow at first, then faster and faster."""
    return t * t


def mean(a: float, b: float, share: float) -> float:
    """`a` with `share` of `b`."""
    return a + (b - a) * share


def mean_point(a: Point, b: Point, share: float) -> Point:
    return mean(a[0], b[0], share), mean(a[1], b[1], share)


@dataclass(frozen=True)
class Walk:
    """Steps on the way: how much they show now (0..1), in which phase, which way (-1, 1)."""

    weight: float
    phase: float
    way: int


def between(a: Figure, b: Figure, t: float, pace: Callable[[float], float] = smooth) -> Figure:
    """The figure on its way from `a` (t = 0) to `b` (t = 1); both are the same character."""
    if t <= 0:
        return a
    if t >= 1:
        return b
    share = pace(t)
    frame = Frame(
        a.frame.pencil,
        mean(a.frame.x, b.frame.x, share),
        mean(a.frame.ground, b.frame.ground, share),
        mean(a.frame.radius, b.frame.radius, share),
        (a if t < 0.5 else b).frame.facing,
    )
    walk = _walk(a.frame, b.frame, share)
    body = _mean_body(a, b, frame, share, t)
    if walk.weight > 0:
        body = _walking(body, frame, walk)
    return Figure(a.who, frame, body, _look(a, b, t), _signs(a, b, frame, body, t))


def _walk(a: Frame, b: Frame, share: float) -> Walk:
    distance = (b.x - a.x) / ((a.radius + b.radius) / 2)
    if abs(distance) < WALKS:
        return Walk(0.0, 0.0, 1)
    steps = max(2, 2 * round(abs(distance) / STRIDE / 2))  # even: both legs come back
    weight = smooth(min(1.0, share / 0.2, (1 - share) / 0.2))
    return Walk(weight, steps * math.pi * share, 1 if distance > 0 else -1)


# -- body ---------------------------------------------------------------------------------------


def _mean_body(a: Figure, b: Figure, frame: Frame, share: float, t: float) -> Body:
    one, two = a.body, b.body
    neck = mean(one.neck, two.neck, share)
    arms = [_swung(x, y, share) for x, y in zip(one.arms, two.arms, strict=True)]
    return replace(
        two,
        corners=_corners(one, two),
        hip=mean(one.hip, two.hip, share),
        neck=neck,
        head=mean_point(one.head, two.head, share),
        shoulder=mean(one.shoulder, two.shoulder, share),
        arms=(arms[0], arms[1]),
        legs=_stepping(a, b, share, t),
        fist=mean(one.fist, two.fist, share),
        turn=mean(one.turn, two.turn, share),
        face=mean_point(one.face, two.face, share),
    )


def _corners(a: Body, b: Body) -> tuple[float, float]:
    """Elbows are as pointed as at the ends; those that bend more on the way have no spikes."""
    left, right = (
        min(SHARP, sharpest_turn(x), sharpest_turn(y)) - 1e-6
        for x, y in zip(a.arms, b.arms, strict=True)
    )
    return left, right


def _swung(a: Limb, b: Limb, share: float) -> Limb:
    """An arm whose upper and lower part turn about shoulder and elbow."""
    shoulder = mean_point(a[0], b[0], share)
    elbow = _turned(shoulder, (a[0], a[1]), (b[0], b[1]), share)
    hand = _turned(elbow, (a[1], a[2]), (b[1], b[2]), share)
    return shoulder, elbow, hand


def _turned(joint: Point, a: tuple[Point, Point], b: tuple[Point, Point], share: float) -> Point:
    """The far end of a bone at `joint`, turned from bone `a` the shorter way round to bone `b`."""
    (ax, ay), (bx, by) = ((end[0] - start[0], end[1] - start[1]) for start, end in (a, b))
    start, turn = math.atan2(ay, ax), math.atan2(by, bx) - math.atan2(ay, ax)
    turn = math.remainder(turn, math.tau)
    length = mean(math.hypot(ax, ay), math.hypot(bx, by), share)
    angle = start + turn * share
    return joint[0] + length * math.cos(angle), joint[1] + length * math.sin(angle)


def _stepping(a: Figure, b: Figure, share: float, t: float) -> tuple[Limb, Limb]:
    """The legs; a foot that goes elsewhere is lifted, the leading one before the other."""
    radius = mean(a.frame.radius, b.frame.radius, share)
    ends = tuple(zip(a.body.legs, b.body.legs, strict=True))
    grows = abs(math.log(b.frame.radius / a.frame.radius)) > 0.15
    jumps = all(abs(two[2][1] - one[2][1]) > 0.3 * radius for one, two in ends)
    right_first = b.frame.x > a.frame.x
    legs = []
    for (one, two), is_right in zip(ends, (False, True), strict=True):
        begin = 0.0 if is_right == right_first else 1 - STEP_TIME
        own = smooth(min(1.0, max(0.0, (t - begin) / STEP_TIME)))
        if grows or jumps:
            own = share
        far = min(1.0, abs(two[2][0] - one[2][0]) / (0.3 * radius))
        lift = 0.0 if jumps else SIDE_STEP_HEIGHT * radius * far * math.sin(math.pi * own)
        knee, foot = mean_point(one[1], two[1], share), mean_point(one[2], two[2], own)
        legs.append(
            (
                mean_point(one[0], two[0], share),
                (knee[0], knee[1] - lift / 2),
                (foot[0], foot[1] - lift),
            )
        )
    return legs[0], legs[1]


def _walking(body: Body, frame: Frame, walk: Walk) -> Body:
    """The body in full stride, as far as the walk shows: upright, legs and arms swinging."""
    r, w = frame.radius, walk.weight
    bob = 0.07 * r * w * abs(math.sin(walk.phase))
    up = (frame.ground - body.standing * r - body.hip) * w + bob
    arms = [
        _turned_arm(arm, w * walk.way * ARM_SWING * math.sin(walk.phase) * (1 if i else -1), up)
        for i, arm in enumerate(body.arms)
    ]
    hip = body.hip + up
    legs = []
    for i, side in enumerate((-1, 1)):
        phase = walk.phase + i * math.pi
        swing, lift = math.sin(phase), max(0.0, math.cos(phase))
        top = (frame.x + side * 0.24 * r, hip - 0.1 * r)
        foot = (
            frame.x + (side * 0.16 + walk.way * LEG_SWING * swing) * r,
            frame.ground - (0.08 + STEP_HEIGHT * lift) * r,
        )
        knee = (
            (top[0] + foot[0]) / 2 + walk.way * 0.22 * lift * r,
            (top[1] + foot[1]) / 2 - 0.1 * lift * r,
        )
        old = body.legs[i]
        legs.append(
            (
                mean_point(old[0], top, w),
                mean_point(old[1], knee, w),
                mean_point(old[2], foot, w),
            )
        )
    return replace(
        body,
        hip=hip,
        neck=body.neck + up,
        head=(body.head[0] + 0.08 * walk.way * w * r, body.head[1] + up),
        arms=(arms[0], arms[1]),
        legs=(legs[0], legs[1]),
        face=(body.face[0] + 0.14 * walk.way * w, body.face[1]),
    )


def _turned_arm(arm: Limb, angle: float, down: float) -> Limb:
    """The arm turned about its shoulder and moved `down`."""
    (x, y), cos, sin = arm[0], math.cos(angle), math.sin(angle)
    turned = [
        (
            x + (px - x) * cos - (py - y) * sin,
            y + (px - x) * sin + (py - y) * cos + down,
        )
        for px, py in arm
    ]
    return turned[0], turned[1], turned[2]


# -- face and things ----------------------------------------------------------------------------


def _look(a: Figure, b: Figure, t: float) -> Look:
    """One expression becomes another behind closed eyes; who turns round blinks too."""
    before, after = a.look.expression, b.look.expression
    closed = BLINK[0] <= t <= BLINK[1]
    if before == after:
        return Look(after, closed=closed and a.frame.facing != b.frame.facing)
    share = smooth(t)
    size = 1 - 0.55 * smooth(1 - min(1.0, abs(t - 0.5) / 0.3))
    return Look(
        before if t < 0.5 else after,
        brows=mean_point(BROWS[before], BROWS[after], share),
        closed=closed,
        mouth=size,
        sign=max(0.0, 1 - t / 0.4 if t < 0.5 else (t - 0.6) / 0.4),
    )


def _signs(a: Figure, b: Figure, frame: Frame, body: Body, t: float) -> tuple[Sign, ...]:
    """What belongs to both ends stays; the rest of the first goes, the rest of the last comes."""
    if _key(a) == _key(b) and abs(b.frame.x - a.frame.x) < WALKS * frame.radius:
        return tuple(replace(sign, frame=frame, body=body) for sign in b.signs)
    goes = tuple(replace(sign, presence=sign.presence * (1 - t)) for sign in a.signs)
    comes = tuple(replace(sign, presence=sign.presence * t) for sign in b.signs)
    return goes + comes


def _key(figure: Figure) -> tuple[tuple[str, int], ...]:
    return tuple(
        (sign.pose, sign.frame.facing if sign.pose not in EVEN_POSES else 0)
        for sign in figure.signs
    )
