"""Clips of the house scenes as motion is learnt from them, and how much each place counts."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch import Tensor

from engine.house.autoencoder import SIDE, as_tensor
from engine.house.clips import Clip, draw_clip, sample_clip
from engine.house.drawing import PIXELS
from engine.motion.animator import Animator
from engine.motion.predictor import times

PICTURES = 16  # frames a step
LENGTHS = (8, 8, 8, 8, 16)  # of clips, in frames
STORE = 1500  # clips of each length
MOVING_WEIGHT = 4.0  # of the error where the clip moves; where it is still 1


@dataclass
class Footage:
    """A clip as it is learnt: latents [F, C, h, w] and weights of the errors [F, 1, h, w]."""

    clip: Clip
    latents: Tensor
    path: Tensor  # latents of what the flow carries between the ends, [F, C, h, w]
    weights: Tensor


class Library:
    """Clips drawn so far, by length; fresh ones take the place of old ones for ever."""

    def __init__(self, animator: Animator, random: Random) -> None:
        self._animator, self._random = animator, random
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
        drawn = draw_clip(clip, length)
        artist, flow = self._animator.artist, self._animator.flow
        assert flow is not None
        pictures = as_tensor(drawn).to(artist.device)
        with artist.painting():
            _, carried = flow.between(pictures[[0, -1]], times(length)[1:-1])
            latents, inner = (artist.encode(p).float() for p in (pictures, carried.to(pictures)))
        path = torch.cat([latents[:1], inner, latents[-1:]])
        weights = torch.from_numpy(moving_weights(drawn)).to(artist.device)
        return Footage(clip, latents, path, weights)


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
