"""Moving pictures as files: what stands in them, and that they are small."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bot.page import moving
from bot.page.moving import MOST_COLOURS, Film, Kind, Pixels, gif, mp4, ticks, webp

GIF_IMAGE, LOCAL_PALETTE = 0x2C, 0x80


def scene(count: int = 8, side: int = 64, seed: int = 1) -> Film:
    """A disc that walks over a coloured ground."""
    ground = np.random.default_rng(seed).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    ground = np.asarray(Image.fromarray(ground).resize((side, side), Image.Resampling.BICUBIC))
    rows, columns = np.mgrid[:side, :side]
    frames = []
    for number in range(count):
        frame = ground.copy()
        x = side * (0.2 + 0.6 * number / max(1, count - 1))
        frame[(rows - side / 2) ** 2 + (columns - x) ** 2 < (side / 6) ** 2] = (220, 20, 40)
        frames.append(frame)
    times = [720, *[90] * (count - 2), 720][:count]
    return Film(frames, times, frozenset({0, count - 1}))


def blocks(content: bytes) -> list[tuple[int, int, int, int, bool]]:
    """Of every picture in a GIF: left, top, width, height, and whether it has its own palette."""
    place = 13 + 3 * 256
    found = []
    while content[place] != 0x3B:
        if content[place] == GIF_IMAGE:
            left, top, width, height = (
                int.from_bytes(content[place + at : place + at + 2], "little")
                for at in (1, 3, 5, 7)
            )
            found.append((left, top, width, height, bool(content[place + 9] & LOCAL_PALETTE)))
            place += 11
        else:
            place += 2
        while content[place]:
            place += 1 + content[place]
        place += 1
    return found


def shown(content: bytes) -> tuple[list[Pixels], list[int]]:
    """What is to be seen in a GIF or WebP, and for how many milliseconds."""
    frames, times = [], []
    with Image.open(BytesIO(content)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB")))
            times.append(int(image.info.get("duration", 0)))
    return frames, times


def psnr(a: Pixels, b: Pixels) -> float:
    error = np.mean((a.astype(float) - b) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def test_a_gif_has_one_palette_for_all_frames_and_plays_for_ever() -> None:
    content = gif(scene())
    assert content.startswith(b"GIF89a")
    assert b"NETSCAPE2.0\x03\x01\0\0" in content
    assert len(blocks(content)) == 8
    assert not any(own for *_, own in blocks(content))


def test_a_gif_shows_the_frames_for_their_times() -> None:
    film = scene()
    frames, times = shown(gif(film))
    assert times == list(film.milliseconds)
    assert min(psnr(a, b) for a, b in zip(film.frames, frames, strict=True)) > 28


def test_of_a_gif_only_the_part_that_changes_is_stored_again() -> None:
    _, *later = blocks(gif(scene(side=96)))
    assert all(width * height < 0.35 * 96 * 96 for _, _, width, height, _ in later)


def test_a_frame_in_which_nothing_changes_costs_next_to_nothing() -> None:
    film = scene(2)
    still = Film([film.frames[0]] * 16, [90] * 16, frozenset({0}))
    once = Film(film.frames[:1], [90], frozenset({0}))
    assert len(gif(still)) < len(gif(once)) + 15 * 40
    assert [block[2:4] for block in blocks(gif(still))[1:]] == [(1, 1)] * 15


def test_noise_that_nobody_sees_is_not_stored_and_leaves_no_trace() -> None:
    random = np.random.default_rng(0)
    film = scene()
    noisy = [
        np.clip(f.astype(int) + random.integers(-3, 4, f.shape), 0, 255).astype(np.uint8)
        for f in film.frames
    ]
    frames, _ = shown(gif(Film(noisy, film.milliseconds, film.keys)))
    assert psnr(frames[-1], film.frames[-1]) > 28


@pytest.mark.parametrize("colours", [2, 16, MOST_COLOURS])
def test_a_gif_has_no_more_colours_than_wanted(colours: int) -> None:
    frames, _ = shown(gif(scene(), colours))
    every = np.unique(np.concatenate([frame.reshape(-1, 3) for frame in frames]), axis=0)
    assert len(every) <= colours


@pytest.mark.parametrize("frames", [1, 2])
def test_films_of_one_colour_and_of_one_frame_are_written_too(frames: int) -> None:
    plain = np.full((10, 6, 3), 200, np.uint8)
    content = gif(Film([plain] * frames, [90] * frames, frozenset({0})))
    assert np.abs(shown(content)[0][0].astype(int) - 200).max() < 4


def test_a_webp_has_all_frames_and_times() -> None:
    film = scene()
    frames, times = shown(webp(film))
    assert times == list(film.milliseconds)
    assert min(psnr(a, b) for a, b in zip(film.frames, frames, strict=True)) > 22


def test_an_mp4_is_one_that_every_browser_plays() -> None:
    av = pytest.importorskip("av")
    content = mp4(scene(side=66))
    assert content.index(b"moov") < content.index(b"mdat"), "it begins before it is all there"
    with av.open(BytesIO(content)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (66, 66)
        decoded = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    film = scene(side=66)
    rounds = 3  # 8 frames last for 2 s, and a video for 4 at least
    assert len(decoded) == rounds * (6 + 8 + 8)
    assert psnr(decoded[0], film.frames[0]) > 24
    assert psnr(decoded[21], film.frames[-1]) > 24


def test_odd_sides_are_cut_to_even_ones_for_video() -> None:
    av = pytest.importorskip("av")
    odd = Film([np.zeros((33, 35, 3), np.uint8)] * 8, [90] * 8, frozenset({0}))
    with av.open(BytesIO(mp4(odd))) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (34, 32)


def test_a_long_film_is_not_repeated_in_a_video() -> None:
    film = scene(8)
    long = Film(film.frames, [900] * 8, film.keys)
    assert len(list(ticks(long))) == 80


def test_a_thinned_film_keeps_its_keys_and_lasts_as_long() -> None:
    film = Film(scene(20).frames, [720, *[90] * 18, 720], frozenset({0, 7, 19}))
    fewer = film.thinned(8)
    assert 8 <= len(fewer.frames) <= 9
    assert sum(fewer.milliseconds) == sum(film.milliseconds)
    kept = [n for n, f in enumerate(film.frames) if any(f is g for g in fewer.frames)]
    assert {0, 7, 19} <= set(kept)
    assert [fewer.frames[place] is film.frames[7] for place in sorted(fewer.keys)].count(True) == 1


def test_a_scaled_film_has_even_sides() -> None:
    assert scene(side=64).scaled(0.35).size == (22, 22)


@pytest.mark.parametrize("write", [gif, webp])
def test_the_same_film_gives_the_same_bytes(write: object) -> None:
    assert write(scene()) == write(scene())  # type: ignore[operator]


def test_every_kind_is_known() -> None:
    kinds: tuple[Kind, ...] = ("gif", "mp4", "webp")
    assert all(hasattr(moving, kind) for kind in kinds)
