"""What figures wear on the body: one drawing function for each kind of clothes."""

from __future__ import annotations

from engine.house.palette import PAPER, TROUSERS
from engine.house.pencil import Colour, mix
from engine.house.posture import Body, Frame
from engine.house.scenes import WOMEN, Character


def draw_torso(frame: Frame, who: Character, body: Body) -> None:
    r, p, x = frame.radius, frame.pencil, frame.x
    clothes, half = who.clothes, body.half_width * r
    hem = body.hip + (0.42 if clothes == "dress" else 0.12) * r
    flare = 1.5 if clothes == "dress" else 1.0
    shoulder = body.shoulder
    if who.species in WOMEN:
        _skirt(frame, body, hem + (0.5 if who.species == "grandma" else 0.3) * r)
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
    if who.species == "grandma":
        _shawl(frame, body, shoulder)


def _skirt(frame: Frame, body: Body, low: float) -> None:
    """Wide and of the darker cloth of trousers, under whatever is worn above it."""
    half = body.half_width * frame.radius
    corners = [(-1.0, body.hip), (1.0, body.hip), (1.75, low), (-1.75, low)]
    frame.pencil.polygon([(frame.x + x * half, y) for x, y in corners], TROUSERS)


def _shawl(frame: Frame, body: Body, x: float) -> None:
    """Around the shoulders of grandmothers, always lilac: the clothes keep their own colour."""
    r, half = frame.radius, (body.half_width + 0.1) * frame.radius
    top, low = body.neck - 0.06 * r, body.neck + 0.34 * r
    for side in (-1, 1):
        corners = [(x, top), (x + side * half, low - 0.12 * r), (x + side * half, low + 0.1 * r)]
        frame.pencil.polygon([*corners, (x, low)], (206, 180, 226))


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
