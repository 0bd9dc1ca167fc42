"""How the house artist learns to move: one real lesson, and what its clips are."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from engine.house.clips import Clip, draw_clip, draw_moments, sample_clip
from engine.loading import load_model
from engine.models import HOUSE
from engine.motion import train
from engine.motion.animator import load_animator
from engine.motion.train import moments


def test_moments_run_from_start_to_end_evenly_or_not() -> None:
    assert moments(5, None) == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    uneven = [moments(8, Random(seed)) for seed in range(50)]
    for times in uneven:
        assert (times[0], times[-1]) == pytest.approx((0, 1))
        assert times == sorted(times)
    assert np.std([times[4] for times in uneven]) > 0.1


def test_an_uneven_clip_shows_the_same_movement_at_other_moments() -> None:
    clip: Clip = sample_clip(Random(8), "walking")
    even = draw_clip(clip, 5)
    assert np.array_equal(draw_moments(clip, [0, 0.5, 0.75, 1]), even[[0, 2, 3, 4]])


def test_a_lesson_teaches_every_part_and_its_weights_can_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(train, "FITTED", 8)  # scenes to start with, where it takes 128
    monkeypatch.setattr(train, "PICTURES", 8)  # one clip a step, where it takes two
    monkeypatch.setattr(train, "LENGTHS", (8,))
    train.train_house(0.01, tmp_path / "motion", torch.device("cpu"), resume=False)
    artist = load_model(HOUSE, torch.device("cpu"))
    animator = load_animator(artist, tmp_path / "motion")
    assert animator.predictor is not None
    modules = animator.unet.get_submodule("mid_block.motion_modules.0.proj_out")
    for part in (modules, animator.predictor.write):  # they begin at zero
        assert bool(next(part.parameters()).any())
    train.train_house(0.001, tmp_path / "motion", torch.device("cpu"), resume=True)
