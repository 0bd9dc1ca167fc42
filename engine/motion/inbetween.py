"""What lies between key pictures, in two ways: the artist draws it, or a video model does.

The frames come as PNG files. Progress is that of the segment at hand; `engine.motion.animate` puts
segments together.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from engine.drawing import png_bytes, png_file
from engine.identity import picture_values
from engine.loading import Conditioning
from engine.motion.animator import Animator
from engine.motion.details import with_details
from engine.motion.end_frames import EndFramesPipeline
from engine.motion.predictor import times
from engine.motion.reports import reports
from engine.motion.second_pose import POSE, SecondPose
from engine.motion.video import Segment, draw_segment
from engine.preview import preview_jpegs
from engine.prompts import find_style, negative_prompt
from engine.request import AnimateRequest, DrawRequest, EngineError, Event, Preview, Progress

DECODED_AT_ONCE = 4  # frames: bounds the memory

Frames = Generator[Event, None, Iterator[bytes]]  # events while drawing; then PNG files


@dataclass(frozen=True)
class Key:
    """A given picture: its panel (from 0), its PNG in base64, its prompt.

    `png` is the file that a frame of it shows, to the bit.
    """

    panel: int
    picture: str
    prompt: str
    png: bytes


class Inbetween(Protocol):
    """A way to come from one key to another, for one request."""

    pixels: int  # a side of a frame
    linear: bool  # whether the path is straight, for want of a predictor

    def fits(self, prompt: str) -> bool:
        """Whether the model reads the prompt to its end."""

    def between(self, start: Key, end: Key, seed: int) -> Frames:
        """The frames between two keys, without these."""

    def living(self, key: Key, seed: int) -> Frames:
        """All frames of a living panel after its own picture, back to before that."""


class DrawnInbetween:
    """The artist draws, with motion modules; a living panel goes to a second pose and back.

    `request` has its steps and its size.
    """

    def __init__(self, animator: Animator, request: AnimateRequest) -> None:
        if request.frames > animator.most_frames:
            raise EngineError(
                f"the motion modules of this model draw at most {animator.most_frames} frames"
                f" between two pictures, not {request.frames}"
            )
        assert request.steps is not None
        assert request.size is not None
        self._animator, self._request, self._steps = animator, request, request.steps
        self._artist = animator.artist
        self.pixels = request.size
        self.linear = animator.predictor is None

    def fits(self, prompt: str) -> bool:
        return self._artist.fits(prompt)

    def between(self, start: Key, end: Key, seed: int) -> Frames:
        pictures = [self._picture(key) for key in (start, end)]
        latents = [self._latents(picture) for picture in pictures]
        drawn = yield from self._segment(start, end, pictures, latents, seed)
        return self._pngs(drawn, pictures, latents)

    def living(self, key: Key, seed: int) -> Frames:
        asked = self._request
        request = DrawRequest(
            (), (asked.panels[key.panel],), style=asked.style, seed=seed, model=asked.model,
            steps=self._steps, rate=1.0, size=self.pixels, micro_batch=1, previews=0,
        )  # fmt: skip
        pose = SecondPose(self._artist, request, key.picture, key.prompt, seed)
        before = 0
        for event in pose.steps():
            if isinstance(event, Progress):
                before = event.total
                yield replace(event, total=event.total + self._steps)
        picture, latents = self._picture(key), pose.latents[POSE]
        turn = self._decoded(latents[None])[0]
        ends = [self._latents(picture), latents]
        pictures = [picture, turn]
        drawn = yield from self._segment(key, key, pictures, ends, seed, before=before)
        return there_and_back(self._pngs(drawn, pictures, ends), png_bytes(turn))

    def _segment(
        self, start: Key, end: Key, pictures: list[Tensor], latents: list[Tensor], seed: int, *,
        before: int = 0,
    ) -> Generator[Event, None, Tensor]:  # fmt: skip
        """Latents of the frames between, [F - 2, C, h, w]; `before`: steps taken already."""
        words, negative = self._words(start, end)
        segment = Segment(
            latents[0], latents[1], torch.stack(pictures), words[0], words[1],
            self._request.frames, self._steps, seed, negative_words=negative,
        )  # fmt: skip
        frames = latents[0][None]
        for done, frames in enumerate(draw_segment(self._animator, segment), before + 1):
            yield Progress("steps", done, before + self._steps)
            middle = frames[len(frames) // 2 : len(frames) // 2 + 1]
            yield Preview(start.panel, preview_jpegs(self._artist, middle)[0])
        return frames[1:-1]

    def _words(self, start: Key, end: Key) -> tuple[Tensor, Tensor | None]:
        """Token states of both prompts, [2, T, C], and, with guidance, of what to avoid, [T, C]."""
        artist, own = self._artist, self._request.panels[start.panel].negative
        read = artist.read([start.prompt, end.prompt])
        if self._animator.guidance <= 1:
            return read.states, None
        style = find_style(self._request.style)
        negative = negative_prompt(style, own) if artist.spec.reads_negatives else ""
        words = Conditioning.joined([read, artist.read([negative])]).states
        return words[:2], words[2]

    def _picture(self, key: Key) -> Tensor:
        return picture_values(key.picture, self.pixels).to(self._artist.device)

    def _latents(self, picture: Tensor) -> Tensor:
        with self._artist.painting():
            return self._artist.encode(picture[None])[0]

    def _decoded(self, latents: Tensor) -> Tensor:
        with self._artist.painting():
            return self._artist.decode(latents)

    def _pngs(
        self, drawn: Tensor, pictures: list[Tensor], latents: list[Tensor]
    ) -> Iterator[bytes]:
        """The frames drawn between two pictures as PNG files, decoded as they are asked for.

        drawn [F - 2, C, h, w]; pictures [3, H, W] and latents [C, h, w] of the two.
        """
        given, decoded = torch.stack(pictures), self._decoded(torch.stack(latents))
        flow = self._animator.flow
        moments = times(len(drawn) + 2)[1:-1]
        parts = zip(drawn.split(DECODED_AT_ONCE), moments.split(DECODED_AT_ONCE), strict=True)
        for part, at in parts:
            carried = None if flow is None else flow.between(given, at)[0]
            made = with_details(self._decoded(part), at, given, decoded, carried)
            yield from map(png_bytes, made)


class FilmedInbetween:
    """A video model draws; a living panel is a film that ends as it begins.

    `request` has its size.
    """

    linear = False

    def __init__(self, pipeline: EndFramesPipeline, request: AnimateRequest) -> None:
        assert request.size is not None
        self._pipeline, self._request, self.pixels = pipeline, request, request.size
        self._style = find_style(request.style)

    def fits(self, prompt: str) -> bool:
        return True  # their text encoders read hundreds of words

    def between(self, start: Key, end: Key, seed: int) -> Frames:
        same = start.prompt == end.prompt
        words = start.prompt if same else f"{start.prompt}; then {end.prompt}"
        return (yield from self._film(start, end, words, self._request.frames, seed))

    def living(self, key: Key, seed: int) -> Frames:
        frames = 2 * (self._request.frames - 1) + 1  # the last is the first of the next round
        return (yield from self._film(key, key, key.prompt, frames, seed))

    def _film(self, start: Key, end: Key, words: str, frames: int, seed: int) -> Frames:
        first, last = (Image.open(BytesIO(key.png)) for key in (start, end))
        steps = self._request.steps
        negative = negative_prompt(self._style, self._request.panels[start.panel].negative)
        film = yield from reports(
            lambda report: self._pipeline.frames(
                first, last, words, negative, frames, steps, seed, report
            )
        )
        return map(png_file, film[1:-1])


def there_and_back(inner: Iterator[bytes], turn: bytes) -> Iterator[bytes]:
    """The frames to the turning point, this, and the same frames back."""
    there = []
    for png in inner:
        there.append(png)
        yield png
    yield turn
    yield from reversed(there)
