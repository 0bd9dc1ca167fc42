"""Heads: skull, eyes, brows, mouth, glasses. Lengths are in head radii."""

from __future__ import annotations

from dataclasses import dataclass

from engine.house.palette import FUR, WHITE
from engine.house.pencil import INK, Colour, Pencil, Point, mix
from engine.house.scenes import ANIMALS, CHILDREN, ELDERS, PEOPLE, WOMEN, Character

MOUTH: Colour = (150, 30, 44)
LIPS: Colour = (232, 40, 84)
GOLD: Colour = (250, 196, 40)
BLUSH: Colour = (246, 130, 120)
LENS: Colour = (226, 244, 252)
EYE_X, EYE_Y, MOUTH_Y = 0.42, 0.04, 0.56

# Height of the brows' inner and outer ends, from the eyes.
BROWS: dict[str, Point] = {
    "angry": (-0.2, -0.5), "sad": (-0.58, -0.32), "surprised": (-0.6, -0.58),
    "laughing": (-0.42, -0.4), "happy": (-0.46, -0.4), "calm": (-0.4, -0.4),
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """What a face shows: an expression, or one on its way to another."""

    expression: str
    brows: Point | None = None  # where they are not the expression's own
    closed: bool = False  # the eyes, in a blink
    mouth: float = 1.0  # size
    sign: float = 1.0  # size of the tears or the sign of anger


def head_shape(p: Pencil, who: Character, head: Point, r: float, skin: Colour) -> None:
    """Skull and ears, before any face is on it."""
    x, y = head
    if who.species in ANIMALS:
        _animal_ears(p, who.species, head, r, skin)
    elif who.species == "robot":
        _antenna(p, head, r)
    else:
        for side in (-1, 1):
            p.ellipse(x + side * 0.96 * r, y + 0.12 * r, 0.14 * r, 0.2 * r, skin)
    if who.species == "robot":
        p.rounded(x, y, 0.98 * r, 0.88 * r, 8, skin)
        p.rounded(x, y + 0.08 * r, 0.78 * r, 0.66 * r, 6, mix(skin, (236, 246, 250), 0.72))
    elif who.species in ("man", "grandpa"):
        p.rounded(x, y, 0.96 * r, r, 2.9, skin)
    elif who.species in ANIMALS:
        p.ellipse(x, y, 1.04 * r, 0.96 * r, skin)
    else:
        p.ellipse(x, y, 0.97 * r, 0.98 * r, skin)


def _animal_ears(p: Pencil, species: str, head: Point, r: float, fur: Colour) -> None:
    x, y = head
    inner = mix(fur, (250, 160, 170), 0.6)
    for s in (-1, 1):
        if species == "cat":
            p.polygon(
                [
                    (x + s * 0.96 * r, y - 0.2 * r),
                    (x + s * 0.92 * r, y - 1.4 * r),
                    (x + s * 0.15 * r, y - 0.85 * r),
                ],
                fur,
            )
            p.polygon(
                [
                    (x + s * 0.8 * r, y - 0.5 * r),
                    (x + s * 0.8 * r, y - 1.12 * r),
                    (x + s * 0.4 * r, y - 0.8 * r),
                ],
                inner,
                stroke=0,
            )
        elif species == "rabbit":
            p.ellipse(x + s * 0.42 * r, y - 1.15 * r, 0.27 * r, 0.72 * r, fur)
            p.ellipse(x + s * 0.42 * r, y - 1.1 * r, 0.13 * r, 0.5 * r, inner, stroke=0)
        elif species == "bear":
            p.ellipse(x + s * 0.84 * r, y - 0.74 * r, 0.46 * r, 0.46 * r, fur)
            p.ellipse(x + s * 0.84 * r, y - 0.74 * r, 0.26 * r, 0.26 * r, inner, stroke=0)


def _antenna(p: Pencil, head: Point, r: float) -> None:
    x, y = head
    p.line([(x, y - 0.8 * r), (x, y - 1.3 * r)], 0.1 * r)
    p.ellipse(x, y - 1.38 * r, 0.15 * r, 0.15 * r, (236, 60, 60))
    for s in (-1, 1):
        p.rectangle(
            x + s * 1.06 * r - 0.1 * r,
            y - 0.25 * r,
            x + s * 1.06 * r + 0.1 * r,
            y + 0.3 * r,
            (120, 126, 140),
        )


def draw_face(p: Pencil, who: Character, look: Look, head: Point, r: float, skin: Colour) -> None:
    """Everything on the front of the head; `head` is where its middle is."""
    expression = look.expression
    if who.species in ANIMALS:
        _muzzle(p, who.species, head, r, skin)
    if who.species in CHILDREN:
        _cheeks(p, head, r, skin)
    if who.species in ELDERS:
        _wrinkles(p, head, r)
    if who.beard:
        _beard(p, head, r, FUR[who.hair_colour])
    if who.glasses == "sunglasses":
        _brows(p, who, look, head, r)
        _sunglasses(p, head, r)
    else:
        if who.glasses != "none":
            _glasses(p, who.glasses, head, r, mix(skin, LENS, 0.75))
        if look.closed:
            _closed_eyes(p, head, r)
        else:
            _eyes(p, who, expression, head, r)
        _brows(p, who, look, head, r)
    if who.species in PEOPLE:
        p.arc(head[0], head[1] + 0.26 * r, 0.07 * r, 0.06 * r, 10, 170, 0.045 * r)
    with p.placed(about=(head[0], head[1] + MOUTH_Y * r), size=look.mouth):
        _mouth(p, who, expression, head, r)
    if who.species == "grandpa":
        _moustache(p, head, r, FUR[who.hair_colour])
    if look.sign > 0:
        _sign(p, expression, head, r, look.sign)


def _sign(p: Pencil, expression: str, head: Point, r: float, size: float) -> None:
    x, y = head
    if expression == "sad":
        for s in (-1, 1):
            eye = (x + s * 0.58 * r, y + 0.34 * r)
            with p.placed(about=eye, size=size):
                _tear(p, eye, r)
    elif expression == "angry":
        temple = (x + 0.62 * r, y - 0.56 * r)
        with p.placed(about=temple, size=size):
            _anger_sign(p, temple, r)


def _muzzle(p: Pencil, species: str, head: Point, r: float, fur: Colour) -> None:
    x, y = head
    light = mix(fur, (255, 250, 240), 0.72)
    if species == "dog":
        dark = mix(fur, (60, 30, 20), 0.45)
        for s in (-1, 1):
            p.ellipse(x + s * 1.0 * r, y - 0.02 * r, 0.27 * r, 0.72 * r, dark)
        p.ellipse(x - EYE_X * r, y + EYE_Y * r, 0.4 * r, 0.44 * r, dark, stroke=0)
    broad = 1.25 if species == "bear" else 1.0
    p.ellipse(x, y + 0.52 * r, 0.52 * broad * r, 0.4 * r, light, stroke=0)
    p.ellipse(
        x,
        y + 0.26 * r,
        {"dog": 0.2, "bear": 0.26}.get(species, 0.13) * r,
        {"bear": 0.15}.get(species, 0.09) * r,
        INK if species in ("dog", "bear") else (240, 120, 140),
        stroke=0,
    )
    if species == "cat":
        for s in (-1, 1):
            for dy in (0.3, 0.48):
                p.line(
                    [(x + s * 0.6 * r, y + dy * r), (x + s * 1.2 * r, y + (dy * 1.5 - 0.18) * r)],
                    0.035 * r,
                )
    elif species == "rabbit":
        p.rectangle(x - 0.12 * r, y + 0.74 * r, x + 0.12 * r, y + 0.94 * r, WHITE)


def _cheeks(p: Pencil, head: Point, r: float, skin: Colour) -> None:
    """Round and red: what tells a child from a short adult."""
    for s in (-1, 1):
        x, y = head[0] + s * 0.64 * r, head[1] + 0.46 * r
        p.ellipse(x, y, 0.24 * r, 0.2 * r, mix(skin, BLUSH, 0.85), stroke=0)


def _wrinkles(p: Pencil, head: Point, r: float) -> None:
    x, y = head
    for s in (-1, 1):
        for dy in (0.24, 0.4):
            p.line(
                [(x + s * 0.66 * r, y + dy * r), (x + s * 0.9 * r, y + (dy - 0.08) * r)], 0.05 * r
            )
    for dy in (0.4, 0.52):
        p.line([(x - 0.34 * r, y - dy * r), (x + 0.34 * r, y - dy * r)], 0.045 * r)


def _moustache(p: Pencil, head: Point, r: float, hair: Colour) -> None:
    x, y = head[0], head[1] + 0.38 * r
    for s in (-1, 1):
        tip = (x + s * 0.6 * r, y + 0.14 * r)
        p.polygon([(x, y - 0.1 * r), (x + s * 0.34 * r, y - 0.08 * r), tip, (x, y + 0.1 * r)], hair)


def _beard(p: Pencil, head: Point, r: float, hair: Colour) -> None:
    x, y = head
    p.chord(x, y + 0.3 * r, 0.94 * r, 0.86 * r, 0, 180, hair)
    p.ellipse(x, y + 0.56 * r, 0.42 * r, 0.26 * r, mix(hair, (255, 225, 200), 0.85), stroke=0)


def _eyes(p: Pencil, who: Character, expression: str, head: Point, r: float) -> None:
    lashes = who.species in ("woman", "girl", "grandma")
    for s in (-1, 1):
        x, y = head[0] + s * EYE_X * r, head[1] + EYE_Y * r
        if expression == "laughing":
            p.line(
                [(x - 0.2 * r, y + 0.1 * r), (x, y - 0.12 * r), (x + 0.2 * r, y + 0.1 * r)],
                0.09 * r,
            )
            continue
        wide = 1.25 if expression == "surprised" else 1.0
        p.ellipse(x, y, 0.24 * r * wide, 0.28 * r * wide, WHITE)
        pupil = 0.09 if expression == "surprised" else 0.15
        p.ellipse(x, y + 0.03 * r, pupil * r, (pupil + 0.02) * r, INK, stroke=0)
        if expression != "surprised":
            p.ellipse(x + 0.05 * r, y - 0.04 * r, 0.06 * r, 0.06 * r, WHITE, stroke=0)
        if lashes:
            for dx, dy in ((0.38, -0.18), (0.3, -0.34)):
                p.line(
                    [(x + s * 0.16 * r, y - 0.14 * r), (x + s * dx * r * 1.05, y + dy * r * wide)],
                    0.075 * r,
                )
        if who.species in WOMEN:
            p.arc(x, y, 0.25 * r * wide, 0.29 * r * wide, 195, 345, 0.1 * r)


def _closed_eyes(p: Pencil, head: Point, r: float) -> None:
    for s in (-1, 1):
        p.arc(head[0] + s * EYE_X * r, head[1] + EYE_Y * r, 0.22 * r, 0.12 * r, 10, 170, 0.09 * r)


def _brows(p: Pencil, who: Character, look: Look, head: Point, r: float) -> None:
    inner, outer = look.brows or BROWS[look.expression]
    thick = 0.12 if who.species in ("man", "grandpa") or look.expression == "angry" else 0.08
    for s in (-1, 1):
        x, y = head[0] + s * EYE_X * r, head[1] + EYE_Y * r
        p.line([(x - s * 0.2 * r, y + inner * r), (x + s * 0.2 * r, y + outer * r)], thick * r)


def _mouth(p: Pencil, who: Character, expression: str, head: Point, r: float) -> None:
    x, y = head[0], head[1] + MOUTH_Y * r
    if who.species in WOMEN:
        _lips(p, expression, x, y, r)
    if expression == "happy":
        p.chord(x, y - 0.06 * r, 0.34 * r, 0.28 * r, 0, 180, MOUTH)
    elif expression == "laughing":
        p.chord(x, y - 0.12 * r, 0.46 * r, 0.46 * r, 0, 180, MOUTH)
        p.rectangle(x - 0.38 * r, y - 0.12 * r, x + 0.38 * r, y, WHITE, stroke=0)
    elif expression == "sad":
        p.arc(x, y + 0.18 * r, 0.3 * r, 0.2 * r, 190, 350, 0.11 * r)
    elif expression == "angry":
        p.rectangle(x - 0.34 * r, y - 0.09 * r, x + 0.34 * r, y + 0.17 * r, WHITE)
        for dx in (-0.17, 0.0, 0.17):
            p.line([(x + dx * r, y - 0.09 * r), (x + dx * r, y + 0.17 * r)], 0.045 * r)
    elif expression == "surprised":
        p.ellipse(x, y + 0.1 * r, 0.19 * r, 0.25 * r, MOUTH)
    else:
        p.line([(x - 0.22 * r, y), (x + 0.22 * r, y)], 0.1 * r)


def _lips(p: Pencil, expression: str, x: float, y: float, r: float) -> None:
    """Red and full around the mouth; what is drawn later is the opening between them."""
    if expression == "happy":
        p.chord(x, y - 0.13 * r, 0.45 * r, 0.44 * r, 0, 180, LIPS)
    elif expression == "laughing":
        p.chord(x, y - 0.2 * r, 0.57 * r, 0.63 * r, 0, 180, LIPS)
    elif expression == "angry":
        p.rounded(x, y + 0.04 * r, 0.47 * r, 0.25 * r, 4, LIPS)
    elif expression == "surprised":
        p.ellipse(x, y + 0.1 * r, 0.3 * r, 0.36 * r, LIPS)
    else:
        p.ellipse(x, y + (0.03 if expression == "sad" else 0.0) * r, 0.34 * r, 0.15 * r, LIPS)


def draw_earrings(p: Pencil, head: Point, r: float) -> None:
    """The golden earrings that every woman wears."""
    for side in (-1, 1):
        p.ellipse(head[0] + side * 1.04 * r, head[1] + 0.44 * r, 0.17 * r, 0.19 * r, GOLD)


def _tear(p: Pencil, eye: Point, r: float) -> None:
    x, y = eye
    p.polygon(
        [(x, y), (x + 0.14 * r, y + 0.28 * r), (x, y + 0.4 * r), (x - 0.14 * r, y + 0.28 * r)],
        (92, 176, 250),
    )


def _anger_sign(p: Pencil, temple: Point, r: float) -> None:
    x, y = temple
    for dx, dy in ((-0.1, -0.1), (0.1, -0.1), (-0.1, 0.1), (0.1, 0.1)):
        p.line(
            [
                (x + dx * 2.0 * r, y + dy * 0.7 * r),
                (x + dx * 0.7 * r, y + dy * 0.7 * r),
                (x + dx * 0.7 * r, y + dy * 2.0 * r),
            ],
            0.07 * r,
            (226, 40, 40),
        )


def _glasses(p: Pencil, kind: str, head: Point, r: float, lens: Colour) -> None:
    """Thin frames around light lenses: dark ones around the eyes would be painted as a mask."""
    x, y = head[0], head[1] + (EYE_Y + 0.02) * r
    for s in (-1, 1):
        middle, wide, high, width = x + s * EYE_X * r, 0.4 * r, 0.37 * r, 0.07 * r
        p.line([(x + s * 0.76 * r, y), (x + s * 0.98 * r, y - 0.06 * r)], 0.07 * r)
        if kind == "round":
            p.ellipse(middle, y, wide, wide, lens, stroke=width)
        else:
            left, right, top, bottom = middle - wide, middle + wide, y - high, y + high
            corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
            p.polygon(corners, lens, stroke=width)


def _sunglasses(p: Pencil, head: Point, r: float) -> None:
    x, y = head[0], head[1] + EYE_Y * r
    p.line([(x - 0.96 * r, y - 0.1 * r), (x + 0.96 * r, y - 0.1 * r)], 0.09 * r)
    for s in (-1, 1):
        p.rounded(x + s * EYE_X * r, y + 0.02 * r, 0.36 * r, 0.27 * r, 3, (30, 30, 44))
        p.line(
            [
                (x + s * 0.38 * r - 0.1 * r, y + 0.06 * r),
                (x + s * 0.38 * r + 0.04 * r, y - 0.1 * r),
            ],
            0.05 * r,
            (150, 200, 240),
        )
