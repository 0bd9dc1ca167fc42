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
from engine.motion import footage, house_flow, house_predictor, train
from engine.motion.animator import load_animator
from engine.motion.flow import SIDE, Carried, IntermediateFlow
from engine.motion.house_decoder import with_error
from engine.motion.house_flow import coarse_error, lesson_losses, mirrored
from engine.motion.house_moments import MOMENTS, ClipStore, Moments
from engine.motion.house_predictor import played_either_way


def test_a_clip_shows_the_same_movement_at_any_moments() -> None:
    clip: Clip = sample_clip(Random(8), "walking")
    even = draw_clip(clip, 5)
    assert np.array_equal(draw_moments(clip, [0, 0.5, 0.75, 1]), even[[0, 2, 3, 4]])


def test_a_lesson_teaches_every_part_and_its_weights_can_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "CHECKPOINTS", tmp_path / "checkpoints")
    monkeypatch.setattr(train, "FITTED", 8)  # scenes to start with, where it takes 128
    monkeypatch.setattr(house_flow, "FRESH", 1)  # clips a step, where it takes 2
    monkeypatch.setattr(house_flow, "BATCH", 2)  # where it takes 8
    monkeypatch.setattr(house_flow, "STORE", 8)
    monkeypatch.setattr(house_predictor, "FRESH", 2)  # clips a step, where it takes 4
    monkeypatch.setattr(footage, "PICTURES", 8)  # one clip a step, where it takes two
    monkeypatch.setattr(footage, "LENGTHS", (8,))
    folder, cpu = tmp_path / "motion", torch.device("cpu")
    train.train_house(train.SHARES, 0.02, folder, cpu, resume=False)
    artist = load_model(HOUSE, cpu)
    animator = load_animator(artist, folder)
    assert animator.predictor is not None
    modules = animator.unet.get_submodule("mid_block.motion_modules.0.proj_out")
    assert animator.flow is not None
    for part in (modules, animator.predictor.write, animator.flow.finish):  # they begin at zero
        assert bool(next(part.parameters()).any())
    train.train_house({"predictor": 1.0}, 0.001, folder, cpu, resume=True)


def test_the_predictor_learns_from_single_moments() -> None:
    pictures, times = next(iter(Moments(1)))
    assert pictures.shape == (MOMENTS + 2, 256, 256, 3)
    assert all(0 < float(t) < 1 for t in times)
    others = next(iter(Moments(2)))
    assert not torch.equal(pictures, others[0])


def test_a_clip_played_backwards_keeps_together_what_belongs_together() -> None:
    """Tokens that say the time of their frame."""
    times = torch.rand(40, MOMENTS)
    frames = torch.cat([torch.zeros(40, 1), times, torch.ones(40, 1)], 1)
    tokens, path, weights, moments = played_either_way(
        frames[..., None, None], times[..., None, None], times[..., None], times
    )
    back = tokens[:, 0, 0, 0] == 1
    assert 0 < back.sum() < 40
    told = torch.where(back[:, None], 1 - tokens[:, 1:-1, 0, 0], tokens[:, 1:-1, 0, 0])
    torch.testing.assert_close(told, moments)
    torch.testing.assert_close(weights[..., 0], tokens[:, 1:-1, 0, 0])
    torch.testing.assert_close(path, tokens[:, 1:-1])


def test_a_clip_turned_round_is_turned_round_in_all_its_frames() -> None:
    """Pictures that are bright on the left, the brighter the later."""
    times = torch.rand(60, MOMENTS)
    frames = torch.cat([torch.zeros(60, 1), times, torch.ones(60, 1)], 1)
    pictures = torch.zeros(60, MOMENTS + 2, 3, 2, 2, dtype=torch.uint8)
    pictures[..., 0] = (100 + 100 * frames).byte()[..., None, None]
    made, moments = mirrored(pictures, times)
    bright = made[:, :, 0, 0].amax(-1)
    turned = (made[:, :, 0, 0, 1] > 0).float().mean(1)
    assert set(turned.tolist()) == {0.0, 1.0}
    back = bright[:, 0] == 200
    assert 0 < back.sum() < 60
    told = torch.where(back[:, None], 1 - moments, moments)
    torch.testing.assert_close(bright[:, 1:-1], (100 + 100 * told).byte())


def test_the_store_forgets_the_oldest_clips() -> None:
    store = ClipStore(3, torch.empty(2, dtype=torch.uint8), torch.empty(()))
    assert [len(field) for field in store.sample(5)] == [0, 0]
    for number in range(5):
        store.add(torch.full((1, 2), number), torch.full((1,), float(number)))
    pairs, numbers = store.sample(60)
    assert set(numbers.tolist()) == {2.0, 3.0, 4.0}
    assert torch.equal(pairs[:, 1], numbers.byte())  # what belongs together stays so


def test_an_untrained_flow_errs_as_a_dissolve_does() -> None:
    clips = torch.rand(2, MOMENTS + 2, 3, SIDE, SIDE) * 2 - 1
    loss, errors, fade = lesson_losses(IntermediateFlow(), clips, torch.rand(2, MOMENTS))
    torch.testing.assert_close(errors, fade)
    assert loss > 1  # the coarser estimates err, too


def test_a_coarse_estimate_is_judged_by_coarse_pictures() -> None:
    """Somebody who went a quarter of the picture's width."""
    start = torch.zeros(1, 3, 64, 64)
    start[..., 8:16] = 1
    end = start.roll(16, -1)
    flows = torch.zeros(1, 2, 2, 8, 8)
    flows[:, 0, 0], flows[:, 1, 0] = -1 / 8, 1 / 8
    right = Carried(flows, torch.full((1, 1, 8, 8), 0.5))
    wrong = Carried(torch.zeros_like(flows), right.share)
    weights, true = torch.ones(1, 1, 64, 64), start.roll(8, -1)
    errors = [coarse_error(each, start, end, true, weights) for each in (right, wrong)]
    assert errors[0] < 1e-6 < errors[1]


def test_the_error_of_a_sketch_is_learnt_as_part_of_the_noise() -> None:
    """The noised sketch, where the drawing begins, is the truth with the noise of the lessons."""
    scheduler = build_scheduler()
    true, sketch, noise = (torch.randn(2, 3, 4, 5, 5) for _ in range(3))
    levels = torch.tensor([250, 250])
    learnt = with_error(noise, sketch - true, scheduler, 0.25)
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


def test_broken_weights_are_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "predictor.safetensors").touch()
    (tmp_path / "motion_modules.safetensors").write_text("no weights")
    options = ["--house", "--minutes", "1", "--resume", "--weights", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["train", *options])
    with pytest.raises(SystemExit, match="cannot be loaded"):
        train.main()
