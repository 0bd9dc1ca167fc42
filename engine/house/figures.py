"""The people, animals and robots of the house artist: big heads, clear faces, twelve poses.

All lengths are in head radii (R); y grows downwards. A figure stands on `ground` at `x`.
"""

from __future__ import annotations

from engine.house.faces import draw_face, head_shape
from engine.house.garments import draw_torso
from engine.house.hair import draw_bow, draw_hat, hair_behind, hair_in_front
from engine.house.palette import TROUSERS, WOOD
from engine.house.pencil import mix
from engine.house.posture import Body, Frame, measure
from engine.house.props import draw_arms_and_props, draw_marks
from engine.house.scenes import ANIMALS, PEOPLE, Actor


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
    draw_torso(frame, actor, body)
    head_shape(frame.pencil, actor.character, body.head, frame.radius, body.skin)
    draw_face(frame.pencil, actor, body.head, frame.radius, body.skin)
    hair_in_front(frame.pencil, actor.character, body.head, frame.radius)
    draw_hat(frame.pencil, actor.character, body.head, frame.radius)
    if actor.character.species == "girl":
        draw_bow(frame.pencil, body.head, frame.radius)
    draw_marks(frame, actor, body)
    draw_arms_and_props(frame, actor, body)


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
    shorts = actor.character.species == "boy"
    bare = shorts or actor.character.clothes == "dress"
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
        if shorts:
            frame.pencil.limb([hip, knee], 0.42 * r, TROUSERS)
        frame.pencil.ellipse(foot[0] + 0.06 * side * r, foot[1], 0.28 * r, 0.15 * r, (58, 46, 50))
