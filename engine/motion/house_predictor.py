"""The house predictor learns from single moments of very many clips.

A clip costs little where only its ends and three moments between are drawn. Processes of their own
draw; what is kept of a clip are its tokens, from one run to the next too. In the log `fresh` is
the error on clips that were not learnt from before, as a share of the linear path's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import isqrt
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from engine.devices import training_autocast
from engine.house.autoencoder import as_tensor
from engine.house.clips import draw_moments, sample_clip
from engine.house.course import Course
from engine.motion.animator import Animator
from engine.motion.footage import moving_weights
from engine.motion.predictor import on_path

MOMENTS = 3  # of each clip, between its ends
FRESH = 4  # clips a step
BATCH = 24  # clips a step, the fresh ones among them
STORE = 60_000  # clips
# The fused kernel's backward pass takes three times as long on a CPU, for so few tokens.
ATTENTION = [SDPBackend.MATH]
ENCODED_AT_ONCE = 8  # pictures: what a processor's cache holds


class Moments(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Clips without end: pictures uint8 [1 + MOMENTS + 1, H, W, 3], the weight of errors at the
    moments [MOMENTS, SIDE, SIDE], and their times [MOMENTS]."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        worker = get_worker_info()
        random = Random(f"moments {self._seed} {worker.id if worker else 0}")
        while True:
            times = [random.random() for _ in range(MOMENTS)]
            pictures = draw_moments(sample_clip(random), [0, *times, 1])
            weights = moving_weights(pictures)[1:-1, 0]
            yield torch.from_numpy(pictures), torch.from_numpy(weights), torch.tensor(times)


class TokenStore:
    """The clips so far; new ones take the place of the oldest.

    Of each the tokens [1 + MOMENTS + 1, T, C], the weight of the errors [MOMENTS, T] and the times
    [MOMENTS].
    """

    def __init__(self, tokens: int, channels: int) -> None:
        self._fields = (
            torch.empty(STORE, MOMENTS + 2, tokens, channels, dtype=torch.float16),
            torch.empty(STORE, MOMENTS, tokens, dtype=torch.float16),
            torch.empty(STORE, MOMENTS),
        )
        self._added = 0

    def add(self, *clips: Tensor) -> None:
        places = torch.arange(self._added, self._added + len(clips[0])) % STORE
        for field, values in zip(self._fields, clips, strict=True):
            field[places] = values.to(field)
        self._added += len(places)

    def save(self, path: Path) -> None:
        kept = min(self._added, STORE)
        torch.save([field[:kept].clone() for field in self._fields], path)

    def load(self, path: Path) -> None:
        self.add(*torch.load(path, weights_only=True))

    def sample(self, count: int) -> tuple[Tensor, ...]:
        """So many clips, as they were added, but none while there are none."""
        kept = min(self._added, STORE)
        chosen = torch.randint(max(1, kept), (count if kept else 0,))
        return tuple(field[chosen].float() for field in self._fields)


def train_predictor(
    animator: Animator, minutes: float, folder: Path, device: torch.device, *, resume: bool
) -> dict[str, nn.Module]:
    """Teach the animator's predictor; returns the average of its weights, by its name."""
    assert animator.predictor is not None
    predictor = animator.predictor.requires_grad_(True)
    course = Course(
        "predictor", {"predictor": predictor}, minutes=minutes, learning_rate=3e-3, folder=folder
    )
    store = TokenStore(predictor.places.shape[0], predictor.read.in_features)
    known_clips = folder / "clips.pt"
    if resume and known_clips.exists():
        store.load(known_clips)
    if resume:
        course.resume()
    workers = max(1, (os.cpu_count() or 2) - 1)
    films = iter(DataLoader(Moments(course.step_number), FRESH, num_workers=workers))
    for _ in course.lessons():
        fresh = as_tokens(animator, *next(films))
        known = played_either_way(*store.sample(BATCH - FRESH))
        tokens, weights, times = (
            torch.cat([a.to(device), b.to(device)]) for a, b in zip(fresh, known, strict=True)
        )
        with training_autocast(device), sdpa_kernel(ATTENTION):
            foreseen = predictor.at(tokens[:, 0], tokens[:, -1], times)
        errors = weighed(foreseen.float(), tokens, weights)
        path = weighed(on_path(tokens[:, 0], tokens[:, -1], times), tokens, weights)
        course.learn(
            errors.mean(), fresh=float(errors[:FRESH].detach().mean() / path[:FRESH].mean())
        )
        store.add(*fresh)
    store.save(known_clips)
    return course.averages


@torch.no_grad()
def as_tokens(
    animator: Animator, pictures: Tensor, weights: Tensor, times: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """What `Moments` yields, B clips, as the store keeps it."""
    device = animator.artist.device
    shown = as_tensor(pictures.flatten(0, 1).numpy()).to(device)
    with training_autocast(device):
        latents = torch.cat([animator.artist.encode(p) for p in shown.split(ENCODED_AT_ONCE)])
    tokens = animator.tokens(latents).unflatten(0, pictures.shape[:2])
    cell = weights.shape[-1] // isqrt(tokens.shape[2])
    return tokens, F.avg_pool2d(weights, cell).flatten(2), times


def played_either_way(
    tokens: Tensor, weights: Tensor, times: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Half of the clips backwards: as good a movement, for nothing in a clip comes back."""
    back = torch.rand(len(times)) < 0.5
    return (
        torch.where(back[:, None, None, None], tokens.flip(1), tokens),
        torch.where(back[:, None, None], weights.flip(1), weights),
        torch.where(back[:, None], 1 - times.flip(1), times),
    )


def weighed(foreseen: Tensor, tokens: Tensor, weights: Tensor) -> Tensor:
    """Mean square error of each clip's moments, [B]."""
    return (weights[..., None] * (foreseen - tokens[:, 1:-1]).square()).mean((1, 2, 3))
