"""Groups of panels that the painter learns from together: drawn, stored and described."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
import torch
from diffusers import AutoencoderDC
from torch import Tensor

from engine.devices import training_autocast
from engine.house.autoencoder import SIDE, as_tensor
from engine.house.captions import (
    Language,
    Mention,
    caption,
    describe,
    sample_mention,
    sample_scene_mention,
)
from engine.house.drawing import PIXELS, draw
from engine.house.scenes import Character, Scene, sample_single, sample_story
from engine.house.words import answers

GROUP = 4  # panels that are trained together
GROUPS = 8  # groups a step
FRESH = 1  # of them newly drawn; the others come from the store
STORE = 6000  # groups
FIGURE_WEIGHT = 2.5  # of the error where somebody stands, background 1
NONE, ALL, LEFT, RIGHT = 0, 1, 2, 3  # which part of one panel sees another panel


@dataclass
class Panels:
    """One group: its scenes, latents [GROUP, C, H, W], the weight of their errors
    [GROUP, 1, H, W], and who sees whom [GROUP, GROUP]."""

    scenes: tuple[Scene, ...]
    latents: Tensor
    weights: Tensor
    sight: Tensor


def who_sees_whom(scenes: tuple[Scene, ...]) -> Tensor:
    """int64 [P, P]: the part of panel i that sees panel j, where j shows one of i's alone."""
    sight = torch.zeros(len(scenes), len(scenes), dtype=torch.long)
    for i, target in enumerate(scenes):
        for j, source in enumerate(scenes):
            if i == j or len(source.actors) != 1:
                continue
            for place, actor in enumerate(target.actors):
                if actor.character == source.actors[0].character:
                    sight[i, j] = ALL if len(target.actors) == 1 else (LEFT, RIGHT)[place]
    return sight


class Store:
    """Groups drawn so far, with their latents; fresh ones replace old ones for ever."""

    def __init__(self, autoencoder: AutoencoderDC, device: torch.device, random: Random) -> None:
        self._autoencoder, self._device, self._random = autoencoder, device, random
        self._groups: list[Panels] = []

    def batch(self) -> list[Panels]:
        fresh = self._draw(FRESH if len(self._groups) >= GROUPS else GROUPS)
        for group in fresh:
            if len(self._groups) < STORE:
                self._groups.append(group)
            else:
                self._groups[self._random.randrange(STORE)] = group
        return fresh + self._random.choices(self._groups, k=GROUPS - len(fresh))

    def _draw(self, count: int) -> list[Panels]:
        stories = []
        for _ in range(count):
            if self._random.random() < 0.8:
                stories.append(sample_story(self._random, GROUP))
            else:
                stories.append(tuple(sample_single(self._random) for _ in range(GROUP)))
        scenes = [scene for story in stories for scene in story]
        pictures = np.stack([np.asarray(draw(scene)) for scene in scenes])
        weights = torch.from_numpy(figure_weights(scenes, pictures)).to(self._device)
        with torch.no_grad(), training_autocast(self._device):
            latents = self._autoencoder.encode(as_tensor(pictures).to(self._device)).latent.float()
        return [
            Panels(story, its_latents, its_weights, who_sees_whom(story))
            for story, its_latents, its_weights in zip(
                stories, latents.split(GROUP), weights.split(GROUP), strict=True
            )
        ]


def figure_weights(scenes: Sequence[Scene], pictures: np.ndarray) -> np.ndarray:
    """float32 [B, 1, SIDE, SIDE], mean 1: figures count more than the place behind them.

    Where they stand is where the picture [B, H, W, 3] differs from the empty place.
    """
    places = np.stack([np.asarray(draw(replace(s, actors=(), papers=False))) for s in scenes])
    changed = np.abs(pictures.astype(np.int16) - places).max(-1) > 8
    cell = PIXELS // SIDE
    share = changed.reshape(len(scenes), SIDE, cell, SIDE, cell).mean((2, 4), dtype=np.float32)
    weights: np.ndarray = 1 + (FIGURE_WEIGHT - 1) * share
    weights /= weights.mean((1, 2), keepdims=True)
    return weights[:, None]


def group_captions(
    scenes: tuple[Scene, ...], random: Random, quiet: float = 0.0
) -> tuple[list[str], list[dict[str, int]]]:
    """A caption a panel, in one language, and what each says (`words.answers`).

    A character is described in the same words each time, as a story's cast line does; with the
    chance `quiet` (0..1) without hair and clothes.
    """
    language: Language = random.choice(("en", "zh"))
    is_quiet = random.random() < quiet
    mentions: dict[Character, Mention] = {}
    described: dict[Character, str] = {}
    texts, said = [], []
    for scene in scenes:
        cast = [actor.character for actor in scene.actors]
        for who in cast:
            if who not in mentions:
                mention = sample_mention(random)
                if is_quiet:
                    mention = replace(mention, hair=False, clothes=False, clothing_colour=False)
                mentions[who] = mention
                described[who] = describe(who, mentions[who], random, language)
        about = sample_scene_mention(random, scene)
        words = tuple(described[who] for who in cast)
        texts.append(caption(scene, words, about, random, language))
        said.append(answers(scene, [mentions[who] for who in cast], about))
    return texts, said
