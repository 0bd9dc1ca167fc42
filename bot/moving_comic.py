"""A drawn comic as a GIF beside its pages, for `inkwell draw --animate`."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from bot.draw import Comic, ProgressLine
from bot.errors import FileError
from bot.files import check_replacing, put_in_place, reason
from bot.interrupts import ctrl_c_later, on_ctrl_c
from bot.page.layouts import LAYOUTS
from bot.start import end_at_once
from engine.models import check_moves, find_model
from engine.request import AnimateRequest, EngineError, Event, FrameDrawn, Note, Progress

if TYPE_CHECKING:
    from bot.page.reducing import Made, Reduction

FRAMES = 8  # of a segment, both ends counted
MOST_BYTES = 20_000_000

Animate = Callable[[AnimateRequest], Iterator[Event]]


def check_gif(comic: Comic) -> None:
    """Refuses, before anything is drawn, a model that cannot move and a name that is taken."""
    check_moves(find_model(comic.request.model))
    check_replacing(comic.files.animation)


def animate_comic(comic: Comic, animate: Animate) -> str:
    """Animates the pictures that were just drawn; returns the name of the GIF.

    Raises EngineError, such as for a model that has not learnt to move, and UserError.
    """
    path = comic.files.animation
    pictures = [one.read_bytes() for one in comic.files.pictures(len(comic.script.panels))]
    if len(pictures) == 1:
        tell("there is one panel only, so it moves to another pose and back")
    with on_ctrl_c(lambda *_: end_at_once()):
        frames = draw_frames(request_of(comic, pictures), animate)
        gif = gif_from(comic, pictures, frames)
        check_replacing(path)
        try:
            with ctrl_c_later():
                put_in_place({path: gif.content})
        except OSError as error:
            raise FileError(f"cannot write {path}: {reason(error)}") from error
        if gif.reductions:
            tell(f"to stay below {MOST_BYTES / 1e6:g} MB {reduced(gif.reductions)}")
    return str(path)


def request_of(comic: Comic, pictures: Sequence[bytes]) -> AnimateRequest:
    drawn = comic.request
    return AnimateRequest(
        characters=drawn.characters,
        panels=drawn.panels,
        pictures=tuple(b64encode(picture).decode("ascii") for picture in pictures),
        style=drawn.style,
        seed=drawn.seed,
        model=drawn.model,
        frames=FRAMES,
    )


def draw_frames(request: AnimateRequest, animate: Animate) -> list[bytes]:
    """The frames in order, with a progress line on stderr meanwhile."""
    frames: list[bytes] = []
    line = ProgressLine(sys.stderr)
    try:
        for event in animate(request):
            if isinstance(event, Progress):
                line.show(event)
            elif isinstance(event, FrameDrawn):
                frames.append(event.png)
            elif isinstance(event, Note):
                line.note(event.text)
    finally:
        line.close()
    if not frames:
        raise EngineError("the engine has drawn no frames", "broken")
    return frames


def gif_from(comic: Comic, pictures: Sequence[bytes], frames: Sequence[bytes]) -> Made:
    from bot.page.animation import moving_panels
    from bot.page.letter import opened_rgb, side_of
    from bot.page.placing import PagePanel
    from bot.page.reducing import made

    panels = [
        PagePanel(
            opened_rgb(picture), line.caption, line.kind, side_of(line.speaker, line.characters)
        )
        for line, picture in zip(comic.script.panels, pictures, strict=True)
    ]
    lettered = LAYOUTS[comic.layout].typeset
    film = moving_panels(panels, frames, FRAMES, lettered=lettered)
    return made(film, "gif", MOST_BYTES)


def reduced(reductions: Sequence[Reduction]) -> str:
    """What was taken away: "it has 40 frames instead of 50, its colours are coarser"."""
    words = {
        "frames": "it has {after} frames instead of {before}",
        "size": "it is {after} pixels wide instead of {before}",
        "colours": "its colours are coarser",
    }
    return ", ".join(words[one.what].format(**vars(one)) for one in reductions)


def tell(words: str) -> None:
    print(words, file=sys.stderr)
