"""`animate`: from given pictures to the frames between them, the whole way.

Between two panels: one segment (`engine.motion.video`). Several panels: segments one after another.
A living panel: a second pose of the one picture is drawn first, with Consistent Self-Attention on
the picture itself, then the motion goes there and back.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from itertools import pairwise

from PIL import Image, ImageOps
from torch import Tensor

from engine.drawing import png_bytes
from engine.identity import noised, open_picture, picture_latents
from engine.loading import Artist, pick_device
from engine.models import find_model
from engine.motion.animator import Animator, load_animator
from engine.motion.video import Segment, Watch, draw_segment, frame_noise
from engine.plan import known, seed_of
from engine.preview import preview_jpegs
from engine.prompts import find_style, fitting, panel_prompt, same_name
from engine.request import (
    AnimateRequest,
    Done,
    EngineError,
    Event,
    FrameDrawn,
    Note,
    PanelRequest,
    Preview,
    Progress,
)
from engine.story import ready_artist, words_for_trouble

STEPS = 12
SECOND_POSE_STRENGTH = 0.8  # of the noise from which a living panel's second pose is drawn
DECODED_AT_ONCE = 4  # frames: bounds the memory
LARGEST_NOTE = 12  # panels named in one


def animate(request: AnimateRequest, *, device: str = "auto") -> Generator[Event]:
    """Draw every frame; yields progress, a preview a step, each frame in order, and `Done`.

    Closing the iterator stops at the next step. Raises `EngineError` with words for people.
    """
    begun = time.monotonic()
    check(request)
    place = str(pick_device(device))
    yield Progress("loading", 0, 1)
    with words_for_trouble():
        animator = ready_animator(request.model, place)
    yield Progress("loading", 1, 1)
    yield from notes(request, animator)
    with words_for_trouble():
        yield from Animation(animator, request).events()
    yield Done(time.monotonic() - begun)


def check(request: AnimateRequest) -> None:
    """What is wrong with the request is said before the model is loaded."""
    spec = find_model(request.model)
    find_style(request.style)
    if len(request.pictures) != len(request.panels):
        raise EngineError(
            f"{len(request.pictures)} pictures cannot belong to {len(request.panels)} panels"
        )
    cast = {same_name(c.name): c for c in request.characters}
    for panel in request.panels:
        known(panel, cast)
    if not spec.moves:
        raise EngineError(f'the model "{spec.name}" has not learnt to move')


@lru_cache(maxsize=1)
def ready_animator(model: str, device: str) -> Animator:
    """The one last used stays loaded; it shares the artist's weights."""
    spec = find_model(model)
    assert spec.motion is not None
    return load_animator(ready_artist(model, device), spec.motion)


def notes(request: AnimateRequest, animator: Animator) -> Iterator[Note]:
    if animator.predictor is None:
        yield Note("no motion predictor is trained for this model: the path is linear", "linear")
    pairs = pairwise(request.panels)
    strangers = tuple(i for i, (a, b) in enumerate(pairs) if not common(a, b))
    if strangers:
        numbers = ", ".join(f"{i + 1} and {i + 2}" for i in strangers[:LARGEST_NOTE])
        yield Note(f"nobody is in both of the panels {numbers}", "nobody_in_common", strangers)


def common(a: PanelRequest, b: PanelRequest) -> bool:
    return not {same_name(n) for n in a.characters}.isdisjoint(same_name(n) for n in b.characters)


@dataclass(frozen=True)
class Key:
    """A given picture, or the second pose of one: its latents [C, h, w] and words [N, W]."""

    latents: Tensor
    words: Tensor
    panel: int
    png: bytes  # as its frames show it, to the bit


class Animation:
    """The state of one animation being drawn; it belongs to nobody else."""

    def __init__(self, animator: Animator, request: AnimateRequest) -> None:
        self._animator, self._request = animator, request
        self._artist: Artist = animator.artist
        self._steps = request.steps or STEPS
        self._pixels = request.size or self._artist.spec.size
        self._done, self._shown = 0, 0

    def events(self) -> Iterator[Event]:
        keys = self._keys()
        if len(keys) == 1:
            self._total = self._steps + second_pose_steps(self._steps)
            keys.append((yield from self._second_pose(keys[0])))
            self._frames = 2 * (self._request.frames - 1)
            inner = yield from self._segment(keys[0], keys[1], 0)
            yield from self._shown_frames(keys[0], inner)
            yield from self._shown_frames(keys[1], inner.flip(0))
            return
        if self._request.loop:
            keys = [*keys, keys[0]]
        rounds = len(keys) - 1
        self._total = self._steps * rounds
        self._frames = rounds * (self._request.frames - 1) + (not self._request.loop)
        for number, (start, end) in enumerate(pairwise(keys)):
            inner = yield from self._segment(start, end, number)
            yield from self._shown_frames(start, inner)
        if not self._request.loop:
            yield from self._shown_frames(keys[-1], inner[:0])

    def _keys(self) -> list[Key]:
        request, artist = self._request, self._artist
        style = find_style(request.style)
        cast = {same_name(c.name): c for c in request.characters}

        def prompt(panel: PanelRequest) -> str:
            return fitting(lambda share: panel_prompt(panel, cast, style, share), artist.fits)[0]

        prompts = [prompt(panel) for panel in request.panels]
        states = artist.read(prompts).states
        return [
            Key(picture_latents(artist, p, self._pixels), states[i], i, sized(p, self._pixels))
            for i, p in enumerate(request.pictures)
        ]

    def _segment(self, start: Key, end: Key, number: int) -> Generator[Event, None, Tensor]:
        """Latents of the frames between two pictures, without these: [F - 2, C, h, w]."""
        segment = Segment(
            start.latents, end.latents, start.words, end.words, self._request.frames, self._steps,
            seed_of(self._request.seed, f"segment {number}"),
        )  # fmt: skip
        frames = start.latents[None]
        for frames in draw_segment(self._animator, segment):
            self._done += 1
            yield Progress("steps", self._done, self._total)
            middle = frames[len(frames) // 2 : len(frames) // 2 + 1]
            yield Preview(start.panel, preview_jpegs(self._artist, middle)[0])
        return frames[1:-1]

    def _shown_frames(self, key: Key, inner: Tensor) -> Iterator[Event]:
        """The key's own picture, then the frames that follow it."""
        yield from self._frame(key.png)
        for part in inner.split(DECODED_AT_ONCE) if len(inner) else ():
            with self._artist.painting():
                decoded = self._artist.decode(part)
            for picture in decoded:
                yield from self._frame(png_bytes(picture))

    def _frame(self, png: bytes) -> Iterator[Event]:
        yield FrameDrawn(self._shown, png)
        self._shown += 1
        yield Progress("frames", self._shown, self._frames)

    def _second_pose(self, key: Key) -> Generator[Event, None, Key]:
        """The same panel a moment later: re-noised (Meng et al. 2021, SDEdit), led by itself."""
        artist, animator = self._artist, self._animator
        scheduler = copy.deepcopy(artist.scheduler)
        scheduler.set_timesteps(self._steps, device=artist.device)
        timesteps = scheduler.timesteps[-second_pose_steps(self._steps) :]
        seed = seed_of(self._request.seed, "second pose")
        noise = frame_noise(1, key.latents.shape, seed=seed).to(artist.device)
        latents = noised(scheduler, key.latents[None], noise, timesteps[0])
        watch = Watch(animator, [1], seed=seed)
        words = key.words[None]
        with artist.painting(), watch.attached():
            watch.show(key.latents[None].repeat(2, 1, 1, 1), words.repeat(2, 1, 1), scheduler)
            for timestep in timesteps:
                guess = artist.unet(latents, timestep, encoder_hidden_states=words).sample.float()
                latents = scheduler.step(guess, timestep, latents).prev_sample
                self._done += 1
                yield Progress("steps", self._done, self._total)
        with artist.painting():
            png = png_bytes(artist.decode(latents)[0])
        return Key(latents[0], key.words, key.panel, png)


def sized(picture: str, pixels: int) -> bytes:
    """A PNG in base64 as the PNG file that a frame of this size shows."""
    image = ImageOps.fit(open_picture(picture), (pixels, pixels), Image.Resampling.LANCZOS)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def second_pose_steps(steps: int) -> int:
    return max(1, round(SECOND_POSE_STRENGTH * steps))
