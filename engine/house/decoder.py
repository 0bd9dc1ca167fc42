"""The decoder learns to draw from what the painter gets slightly wrong.

A decoder that has only seen true latents draws thick and broken lines from painted ones. Here
scenes are noised and painted again from there, with the guidance of a story, and the decoder learns
to draw the true picture from the result. The encoder and the painter stay as they are.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.attention.consistent import StoryAttention
from engine.attention.hook import consistent, self_attention_layers
from engine.devices import training_autocast
from engine.guidance import led_away
from engine.house.autoencoder import CROP, as_tensor, difference
from engine.house.course import Course
from engine.house.drawing import PIXELS, draw
from engine.house.groups import group_captions
from engine.house.scenes import Scene, sample_single, sample_story
from engine.loading import Artist

STEPS = 12  # of the schedule on which scenes are painted again
LATEST = 5  # so many of its last steps at most are painted
SCENES = 8  # that are painted at a time
EVERY = 3  # steps between two paintings
STORE = 600  # painted scenes
CROPS = 16  # a step
UNTOUCHED = 0.3  # share of the crops whose latents the painter has not seen
DISTURBANCE = 0.05  # noise on all latents


@dataclass(frozen=True)
class Painted:
    """A scene: its picture uint8 [256, 256, 3], its latents, and these as the painter has them."""

    picture: np.ndarray
    latents: Tensor
    again: Tensor


def train_decoder(artist: Artist, minutes: float, folder: Path, *, resume: bool) -> nn.Module:
    """Teach the artist's decoder; returns the autoencoder with the averages of its weights."""
    model, device = copy.deepcopy(artist.autoencoder), artist.device
    model.requires_grad_(False)
    model.decoder.requires_grad_(True)
    course = Course("decoder", {"model": model}, minutes=minutes, learning_rate=5e-4, folder=folder)
    if resume:
        course.resume()
    random = Random(course.step_number + 31)
    store: list[Painted] = []
    for _ in course.lessons():
        if course.step_number % EVERY == 0 or not store:
            store = (store + paint_again(artist, random))[-STORE:]
        seen, true = sample_crops(random.choices(store, k=CROPS), random)
        seen, true = seen.to(device), true.to(device)
        with training_autocast(device):
            drawn = model.decode(seen).sample.float()
            small = model.decode(F.avg_pool2d(seen, 2)).sample.float()
        with torch.no_grad():
            error = F.mse_loss(drawn.clamp(-1, 1), true).item()
        loss = difference(drawn, true) + 0.1 * difference(small, F.avg_pool2d(true, 2))
        course.learn(loss, psnr=-10 * np.log10(error / 4 + 1e-12))
    return course.averages["model"]


def paint_again(artist: Artist, random: Random) -> list[Painted]:
    """Fresh scenes, noised to a random level and painted from there, as in a story."""
    scenes: list[Scene] = []
    while len(scenes) < SCENES:
        group = sample_story(random, 2) if random.random() < 0.6 else (sample_single(random),)
        scenes += group
    scenes = scenes[:SCENES]
    pictures = np.stack([np.asarray(draw(scene)) for scene in scenes])
    texts = group_captions(tuple(scenes), random)[0]
    with artist.painting():
        latents = artist.encode(as_tensor(pictures).to(artist.device)).float()
        again = painted(artist, latents, texts, random.randint(1, LATEST))
    return [Painted(*each) for each in zip(pictures, latents, again, strict=True)]


def painted(artist: Artist, latents: Tensor, texts: list[str], steps: int) -> Tensor:
    """Latents [B, C, h, w] noised so far that `steps` are left, and painted from there."""
    spec, count = artist.spec, len(latents)
    scheduler = copy.deepcopy(artist.scheduler)
    scheduler.set_timesteps(STEPS, device=artist.device)
    left = scheduler.timesteps[-steps:]
    words = artist.read([""] * count + texts).states
    layers = self_attention_layers(artist.unet, spec.layers)
    alone = StoryAttention(rate=0.0, seed=0, perturbed=1 if spec.guides_attention else 0)
    x: Tensor = scheduler.add_noise(latents, torch.randn_like(latents), left[:1].expand(count))
    with consistent(artist.unet, alone, layers):
        for t in left:
            both = artist.unet(torch.cat([x, x]), t, encoder_hidden_states=words).sample.float()
            x = scheduler.step(led_away(both, spec.guidance, spec, t), t, x).prev_sample
    return x


def sample_crops(scenes: list[Painted], random: Random) -> tuple[Tensor, Tensor]:
    """Parts of scenes, most of them where the faces are: latents, and pictures in -1..1."""
    cell = PIXELS // scenes[0].latents.shape[-1]
    side, free = CROP // cell, (PIXELS - CROP) // cell
    seen, pictures = [], []
    for scene in scenes:
        left = random.randint(0, free)
        top = random.randint(1, 5) if random.random() < 0.7 else random.randint(0, free)
        latents = scene.latents if random.random() < UNTOUCHED else scene.again
        part = latents[:, top : top + side, left : left + side]
        seen.append(part + DISTURBANCE * torch.randn_like(part))
        y, x = cell * top, cell * left
        pictures.append(scene.picture[y : y + CROP, x : x + CROP])
    return torch.stack(seen), as_tensor(np.stack(pictures))
