"""The people, animals and robots of the house artist: big heads, clear faces, twelve poses.

All lengths are in head radii (R); y grows downwards. A figure stands on `ground` at `x`.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.house.faces import Look, draw_earrings, draw_face, head_shape
from engine.house.garments import draw_torso
from engine.house.hair import draw_bow, draw_hat, hair_behind, hair_in_front
from engine.house.palette import TROUSERS
from engine.house.pencil import mix
from engine.house.posture import Body, Frame, measure
from engine.house.props import Sign, draw_arms_and_props, draw_chairs, draw_marks
from engine.house.scenes import ANIMALS, PEOPLE, WOMEN, Actor, Character


@dataclass(frozen=True)
class Figure:
    """One character as it is drawn: where it stands, how, with which face and which things."""

    who: Character
    frame: Frame
    body: Body
    look: Look
    signs: tuple[Sign, ...]


def at_rest(frame: Frame, actor: Actor) -> Figure:
    """The figure of an actor that holds its pose."""
    body = measure(frame, actor)
    sign = Sign(actor.pose, frame, body)
    return Figure(actor.character, frame, body, Look(actor.expression), (sign,))


def draw_figure(figure: Figure) -> None:
    """Draw one figure, from the parts at the back to the hands and props in front."""
    who, frame, body = figure.who, figure.frame, figure.body
    pencil, radius = frame.pencil, frame.radius
    pencil.stroke = max(0.006, 0.055 * radius)
    draw_chairs(figure.signs)
    if who.species in ANIMALS:
        _tail(frame, body, who.species)
    if who.species in PEOPLE:
        hair_behind(pencil, who, body.head, radius)
    _legs(frame, who, body)
    draw_torso(frame, who, body)
    head_shape(pencil, who, body.head, radius, body.skin)
    face = frame.at(*body.face, body.head)
    draw_face(pencil, who, figure.look, face, radius, body.skin)
    hair_in_front(pencil, who, body.head, radius)
    if who.species in WOMEN:
        draw_earrings(pencil, body.head, radius)
    draw_hat(pencil, who, body.head, radius)
    if who.species == "girl":
        draw_bow(pencil, body.head, radius)
    draw_marks(frame, body, figure.signs)
    draw_arms_and_props(frame, who, body, figure.signs)


def _tail(frame: Frame, body: Body, species: str) -> None:
    r, x, y = (
        frame.radius,
        frame.x - body.turn * 0.5 * frame.radius,
        body.hip - 0.1 * frame.radius,
    )
    side = -body.turn
    if species in ("rabbit", "bear"):
        frame.pencil.ellipse(
            x + side * 0.2 * r, y, 0.22 * r, 0.22 * r, mix(body.skin, (255, 255, 255), 0.4)
        )
        return
    tip = (x + side * 0.85 * r, y - (0.9 if species == "cat" else 0.5) * r)
    frame.pencil.limb([(x, y), (x + side * 0.6 * r, y - 0.15 * r), tip], 0.18 * r, body.skin)


def _legs(frame: Frame, who: Character, body: Body) -> None:
    r = frame.radius
    shorts = who.species == "boy"
    bare = shorts or who.clothes == "dress" or who.species in WOMEN
    fill = body.skin if bare or who.species in ANIMALS else TROUSERS
    if who.species == "robot":
        fill = mix(body.skin, (60, 60, 70), 0.4)
    for side, (hip, knee, foot) in zip((-1, 1), body.legs, strict=True):
        frame.pencil.limb([hip, knee, foot], 0.36 * r, fill)
        if shorts:
            frame.pencil.limb([hip, knee], 0.42 * r, TROUSERS)
        frame.pencil.ellipse(foot[0] + 0.06 * side * r, foot[1], 0.28 * r, 0.15 * r, (58, 46, 50))
