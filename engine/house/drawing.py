"""From a `Scene` to a picture: the program that draws what the house artist learns from."""

from __future__ import annotations

from random import Random

from PIL import Image

from engine.house.figures import draw_figure
from engine.house.pencil import Pencil
from engine.house.places import draw_place
from engine.house.posture import Frame
from engine.house.scenes import Scene

PIXELS = 256


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
        lean = 0.22 if scene.actors[i].pose in ("running", "fighting") else 0.0
        x = middle + random.uniform(-wobble, wobble)
        result.append(
            Frame(pencil, x, ground + random.uniform(-0.015, 0.015), radius, facing, lean)
        )
    return result


def draw(scene: Scene, pixels: int = PIXELS) -> Image.Image:
    """Draw the scene as a square RGB picture of `pixels` a side; same scene, same bytes."""
    random = Random(scene.jitter)
    pencil = Pencil(pixels, scene.style)
    draw_place(pencil, scene.place, scene.night, random)
    for frame, actor in zip(frames(scene, pencil, random), scene.actors, strict=True):
        pencil.stroke = max(0.006, 0.055 * frame.radius)
        draw_figure(frame, actor)
    if scene.papers:
        _papers(pencil, random)
    return pencil.finish()


def _papers(pencil: Pencil, random: Random) -> None:
    """Sheets flying through the air, above and around the heads."""
    for _ in range(7):
        x, y = (
            random.uniform(0.04, 0.96),
            random.choice((random.uniform(0.02, 0.2), random.uniform(0.6, 0.95))),
        )
        dx, dy = random.uniform(0.02, 0.05), random.uniform(-0.03, 0.03)
        corners = [
            (x - dx, y - 0.03 + dy),
            (x + dx, y - 0.03 - dy),
            (x + dx * 1.1, y + 0.03 - dy),
            (x - dx * 0.9, y + 0.03 + dy),
        ]
        pencil.polygon(corners, (253, 252, 246), stroke=0.006)
