"""The predictor is the linear path until it has learnt, and never moves the ends."""

from __future__ import annotations

import torch
from torch import nn

from engine.motion.predictor import SemanticMotionPredictor, linear_path


def ends() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(2, 6, 8), torch.randn(2, 6, 8)


def test_the_linear_path_leads_evenly_from_start_to_end() -> None:
    start, end = ends()
    path = linear_path(start, end, 5)
    assert path.shape == (2, 5, 6, 8)
    assert torch.equal(path[:, 0], start)
    assert torch.equal(path[:, -1], end)
    torch.testing.assert_close(path[:, 2], (start + end) / 2)


def test_untrained_it_is_the_linear_path() -> None:
    start, end = ends()
    predictor = SemanticMotionPredictor(6, 8, width=16, layers=2, heads=2)
    assert torch.equal(predictor(start, end, 7), linear_path(start, end, 7))


def test_whatever_it_has_learnt_the_ends_stay() -> None:
    start, end = ends()
    predictor = SemanticMotionPredictor(6, 8, width=16, layers=2, heads=2)
    nn.init.normal_(predictor.write.weight)
    for frames in (8, 16):
        foreseen = predictor(start, end, frames)
        assert torch.equal(foreseen[:, 0], start)
        assert torch.equal(foreseen[:, -1], end)
        assert not torch.allclose(foreseen, linear_path(start, end, frames), atol=1e-3)


def test_it_learns_a_path_that_is_not_straight() -> None:
    """Tokens on a circle, from angle a to angle b: the middle is on the circle, not inside."""
    torch.manual_seed(2)
    predictor = SemanticMotionPredictor(1, 2, width=32, layers=2, heads=2)
    optimizer = torch.optim.Adam(predictor.parameters(), 3e-3)
    share = torch.linspace(0, 1, 9)
    for _ in range(300):
        first = torch.rand(64, 1) * 6.28
        angles = first + share * (1.0 + torch.rand(64, 1))
        true = torch.stack([angles.cos(), angles.sin()], -1)[:, :, None]
        loss = (predictor(true[:, 0], true[:, -1], 9) - true).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    straight = (linear_path(true[:, 0], true[:, -1], 9) - true).square().mean()
    assert loss < straight / 10


def test_the_papers_size() -> None:
    with torch.device("meta"):
        predictor = SemanticMotionPredictor.paper_sized()
    assert predictor.read.weight.shape == (1024, 1280)
    assert len(predictor.blocks) == 8
