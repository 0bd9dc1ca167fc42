"""How the house artist learns to move: one real lesson, and what its clips are."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from engine.house.clips import Clip, draw_clip, draw_moments, sample_clip
from engine.house.painter import build_scheduler
from engine.loading import load_model
from engine.models import HOUSE
from engine.motion import footage, house_predictor, train
from engine.motion.animator import load_animator
from engine.motion.footage import moments
from engine.motion.house_decoder import with_error
from engine.motion.house_predictor import MOMENTS, Moments, TokenStore, played_either_way


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
    monkeypatch.setattr(house_predictor, "FRESH", 2)  # clips a step, where it takes 4
    monkeypatch.setattr(footage, "PICTURES", 8)  # one clip a step, where it takes two
    monkeypatch.setattr(footage, "LENGTHS", (8,))
    folder, cpu = tmp_path / "motion", torch.device("cpu")
    train.train_house(train.SHARES, 0.02, folder, cpu, resume=False)
    artist = load_model(HOUSE, cpu)
    animator = load_animator(artist, folder)
    assert animator.predictor is not None
    modules = animator.unet.get_submodule("mid_block.motion_modules.0.proj_out")
    for part in (modules, animator.predictor.write):  # they begin at zero
        assert bool(next(part.parameters()).any())
    train.train_house({"predictor": 1.0}, 0.001, folder, cpu, resume=True)


def test_the_predictor_learns_from_single_moments() -> None:
    pictures, weights, times = next(iter(Moments(1)))
    assert pictures.shape == (MOMENTS + 2, 256, 256, 3)
    assert all(0 < float(t) < 1 for t in times)
    assert weights.shape == (MOMENTS, 16, 16)
    others = next(iter(Moments(2)))
    assert not torch.equal(pictures, others[0])


def test_a_clip_played_backwards_keeps_together_what_belongs_together() -> None:
    """Tokens that say the time of their frame."""
    times = torch.rand(40, MOMENTS)
    frames = torch.cat([torch.zeros(40, 1), times, torch.ones(40, 1)], 1)
    tokens, weights, moments = played_either_way(frames[..., None, None], times[..., None], times)
    back = tokens[:, 0, 0, 0] == 1
    assert 0 < back.sum() < 40
    told = torch.where(back[:, None], 1 - tokens[:, 1:-1, 0, 0], tokens[:, 1:-1, 0, 0])
    torch.testing.assert_close(told, moments)
    torch.testing.assert_close(weights[..., 0], tokens[:, 1:-1, 0, 0])


def test_the_store_forgets_the_oldest_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_predictor, "STORE", 3)
    store = TokenStore(tokens=4, channels=2)
    assert [len(field) for field in store.sample(5)] == [0, 0, 0]
    for number in range(5):
        one = torch.full((1, MOMENTS + 2, 4, 2), float(number))
        store.add(one, one[:, 1:-1, :, 0], one[:, 1:-1, 0, 0])
    tokens, weights, times = store.sample(60)
    assert set(tokens.flatten().tolist()) == {2.0, 3.0, 4.0}
    assert torch.equal(tokens[:, 1, 0, 0], weights[:, 0, 0])  # what belongs together stays so
    assert torch.equal(tokens[:, 1, 0, 0], times[:, 0])


def test_the_clips_of_a_run_are_there_in_the_next(tmp_path: Path) -> None:
    first, second = (TokenStore(tokens=4, channels=2) for _ in range(2))
    one = torch.full((1, MOMENTS + 2, 4, 2), 7.0)
    first.add(one, one[:, 1:-1, :, 0], one[:, 1:-1, 0, 0])
    first.save(tmp_path / "clips.pt")
    second.load(tmp_path / "clips.pt")
    assert [set(field.flatten().tolist()) for field in second.sample(9)] == [{7.0}] * 3


def test_the_error_of_a_sketch_is_learnt_as_part_of_the_noise() -> None:
    """The noised sketch, where the drawing begins, is the truth with the noise of the lessons."""
    scheduler = build_scheduler()
    true, sketch, noise = (torch.randn(2, 3, 4, 5, 5) for _ in range(3))
    levels = torch.tensor([250, 480])
    learnt = with_error(noise, sketch - true, scheduler, [0.25, 0.48])
    torch.testing.assert_close(
        scheduler.add_noise(true, learnt, levels), scheduler.add_noise(sketch, noise, levels)
    )


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    options = ["--house", "--minutes", "1", "--weights", str(tmp_path / "file")]
    monkeypatch.setattr("sys.argv", ["train", *options])
    with pytest.raises(SystemExit, match="cannot write into"):
        train.main()
