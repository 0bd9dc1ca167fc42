"""Clips of the house scenes as motion is learnt from them, and how much each place counts."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch import Tensor

from engine.house.autoencoder import SIDE, as_tensor
from engine.house.clips import Clip, draw_moments, sample_clip
from engine.house.drawing import PIXELS
from engine.loading import Artist

PICTURES = 16  # frames a step
LENGTHS = (8, 8, 8, 8, 16)  # of clips, in frames
STORE = 1500  # clips of each length
MOVING_WEIGHT = 4.0  # of the error where the clip moves; where it is still 1
EVEN = 0.75  # share of the clips whose pace can be foreseen


@dataclass
class Footage:
    """A clip as it is learnt: latents [F, C, h, w] and weights of the errors [F, 1, h, w]."""

    clip: Clip
    latents: Tensor
    weights: Tensor
    even: bool  # its pace can be foreseen


class Library:
    """Clips drawn so far, by length; fresh ones take the place of old ones for ever."""

    def __init__(self, artist: Artist, random: Random) -> None:
        self._artist, self._random = artist, random
        self._shelves: dict[int, list[Footage]] = {length: [] for length in LENGTHS}

    def batch(self) -> list[Footage]:
        length = self._random.choice(LENGTHS)
        shelf, wanted = self._shelves[length], PICTURES // length
        fresh = [self.film(length) for _ in range(wanted if len(shelf) < 40 else 1)]
        for film in fresh:
            if len(shelf) < STORE:
                shelf.append(film)
            else:
                shelf[self._random.randrange(STORE)] = film
        return fresh + self._random.choices(shelf, k=wanted - len(fresh))

    def film(self, length: int) -> Footage:
        clip = sample_clip(self._random)
        even = self._random.random() < EVEN
        pictures = draw_moments(clip, moments(length, None if even else self._random))
        with self._artist.painting():
            latents = self._artist.encode(as_tensor(pictures).to(self._artist.device))
        weights = torch.from_numpy(moving_weights(pictures)).to(self._artist.device)
        return Footage(clip, latents.float(), weights, even)


def moments(frames: int, random: Random | None) -> list[float]:
    """The times of all frames from 0 to 1: evenly, or after steps of random length."""
    steps = [1.0 if random is None else random.expovariate(1) + 0.05 for _ in range(frames - 1)]
    return [sum(steps[:i]) / sum(steps) for i in range(frames)]


def moving_weights(pictures: np.ndarray) -> np.ndarray:
    """float32 [F, 1, SIDE, SIDE], mean 1: what differs from either end counts more."""
    cell = PIXELS // SIDE
    values = pictures.astype(np.int16)
    off = [np.abs(values - values[end]).max(-1) > 12 for end in (0, -1)]
    moving = off[0] | off[1]
    share = moving.reshape(len(pictures), SIDE, cell, SIDE, cell).mean((2, 4), dtype=np.float32)
    weights: np.ndarray = 1 + (MOVING_WEIGHT - 1) * share
    weights /= weights.mean()
    return weights[:, None]
