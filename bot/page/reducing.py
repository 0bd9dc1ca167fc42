"""A film as a file no larger than a chat takes: fewer frames, then smaller, then coarser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.errors import Refusal
from bot.page.moving import CRF, MOST_COLOURS, WEBP_QUALITY, Film, Kind, gif, mp4, webp

LEAST_FRAMES = 8  # fewer are no movement any more
SHARES = (0.75, 0.5, 0.25)  # of the frames
SCALES = (0.75, 0.5, 0.35)  # of the sides
LEAST_PIXELS = 128  # a side

What = Literal["frames", "size", "colours"]


@dataclass(frozen=True)
class Coding:
    """How a kind of file is made: `finest` first, then each of `coarser`."""

    write: Callable[[Film, int], bytes]
    finest: int
    coarser: tuple[int, ...]


CODINGS: dict[Kind, Coding] = {
    "gif": Coding(gif, MOST_COLOURS, (128, 64, 32)),
    "mp4": Coding(mp4, CRF, (30, 35, 40)),
    "webp": Coding(webp, WEBP_QUALITY, (60, 40, 20)),
}


@dataclass(frozen=True)
class Reduction:
    """What was taken away: frames, pixels of the width, or colours (no numbers for these)."""

    what: What
    before: int = 0
    after: int = 0


@dataclass(frozen=True)
class Made:
    """A finished file, and what had to be taken away for it."""

    kind: Kind
    content: bytes
    reductions: tuple[Reduction, ...] = ()


def made(film: Film, kind: Kind, most_bytes: int) -> Made:
    """The film in at most so many bytes. Raises Refusal where it does not fit in any way.

    Slow: call it in a thread. An MP4 raises ModuleNotFoundError without PyAV.
    """
    coding = CODINGS[kind]
    for tried, quality in tries(film, coding):
        content = coding.write(tried, quality)
        if len(content) <= most_bytes:
            return Made(kind, content, tuple(reductions(film, tried, quality, coding)))
    raise Refusal("animate.too_large", megabytes=most_bytes / 1e6)


def tries(film: Film, coding: Coding) -> Iterator[tuple[Film, int]]:
    """Each smaller than the one before: frames first, then sides, then colours."""
    yield film, coding.finest
    whole = film
    for share in SHARES:
        fewer = whole.thinned(max(LEAST_FRAMES, round(share * len(whole.frames))))
        if LEAST_FRAMES <= len(fewer.frames) < len(film.frames):
            film = fewer
            yield film, coding.finest
    large = film
    for scale in SCALES:
        if scale * min(large.size) >= LEAST_PIXELS:
            film = large.scaled(scale)
            yield film, coding.finest
    for quality in coding.coarser:
        yield film, quality


def reductions(whole: Film, film: Film, quality: int, coding: Coding) -> Iterator[Reduction]:
    if len(film.frames) < len(whole.frames):
        yield Reduction("frames", len(whole.frames), len(film.frames))
    if film.size != whole.size:
        yield Reduction("size", whole.size[0], film.size[0])
    if quality != coding.finest:
        yield Reduction("colours")
