"""From a `Scene` to a picture: the program that draws what the house artist learns from."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from PIL import Image

from engine.house.figures import at_rest, draw_figure
from engine.house.pencil import Pencil
from engine.house.places import draw_place
from engine.house.posture import Frame
from engine.house.scenes import Scene

PIXELS = 256


class Sheet(NamedTuple):
    """A sheet of paper in the air: its middle, half its width, how far it hangs."""

    x: float
    y: float
    width: float
    slope: float


def frames(scene: Scene, pencil: Pencil, random: Random) -> list[Frame]:
    """Where each actor stands, from the framing and a small random shift."""
    pair = len(scene.actors) == 2
    radius, ground = {
        "close-up": (0.275, 1.22), "medium": (0.158 if pair else 0.192, 0.96),
        "wide": (0.132 if pair else 0.14, 0.9),
    }[scene.framing]  # fmt: skip
    radius *= random.uniform(0.95, 1.05)
    middles = (0.27, 0.73) if pair else (0.5,)
    wobble = 0.02 if pair else 0.06
    result = []
    for i, middle in enumerate(middles[: len(scene.actors)]):
        facing = (1, -1)[i] if pair else (1 if random.random() < 0.8 else -1)
        x = middle + random.uniform(-wobble, wobble)
        result.append(Frame(pencil, x, ground + random.uniform(-0.015, 0.015), radius, facing))
    return result


def draw(scene: Scene, pixels: int = PIXELS) -> Image.Image:
    """Draw the scene as a square RGB picture of `pixels` a side; same scene, same bytes."""
    random = Random(scene.jitter)
    pencil = Pencil(pixels, scene.style)
    draw_place(pencil, scene.place, scene.night, random)
    for frame, actor in zip(frames(scene, pencil, random), scene.actors, strict=True):
        draw_figure(at_rest(frame, actor))
    if scene.papers:
        for sheet in sheets(random):
            draw_sheet(pencil, sheet)
    return pencil.finish()


def sheets(random: Random) -> list[Sheet]:
    """Sheets flying through the air, above and around the heads."""
    found = []
    for _ in range(7):
        x, y = (
            random.uniform(0.04, 0.96),
            random.choice((random.uniform(0.02, 0.2), random.uniform(0.6, 0.95))),
        )
        found.append(Sheet(x, y, random.uniform(0.02, 0.05), random.uniform(-0.03, 0.03)))
    return found


def draw_sheet(pencil: Pencil, sheet: Sheet) -> None:
    x, y, dx, dy = sheet
    corners = [
        (x - dx, y - 0.03 + dy),
        (x + dx, y - 0.03 - dy),
        (x + dx * 1.1, y + 0.03 - dy),
        (x - dx * 0.9, y + 0.03 + dy),
    ]
    pencil.polygon(corners, (253, 252, 246), stroke=0.006)
