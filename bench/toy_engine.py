"""An engine for benches and tests, served as the real one is: `python -m bench.toy_engine`.

It takes `TOY_SECONDS` a panel and paints plain colours. With `TOY_MODEL`, a folder that
`bench.tiny_model` has made, the real engine draws, with random weights, small pictures. With
`TOY_LOG` each second of work is written down: a line of the story's seed and the seconds; and of
the real engine also how long after its start it could draw: "ready" and the seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from io import BytesIO

import psutil
from PIL import Image

from bench.toy_movement import slide
from engine.app import load, main
from engine.easel import Easel
from engine.request import (
    AnimateRequest,
    Done,
    DrawRequest,
    Event,
    FrameDrawn,
    PanelDrawn,
    Preview,
    Progress,
)

STEPS = 8
SIZE = 64  # pixels


def paint(request: DrawRequest) -> Generator[Event]:
    """All panels take their steps together, then each is finished."""
    began = time.monotonic()
    seconds = float(os.environ.get("TOY_SECONDS", "0.1"))
    wanted = range(len(request.panels)) if request.only is None else request.only
    for step in range(STEPS):
        time.sleep(seconds * len(wanted) / STEPS)
        yield Progress("steps", step + 1, STEPS)
        if request.previews and step == STEPS // 2:
            yield Preview(wanted[0], picture(request, wanted[0], "JPEG"))
    for done, index in enumerate(wanted, 1):
        yield PanelDrawn(index, picture(request, index, "PNG"))
        yield Progress("panels", done, len(wanted))
    yield Done(time.monotonic() - began)


def picture(request: DrawRequest, index: int, kind: str) -> bytes:
    seed = request.panels[index].seed or request.seed + index
    colour = (seed % 256, seed // 256 % 256, seed // 65536 % 256)
    file = BytesIO()
    Image.new("RGB", (SIZE, SIZE), colour).save(file, kind)
    return file.getvalue()


def tiny(request: DrawRequest) -> Iterator[Event]:
    """The real engine on the folder in `TOY_MODEL`."""
    from engine.story import draw_story

    small = replace(request, model=os.environ["TOY_MODEL"], size=SIZE, steps=STEPS)
    yield from draw_story(small, device="cpu")


def slowly(request: AnimateRequest) -> Iterator[Event]:
    """An animation in which a frame takes as long as a panel."""
    for event in slide(request):
        if isinstance(event, FrameDrawn):
            time.sleep(float(os.environ.get("TOY_SECONDS", "0.1")))
        yield event


def work(request: DrawRequest | AnimateRequest) -> Iterator[Event]:
    if isinstance(request, AnimateRequest):
        return slowly(request)
    return tiny(request) if os.environ.get("TOY_MODEL") else paint(request)


def get_ready(easel: Easel) -> None:
    """Loads what the real engine draws with, as that does: before it is asked for a story."""
    easel.model, easel.device = os.environ["TOY_MODEL"], "cpu"
    load(easel, resident=1)
    note("ready", time.time() - psutil.Process().create_time())


def note(what: object, seconds: float) -> None:
    """Writes a line into `TOY_LOG`, if there is one."""
    log = os.environ.get("TOY_LOG")
    if log:
        with open(log, "a", encoding="ascii") as file:
            file.write(f"{what} {seconds:.4f}\n")


def logged(request: DrawRequest | AnimateRequest) -> Generator[Event]:
    """The events, and a line for the time between two of them."""
    before = time.monotonic()
    for event in work(request):
        now = time.monotonic()
        note(request.seed, now - before)
        before = now
        yield event


if __name__ == "__main__":
    main(draw=logged, prepare=get_ready if os.environ.get("TOY_MODEL") else None)
