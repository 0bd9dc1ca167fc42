"""Single moments of very many clips, from which flow and predictor of the house artist learn.

A clip costs little where only its ends and three moments between are drawn. Processes of their own
draw.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from engine.house.clips import draw_moments, sample_clip

MOMENTS = 3  # of each clip, between its ends
# The fused kernel's backward pass takes three times as long on a CPU, for so few tokens.
ATTENTION = [SDPBackend.MATH]


class Moments(IterableDataset[tuple[Tensor, Tensor]]):
    """Clips without end: pictures uint8 [1 + MOMENTS + 1, H, W, 3], and the times [MOMENTS]."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = get_worker_info()
        random = Random(f"moments {self._seed} {worker.id if worker else 0}")
        while True:
            times = [random.random() for _ in range(MOMENTS)]
            pictures = draw_moments(sample_clip(random), [0, *times, 1])
            yield torch.from_numpy(pictures), torch.tensor(times)


def fresh_clips(count: int, seed: int) -> Iterator[Any]:
    """Without end so many clips at a time: pictures [B, ...] and times [B, ...]."""
    workers = max(1, (os.cpu_count() or 2) - 1)
    return iter(DataLoader(Moments(seed), count, num_workers=workers))


class ClipStore:
    """Up to `size` clips, each of some tensors like the given ones; new ones take the place of the
    oldest."""

    def __init__(self, size: int, *like: Tensor) -> None:
        self._fields = tuple(torch.empty(size, *t.shape, dtype=t.dtype) for t in like)
        self._size, self._added = size, 0

    def add(self, *clips: Tensor) -> None:
        places = torch.arange(self._added, self._added + len(clips[0])) % self._size
        for field, values in zip(self._fields, clips, strict=True):
            field[places] = values.to(field)
        self._added += len(places)

    def sample(self, count: int) -> tuple[Tensor, ...]:
        """So many clips, as they were added, but none while there are none."""
        kept = min(self._added, self._size)
        chosen = torch.randint(max(1, kept), (count if kept else 0,))
        return tuple(field[chosen] for field in self._fields)
