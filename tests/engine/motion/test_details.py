"""What stands still keeps the details that the autoencoder loses; what moves gets none."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from engine.motion.details import with_details
from engine.motion.flow import Carried


def soft(pictures: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(pictures, 5, 1, 2, count_include_pad=False)


def test_a_place_that_looks_like_either_picture_has_all_of_its_details() -> None:
    torch.manual_seed(2)
    background = 0.3 * torch.randn(1, 3, 48, 48)
    ends = background.repeat(2, 1, 1, 1)
    ends[0, :, :, :16] = 0.9  # somebody stands on the left, and at the end on the right
    ends[1, :, :, 32:] = 0.9
    decoded = soft(ends)
    frame = decoded[1:].clone()
    frame[..., 30:] = decoded[0, ..., 30:]  # in the middle of the way nobody is at either side
    made = with_details(frame, torch.tensor([0.5]), ends, decoded)
    for place in (slice(0, 12), slice(20, 26), slice(37, 48)):
        torch.testing.assert_close(made[..., place], background[..., place], atol=0.02, rtol=0)


def test_what_neither_picture_shows_stays_as_it_is() -> None:
    ends = torch.rand(2, 3, 32, 32)
    frames = -torch.rand(3, 3, 32, 32) - 0.5
    made = with_details(frames, torch.tensor([0.2, 0.5, 0.8]), ends, soft(ends))
    torch.testing.assert_close(made, frames, atol=1e-4, rtol=0)


def test_the_nearer_picture_counts_more_where_both_look_alike() -> None:
    decoded = torch.zeros(2, 3, 16, 16)
    ends = decoded + torch.tensor([0.1, -0.1])[:, None, None, None]
    made = with_details(torch.zeros(1, 3, 16, 16), torch.tensor([0.25]), ends, decoded)
    torch.testing.assert_close(made, torch.full_like(made, 0.05))


def test_what_is_carried_keeps_the_details_of_where_it_came_from() -> None:
    torch.manual_seed(3)
    first = 0.3 * torch.randn(1, 3, 32, 32)
    ends = torch.cat([first, first.roll(8, -1)])  # everything goes eight pixels to the right
    decoded = soft(ends)
    frame = soft(first.roll(4, -1))
    flows = torch.zeros(1, 2, 2, 32, 32)
    flows[:, 0, 0], flows[:, 1, 0] = -4 / 32, 4 / 32
    carried = Carried(flows, torch.full((1, 1, 32, 32), 0.5))
    at = torch.tensor([0.5])
    middle = slice(10, 22)
    true = first.roll(4, -1)[..., middle]
    made = with_details(frame, at, ends, decoded, carried)[..., middle]
    torch.testing.assert_close(made, true, atol=0.02, rtol=0)
    left_alone = with_details(frame, at, ends, decoded)[..., middle]
    assert (left_alone - true).abs().mean() > 5 * (made - true).abs().mean()
