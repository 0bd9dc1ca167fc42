"""The house predictor learns from single moments of very many clips.

What is kept of a clip are its tokens, and those of what the flow carries, which is the path here.
In the log `fresh` is the error on clips that were not learnt from before, as a share of the path's.
"""

from __future__ import annotations

from math import isqrt
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import sdpa_kernel

from engine.devices import training_autocast
from engine.house.autoencoder import as_tensor
from engine.house.course import Course
from engine.motion.animator import Animator
from engine.motion.footage import moving_weights
from engine.motion.house_moments import ATTENTION, MOMENTS, ClipStore, fresh_clips

FRESH = 4  # clips a step
BATCH = 24  # clips a step, the fresh ones among them
STORE = 60_000  # clips
AT_ONCE = 8  # pictures: what a processor's cache holds


def train_predictor(
    animator: Animator, minutes: float, folder: Path, device: torch.device, *, resume: bool
) -> dict[str, nn.Module]:
    """Teach the animator's predictor; returns the average of its weights, by its name."""
    assert animator.predictor is not None
    predictor = animator.predictor.requires_grad_(True)
    course = Course(
        "predictor", {"predictor": predictor}, minutes=minutes, learning_rate=3e-3, folder=folder
    )
    picture = torch.empty(predictor.places.shape[0], predictor.read.in_features).half()
    store = ClipStore(
        STORE,
        picture.expand(MOMENTS + 2, -1, -1),
        picture.expand(MOMENTS, -1, -1),
        picture[:, 0].expand(MOMENTS, -1),
        torch.empty(MOMENTS),
    )
    if resume:
        course.resume()
    clips = fresh_clips(FRESH, course.step_number)
    for _ in course.lessons():
        fresh = as_tokens(animator, *next(clips))
        known = played_either_way(*store.sample(BATCH - FRESH))
        tokens, path, weights, times = (
            torch.cat([a.to(device), b.to(device).float()])
            for a, b in zip(fresh, known, strict=True)
        )
        with training_autocast(device), sdpa_kernel(ATTENTION):
            foreseen = predictor.at(tokens[:, 0], tokens[:, -1], times, path)
        errors = weighed(foreseen.float(), tokens, weights)
        before = weighed(path, tokens, weights)
        course.learn(
            errors.mean(), fresh=float(errors[:FRESH].detach().mean() / before[:FRESH].mean())
        )
        store.add(*fresh)
    return course.averages


@torch.no_grad()
def as_tokens(
    animator: Animator, pictures: Tensor, times: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """B clips, as they are drawn, as the store keeps them.

    Tokens [B, MOMENTS + 2, T, C], those of what the flow carries [B, MOMENTS, T, C], the weight of
    the errors [B, MOMENTS, T], and the times.
    """
    assert animator.flow is not None
    device = animator.artist.device
    shown = as_tensor(pictures.flatten(0, 1).numpy()).to(device)
    with training_autocast(device):
        ends = shown.unflatten(0, pictures.shape[:2])[:, [0, -1]]
        carried = [animator.flow.between(*both)[1] for both in zip(ends, times, strict=True)]
        tokens, path = (
            torch.cat([animator.tokens(animator.artist.encode(p)) for p in all_.split(AT_ONCE)])
            for all_ in (shown, torch.cat(carried))
        )
    tokens, path = (t.unflatten(0, (len(pictures), -1)) for t in (tokens, path))
    weights = np.stack([moving_weights(clip)[1:-1, 0] for clip in pictures.numpy()])
    cell = weights.shape[-1] // isqrt(tokens.shape[2])
    return tokens, path, F.avg_pool2d(torch.from_numpy(weights), cell).flatten(2), times


def played_either_way(
    tokens: Tensor, path: Tensor, weights: Tensor, times: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Half of the clips backwards: as good a movement, for nothing in a clip comes back."""
    back = torch.rand(len(times)) < 0.5
    return (
        torch.where(back[:, None, None, None], tokens.flip(1), tokens),
        torch.where(back[:, None, None, None], path.flip(1), path),
        torch.where(back[:, None, None], weights.flip(1), weights),
        torch.where(back[:, None], 1 - times.flip(1), times),
    )


def weighed(foreseen: Tensor, tokens: Tensor, weights: Tensor) -> Tensor:
    """Mean square error of each clip's moments, [B]."""
    return (weights[..., None] * (foreseen - tokens[:, 1:-1]).square()).mean((1, 2, 3))
