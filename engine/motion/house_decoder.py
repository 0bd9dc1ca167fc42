"""The house artist's video decoder learns from whole clips, whose true frames are known.

The artist's weights stay as they are; motion modules and the readers of the image encoder's tokens
learn to draw the noised frames from the two ends and the tokens of each frame:

- some clips run at an uneven pace that nobody can foresee. There the decoder reads the true
  tokens, so that it has to read from the tokens how far the movement has come;
- in the others it reads what the predictor, which has learnt already, foresees.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from engine.devices import training_autocast
from engine.house.course import Course
from engine.house.groups import group_captions
from engine.loading import Artist
from engine.motion.animator import Animator
from engine.motion.footage import Footage, Library
from engine.motion.video import Segment, Watch, draw_segment, frame_levels, mixed_noise

DISTURBANCE = 0.1  # noise on the tokens that the decoder reads: predicted ones are not exact
EMPTY_WORDS = 0.3


def train_decoder(
    animator: Animator, minutes: float, folder: Path, device: torch.device, *, resume: bool
) -> dict[str, nn.Module]:
    """Teach all parts but the predictor; returns the averages of their weights, by name."""
    parts = {name: part for name, part in animator.trained().items() if name != "predictor"}
    for part in parts.values():
        part.requires_grad_(True)
    course = Course("decoder", parts, minutes=minutes, learning_rate=1.5e-3, folder=folder)
    if resume:
        course.resume()
    random = Random(course.step_number + 5)
    library = Library(animator.artist, random)
    for _ in course.lessons():
        drawing, late = lesson_losses(animator, library.batch(), random, seed=course.step_number)
        course.learn(drawing, late=float(late.detach()))
        if course.step_number % 200 == 0:
            sample_sheet(animator).save(folder / f"motion-{course.step_number:05d}.png")
    return course.averages


def lesson_losses(
    animator: Animator, films: list[Footage], random: Random, *, seed: int
) -> tuple[Tensor, Tensor]:
    """The loss of the drawing: of all clips, and of those that are mostly noise still."""
    artist = animator.artist
    assert animator.predictor is not None
    clean = torch.stack([film.latents for film in films])  # [B, F, C, h, w]
    weights = torch.stack([film.weights for film in films])
    clips, frames = clean.shape[:2]
    levels = torch.tensor([int(1000 * random.random() ** 0.6) for _ in films])
    t = levels.to(artist.device)
    shape = clean.shape
    noise = mixed_noise(
        torch.randn(clips, 1, *shape[2:], device=clean.device), torch.randn_like(clean)
    )
    scheduler: Any = artist.scheduler
    by_frame = frame_levels(artist, t, frames)
    each = by_frame.flatten()
    noisy = scheduler.add_noise(clean.flatten(0, 1), noise.flatten(0, 1), each).view(shape)
    target = scheduler.get_velocity(clean.flatten(0, 1), noise.flatten(0, 1), each).view(shape)
    ends = clean[:, [0, -1]].flatten(0, 1)
    words = clip_words(artist, films, random)  # [B, 2, N, W]
    words_by_frame = words.repeat_interleave(frames // 2, 1)
    watch = Watch(animator, [frames] * clips, seed=seed)
    with training_autocast(artist.device), watch.attached():
        watch.show(ends, words.flatten(0, 1), scheduler)
        true = animator.tokens(clean.flatten(0, 1)).unflatten(0, (clips, frames))
        foreseen = animator.predictor(true[:, 0], true[:, -1], frames).float()
        even = torch.tensor([film.even for film in films], device=clean.device)
        read = torch.where(even[:, None, None, None], foreseen, true)
        read = read + DISTURBANCE * torch.randn_like(read)
        guess = animator.guess(noisy, by_frame, words_by_frame, read)
    error = (weights * (guess - target).square())[:, 1:-1].mean((1, 2, 3, 4))
    late = error[t > 600] if (t > 600).any() else error
    return error.mean(), late.mean()


def clip_words(artist: Artist, films: list[Footage], random: Random) -> Tensor:
    """The words of both ends of each clip, [B, 2, N, W]; now and then nothing is said."""
    texts = []
    for film in films:
        said = group_captions((film.clip.start, film.clip.end), random)[0]
        texts += ["", ""] if random.random() < EMPTY_WORDS else said
    states: Tensor = artist.read(texts).states.unflatten(0, (len(films), 2))
    return states


@torch.no_grad()
def sample_sheet(animator: Animator, *, count: int = 4, frames: int = 8) -> Image.Image:
    """True frames, and below each row what is drawn between its ends."""
    random = Random(3)
    rows = []
    for _ in range(count):
        film = Library(animator.artist, random).film(frames)
        words = clip_words(animator.artist, [film], Random(1))[0]
        segment = Segment(film.latents[0], film.latents[-1], words[0], words[1], frames, 12)
        for drawn in draw_segment(animator, segment):
            last = drawn
        with animator.artist.painting():
            for latents in (film.latents, last):
                pictures = animator.artist.decode(latents)
                pixels = pictures.add(1).mul(127.5).byte().permute(0, 2, 3, 1).cpu().numpy()
                rows.append(np.concatenate(list(pixels), 1))
    return Image.fromarray(np.concatenate(rows, 0))
