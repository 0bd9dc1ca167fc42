"""Train motion: `python -m engine.motion.train --house --minutes N [--resume]`.

The house artist learns from its own scenes, animated by program (`engine.house.clips`), whose true
frames between are known. The artist's weights stay as they are; motion modules, the readers of the
image encoder's tokens and the predictor learn together:

- some clips run at an uneven pace that nobody can foresee. The decoder draws their noised frames
  from the two ends and the true tokens of each frame, so that it has to read from the tokens how
  far the movement has come;
- in the others the decoder reads what the predictor foresees, which comes near the true tokens
  (MSE), and near the true frames through the decoder (the paper's loss).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.devices import pick_device, training_autocast
from engine.house.autoencoder import SIDE, as_tensor
from engine.house.clips import Clip, draw_moments, sample_clip
from engine.house.course import Course
from engine.house.drawing import PIXELS, draw
from engine.house.painter import group_captions
from engine.house.scenes import sample_single
from engine.loading import Artist, load_model
from engine.models import HOUSE, MOTION_WEIGHTS
from engine.motion.animator import Animator, load_animator, new_animator, save_animator
from engine.motion.clip_command import add_clip_options, train_clips
from engine.motion.encoder import PictureEncoder
from engine.motion.predictor import linear_path
from engine.motion.video import Segment, Watch, draw_segment, frame_levels, mixed_noise

CHECKPOINTS = Path("checkpoints/motion")
PICTURES = 16  # frames a step
LENGTHS = (8, 8, 8, 8, 16)  # of clips, in frames
STORE = 1500  # clips of each length
MOVING_WEIGHT = 4.0  # of the error where the clip moves; where it is still 1
EVEN = 0.75  # share of the clips whose pace can be foreseen
PRACTICE = 48  # further frames a step, for the predictor alone
FITTED = 128  # scenes of which the image encoder learns what patches differ in
DISTURBANCE = 0.1  # noise on the tokens that the decoder reads: predicted ones are not exact
EMPTY_WORDS = 0.3


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
        fresh = [self._film(length) for _ in range(wanted if len(shelf) < 40 else 1)]
        for film in fresh:
            if len(shelf) < STORE:
                shelf.append(film)
            else:
                shelf[self._random.randrange(STORE)] = film
        return fresh + self._random.choices(shelf, k=wanted - len(fresh))

    def practice(self, length: int) -> list[Footage]:
        """Some of the clips so far whose pace can be foreseen."""
        known = [film for film in self._shelves[length] if film.even]
        return self._random.choices(known, k=PRACTICE // length) if known else []

    def _film(self, length: int) -> Footage:
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


def train_house(minutes: float, folder: Path, device: torch.device, *, resume: bool) -> None:
    artist = load_model(HOUSE, device)
    artist.unet.requires_grad_(False)
    began = resume and folder.exists()
    animator = load_animator(artist, folder) if began else beginner(artist)
    animator.to(device)
    for part in animator.trained().values():
        part.requires_grad_(True)
    course = Course(
        "motion", animator.trained(), minutes=minutes, learning_rate=1.5e-3, folder=CHECKPOINTS
    )
    if resume:
        course.resume()
    random = Random(course.step_number + 5)
    library = Library(artist, random)
    for _ in course.lessons():
        films = library.batch()
        losses = lesson_losses(animator, films, random, seed=course.step_number)
        practice = library.practice(len(films[0].latents)) or films
        losses["tokens"], losses["path"] = practice_losses(animator, practice)
        loss = losses["drawing"] + losses["tokens"]
        course.learn(loss, **{name: float(value.detach()) for name, value in losses.items()})
        if course.step_number % 200 == 0:
            sheet = sample_sheet(animator)
            sheet.save(CHECKPOINTS / f"motion-{course.step_number:05d}.png")
    save_animator(course.averages, folder)


def train_predictor(minutes: float, folder: Path, device: torch.device, *, resume: bool) -> None:
    """The predictor alone learns on, many clips a step, for a decoder that stays as it is."""
    artist = load_model(HOUSE, device)
    animator = load_animator(artist, folder)
    assert animator.predictor is not None
    predictor = animator.predictor.requires_grad_(True)
    course = Course(
        "predictor", {"predictor": predictor}, minutes=minutes, learning_rate=1.5e-3,
        folder=CHECKPOINTS,
    )  # fmt: skip
    if resume:
        course.resume()
    library = Library(artist, Random(course.step_number + 7))
    for _ in course.lessons():
        fresh = library.batch()
        films = library.practice(len(fresh[0].latents)) or fresh
        tokens, path = practice_losses(animator, films)
        course.learn(tokens, path=float(path))
    animator.predictor = course.averages["predictor"]  # type: ignore[assignment]
    save_animator(animator.trained(), folder)


def beginner(artist: Artist) -> Animator:
    """An animator that has learnt nothing; its image encoder knows what scenes are made of."""
    random, animator = Random(11), new_animator(artist)
    pictures = np.stack([np.asarray(draw(sample_single(random))) for _ in range(FITTED)])
    with artist.painting():
        latents = artist.encode(as_tensor(pictures).to(artist.device))
    assert isinstance(animator.encoder, PictureEncoder)
    animator.encoder.to(artist.device).fit(latents)
    return animator


def practice_losses(animator: Animator, films: list[Footage]) -> tuple[Tensor, Tensor]:
    """How far the predictor's tokens, and those of the linear path, are from the true ones."""
    assert animator.predictor is not None
    clean = torch.stack([film.latents for film in films])
    true = animator.tokens(clean.flatten(0, 1)).unflatten(0, clean.shape[:2])
    weights = torch.stack([film.weights for film in films])[:, 1:-1, 0]  # [B, F - 2, h, w]
    cell = weights.shape[-1] // isqrt(true.shape[2])
    weights = F.avg_pool2d(weights, cell).flatten(2)[..., None]
    with training_autocast(clean.device):
        foreseen = animator.predictor(true[:, 0], true[:, -1], clean.shape[1]).float()
    path = linear_path(true[:, 0], true[:, -1], clean.shape[1])
    inner = slice(1, -1)
    error, missed = (
        (weights * (tokens - true)[:, inner].square()).mean() for tokens in (foreseen, path)
    )
    return error, missed


def lesson_losses(
    animator: Animator, films: list[Footage], random: Random, *, seed: int
) -> dict[str, Tensor]:
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
    return {"drawing": error.mean(), "late": late.mean()}


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
        film = Library(animator.artist, random)._film(frames)
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--house", action="store_true", help="train the house artist's motion")
    what.add_argument(
        "--clips", type=Path, metavar="DIR",
        help="train the predictor of an SD1.5 model on videos, animated GIF or WebP files,\nor"
        " numbered pictures in a folder",
    )  # fmt: skip
    parser.add_argument(
        "--predictor", action="store_true",
        help="with --house: only the predictor learns on, from the weights that are there",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, help="of learning, in this run")
    parser.add_argument("--resume", action="store_true", help="go on where the last run stopped")
    parser.add_argument("--weights", type=Path, help="the folder in which the weights are put")
    add_clip_options(parser)
    options = parser.parse_args()
    if options.clips is not None:
        train_clips(parser, options)
        return
    if options.minutes is None:
        parser.error("--house needs --minutes")
    device = pick_device()
    print(f"training on {device}", flush=True)
    weights = options.weights or MOTION_WEIGHTS
    train = train_predictor if options.predictor else train_house
    train(options.minutes, weights, device, resume=options.resume)


if __name__ == "__main__":
    main()
