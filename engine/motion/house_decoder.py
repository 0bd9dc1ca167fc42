"""The house artist's video decoder learns from whole clips, whose true frames are known.

The artist's weights stay as they are; motion modules and the readers of the image encoder's tokens
learn to draw the noised frames from the two ends and the tokens of each frame:

- some clips run at an uneven pace that nobody can foresee. There the decoder reads the true
  tokens, so that it has to read from the tokens how far the movement has come;
- in the others it reads what the predictor, which has learnt already, foresees.

Drawing begins with a sketch (`video.sketched`), which is wrong where the tokens are. The decoder
learns to take the sketch's error out with the noise: at the level T where the drawing begins
x_T = a_T sketch + s_T noise, which is the true latents x_0 with

    noise' = noise + (a_T / s_T) (sketch - x_0)

for noise, and lessons at all lower levels are made of x_0 and noise' too. So the steps of the
drawing, which leave the noise what it is and lower its level, meet what was learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from engine.motion.encoder import PictureEncoder
from engine.motion.footage import Footage, Library
from engine.motion.video import (
    Segment,
    Watch,
    draw_segment,
    frame_levels,
    mixed_noise,
    sketched,
)

DISTURBANCE = 0.1  # noise on the tokens that the decoder reads: predicted ones are not exact
EMPTY_WORDS = 0.3
BEGINNINGS = (0.3, 0.5)  # of the way from noise to picture is left where drawing begins, 0..1


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
        loss, errors = lesson_losses(animator, library.batch(), random, seed=course.step_number)
        course.learn(loss, **errors)
        if course.step_number % 200 == 0:
            sample_sheet(animator).save(folder / f"motion-{course.step_number:05d}.png")
    return course.averages


def lesson_losses(
    animator: Animator, films: list[Footage], random: Random, *, seed: int
) -> tuple[Tensor, dict[str, float]]:
    """The loss of the drawing; the latents' mean square error in the sketch, and as drawn."""
    artist = animator.artist
    assert animator.predictor is not None
    assert isinstance(animator.encoder, PictureEncoder)
    clean = torch.stack([film.latents for film in films])  # [B, F, C, h, w]
    weights = torch.stack([film.weights for film in films])
    shape, (clips, frames) = clean.shape, clean.shape[:2]
    ends = clean[:, [0, -1]]
    words = clip_words(artist, films, random)  # [B, 2, N, W]
    watch = Watch(animator, [frames] * clips, seed=seed)
    scheduler: Any = artist.scheduler
    with training_autocast(artist.device), watch.attached():
        watch.show(ends.flatten(0, 1), words.flatten(0, 1), scheduler)
        true = animator.tokens(clean.flatten(0, 1)).unflatten(0, (clips, frames))
        foreseen = animator.predictor(true[:, 0], true[:, -1], frames).float().detach()
        even = torch.tensor([film.even for film in films], device=clean.device)
        read = torch.where(even[:, None, None, None], foreseen, true)
        sketches = torch.stack(
            [sketched(animator.encoder, e, r[None]) for e, r in zip(ends, read, strict=True)]
        )
        first = [random.uniform(*BEGINNINGS) for _ in films]
        levels = torch.tensor([int(1000 * b * random.random() ** 0.6) for b in first])
        noise = mixed_noise(
            torch.randn(clips, 1, *shape[2:], device=clean.device), torch.randn_like(clean)
        )
        noise = with_error(noise, sketches - clean, scheduler, first)
        by_frame = frame_levels(artist, levels.to(clean.device), frames)
        each = by_frame.flatten()
        flat = clean.flatten(0, 1), noise.flatten(0, 1), each
        noisy = scheduler.add_noise(*flat).view(shape)
        target = scheduler.get_velocity(*flat).view(shape)
        disturbed = read + DISTURBANCE * torch.randn_like(read)
        guess = animator.guess(noisy, by_frame, words.repeat_interleave(frames // 2, 1), disturbed)
    error = weights * (guess - target).square()
    # An error d of the guess is one of s d in the clean latents.
    share = (1 - scheduler.alphas_cumprod.to(clean)[each]).view(clips, frames, 1, 1, 1)
    errors = {"sketch": weights * (sketches - clean).square(), "drawn": share * error.detach()}
    return error[:, 1:-1].mean(), {k: float(e[:, 1:-1].mean()) for k, e in errors.items()}


def with_error(noise: Tensor, error: Tensor, scheduler: Any, shares: Sequence[float]) -> Tensor:
    """noise' [B, F, C, h, w] for sketches with this error, begun at these shares of the way."""
    kept: Tensor = scheduler.alphas_cumprod[[int(1000 * share) for share in shares]]
    ratio = (kept / (1 - kept)).sqrt().view(-1, 1, 1, 1, 1)
    return noise + ratio.to(error) * error


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
