"""One segment of an animation: the frames between two given pictures, drawn together.

All frames take the same step. At every step the noised latents of the two pictures stand in the
first and the last frame, so the ends stay what they are; Consistent Self-Attention lets every
frame see both pictures, so that the character stays who it is; and each frame's cross-attention
reads the words and the semantic tokens that the predictor foresees for its moment.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.attention.consistent import Glance, StoryAttention
from engine.attention.hook import consistent, self_attention_layers
from engine.identity import noised
from engine.motion.animator import Animator
from engine.motion.predictor import linear_path

COMMON_NOISE = 0.8  # share of the noise's variance that all frames of a clip have in common
RATE = 1.0  # share of the two pictures' tokens that every frame sees


@dataclass(frozen=True)
class Segment:
    """From one picture to another: latents [C, h, w], words [N, W] of each, and how to draw it."""

    start: Tensor
    end: Tensor
    start_words: Tensor
    end_words: Tensor
    frames: int  # both ends among them
    steps: int
    seed: int = 0


def draw_segment(animator: Animator, segment: Segment, *, linear: bool = False) -> Iterator[Tensor]:
    """After each step the latents foreseen for all frames, [F, C, h, w]; the last are the result.

    `linear` leaves the predictor out.
    """
    artist, frames = animator.artist, segment.frames
    ends = torch.stack([segment.start, segment.end])
    with artist.painting():
        tokens = foreseen_tokens(animator, ends, frames, linear=linear)
    words = words_of_frames(segment.start_words, segment.end_words, frames)
    scheduler = copy.deepcopy(artist.scheduler)
    scheduler.set_timesteps(segment.steps, device=artist.device)
    noise = frame_noise(frames, segment.start.shape, seed=segment.seed).to(artist.device)
    latents = noise * scheduler.init_noise_sigma
    watch = Watch(animator, [frames], seed=segment.seed)
    end_words = torch.stack([segment.start_words, segment.end_words])
    with artist.painting(), watch.attached():
        watch.show(ends, end_words, scheduler)
        for timestep in scheduler.timesteps:
            latents[[0, -1]] = noised(scheduler, ends, noise[[0, -1]], timestep).to(latents)
            seen = scheduler.scale_model_input(latents, timestep)
            guess = animator.guess(seen[None], timestep, words[None], tokens)[0]
            stepped = scheduler.step(guess, timestep, latents)
            latents = stepped.prev_sample
            clean = getattr(stepped, "pred_original_sample", None)
            result = latents.clone() if clean is None else clean.clone()
            result[[0, -1]] = ends.to(result)
            yield result


def foreseen_tokens(
    animator: Animator, ends: Tensor, frames: int, *, linear: bool = False
) -> Tensor:
    """Latents of start and end [2, C, h, w] to the semantic tokens of all frames, [1, F, T, D]."""
    start, end = animator.tokens(ends).float().split(1)
    if linear or animator.predictor is None:
        return linear_path(start, end, frames)
    foreseen: Tensor = animator.predictor(start, end, frames)
    return foreseen


def words_of_frames(start: Tensor, end: Tensor, frames: int) -> Tensor:
    """[N, W] each to [F, N, W]: the nearer picture's words."""
    near_end = torch.arange(frames) >= frames / 2
    return torch.stack([end if near else start for near in near_end])


def frame_noise(frames: int, shape: Sequence[int], *, seed: int) -> Tensor:
    """[F, C, h, w] of noise that the frames partly have in common (Ge et al. 2023, PYoCo)."""
    generator = torch.Generator().manual_seed(seed)
    return mixed_noise(
        torch.randn(1, *shape, generator=generator),
        torch.randn(frames, *shape, generator=generator),
    )


def mixed_noise(common: Tensor, own: Tensor) -> Tensor:
    mixed: Tensor = COMMON_NOISE**0.5 * common + (1 - COMMON_NOISE) ** 0.5 * own
    return mixed


class Watch:
    """The frames of one or more clips see their clips' two pictures in every shared layer."""

    def __init__(self, animator: Animator, frames: Sequence[int], *, seed: int) -> None:
        self._animator = animator
        self._names = tuple((f"start {i}", f"end {i}") for i in range(len(frames)))
        sights = tuple(
            (Glance(names),) for names, count in zip(self._names, frames, strict=True)
            for _ in range(count)
        )  # fmt: skip
        spec = animator.artist.spec
        self._layers = self_attention_layers(animator.artist.unet, spec.layers)
        self._sights = sights
        self._attention = StoryAttention(
            rate=RATE, seed=seed, halves=1, open_layers=frozenset(self._layers)
        )

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Inside, the artist's UNet writes the bank and the moving one reads it."""
        with ExitStack() as stack:
            for unet in (self._animator.artist.unet, self._animator.unet):
                stack.enter_context(consistent(unet, self._attention, self._layers))
            yield

    @torch.no_grad()
    def show(self, ends: Tensor, words: Tensor, scheduler: Any) -> None:
        """Write the bank: nearly clean latents [2 * clips, C, h, w], and their words."""
        attention, artist = self._attention, self._animator.artist
        names = tuple(name for pair in self._names for name in pair)
        attention.sights, attention.writing = tuple((Glance(()),) for _ in names), names
        timestep = torch.tensor(artist.spec.leading_timestep, device=ends.device)
        generator = torch.Generator().manual_seed(attention.seed)
        noise = torch.randn(ends.shape, generator=generator).to(ends)
        nearly = scheduler.add_noise(ends, noise, timestep.repeat(len(ends)))
        artist.unet(nearly, timestep, encoder_hidden_states=words)
        attention.sights, attention.writing = self._sights, ()
