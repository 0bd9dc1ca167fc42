"""Comics that move: the pictures do, the letters do not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from bot.page.animation import HOLD, LONGEST_HOLD, hold, moving_pages, moving_panels
from bot.page.letter import png
from bot.page.moving import TICK
from bot.page.placing import Kind, PagePanel

SEGMENT = 8


def picture(shade: int, side: int = 64) -> Image.Image:
    return Image.new("RGB", (side, side), (shade, 90, 160))


def panel(shade: int, words: str | None = None, kind: Kind = "box") -> PagePanel:
    return PagePanel(picture(shade), words, kind if words else None, 0.5)


def shades(*values: int) -> list[bytes]:
    return [png(picture(shade)) for shade in values]


def test_the_picture_moves_and_stands_longer_at_its_panels() -> None:
    frames = shades(*range(0, 15 * 10, 10))
    film = moving_panels([panel(0), panel(70), panel(140)], frames, SEGMENT)
    assert film.size == (512, 512)
    assert list(film.milliseconds) == [TICK * (HOLD if n % 7 == 0 else 1) for n in range(15)]
    assert film.keys == {0, 7, 14}
    middle = [int(frame[256, 256, 0]) for frame in film.frames]
    assert middle == list(range(0, 150, 10))


@pytest.mark.parametrize("kind", ["box", "speech", "thought"])
def test_the_letters_stand_still_while_the_picture_moves(kind: Kind) -> None:
    film = moving_panels(
        [panel(0, "Tabs!", kind), panel(210, "Spaces!", kind)], shades(*range(0, 240, 30)), SEGMENT
    )
    frames = np.stack([np.asarray(f, int) for f in film.frames])
    still = np.ptp(frames[:7, :, :, 0], axis=0) == 0
    inside = still[10:-10, 10:-10]
    assert 0.01 < inside.mean() < 0.5, "words, and no more than words"
    assert ((frames[7] < 60).all(-1) != (frames[6] < 60).all(-1)).any(), "the last has its own"


def test_words_of_every_length_get_a_picture_of_the_same_size() -> None:
    long = "Is that even a question? " * 8
    panels = [panel(0), panel(100, long, "speech"), panel(200, long, "box")]
    film = moving_panels(panels, shades(*range(0, 150, 10)), SEGMENT)
    assert len({frame.shape for frame in film.frames}) == 1
    assert film.size[1] > 512
    assert film.size[1] % 2 == 0


def test_without_lettering_there_is_nothing_but_pictures() -> None:
    film = moving_panels([panel(0, "Tabs!"), panel(70)], shades(*range(8)), 8, lettered=False)
    assert film.size == (512, 512)
    assert np.ptp(film.frames[0][10:-10, 10:-10].reshape(-1, 3), axis=0).max() == 0


def test_a_living_panel_goes_there_and_back_and_stands_at_both_ends() -> None:
    film = moving_panels([panel(0, "Hm.")], shades(*range(0, 80, 10), *range(60, 0, -10)), SEGMENT)
    assert len(film.frames) == 14
    assert [n for n, t in enumerate(film.milliseconds) if t > TICK] == [0, 7]


@pytest.mark.parametrize(
    ("words", "ticks"),
    [(None, HOLD), ("Tabs!", HOLD), ("a" * 45, 15), ("字" * 45, LONGEST_HOLD), ("a" * 999, 24)],
)
def test_a_panel_stands_as_long_as_its_words_are_read(words: str | None, ticks: int) -> None:
    assert hold(words) == ticks


def test_on_a_page_one_panel_after_the_other_moves_in_its_box() -> None:
    panels = [panel(0, "One"), panel(80, "Two", "speech"), panel(160, "Three", "thought")]
    living = {
        number: shades(*(s + 5 * min(n, 14 - n) for n in range(14)))
        for number, s in enumerate((0, 80, 160))
    }
    [film] = moving_pages(panels, "classic", living, "Tabs")
    assert len(film.frames) == 1 + 3 * (13 + 1)
    frames = [np.asarray(frame, np.int16) for frame in film.frames]
    places = []
    for before, after in pairwise(frames):
        rows, columns = np.nonzero(np.abs(after - before).max(-1) > 3)
        if len(rows):
            places.append((rows.min(), rows.max(), columns.min(), columns.max()))
    boxes = sorted({tuple(np.array(place) // 24) for place in places})
    assert len(boxes) >= 3, "every panel has moved"
    height, width, _ = frames[0].shape
    for top, bottom, left, right in places:
        assert (bottom - top) * (right - left) < 0.8 * height * width, "never the whole page"
    for still in (14, 28, 42):
        assert np.abs(frames[still] - frames[0]).max() == 0, "and it is as before"


def test_only_the_wanted_panels_come_alive_and_other_pages_are_left_out() -> None:
    panels = [panel(10 * n, f"Words {n}") for n in range(12)]
    films = moving_pages(panels, "classic", {0: shades(*range(14)), 3: shades(*range(14))})
    assert [len(film.frames) for film in films] == [1 + 2 * 14]


def test_a_layout_without_pages_has_none_that_moves() -> None:
    assert moving_pages([panel(0)], "pictures", {0: shades(*range(14))}) == []


def test_a_very_tall_page_is_made_narrower() -> None:
    panels = [panel(10 * n) for n in range(8)]
    [film] = moving_pages(panels, "webtoon", {0: shades(*range(14))})
    width, height = film.size
    assert width * height <= 1_650_000
    assert height > 3 * width


def test_frames_of_another_size_than_the_page_was_made_for_are_fitted() -> None:
    large = [png(picture(5 * min(n, 14 - n), 128)) for n in range(14)]
    [film] = moving_pages([panel(0), panel(80)], "classic", {0: large})
    assert len({frame.shape for frame in film.frames}) == 1
