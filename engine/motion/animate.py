"""`animate`: from given pictures to the frames between them, the whole way.

Between two panels: one segment. Several panels: segments one after another. A living panel: one
picture that moves and comes back. `engine.motion.inbetween` draws what lies between.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain, pairwise

import torch
from PIL import Image, ImageOps

from engine.devices import pick_device
from engine.drawing import png_file
from engine.extras import NO_EXTRAS, Extras
from engine.identity import open_picture
from engine.models import AnimateDiff, EndFrames, HouseMotion, check_moves, find_model
from engine.motion.animatediff import load_animatediff
from engine.motion.animator import Animator, load_animator
from engine.motion.end_frames import EndFramesPipeline, load_end_frames
from engine.motion.inbetween import (
    DrawnInbetween,
    FilmedInbetween,
    Frames,
    Inbetween,
    Key,
)
from engine.plan import known, seed_of
from engine.prompts import find_style, fitting, panel_prompt, same_name, style_for
from engine.ready import READY, ready_artist
from engine.request import (
    AnimateRequest,
    Done,
    EngineError,
    Event,
    FrameDrawn,
    Note,
    PanelRequest,
    Progress,
)
from engine.safety import guarded, load_checker
from engine.story import check_size, interpreter_of, words_for_trouble
from engine.understanding import understood

STEPS = HouseMotion.steps
LARGEST_NOTE = 12  # panels named in one


def animate(
    request: AnimateRequest, *, device: str = "auto", extras: Extras = NO_EXTRAS
) -> Generator[Event]:
    """Draw every frame; yields progress, a preview a step, each frame in order, and `Done`.

    Closing the iterator stops at the next step. Raises `EngineError` with words for people.
    """
    begun = time.monotonic()
    check(request)
    spec = find_model(request.model)
    request, notes_on_words = understood(request, spec, interpreter_of(extras))
    with words_for_trouble():
        place = str(pick_device(device))
    yield Progress("loading", 0, 1)
    with words_for_trouble():
        inbetween = ready_inbetween(request, place)
        checker = load_checker(extras.safety_checker, place) if extras.safety_checker else None
    keys = keys_of(request, inbetween)
    yield Progress("loading", 1, 1)
    yield from notes_on_words
    yield from notes(request, inbetween)
    with words_for_trouble():
        yield from guarded(Animation(inbetween, request, keys).events(), checker)
    yield Done(time.monotonic() - begun)


def check(request: AnimateRequest) -> None:
    """What is wrong with the request is said before the model is loaded."""
    spec = find_model(request.model)
    find_style(request.style)
    check_size(request.size)
    if len(request.pictures) != len(request.panels):
        raise EngineError(
            f"{len(request.pictures)} pictures cannot belong to {len(request.panels)} panels"
        )
    if not request.panels:
        raise EngineError("there is no panel that could move")
    if request.frames < 3:
        raise EngineError("a movement has 3 frames or more, both pictures counted")
    cast = {same_name(c.name): c for c in request.characters}
    for panel in request.panels:
        known(panel, cast)
    check_moves(spec)


def ready_inbetween(request: AnimateRequest, device: str) -> Inbetween:
    """What the request's model moves with, loaded."""
    spec = find_model(request.model)
    request = replace(request, size=request.size or spec.size)
    if isinstance(spec.motion, EndFrames):
        return FilmedInbetween(ready_pipeline(spec.motion, device), request)
    assert spec.motion is not None, "checked before"
    request = replace(request, steps=request.steps or spec.motion.steps)
    return DrawnInbetween(ready_animator(request.model, device), request)


def ready_animator(model: str, device: str) -> Animator:
    """Of a model that draws its own motion; it shares the artist's weights and goes with it."""
    artist = ready_artist(model, device)
    artist.wardrobe.wear(())  # it moves with the weights that its motion was learnt for
    if artist.spec.offload:
        raise EngineError(
            f'the model "{model}" cannot move while its parts take turns: whoever runs the engine'
            " can take `offload` out of [engine] in config.toml"
        )

    def load() -> Animator:
        motion = artist.spec.motion
        if isinstance(motion, AnimateDiff):
            return load_animatediff(artist, motion)
        assert isinstance(motion, HouseMotion), "a video model needs no artist"
        return load_animator(artist, motion.weights)

    return READY.part((artist.spec, device), "animator", load)


def ready_pipeline(motion: EndFrames, device: str) -> EndFramesPipeline:
    """It draws without the artist, which goes when it comes."""
    return READY.part(
        (motion, device), "pipeline", lambda: load_end_frames(motion.source, torch.device(device))
    )


def keys_of(request: AnimateRequest, inbetween: Inbetween) -> list[Key]:
    """The request's pictures. Raises `EngineError` for what is not a PNG."""
    style = style_for(request.style, find_model(request.model).languages)
    cast = {same_name(c.name): c for c in request.characters}

    def prompt(panel: PanelRequest) -> str:
        return fitting(lambda share: panel_prompt(panel, cast, style, share), inbetween.fits)[0]

    return [
        Key(number, picture, prompt(panel), sized(picture, inbetween.pixels))
        for number, (panel, picture) in enumerate(
            zip(request.panels, request.pictures, strict=True)
        )
    ]


def sized(picture: str, pixels: int) -> bytes:
    """A PNG in base64 as the PNG file that a frame of this size shows."""
    size = (pixels, pixels)
    return png_file(ImageOps.fit(open_picture(picture), size, Image.Resampling.LANCZOS))


def notes(request: AnimateRequest, inbetween: Inbetween) -> Iterator[Note]:
    if inbetween.linear:
        yield Note("no motion predictor is trained for this model: the path is linear", "linear")
    pairs = pairwise(request.panels)
    strangers = tuple(i for i, (a, b) in enumerate(pairs) if not common(a, b))
    if strangers:
        numbers = ", ".join(f"{i + 1} and {i + 2}" for i in strangers[:LARGEST_NOTE])
        yield Note(f"nobody is in both of the panels {numbers}", "nobody_in_common", strangers)


def common(a: PanelRequest, b: PanelRequest) -> bool:
    return not {same_name(n) for n in a.characters}.isdisjoint(same_name(n) for n in b.characters)


class Animation:
    """The state of one animation being drawn; it belongs to nobody else."""

    def __init__(self, inbetween: Inbetween, request: AnimateRequest, keys: list[Key]) -> None:
        self._inbetween, self._request, self._keys = inbetween, request, keys
        self._rounds = 1  # segments, or one living panel
        self._frames = self._shown = 0

    def events(self) -> Generator[Event]:
        """Progress and previews while a segment is drawn, then its frames."""
        request, keys = self._request, self._keys
        if len(keys) == 1:
            self._frames = 2 * (request.frames - 1)
            seed = seed_of(request.seed, "living")
            inner = yield from self._round(0, self._inbetween.living(keys[0], seed))
            yield from self._show(keys[0].png, inner)
            return
        pairs = list(pairwise([*keys, keys[0]] if request.loop else keys))
        self._rounds = len(pairs)
        self._frames = len(pairs) * (request.frames - 1) + (not request.loop)
        for number, (start, end) in enumerate(pairs):
            seed = seed_of(request.seed, f"segment {number}")
            inner = yield from self._round(number, self._inbetween.between(start, end, seed))
            yield from self._show(start.png, inner)
        if not request.loop:
            yield from self._show(keys[-1].png, ())

    def _round(self, number: int, drawing: Frames) -> Generator[Event, None, Iterable[bytes]]:
        """The events of a drawing, with its progress as a part of the whole."""
        with closing(drawing):
            while True:
                try:
                    event = next(drawing)
                except StopIteration as end:
                    inner: Iterable[bytes] = end.value
                    return inner
                if isinstance(event, Progress):
                    done = number * event.total + event.done
                    event = Progress("steps", done, self._rounds * event.total)
                yield event

    def _show(self, first: bytes, others: Iterable[bytes]) -> Iterator[Event]:
        for png in chain([first], others):
            yield FrameDrawn(self._shown, png)
            self._shown += 1
            yield Progress("frames", self._shown, self._frames)
