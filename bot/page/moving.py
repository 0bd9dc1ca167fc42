"""Moving pictures as files: GIF, MP4 and animated WebP from the same frames.

A GIF has one palette for all of its frames, so that no colour flickers. What does not change from
one frame to the next is not stored again. MP4 needs PyAV (`pip install inkwell[video]`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import getdata

Kind = Literal["gif", "mp4", "webp"]
Pixels = NDArray[np.uint8]  # [height, width, 3]

TICK = 90  # milliseconds of a frame in between; a film's other times are multiples of it
KEPT = 32  # frames that are not made again
MOST_COLOURS = 255  # of a GIF; one more entry of the palette means "as before"
SAMPLE = 80_000  # pixels of all frames from which a palette is chosen
ROUNDS = 5  # of k-means
ROWS = 4096  # colours whose distances are found at a time
CELL_BITS = 6  # of each channel: colours that share them get the same entry of the palette
STEADY = 9  # levels that a pixel may change before it is stored again
BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 0.47
SHORTEST_VIDEO = 4_000  # milliseconds: not every player plays a video again and again
CRF = 25  # of H.264: less is finer and larger
WEBP_QUALITY = 78


class Frames(Sequence[Pixels]):
    """Frames that are made when they are asked for: a long film fits into little memory."""

    def __init__(self, count: int, draw: Callable[[int], Pixels]) -> None:
        self._count = count
        self._draw = lru_cache(maxsize=KEPT)(draw)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return [self[n] for n in range(*number.indices(self._count))]
        if not 0 <= number < self._count:
            raise IndexError(number)
        return self._draw(number)


@dataclass(frozen=True)
class Film:
    """Frames of one size, and for how long each is shown.

    `keys` are the numbers of those frames that must stay when others are left out.
    """

    frames: Sequence[Pixels]
    milliseconds: Sequence[int]
    keys: frozenset[int]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width, _ = self.frames[0].shape
        return width, height

    def thinned(self, count: int) -> Film:
        """About `count` frames, evenly chosen; the time of one left out goes to the one before."""
        frames, last = self.frames, len(self.frames) - 1
        chosen = np.linspace(0, last, max(2, count)).round().astype(int).tolist()
        kept = sorted({0, *self.keys, *chosen})
        ends = [*kept[1:], len(frames)]
        return Film(
            Frames(len(kept), lambda place: frames[kept[place]]),
            [sum(self.milliseconds[a:b]) for a, b in zip(kept, ends, strict=True)],
            frozenset(place for place, number in enumerate(kept) if number in self.keys),
        )

    def scaled(self, scale: float) -> Film:
        """The same with other sides, in even pixels, as video wants them."""
        frames, size = self.frames, even([side * scale for side in self.size])
        if size == self.size:
            return self
        return replace(self, frames=Frames(len(frames), lambda n: resized(frames[n], size)))


def even(sides: Iterable[float]) -> tuple[int, int]:
    """Width and height as the nearest even numbers."""
    width, height = (max(2, 2 * round(side / 2)) for side in sides)
    return width, height


def resized(frame: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))


def has_video() -> bool:
    """Whether MP4 can be made here."""
    return importlib.util.find_spec("av") is not None


# -- GIF --------------------------------------------------------------------------------------


def gif(film: Film, colours: int = MOST_COLOURS) -> bytes:
    """The film as a GIF that plays for ever, of at most `colours` (2 to 255) colours."""
    palette = palette_of(film.frames, colours)
    spread = dither_levels(palette)
    nearest_entry = Entries(palette)
    width, height = film.size
    file = BytesIO()
    file.write(b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little"))
    file.write(b"\xf7\0\0" + palette.tobytes().ljust(768, b"\0"))
    file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
    stored: Pixels | None = None  # of each pixel, what it was when it was last stored
    for frame, milliseconds in zip(film.frames, film.milliseconds, strict=True):
        indices = nearest_entry.of(cells(frame, spread))
        fresh = np.ones(indices.shape, bool) if stored is None else changed(frame, stored)
        top, bottom, left, right = bounds(fresh)
        box = (slice(top, bottom), slice(left, right))
        seen = np.where(fresh, indices, MOST_COLOURS)[box].astype(np.uint8)
        stored = frame if stored is None else np.where(fresh[..., None], frame, stored)
        part = Image.fromarray(seen)  # mode L: indices as they are
        how = {"duration": milliseconds, "transparency": MOST_COLOURS, "disposal": 1}
        file.write(b"".join(getdata(part, (left, top), **how)))
    file.write(b";")
    return file.getvalue()


def palette_of(frames: Sequence[Pixels], colours: int) -> Pixels:
    """The colours that fit all frames together best: uint8 [colours or fewer, 3].

    An octree, then rounds of k-means over the colours of all frames. (Pillow's median cut is
    better alone, but takes minutes where nearly every pixel has a colour of its own.)
    """
    side = max(16, min(96, round(sqrt(SAMPLE / len(frames)))))
    small = [np.asarray(Image.fromarray(f).resize((side, side), 0)) for f in frames]
    together = np.concatenate(small)
    cut = Image.fromarray(together).quantize(colours, Image.Quantize.FASTOCTREE)
    entries = np.array(cut.getpalette(), np.float32).reshape(-1, 3)
    palette: NDArray[np.float32] = entries[np.unique(np.asarray(cut))]
    seen, weights = np.unique(cells(together, 0.0), return_counts=True)
    seen_colours = colours_of(seen)
    for _ in range(ROUNDS):
        own = nearest(seen_colours, palette)
        total = np.bincount(own, weights, len(palette))
        for channel in range(3):
            sums = np.bincount(own, weights * seen_colours[:, channel], len(palette))
            np.divide(sums, total, out=palette[:, channel], where=total > 0, casting="unsafe")
    rounded: Pixels = palette.round().astype(np.uint8)
    return rounded


def dither_levels(palette: Pixels) -> float:
    """How many levels a pixel is moved by, at most, so that shades between two colours mix."""
    if len(palette) < 2:
        return 0.0
    colours = palette.astype(np.float32)
    apart = np.abs(colours[:, None] - colours[None]).max(-1)
    np.fill_diagonal(apart, 255)
    return float(min(24.0, np.median(apart.min(1))))


def cells(frame: Pixels, spread: float) -> NDArray[np.int32]:
    """The number of each pixel's cell of colours, its shades mixed by an ordered pattern.

    The pattern stays where it is from frame to frame: what stands still does not flicker.
    """
    height, width, _ = frame.shape
    pattern = np.tile(BAYER * spread, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    mixed = np.clip(frame + pattern.astype(np.int16), 0, 255).astype(np.int32)
    red, green, blue = np.moveaxis(mixed >> (8 - CELL_BITS), -1, 0)
    numbers: NDArray[np.int32] = (red << (2 * CELL_BITS)) | (green << CELL_BITS) | blue
    return numbers


class Entries:
    """For each cell of colours the nearest entry of the palette, found when it first occurs."""

    def __init__(self, palette: Pixels) -> None:
        self._palette = palette.astype(np.float32)
        self._table = np.zeros(1 << (3 * CELL_BITS), np.uint8)
        self._known = np.zeros(len(self._table), bool)

    def of(self, numbers: NDArray[np.int32]) -> Pixels:
        """Numbers of cells, of any shape, to entries."""
        occurs = np.zeros(len(self._table), bool)
        occurs[numbers.ravel()] = True
        new = np.flatnonzero(occurs & ~self._known)
        self._table[new] = nearest(colours_of(new), self._palette)
        self._known[new] = True
        found: Pixels = self._table[numbers]
        return found


def colours_of(numbers: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """The colour in the middle of each cell: [count, 3]."""
    mask = (1 << CELL_BITS) - 1
    parts = [(numbers >> shift) & mask for shift in (2 * CELL_BITS, CELL_BITS, 0)]
    middle = (1 << (8 - CELL_BITS)) // 2
    return ((np.stack(parts, 1) << (8 - CELL_BITS)) + middle).astype(np.float32)


def nearest(colours: NDArray[np.float32], palette: NDArray[np.float32]) -> NDArray[np.intp]:
    """|c - p|² = |c|² - 2 c·p + |p|², of which |c|² is the same for all p.

    The products are written out: a library's threads for them cost more than they bring.
    """
    squares = (palette**2).sum(1)
    found = []
    for part in np.array_split(colours, len(colours) // ROWS + 1):
        distances = squares - sum(2 * part[:, c, None] * palette[:, c] for c in range(3))
        found.append(distances.argmin(1))
    return np.concatenate(found)


def changed(frame: Pixels, stored: Pixels) -> NDArray[np.bool_]:
    """Which pixels differ so much from what was stored of them that it can be seen."""
    levels = np.abs(frame.astype(np.int16) - stored).max(-1)
    fresh: NDArray[np.bool_] = levels > STEADY
    return fresh


def bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what is true; one pixel where nothing is."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return 0, 1, 0, 1
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


# -- the others -------------------------------------------------------------------------------


def webp(film: Film, quality: int = WEBP_QUALITY) -> bytes:
    """The film as an animated WebP that plays for ever."""
    first, *others = map(Image.fromarray, film.frames)
    file = BytesIO()
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=list(film.milliseconds),
        loop=0,
        quality=quality,
        method=3,
    )
    return file.getvalue()


def mp4(film: Film, crf: int = CRF) -> bytes:
    """The film as H.264 in MP4, readable by every browser; a short one several times over.

    Raises ModuleNotFoundError without PyAV.
    """
    import av

    width, height = (side - side % 2 for side in film.size)
    with TemporaryDirectory() as folder:  # "faststart" reads again what was written
        path = Path(folder, "film.mp4")
        with av.open(path, "w", "mp4", options={"movflags": "+faststart"}) as target:
            stream: Any = target.add_stream("libx264", rate=Fraction(1000, TICK))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = {"crf": str(crf), "preset": "faster", "tune": "animation"}
            for pixels in ticks(film):
                cut = np.ascontiguousarray(pixels[:height, :width])
                target.mux(stream.encode(av.VideoFrame.from_ndarray(cut, format="rgb24")))
            target.mux(stream.encode(None))
        return path.read_bytes()


def ticks(film: Film) -> Iterator[Pixels]:
    """What is to be seen at each tick, the whole often enough to last for `SHORTEST_VIDEO`."""
    rounds = -(-SHORTEST_VIDEO // max(1, sum(film.milliseconds)))
    for _ in range(rounds):
        for frame, milliseconds in zip(film.frames, film.milliseconds, strict=True):
            for _ in range(max(1, round(milliseconds / TICK))):
                yield frame
