"""Films that must be small: frames go first, then size, then colours, and never too much."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bot.errors import Refusal
from bot.page.moving import Film, Kind
from bot.page.reducing import LEAST_FRAMES, made


@pytest.fixture(scope="module")
def film() -> Film:
    """Twenty-four frames of noise: nothing of it can be packed."""
    random = np.random.default_rng(0)
    frames = [(random.integers(0, 4, (180, 180, 3)) * 80).astype(np.uint8) for _ in range(24)]
    return Film(frames, [90] * 24, frozenset({0, 23}))


def facts(content: bytes) -> tuple[int, int]:
    """Frames and width."""
    with Image.open(BytesIO(content)) as image:
        return image.n_frames, image.width  # type: ignore[attr-defined]


def test_what_fits_is_left_as_it_is(film: Film) -> None:
    file = made(film, "gif", 100_000_000)
    assert facts(file.content) == (24, 180)
    assert file.reductions == ()


@pytest.mark.parametrize("share", [0.8, 0.25, 0.16])
def test_a_file_is_never_larger_than_allowed_and_frames_go_first(film: Film, share: float) -> None:
    most = round(share * len(made(film, "gif", 100_000_000).content))
    file = made(film, "gif", most)
    frames, width = facts(file.content)
    assert len(file.content) <= most
    assert frames >= LEAST_FRAMES
    what = [reduction.what for reduction in file.reductions]
    assert what == ["frames", "size", "colours"][: len(what)]
    for reduction in file.reductions:
        if reduction.what == "frames":
            assert (reduction.before, reduction.after) == (24, frames)
        elif reduction.what == "size":
            assert (reduction.before, reduction.after) == (180, width)
    if width < 180:
        assert frames == LEAST_FRAMES


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_where_eight_frames_do_not_fit_there_is_a_sentence(film: Film, kind: Kind) -> None:
    with pytest.raises(Refusal) as refused:
        made(film, kind, 5_000)
    assert "8 frames" in str(refused.value)
    assert "8 帧" in refused.value.say("zh")


def test_a_film_of_few_frames_keeps_them_all() -> None:
    random = np.random.default_rng(0)
    frames = [(random.integers(0, 4, (180, 180, 3)) * 80).astype(np.uint8) for _ in range(4)]
    film = Film(frames, [90] * 4, frozenset({0}))
    assert facts(made(film, "gif", 100_000).content)[0] == 4
