"""A folder of a person's own clips, cut into segments from which motion can be learnt.

A clip is a video, an animated GIF or WebP, or pictures in one folder that are numbered one after
the other. Clips are read frame by frame, so that a long film needs no more memory than a short one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from engine.request import EngineError

VIDEOS = (".mp4", ".m4v", ".webm", ".mov", ".mkv", ".avi")
ANIMATIONS = (".gif", ".webp")
PICTURES = (".png", ".jpg", ".jpeg")

USUAL_RATE = 24.0  # pictures a second, where a file does not say or says what cannot be
HIGHEST_RATE = 240.0
GIF_MILLISECONDS = 100.0  # that browsers show a frame which does not say how long

VISIBLE = 12  # of 255: a pixel that differs by more has changed
MOVING_SHARE = 0.004  # of the pixels: where fewer change between two frames, nothing moves
CUT = 60.0  # of 255: between two frames this mean difference is a cut to another scene

Segment = NDArray[np.uint8]  # [F, P, P, 3]
Stride = Callable[[float], int]  # pictures a second: every which one is taken


@dataclass(frozen=True)
class Cutting:
    """How clips become segments: `frames` of `pixels` a side that span about `seconds`."""

    frames: int = 16
    pixels: int = 224
    seconds: float = 1.0

    def stride(self, rate: float) -> int:
        """Every which picture is taken, of so many a second."""
        believable = rate if 1 <= rate <= HIGHEST_RATE else USUAL_RATE
        return max(1, round(believable * self.seconds / (self.frames - 1)))


@dataclass(frozen=True)
class Clip:
    """One file that moves, or the pictures of one numbering. `name` is its place in the folder."""

    name: str
    files: tuple[Path, ...]


def find_clips(folder: Path) -> list[Clip]:
    """All clips in a folder and the folders in it, by name.

    Raises `EngineError` where there are none, or videos that cannot be read for want of PyAV.
    """
    if not folder.is_dir():
        raise EngineError(f'there is no folder "{folder}"')
    single: list[Clip] = []
    numbered: dict[str, list[tuple[int, Path]]] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in name.parts):
            continue
        if path.suffix.lower() in VIDEOS + ANIMATIONS:
            single.append(Clip(str(name), (path,)))
        elif path.suffix.lower() in PICTURES and (found := re.search(r"\d+$", path.stem)):
            stem = path.stem[: found.start()]
            numbered.setdefault(str(name.parent / f"{stem}*{path.suffix}"), []).append(
                (int(found.group()), path)
            )
    series = [
        Clip(name, tuple(path for _, path in sorted(found))) for name, found in numbered.items()
    ]
    if not single and not series:
        raise EngineError(
            f'there are no clips in "{folder}": put videos ({", ".join(VIDEOS)}), animated GIF or'
            " WebP files, or folders of numbered pictures there"
        )
    if find_spec("av") is None and any(c.files[0].suffix.lower() in VIDEOS for c in single):
        raise EngineError(
            'to read videos the package PyAV is needed: pip install "inkwell[video]"; GIF and WebP'
            " files and numbered pictures are read without"
        )
    return sorted(single + series, key=lambda clip: clip.name)


def segments(clip: Clip, cutting: Cutting, say: Callable[[str], None]) -> Iterator[Segment]:
    """The segments of one clip that can be learnt from; why others are left out is said."""
    window: list[NDArray[np.uint8]] = []
    good = still = torn = 0
    trouble = ""
    try:
        for picture in pictures(clip, cutting.stride):
            window.append(np.asarray(square(picture, cutting.pixels)))
            if len(window) < cutting.frames:
                continue
            segment, window = np.stack(window), []
            if has_cut(segment):
                torn += 1
            elif not moves(segment):
                still += 1
            else:
                good += 1
                yield segment
    except Exception as error:  # decoders raise anything; one broken file must not end the rest
        first_line = next(iter(str(error).splitlines()), "") or type(error).__name__
        trouble = f"cannot be read{' to its end' if good + still + torn else ''}: {first_line}"
    if trouble:
        say(f"{clip.name} {trouble}")
    if still:
        say(f"{clip.name}: in {still} of {good + still + torn} segments nothing moves")
    if torn:
        say(f"{clip.name}: {torn} of {good + still + torn} segments have a cut in them")
    if not (trouble or good or still or torn):
        say(f"{clip.name} is left out: it is too short for a segment of {cutting.frames} frames")


def square(picture: Image.Image, side: int) -> Image.Image:
    """The middle square, in RGB; what is transparent becomes white paper."""
    if picture.mode.startswith("I"):  # 16 bits, which Pillow would clip
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.LANCZOS)


def moves(segment: Segment) -> bool:
    """Whether a visible share of the pixels changes between the first frame and some other."""
    values = segment.astype(np.int16)
    changed = np.abs(values[1:] - values[0]).max(-1) > VISIBLE
    return bool(changed.mean((1, 2)).max() > MOVING_SHARE)


def has_cut(segment: Segment) -> bool:
    steps = np.diff(segment.astype(np.int16), axis=0)
    return bool(np.abs(steps).mean((1, 2, 3)).max() > CUT)


# -- reading ----------------------------------------------------------------------------------


def pictures(clip: Clip, stride: Stride) -> Iterator[Image.Image]:
    """Every so manieth picture of a clip, one at a time."""
    suffix = clip.files[0].suffix.lower()
    if suffix in VIDEOS:
        return video_pictures(clip.files[0], stride)
    if suffix in ANIMATIONS:
        return animation_pictures(clip.files[0], stride)
    return numbered_pictures(clip.files, stride)


def video_pictures(path: Path, stride: Stride) -> Iterator[Image.Image]:
    import av

    with av.open(path) as container:
        if not container.streams.video:
            raise EngineError("there is no picture in it")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        every = stride(float(stream.average_rate or 0))
        frame: Any
        for number, frame in enumerate(container.decode(stream)):
            if number % every == 0:
                yield frame.to_image().rotate(frame.rotation, expand=True)


def animation_pictures(path: Path, stride: Stride) -> Iterator[Image.Image]:
    with Image.open(path) as animation:
        animation.load()  # WebP says only then how long a frame is shown
        every = stride(1000 / (animation.info.get("duration") or GIF_MILLISECONDS))
        for number in count(step=every):
            try:
                animation.seek(number)
            except EOFError:  # that was the last
                return
            yield animation


def numbered_pictures(files: tuple[Path, ...], stride: Stride) -> Iterator[Image.Image]:
    for path in files[:: stride(USUAL_RATE)]:
        with Image.open(path) as picture:
            yield picture
