"""What moves is carried from both pictures; untrained it dissolves, and the ends never move."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
import torch

from engine.house.autoencoder import as_tensor
from engine.house.clips import draw_clip, sample_clip
from engine.loading import load_model
from engine.models import HOUSE, MOTION_WEIGHTS
from engine.motion.animator import load_animator
from engine.motion.flow import SIDE, Carried, IntermediateFlow, warped


def test_untrained_the_frames_dissolve() -> None:
    pictures = torch.rand(2, 3, 2 * SIDE, 2 * SIDE) * 2 - 1
    moments = torch.tensor([0.25, 0.5])
    _, frames = IntermediateFlow().between(pictures, moments)
    for frame, share in zip(frames, moments, strict=True):
        torch.testing.assert_close(frame, torch.lerp(pictures[0], pictures[1], share))


def test_whatever_it_has_learnt_the_ends_stay() -> None:
    torch.manual_seed(4)
    flow = IntermediateFlow()
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    pictures = torch.rand(2, 3, SIDE, SIDE) * 2 - 1
    _, frames = flow.between(pictures, torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(frames[[0, 2]], pictures, atol=2e-3, rtol=0)
    assert not torch.allclose(frames[1], pictures.mean(0), atol=0.05)


def test_a_place_is_filled_with_what_is_so_far_away() -> None:
    pictures = torch.rand(1, 2, 8, 16)
    flow = torch.zeros(1, 2, 8, 16)
    flow[:, 0], flow[:, 1] = 4 / 16, -2 / 8  # four columns to the right, two rows up
    made = warped(pictures, flow)
    torch.testing.assert_close(made[..., 2:, :-4], pictures[..., :-2, 4:])


def test_both_pictures_are_mixed_where_they_were_carried_to() -> None:
    start, end = torch.zeros(1, 1, 4, 8), torch.zeros(1, 1, 4, 8)
    start[..., 1], end[..., 5] = 1, 3
    flows = torch.zeros(1, 2, 2, 4, 8)
    flows[:, 0, 0], flows[:, 1, 0] = -2 / 8, 2 / 8
    made = Carried(flows, torch.full((1, 1, 4, 8), 0.75)).mixture(start, end)
    torch.testing.assert_close(made[0, 0, 0], torch.tensor([0, 0, 0, 1.5, 0, 0, 0, 0]))


def test_in_doubt_is_what_both_pictures_show_and_show_differently() -> None:
    start, end = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    end[..., 2:] = 0.5
    share = torch.full((1, 1, 4, 4), 0.5)
    share[..., 0, :] = 1  # here the start alone is believed
    doubt = Carried(torch.zeros(1, 2, 2, 4, 4), share).doubt(start, end)
    assert doubt[0, 0, 0].tolist() == [0, 0, 0, 0]
    assert doubt[0, 0, 1].tolist() == [0, 0, 0.5, 0.5]


@pytest.mark.parametrize("kind", ["walking", "pose", "pan", "zoom", "jumping"])
def test_the_house_artists_flow_foresees_movements_it_never_saw(kind: str) -> None:
    """On average over some clips its middle frame is far nearer the truth than a dissolve."""
    flow = load_animator(load_model(HOUSE, torch.device("cpu")), MOTION_WEIGHTS).flow
    assert flow is not None
    gains = []
    for number in range(4):
        clip = sample_clip(Random(1_000_000 + number), kind)
        start, true, end = as_tensor(draw_clip(clip, 3))
        _, (middle,) = flow.between(torch.stack([start, end]), torch.tensor([0.5]))
        wrong, dissolve = ((p - true).square().mean() for p in (middle, (start + end) / 2))
        gains.append(float(10 * torch.log10(dissolve / wrong)))
    assert np.mean(gains) > 1.0  # decibel
