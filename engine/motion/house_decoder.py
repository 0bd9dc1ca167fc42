"""The house artist's video decoder learns from whole clips, whose true frames are known.

The artist's weights stay as they are; motion modules and the readers of the image encoder's tokens
learn to draw the noised frames from the two ends and what the predictor, which has learnt already,
foresees of each frame.

Drawing begins with a sketch (`video.sketched`), which is wrong where the tokens are. The decoder
learns to take the sketch's error out with the noise: at the level T where drawing begins
x_T = a_T sketch + s_T noise, which is the true latents x_0 with

    noise' = noise + (a_T / s_T) (sketch - x_0)

for noise, and lessons at all lower levels are made of x_0 and noise' too. So the steps of the
drawing, which leave the noise what it is and lower its level, meet what was learnt.
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
from engine.house.autoencoder import as_tensor
from engine.house.clips import draw_clip
from engine.house.course import Course
from engine.house.groups import group_captions
from engine.loading import Artist
from engine.models import HouseMotion
from engine.motion.animator import Animator
from engine.motion.encoder import PictureEncoder
from engine.motion.footage import Footage, Library
from engine.motion.predictor import times
from engine.motion.video import (
    SKETCHED,
    Segment,
    Watch,
    draw_segment,
    frame_levels,
    mixed_noise,
    sketched,
)

DISTURBANCE = 0.1  # noise on the tokens that the decoder reads: predicted ones are not exact
EMPTY_WORDS = 0.3
STEPS = HouseMotion.steps


def train_decoder(
    animator: Animator, minutes: float, folder: Path, device: torch.device, *, resume: bool
) -> dict[str, nn.Module]:
    """Teach all parts that draw; returns the averages of their weights, by name."""
    learnt_before = ("flow", "predictor")
    parts = {n: part for n, part in animator.trained().items() if n not in learnt_before}
    for part in parts.values():
        part.requires_grad_(True)
    course = Course("decoder", parts, minutes=minutes, learning_rate=1.5e-3, folder=folder)
    if resume:
        course.resume()
    random = Random(course.step_number + 5)
    library = Library(animator, random)
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
    path = torch.stack([film.path for film in films])
    weights = torch.stack([film.weights for film in films])
    shape, (clips, frames) = clean.shape, clean.shape[:2]
    ends = clean[:, [0, -1]]
    words = clip_words(artist, films, random)  # [B, 2, N, W]
    watch = Watch(animator, [frames] * clips, seed=seed)
    scheduler: Any = artist.scheduler
    with training_autocast(artist.device), watch.attached():
        watch.show(ends.flatten(0, 1), words.flatten(0, 1), scheduler)
        on_path = animator.tokens(path.flatten(0, 1)).unflatten(0, (clips, frames))
        moments = times(frames).expand(clips, -1)
        read = animator.predictor.at(on_path[:, 0], on_path[:, -1], moments, on_path)
        read = read.float().detach()
        offsets = (read - on_path).flatten(0, 1)
        sketches = sketched(animator.encoder, path.flatten(0, 1), offsets).view(shape)
        levels = torch.tensor([int(1000 * SKETCHED * random.random() ** 0.6) for _ in films])
        noise = mixed_noise(
            torch.randn(clips, 1, *shape[2:], device=clean.device), torch.randn_like(clean)
        )
        noise = with_error(noise, sketches - clean, scheduler, SKETCHED)
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


def with_error(noise: Tensor, error: Tensor, scheduler: Any, share: float) -> Tensor:
    """noise' for sketches with this error, where drawing begins at this share of the way."""
    kept: Tensor = scheduler.alphas_cumprod[int(1000 * share)]
    ratio = (kept / (1 - kept)).sqrt()
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
        film = Library(animator, random).film(frames)
        words = clip_words(animator.artist, [film], Random(1))[0]
        first, last = film.latents[0], film.latents[-1]
        pictures = as_tensor(draw_clip(film.clip, 2)).to(first.device)
        segment = Segment(first, last, pictures, words[0], words[1], frames, STEPS)
        *_, drawn = draw_segment(animator, segment)
        with animator.artist.painting():
            for latents in (film.latents, drawn):
                pictures = animator.artist.decode(latents)
                pixels = pictures.add(1).mul(127.5).byte().permute(0, 2, 3, 1).cpu().numpy()
                rows.append(np.concatenate(list(pixels), 1))
    return Image.fromarray(np.concatenate(rows, 0))
