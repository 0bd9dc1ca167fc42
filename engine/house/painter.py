"""The house artist's painter: a small latent diffusion UNet that learns single panels and stories.

A large model carries a character's look in its self-attention, and Consistent Self-Attention works
on it untrained. A small one carries it in its convolutions, so it is taught: it paints groups of
four panels that see sampled tokens of one another, each panel with a noise level of its own in half
of the groups, so that a noisier panel learns to copy who somebody is from a cleaner one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderDC, DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from PIL import Image
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from engine.devices import training_autocast
from engine.house.autoencoder import LATENT_CHANNELS, SIDE, as_tensor
from engine.house.captions import (
    Language,
    Mention,
    caption,
    describe,
    sample_mention,
    sample_scene_mention,
)
from engine.house.course import Course
from engine.house.drawing import PIXELS, draw
from engine.house.scenes import Character, Scene, sample_single, sample_story
from engine.house.words import WIDTH, Examiner, answers, exam_loss, tokens

GROUP = 4  # panels that are trained together
GROUPS = 8  # groups a step
FRESH = 1  # of them newly drawn; the others come from the store
STORE = 6000  # groups
RATE = 0.5  # share of another panel's tokens that is seen, r of the paper
EMPTY_CAPTIONS = 0.1  # for classifier-free guidance
ALONE = 0.25  # share of the groups that see nothing
QUIET = 0.4  # share of the seeing groups whose words leave hair and clothes wholly to the others
FIGURE_WEIGHT = 2.5  # of the error where somebody stands, background 1
EXAM_WEIGHT = 0.1
NONE, ALL, LEFT, RIGHT = 0, 1, 2, 3  # which part of one panel sees another panel
OTHERS = torch.tensor([[j for j in range(GROUP) if j != i] for i in range(GROUP)])


def build_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=SIDE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        layers_per_block=1,
        block_out_channels=(160, 256),
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,  # the number of heads, whatever diffusers calls it
        norm_num_groups=16,
    )


def build_scheduler() -> DDIMScheduler:
    return DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
    )


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


def noise_levels(sight: Tensor, random: Random) -> Tensor:
    """int64 [P]: one level for all (the noisier part), or one a panel, some nearly clean."""
    panels = len(sight)
    levels = [int(1000 * random.random() ** 0.75) for _ in range(panels)]
    if not sight.any():
        return torch.tensor(levels)
    if random.random() < 0.25:
        return torch.full((panels,), random.randrange(250, 1000))
    return torch.tensor([random.randrange(30) if random.random() < 0.3 else t for t in levels])


class GroupAttention:
    """Self-attention of a batch of groups: own tokens, and sampled tokens of the panels in sight.

    The same formula as `engine.attention.consistent`, with a mask in place of gathered banks,
    because in training every panel is both source and reader.
    """

    def __init__(self) -> None:
        self.sight: Tensor | None = None  # [G, P, P]; None: plain self-attention

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, temb: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        batch, count, width = hidden_states.shape
        query, key, value = (f(hidden_states) for f in (attn.to_q, attn.to_k, attn.to_v))
        mask = None
        if self.sight is not None:
            chosen = torch.randperm(count, device=hidden_states.device)[: max(1, int(count * RATE))]
            key, value = (self._with_others(t, chosen) for t in (key, value))
            mask = self._mask(count, len(chosen))
        query, key, value = (
            t.view(batch, -1, attn.heads, width // attn.heads).transpose(1, 2)
            for t in (query, key, value)
        )
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        out: Tensor = attn.to_out[0](seen.transpose(1, 2).reshape(batch, count, width))
        return out

    def _with_others(self, t: Tensor, chosen: Tensor) -> Tensor:  # [G*P, N, C] -> [G*P, N + 3n, C]
        sampled = t[:, chosen].view(-1, GROUP, len(chosen), t.shape[-1])
        others = sampled[:, OTHERS]  # [G, P, P - 1, n, C]
        return torch.cat([t, others.reshape(len(t), -1, t.shape[-1])], 1)

    def _mask(self, count: int, sampled: int) -> Tensor:  # bool [G*P, 1, N, N + 3n]
        assert self.sight is not None
        side = round(count**0.5)
        left = (torch.arange(count, device=self.sight.device) % side) < side // 2  # [N]
        parts = torch.stack([torch.zeros_like(left), torch.ones_like(left), left, ~left])  # [4, N]
        sight = self.sight.gather(2, OTHERS.to(self.sight.device).expand(len(self.sight), -1, -1))
        others = parts[sight].transpose(2, 3).reshape(-1, count, GROUP - 1)  # [G*P, N, 3]
        others = others.repeat_interleave(sampled, dim=2)
        own = torch.ones(len(others), count, count, dtype=torch.bool, device=others.device)
        return torch.cat([own, others], 2).unsqueeze(1)


def install_group_attention(unet: UNet2DConditionModel) -> list[GroupAttention]:
    """Replace every self-attention; cross-attention keeps the library's own."""
    processors = dict(unet.attn_processors)
    ours = {n: GroupAttention() for n in processors if n.endswith("attn1.processor")}
    unet.set_attn_processor({**processors, **ours})
    return list(ours.values())


@contextmanager
def seeing(layers: list[GroupAttention], sight: Tensor | None) -> Iterator[None]:
    for layer in layers:
        layer.sight = sight
    try:
        yield
    finally:
        for layer in layers:
            layer.sight = None


@dataclass
class Painter:
    """What is trained together: the UNet, and the reader that goes on being examined."""

    unet: UNet2DConditionModel
    examiner: Examiner
    tokenizer: PreTrainedTokenizerFast


def train_painter(
    painter: Painter, autoencoder: AutoencoderDC, minutes: float, folder: Path,
    device: torch.device, *, resume: bool,
) -> Painter:  # fmt: skip
    """Teach the UNet on single panels and stories; returns the averages of the weights."""
    autoencoder.eval().to(device, memory_format=torch.channels_last)
    unet = painter.unet.to(device, memory_format=torch.channels_last)
    examiner = painter.examiner.to(device)
    parts = {"unet": unet, "examiner": examiner}
    course = Course("painter", parts, minutes=minutes, learning_rate=1.8e-3, folder=folder)
    if resume:
        course.resume()
    layers = install_group_attention(unet)
    scheduler = build_scheduler()
    random = Random(course.step_number + 17)
    store = Store(autoencoder, device, random)
    reader = course.averages["examiner"]
    assert isinstance(reader, Examiner)
    averages = Painter(course.averages["unet"], reader, painter.tokenizer)
    for _ in course.lessons():
        lesson = make_lesson(store.batch(), scheduler, random, device, ALONE)
        with training_autocast(device):
            ids = tokens(painter.tokenizer, lesson.texts).to(device)
            states, guesses = examiner.read(ids)
            with seeing(layers, lesson.sight):
                guess = unet(lesson.noisy, lesson.levels, encoder_hidden_states=states).sample
        error = (lesson.weights * (guess.float() - lesson.target).pow(2)).mean((1, 2, 3))
        words = exam_loss(guesses, lesson.said)
        late = error[lesson.levels > 500]
        course.learn(
            error.mean() + EXAM_WEIGHT * words,
            painting=error.mean().item(),
            noisy=late.mean().item() if len(late) else 0.0,
            words=words.item(),
        )
        if course.step_number % 250 == 0:
            sheet = sample_sheet(averages, scheduler, autoencoder)
            sheet.save(folder / f"painter-{course.step_number:06d}.png")
    return averages


@dataclass
class Lesson:
    """One step's worth: noisy latents, their levels and targets, words, and who sees whom."""

    noisy: Tensor
    levels: Tensor
    target: Tensor
    weights: Tensor  # of the errors, [B, 1, H, W]
    texts: list[str]
    said: list[dict[str, int]]
    sight: Tensor | None  # None: nobody sees anybody


def make_lesson(
    groups: list[Panels], scheduler: DDIMScheduler, random: Random, device: torch.device,
    alone: float,
) -> Lesson:  # fmt: skip
    """A step's worth of groups, of which the share `alone` (0..1) sees nothing."""
    latents = torch.cat([g.latents for g in groups])
    weights = torch.cat([g.weights for g in groups])
    sight = torch.stack([g.sight for g in groups])
    sight[torch.tensor([random.random() < alone for _ in groups])] = NONE
    levels = torch.stack([noise_levels(s, random) for s in sight])
    # A panel sees only panels that are no noisier than itself, as when the identity leads.
    sight = torch.where(levels[:, None, :] <= levels[:, :, None], sight, NONE)
    texts, said = [], []
    for group, seen in zip(groups, sight, strict=True):
        quiet = QUIET if seen.any() else 0.0
        its_texts, its_said = group_captions(group.scenes, random, quiet)
        silent = random.random() < EMPTY_CAPTIONS
        texts += [""] * GROUP if silent else its_texts
        said += [{}] * GROUP if silent else its_said
    noise, t = torch.randn_like(latents), levels.flatten().to(device)
    noisy = scheduler.add_noise(latents, noise, t).contiguous(memory_format=torch.channels_last)
    target = scheduler.get_velocity(latents, noise, t)
    shared = sight.to(device) if sight.any() else None
    return Lesson(noisy, t, target, weights, texts, said, shared)


@torch.no_grad()
def sample_sheet(
    painter: Painter, scheduler: DDIMScheduler, autoencoder: AutoencoderDC, *, count: int = 8,
    steps: int = 20,
) -> Image.Image:  # fmt: skip
    """Drawn scenes above, and below what the painter makes of their captions."""
    random = Random(1)
    scenes = [sample_single(random) for _ in range(count)]
    texts = [group_captions((scene,), random)[0][0] for scene in scenes]
    device = next(painter.unet.parameters()).device
    ids = tokens(painter.tokenizer, [""] * count + texts).to(device)
    states, _ = painter.examiner.read(ids)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, LATENT_CHANNELS, SIDE, SIDE, generator=generator).to(device)
    scheduler.set_timesteps(steps)
    with training_autocast(device):
        for t in scheduler.timesteps:
            both = painter.unet(torch.cat([x, x]), t, encoder_hidden_states=states).sample
            plain, said = both.float().chunk(2)
            x = scheduler.step(plain + 3.0 * (said - plain), t, x).prev_sample
        drawn = autoencoder.decode(x).sample.float()
    made = drawn.clamp(-1, 1).add(1).mul(127.5).byte().permute(0, 2, 3, 1).cpu().numpy()
    true = np.stack([np.asarray(draw(scene)) for scene in scenes])
    rows = [np.concatenate(list(row), 1) for row in (true, made)]
    return Image.fromarray(np.concatenate(rows, 0))
