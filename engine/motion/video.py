"""One segment of an animation: the frames between two given pictures, drawn together.

All frames take the same step. At every step the latents of the two pictures stand in the first and
the last frame, so the ends stay what they are; Consistent Self-Attention lets every
frame see both pictures, so that the character stays who it is; and each frame's cross-attention
reads the words and the semantic tokens that the predictor foresees for its moment.

How the pictures are seen is the artist's way (`ModelSpec.sharing`): noised to the level of each
step, or nearly clean from the first step on, so that motion can be learnt from them while all that
lies between is noise still. The halves of classifier-free guidance go one after the other, so
that never more than the frames of one segment are in the UNet.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.attention.consistent import Glance, StoryAttention
from engine.attention.hook import consistent, self_attention_layers
from engine.guidance import rescaled
from engine.identity import noised
from engine.loading import Artist
from engine.motion.animator import COMMON_NOISE, Animator
from engine.motion.encoder import PictureEncoder
from engine.motion.predictor import linear_path, times

# Share of the two pictures' tokens that every frame sees: as in training, and the paper's choice.
RATES = {"leading": 1.0, "noise-matched": 0.5}

# Where tokens can be laid back into the picture, drawing begins with that sketch at this share of
# the noise (SDEdit, Meng et al. 2021, arXiv 2108.01073), not from noise alone.
SKETCHED = 0.3

# Of what was drawn only so much is taken as is in doubt: where the carried pictures agree, or one
# of them alone is believed, drawing could but lose. At this doubt (of 2) all of it is taken.
IN_DOUBT = 0.7

ENCODED_AT_ONCE = 4  # frames: bounds the memory


@dataclass(frozen=True)
class Segment:
    """From one picture to another: latents [C, h, w], words [N, W] of each, and how to draw it.

    `pictures` are both as they are, [2, 3, H, W], -1..1.

    Guidance, where the animator has some, leads away from `negative_words` [N, W]; without these
    there is none.
    """

    start: Tensor
    end: Tensor
    pictures: Tensor
    start_words: Tensor
    end_words: Tensor
    frames: int  # both ends among them
    steps: int
    seed: int = 0
    negative_words: Tensor | None = None
    rate: float | None = None  # None: as in `RATES`


@dataclass(frozen=True)
class Reading:
    """What one half of guidance reads: the frames, and the two pictures while they are seen."""

    words: Tensor  # [F, N, W]
    tokens: Tensor  # [1, F, T, D]
    end_words: Tensor  # [2, N, W]


def draw_segment(animator: Animator, segment: Segment, *, linear: bool = False) -> Iterator[Tensor]:
    """After each step the latents foreseen for all frames, [F, C, h, w]; the last are the result.

    `linear` leaves flow and predictor out.
    """
    artist, frames = animator.artist, segment.frames
    ends = torch.stack([segment.start, segment.end])
    with artist.painting():
        path, doubt = path_between(animator, segment, linear=linear)
        on_path, tokens = foreseen_tokens(animator, ends, path, linear=linear)
    readings = readings_of(animator, segment, tokens)
    scheduler = copy.deepcopy(animator.scheduler)
    shape, common = segment.start.shape, animator.common_noise
    noise = frame_noise(frames, shape, seed=segment.seed, common=common).to(artist.device)
    sketch = path
    if isinstance(animator.encoder, PictureEncoder):
        timesteps = last_steps(scheduler, segment.steps, SKETCHED, artist.device)
        sketch = sketched(animator.encoder, path, (tokens - on_path)[0])
        latents = scheduler.add_noise(sketch, noise, timesteps[:1])
    else:
        timesteps = last_steps(scheduler, segment.steps, 1.0, artist.device)
        latents = noise * scheduler.init_noise_sigma
    watch = Watch(animator, [frames], seed=segment.seed, rate=segment.rate)
    with artist.painting(), watch.attached():
        for number, timestep in enumerate(timesteps):
            levels = frame_levels(artist, timestep, frames)
            latents[[0, -1]] = noised(scheduler, ends, noise[[0, -1]], levels[0, 0]).to(latents)
            seen = scheduler.scale_model_input(latents, timestep)
            guesses = []
            for reading in readings:
                if artist.spec.sharing == "noise-matched":
                    watch.write(seen[[0, -1]], timestep, reading.end_words, step=number)
                elif number == 0 or len(readings) > 1:  # else the bank is still the same
                    watch.show(ends, reading.end_words, scheduler)
                words = reading.words[None]
                guesses.append(animator.guess(seen[None], levels, words, reading.tokens)[0])
            stepped = scheduler.step(guided(animator, guesses), timestep, latents)
            latents = stepped.prev_sample
            clean = getattr(stepped, "pred_original_sample", None)
            clean = latents if clean is None else clean
            result = torch.lerp(sketch.to(clean), clean, doubt.to(clean))
            result[[0, -1]] = ends.to(result)
            yield result


def last_steps(scheduler: Any, steps: int, share: float, device: torch.device) -> Tensor:
    """Timesteps of so many steps that go the last `share` (0..1) of the way from noise."""
    scheduler.set_timesteps(round(steps / share), device=device)
    timesteps: Tensor = scheduler.timesteps[-steps:]
    return timesteps


def path_between(animator: Animator, segment: Segment, *, linear: bool) -> tuple[Tensor, Tensor]:
    """Latents [F, C, h, w] on the way between the two pictures, of which these are the ends.

    What moves is carried where a flow is known; else they are mixtures of both. Beside them how far
    they are in doubt, [F, 1, h, w], 0..1.
    """
    start, end, frames = segment.start, segment.end, segment.frames
    if linear or animator.flow is None:
        path = torch.lerp(start, end, times(frames).to(start)[:, None, None, None])
        return path, torch.ones_like(path[:, :1])
    carried, between = animator.flow.between(segment.pictures, times(frames)[1:-1])
    pictures = (p.expand(frames - 2, -1, -1, -1) for p in segment.pictures.split(1))
    doubt = F.interpolate(carried.doubt(*pictures), start.shape[-2:], mode="area") / IN_DOUBT
    doubt = F.pad(doubt.clamp(0, 1), (0, 0, 0, 0, 0, 0, 1, 1))  # the ends are sure
    parts = between.to(segment.pictures).split(ENCODED_AT_ONCE)
    inner = torch.cat([animator.artist.encode(part) for part in parts])
    return torch.cat([start[None], inner.to(start), end[None]]), doubt


def sketched(encoder: PictureEncoder, path: Tensor, offsets: Tensor) -> Tensor:
    """What the tokens say, as latents: the path [F, C, h, w], and what they have beside it.

    offsets: differences of the tokens to those of the path, [F, T, D].
    """
    laid = encoder.laid_back(offsets)
    if laid.shape[-2:] != path.shape[-2:]:
        laid = F.interpolate(laid, path.shape[-2:], mode="bilinear")
    return path + laid.to(path)


def frame_levels(artist: Artist, timesteps: Tensor, frames: int) -> Tensor:
    """Noise levels of clips [] or [B] to those of all frames, [B, F], as the two ends are seen."""
    levels = timesteps.reshape(-1, 1).repeat(1, frames)
    if artist.spec.sharing == "leading":
        levels[:, [0, -1]] = artist.spec.leading_timestep
    return levels


def readings_of(animator: Animator, segment: Segment, tokens: Tensor) -> list[Reading]:
    """One, or with guidance two: without the segment's words and pictures, and with them."""
    start, end, negative = segment.start_words, segment.end_words, segment.negative_words
    words = words_of_frames(start, end, segment.frames)
    said = Reading(words, tokens, torch.stack([start, end]))
    if negative is None or animator.nothing is None or animator.guidance <= 1:
        return [said]
    plain = Reading(
        negative.expand_as(words), animator.nothing.expand_as(tokens), negative.expand(2, -1, -1)
    )
    return [plain, said]


def guided(animator: Animator, guesses: Sequence[Tensor]) -> Tensor:
    """Classifier-free guidance from the guesses of all readings, each [F, C, h, w]."""
    if len(guesses) == 1:
        return guesses[0]
    plain, said = guesses
    guess = plain + animator.guidance * (said - plain)
    return rescaled(guess, said, animator.artist.spec.guidance_rescale)


def foreseen_tokens(
    animator: Animator, ends: Tensor, path: Tensor, *, linear: bool
) -> tuple[Tensor, Tensor]:
    """Semantic tokens of the path [F, C, h, w], and those foreseen for all frames: [1, F, T, D].

    ends: latents of start and end, [2, C, h, w].
    """
    start, end = animator.tokens(ends).float().split(1)
    frames, flow = len(path), animator.flow
    straight = linear or flow is None
    on_path = linear_path(start, end, frames) if straight else animator.tokens(path).float()[None]
    if linear or animator.predictor is None:
        return on_path, on_path
    return on_path, animator.predictor.at(start, end, times(frames)[None], on_path)


def words_of_frames(start: Tensor, end: Tensor, frames: int) -> Tensor:
    """[N, W] each to [F, N, W]: the nearer picture's words."""
    near_end = torch.arange(frames) >= frames / 2
    return torch.stack([end if near else start for near in near_end])


def frame_noise(frames: int, shape: Sequence[int], *, seed: int, common: float) -> Tensor:
    """[F, C, h, w] of noise, of which the frames have a share in common."""
    generator = torch.Generator().manual_seed(seed)
    return mixed_noise(
        torch.randn(1, *shape, generator=generator),
        torch.randn(frames, *shape, generator=generator),
        common,
    )


def mixed_noise(common: Tensor, own: Tensor, share: float = COMMON_NOISE) -> Tensor:
    """Noise whose variance is common noise by a share (Ge et al. 2023, PYoCo, arXiv 2305.10474)."""
    mixed: Tensor = share**0.5 * common + (1 - share) ** 0.5 * own
    return mixed


class Watch:
    """The frames of one or more clips see their clips' two pictures in every shared layer."""

    def __init__(
        self, animator: Animator, frames: Sequence[int], *, seed: int, rate: float | None = None
    ) -> None:
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
            rate=RATES[spec.sharing] if rate is None else rate,
            seed=seed,
            halves=1,
            open_layers=frozenset(self._layers),
        )

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Inside, the artist's UNet writes the bank and the moving one reads it."""
        with ExitStack() as stack:
            for unet in (self._animator.artist.unet, self._animator.unet):
                stack.enter_context(consistent(unet, self._attention, self._layers))
            yield

    def show(self, ends: Tensor, words: Tensor, scheduler: Any) -> None:
        """Write the bank once for all steps: clean latents [2 * clips, C, h, w], and their words.

        They are seen nearly clean, as identity panels are.
        """
        timestep = torch.tensor(self._animator.artist.spec.leading_timestep, device=ends.device)
        generator = torch.Generator().manual_seed(self._attention.seed)
        noise = torch.randn(ends.shape, generator=generator).to(ends)
        nearly = scheduler.add_noise(ends, noise, timestep.repeat(len(ends)))
        self.write(nearly, timestep, words)

    @torch.no_grad()
    def write(self, noisy: Tensor, timestep: Tensor, words: Tensor, *, step: int = 0) -> None:
        """Write the bank of a step: noised latents [2 * clips, C, h, w], and their words."""
        attention = self._attention
        names = tuple(name for pair in self._names for name in pair)
        attention.sights, attention.writing = tuple((Glance(()),) for _ in names), names
        attention.step = step
        self._animator.artist.unet(noisy, timestep, encoder_hidden_states=words)
        attention.sights, attention.writing = self._sights, ()
