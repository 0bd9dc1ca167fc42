"""`draw_story`: from a request to pictures, the whole way; what can go wrong is said in words."""

from __future__ import annotations

import gc
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch

from engine.devices import pick_device
from engine.drawing import StoryDrawing
from engine.extras import NO_EXTRAS, Extras
from engine.fetching import announce
from engine.interpreting import Interpreter
from engine.loading import Artist
from engine.memory import panels_at_once
from engine.models import find_model
from engine.photomaker import PhotoMaker, ready_photomaker
from engine.picture_adapter import PictureAdapter, ready_picture_adapter
from engine.plan import Shot, plan_shots
from engine.ready import ready_artist
from engine.request import DeviceLost, Done, DrawRequest, EngineError, Event, Note, Progress
from engine.safety import guarded, load_checker
from engine.translation import Translations
from engine.understanding import understood

PIXELS_PER_LATENT = 8  # of SD1.5 and SDXL


def draw_story(
    request: DrawRequest, *, device: str = "auto", extras: Extras = NO_EXTRAS
) -> Generator[Event]:
    """Draw every panel of the request; yields progress, each finished panel, and `Done`.

    Closing the iterator stops at the next step. Raises `EngineError` with words for people.
    """
    begun = time.monotonic()
    check_size(request.size)
    spec = find_model(request.model)
    request, notes = understood(request, spec, interpreter_of(extras))
    plan_shots(request)  # what is wrong with the story is said before the model is loaded
    with words_for_trouble():
        place = str(pick_device(device))
    yield from fetched_first(request)
    yield Progress("loading", 0, 1)
    with words_for_trouble():
        artist = ready_artist(request.model, place)
        artist.wardrobe.wear(artist.spec.way(request.preset).loras)
        checker = load_checker(extras.safety_checker, place) if extras.safety_checker else None
    check_size(request.size or spec.size, artist.pixels_per_latent)
    shots = plan_shots(request, artist.fits, spec.languages)
    adapter = photomaker = None
    if any(shot.picture is not None for shot in shots):
        with words_for_trouble():
            adapter = ready_picture_adapter(artist)
            photomaker = ready_photomaker(artist)
    yield Progress("loading", 1, 1)
    yield from notes
    yield from too_long(shots)
    with words_for_trouble():
        yield from guarded(paint(artist, request, shots, adapter, photomaker), checker)
    yield Done(time.monotonic() - begun)


def interpreter_of(extras: Extras) -> Interpreter | None:
    return Translations(extras.translations) if extras.translations else None


def check_size(pixels: int | None, multiple: int = PIXELS_PER_LATENT) -> None:
    """Raises `EngineError` for a size that an autoencoder cannot make."""
    if pixels is not None and pixels % multiple:
        raise EngineError(
            f"the size of a panel must be a multiple of {multiple} pixels, not {pixels}"
        )


def paint(
    artist: Artist,
    request: DrawRequest,
    shots: Sequence[Shot],
    adapter: PictureAdapter | None,
    photomaker: PhotoMaker | None = None,
) -> Generator[Event]:
    """The steps and the pictures; where memory runs out, once more, a panel at a time.

    Identity panels of a character are drawn together, so then there is one of each.
    """
    with words_for_trouble():
        request = replace(request, micro_batch=panels_at_once(artist, request))
    try:
        with words_for_trouble():
            yield from StoryDrawing(artist, request, shots, adapter, photomaker).events()
            return
    except EngineError as error:
        if error.kind != "memory" or max(request.micro_batch, request.identity_panels) <= 1:
            raise
    gc.collect()  # the error is gone, and with it what held the tensors
    if artist.device.type == "cuda":
        torch.cuda.empty_cache()
    with words_for_trouble():
        fewer = min(request.identity_panels, 1)
        smaller = replace(request, micro_batch=1, identity_panels=fewer)
        shots = plan_shots(smaller, artist.fits, artist.spec.languages)
        yield from StoryDrawing(artist, smaller, shots, adapter, photomaker).events()


def fetched_first(request: DrawRequest) -> Iterator[Note]:
    """Says what has to come from the hub before this can be drawn."""
    spec = find_model(request.model)
    pictures = any(character.leader for character in request.characters)
    words = announce(spec, spec.way(request.preset), pictures=pictures)
    if words:
        yield Note(words, "fetching")


def too_long(shots: Sequence[Shot]) -> Iterator[Note]:
    """Says which panels have descriptions that the model cannot read to the end."""
    panels = sorted(
        shot.panel for shot in shots if shot.said < 1 and shot.shown and shot.panel is not None
    )
    if panels:
        numbers = ", ".join(str(panel + 1) for panel in panels)
        yield Note(
            f"the words of panel {numbers} are too long for this model:"
            " the end of the descriptions is left out there",
            "too_long",
            tuple(panels),
        )


@contextmanager
def words_for_trouble() -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, torch.AcceleratorError):
            raise DeviceLost("the graphics processor has failed", "broken") from error
        text = str(error)
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in text:
            raise EngineError(
                "there is too little memory to draw this story;"
                " a smaller size or micro-batch needs less",
                "memory",
            ) from error
        raise
