"""One model stays loaded, with what was built on it."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.models import MODELS, SD15, HouseMotion
from engine.motion.animate import ready_animator
from engine.motion.animator import new_animator, save_animator
from engine.ready import Ready, ready_artist


def test_a_part_is_loaded_once_and_goes_when_another_model_comes() -> None:
    ready, loaded = Ready(), []

    def load(name: str) -> str:
        loaded.append(name)
        return name

    for owner in ("a", "a", "b", "a"):
        assert ready.part(owner, "artist", lambda owner=owner: load(owner)) == owner
    assert loaded == ["a", "b", "a"]
    assert ready.part("a", "animator", lambda: load("a moves")) == "a moves"
    assert ready.part("a", "artist", lambda: load("never")) == "a"


def test_as_many_stay_as_may_and_the_one_used_longest_ago_goes_first() -> None:
    ready, loaded = Ready(most=2), []

    def load(name: str) -> str:
        loaded.append(name)
        return name

    for owner in ("a", "b", "a", "c", "a", "b"):
        assert ready.part(owner, "artist", lambda owner=owner: load(owner)) == owner
    assert loaded == ["a", "b", "c", "b"]


def test_where_memory_is_short_the_others_go_and_it_is_tried_once_more() -> None:
    ready, tries = Ready(most=3), []

    def load() -> str:
        tries.append(1)
        if len(tries) < 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "b"

    first = ready.part("a", "artist", object)
    assert ready.part("b", "artist", load) == "b"
    assert len(tries) == 2
    assert ready.part("a", "artist", object) is not first
    tries.clear()
    with pytest.raises(torch.OutOfMemoryError):
        Ready(most=2).part("b", "artist", load)


def test_a_model_that_cannot_be_loaded_is_tried_again() -> None:
    ready = Ready()

    def fail() -> str:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        ready.part("a", "artist", fail)
    assert ready.part("a", "artist", lambda: "there") == "there"


def test_an_animator_goes_with_its_artist_when_another_model_draws(
    tiny_sd15: Path, tiny_sdxl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    save_animator(new_animator(ready_artist(str(tiny_sd15), "cpu")).trained(), tmp_path)
    spec = replace(SD15, name="tiny", source=str(tiny_sd15), motion=HouseMotion(tmp_path))
    monkeypatch.setitem(MODELS, "tiny", spec)
    animator = ready_animator("tiny", "cpu")
    assert animator is ready_animator("tiny", "cpu")
    assert animator.artist is ready_artist("tiny", "cpu")
    unets = [weakref.ref(animator.unet), weakref.ref(animator.artist.unet)]
    del animator
    ready_artist(str(tiny_sdxl), "cpu")
    gc.collect()
    assert [unet() for unet in unets] == [None, None]
