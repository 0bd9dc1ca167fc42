"""The house artist's flow learns from single moments of very many clips, as the predictor does.

The loss is the error as a share of the dissolve's, so that small movements count as much as large
ones. The coarser estimates learn beside the last one, from pictures as coarse as they are: there
somebody who goes across the picture moves by few pixels only. In the log `fresh` is the error on
clips that were not learnt from before, as a share of the dissolve's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import sdpa_kernel

from engine.devices import training_autocast
from engine.house.course import Course
from engine.motion.animator import Animator
from engine.motion.flow import SIDE, Carried, IntermediateFlow
from engine.motion.house_moments import ATTENTION, MOMENTS, ClipStore, fresh_clips

FRESH = 2  # clips a step
BATCH = 8  # clips a step, the fresh ones among them
STORE = 12_000  # clips
COARSE = 0.15  # weight of each of the coarser estimates' losses
MOVING = 0.1  # of 2: what differs more from either end moves
MOVING_WEIGHT = 4.0  # of the error where the clip moves; where it is still 1
LEAST = 0.01  # error of a dissolve, below which a clip counts less


def train_flow(
    animator: Animator, minutes: float, folder: Path, device: torch.device, *, resume: bool
) -> dict[str, nn.Module]:
    """Teach the animator's flow; returns the average of its weights, by its name."""
    assert animator.flow is not None
    flow: Any = animator.flow.requires_grad_(True)
    flow.to(device, memory_format=torch.channels_last)
    course = Course("flow", {"flow": flow}, minutes=minutes, learning_rate=2.5e-3, folder=folder)
    if resume:
        course.resume()
    store = ClipStore(
        STORE,
        torch.empty(MOMENTS + 2, 3, SIDE, SIDE, dtype=torch.uint8),
        torch.empty(MOMENTS),
    )
    clips = fresh_clips(FRESH, course.step_number)
    for _ in course.lessons():
        fresh = small_clips(*next(clips))
        known = mirrored(*store.sample(BATCH - FRESH))
        pictures, times = (torch.cat(both) for both in zip(fresh, known, strict=True))
        values = pictures.to(device).float().div(127.5).sub(1)
        with training_autocast(device), sdpa_kernel(ATTENTION):
            loss, errors, fade = lesson_losses(flow, values, times.to(device))
        new = FRESH * MOMENTS
        course.learn(loss, fresh=float(errors[:new].detach().mean() / fade[:new].mean()))
        store.add(*fresh)
    return course.averages


def small_clips(pictures: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    """Clips as they are drawn, as the store keeps them: uint8 [B, F, 3, SIDE, SIDE], and times."""
    values = pictures.flatten(0, 1).permute(0, 3, 1, 2).float()
    small = F.interpolate(values, (SIDE, SIDE), mode="area").round().byte()
    return small.unflatten(0, pictures.shape[:2]), times


def mirrored(pictures: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    """Half of the clips backwards, and half of them with left and right exchanged."""
    back, turned = torch.rand(2, len(times)) < 0.5
    pictures = torch.where(back[:, None, None, None, None], pictures.flip(1), pictures)
    pictures = torch.where(turned[:, None, None, None, None], pictures.flip(-1), pictures)
    return pictures, torch.where(back[:, None], 1 - times.flip(1), times)


def lesson_losses(
    flow: IntermediateFlow, pictures: Tensor, times: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Clips [B, M + 2, 3, SIDE, SIDE], -1..1, at the times [B, M] between their ends.

    Returns the loss, and each frame's weighed mean square error and that of a dissolve, [B * M].
    """
    count = times.shape[1]
    start, end, true = pictures[:, 0], pictures[:, -1], pictures[:, 1:-1].flatten(0, 1)
    found, unseen, coarse = flow(start, end, times)
    start, end = (p.repeat_interleave(count, 0) for p in (start, end))
    weights = moving_weights(start, end, true)
    time = times.reshape(-1, 1, 1, 1)
    fade = weighed(torch.lerp(start, end, time) - true, weights)
    errors = weighed(found.mixture(start, end) + unseen - true, weights)
    losses = [errors] + [
        COARSE * coarse_error(estimate, start, end, true, weights) for estimate in coarse
    ]
    loss = (torch.stack(losses).sum(0) / (fade + LEAST)).mean()
    return loss, errors, fade


def coarse_error(
    estimate: Carried, start: Tensor, end: Tensor, true: Tensor, weights: Tensor
) -> Tensor:
    """[N], seen at twice the size of the estimate."""
    size = (2 * estimate.share.shape[-2], 2 * estimate.share.shape[-1])
    start, end, true, weights = (
        F.interpolate(p, size, mode="area") for p in (start, end, true, weights)
    )
    return weighed(estimate.resized(size).mixture(start, end) - true, weights)


def moving_weights(start: Tensor, end: Tensor, true: Tensor) -> Tensor:
    """[N, 1, H, W], mean 1: what differs from either end counts more."""
    off = torch.stack([(true - p).abs().amax(1, keepdim=True) > MOVING for p in (start, end)])
    weights: Tensor = 1 + (MOVING_WEIGHT - 1) * off.any(0).float()
    return weights / weights.mean((1, 2, 3), keepdim=True)


def weighed(error: Tensor, weights: Tensor) -> Tensor:
    return (weights * error.square()).mean((1, 2, 3))
