"""Animation without a model, for benches and tests: each picture is pushed out by the next one.

A living panel is pushed half a picture aside and comes back.
"""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageChops

from engine.models import MODELS, HouseMotion
from engine.request import AnimateRequest, Done, Event, FrameDrawn, Note, Progress


def let_toys_move() -> None:
    """Tells the bot of this process that its engine's model can move: the toy engine slides."""
    MODELS["house"] = replace(MODELS["house"], motion=HouseMotion(Path(__file__).parent))


def slide(request: AnimateRequest) -> Iterator[Event]:
    """The events that an engine would send, frames in order."""
    began = time.monotonic()
    yield Progress("loading", 1, 1)
    pairs = pairwise(request.panels)
    strangers = [i for i, (a, b) in enumerate(pairs) if not {*a.characters} & {*b.characters}]
    if strangers:
        yield Note("nobody in common", "nobody_in_common", tuple(strangers))
    frames = list(moved(request))
    for number, frame in enumerate(frames):
        yield Progress("steps", number + 1, len(frames))
        file = BytesIO()
        frame.save(file, "PNG")
        yield FrameDrawn(number, file.getvalue())
        yield Progress("frames", number + 1, len(frames))
    yield Done(time.monotonic() - began)


def moved(request: AnimateRequest) -> Iterator[Image.Image]:
    pictures = [opened(picture) for picture in request.pictures]
    steps = request.frames - 1
    if len(pictures) == 1:
        ways = [*range(steps), *range(steps, 0, -1)]
        half = pictures[0].width / 2
        yield from (ImageChops.offset(pictures[0], round(half * way / steps), 0) for way in ways)
        return
    if request.loop:
        pictures.append(pictures[0])
    for first, second in pairwise(pictures):
        for step in range(steps):
            yield pushed(first, second, step / steps)
    if not request.loop:
        yield pictures[-1]


def opened(picture: str) -> Image.Image:
    return Image.open(BytesIO(b64decode(picture))).convert("RGB")


def pushed(first: Image.Image, second: Image.Image, share: float) -> Image.Image:
    """`second` has come in from the right by a share of the width."""
    gone = round(first.width * share)
    frame = Image.new("RGB", first.size)
    frame.paste(first, (-gone, 0))
    frame.paste(second, (first.width - gone, 0))
    return frame
