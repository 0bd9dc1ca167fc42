"""The house artist's painter: a small latent diffusion UNet that learns single panels and stories.

A large model carries a character's look in its self-attention, and Consistent Self-Attention works
on it untrained. A small one carries it in its convolutions, so it is taught: it paints groups of
four panels that see sampled tokens of one another, each panel with a noise level of its own in half
of the groups, so that a noisier panel learns to copy who somebody is from a cleaner one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderDC, DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from PIL import Image
from torch import Tensor
from transformers import CLIPTextModel, PreTrainedTokenizerFast

from engine.house.autoencoder import LATENT_CHANNELS, as_tensor
from engine.house.captions import Language, caption, describe, sample_mention, sample_scene_mention
from engine.house.course import Course
from engine.house.drawing import PIXELS, draw
from engine.house.scenes import Scene, sample_single, sample_story
from engine.house.words import WIDTH, tokens

SIDE = PIXELS // 16  # of the latents
GROUP = 4  # panels that are trained together
GROUPS = 8  # groups a step
FRESH = 3  # of them newly drawn; the others come from the store
STORE = 6000  # groups
RATE = 0.5  # share of another panel's tokens that is seen, r of the paper
EMPTY_CAPTIONS = 0.1  # for classifier-free guidance
NONE, ALL, LEFT, RIGHT = 0, 1, 2, 3  # which part of one panel sees another panel


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
    """One group: its scenes, latents [GROUP, C, H, W] and who sees whom [GROUP, GROUP]."""

    scenes: tuple[Scene, ...]
    latents: Tensor
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
            if self._random.random() < 0.7:
                stories.append(sample_story(self._random, GROUP))
            else:
                stories.append(tuple(sample_single(self._random) for _ in range(GROUP)))
        pictures = np.stack([np.asarray(draw(scene)) for story in stories for scene in story])
        with torch.no_grad(), torch.autocast(self._device.type, torch.bfloat16):
            latents = self._autoencoder.encode(as_tensor(pictures).to(self._device)).latent.float()
        return [
            Panels(story, group, who_sees_whom(story))
            for story, group in zip(stories, latents.split(GROUP), strict=True)
        ]


def group_captions(scenes: tuple[Scene, ...], random: Random) -> list[str]:
    """A caption a panel, in one language; a character is described in the same words each time."""
    language: Language = random.choice(("en", "zh"))
    described = {}
    for actor in (actor for scene in scenes for actor in scene.actors):
        if actor.character not in described:
            mention = sample_mention(random)
            described[actor.character] = describe(actor.character, mention, random, language)
    captions = []
    for scene in scenes:
        said = tuple(described[actor.character] for actor in scene.actors)
        captions.append(caption(scene, said, sample_scene_mention(random, scene), random, language))
    return captions


def noise_levels(sight: Tensor, random: Random) -> Tensor:
    """int64 [P]: one level for all (the noisier part), or one a panel, some nearly clean."""
    panels = len(sight)
    if not sight.any():
        return torch.tensor([random.randrange(1000) for _ in range(panels)])
    if random.random() < 0.35:
        return torch.full((panels,), random.randrange(250, 1000))
    levels = [random.randrange(1000) for _ in range(panels)]
    return torch.tensor([random.randrange(30) if random.random() < 0.3 else t for t in levels])


class GroupAttention:
    """Self-attention of a batch of groups: own tokens, and sampled tokens of the panels in sight.

    The same formula as `engine.attention.consistent`, with a mask in place of gathered banks,
    because in training every panel is both source and reader.
    """

    def __init__(self, heads: int) -> None:
        self._heads = heads
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

    def _with_others(self, t: Tensor, chosen: Tensor) -> Tensor:  # [G*P, N, C] -> [G*P, N + P*n, C]
        sampled = t[:, chosen].view(-1, 1, GROUP * len(chosen), t.shape[-1])
        return torch.cat([t, sampled.expand(-1, GROUP, -1, -1).reshape(len(t), -1, t.shape[-1])], 1)

    def _mask(self, count: int, sampled: int) -> Tensor:  # bool [G*P, 1, N, N + P*n]
        assert self.sight is not None
        side = round(count**0.5)
        left = (torch.arange(count, device=self.sight.device) % side) < side // 2  # [N]
        parts = torch.stack([torch.zeros_like(left), torch.ones_like(left), left, ~left])  # [4, N]
        others = parts[self.sight].transpose(2, 3)  # [G, P, N, P]
        others = others.reshape(-1, count, GROUP).repeat_interleave(sampled, dim=2)
        own = torch.ones(len(others), count, count, dtype=torch.bool, device=others.device)
        return torch.cat([own, others], 2).unsqueeze(1)


def install_group_attention(unet: UNet2DConditionModel) -> list[GroupAttention]:
    """Replace every self-attention; cross-attention keeps the library's own."""
    processors = dict(unet.attn_processors)
    ours = {n: GroupAttention(4) for n in processors if n.endswith("attn1.processor")}
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


def train_painter(
    start: UNet2DConditionModel, minutes: float, folder: Path, device: torch.device,
    others: tuple[AutoencoderDC, CLIPTextModel, PreTrainedTokenizerFast], *, resume: bool,
) -> UNet2DConditionModel:  # fmt: skip
    """Teach the UNet on single panels and stories; returns the average of its weights."""
    autoencoder, encoder, tokenizer = others
    autoencoder.eval().to(device, memory_format=torch.channels_last)
    encoder.eval().to(device)
    unet = start.to(device, memory_format=torch.channels_last)
    course = Course("painter", {"unet": unet}, minutes=minutes, learning_rate=1e-3, folder=folder)
    if resume:
        course.resume()
    layers = install_group_attention(unet)
    scheduler = build_scheduler()
    random = Random(course.step_number + 17)
    store = Store(autoencoder, device, random)
    for _ in course.lessons():
        groups = store.batch()
        latents = torch.cat([g.latents for g in groups])
        sight = torch.stack([g.sight for g in groups])
        levels = torch.stack([noise_levels(s, random) for s in sight])
        # A panel sees only panels that are no noisier than itself, as when the identity leads.
        sight = torch.where(levels[:, None, :] <= levels[:, :, None], sight, NONE)
        sight[torch.tensor([random.random() < 0.12 for _ in groups])] = NONE
        texts = [
            [""] * GROUP if random.random() < EMPTY_CAPTIONS else group_captions(g.scenes, random)
            for g in groups
        ]
        with torch.no_grad():
            ids = tokens(tokenizer, [t for texts_of_group in texts for t in texts_of_group])
            states = encoder(input_ids=ids.to(device)).last_hidden_state
        noise = torch.randn_like(latents)
        t = levels.flatten().to(device)
        noisy = scheduler.add_noise(latents, noise, t).contiguous(memory_format=torch.channels_last)
        target = scheduler.get_velocity(latents, noise, t)
        with torch.autocast(device.type, torch.bfloat16), seeing(layers, sight.to(device)):
            guess = unet(noisy, t, encoder_hidden_states=states).sample
        error = (guess.float() - target).pow(2).mean((1, 2, 3))
        course.learn(error.mean(), noisy=error[t > 500].mean().item() if (t > 500).any() else 0.0)
        if course.step_number % 250 == 0:
            sheet = sample_sheet(
                course.averages["unet"], scheduler, autoencoder, encoder, tokenizer
            )
            sheet.save(folder / f"painter-{course.step_number:06d}.png")
    return course.averages["unet"]


@torch.no_grad()
def sample_sheet(
    unet: torch.nn.Module, scheduler: DDIMScheduler, autoencoder: AutoencoderDC,
    encoder: CLIPTextModel, tokenizer: PreTrainedTokenizerFast, *, count: int = 8, steps: int = 20,
) -> Image.Image:  # fmt: skip
    """Drawn scenes above, and below what the painter makes of their captions."""
    random = Random(1)
    scenes = [sample_single(random) for _ in range(count)]
    texts = [group_captions((scene,), random)[0] for scene in scenes]
    device = next(unet.parameters()).device
    states = encoder(input_ids=tokens(tokenizer, [""] * count + texts).to(device)).last_hidden_state
    x = torch.randn(
        count, LATENT_CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(1)
    ).to(device)
    scheduler.set_timesteps(steps)
    with torch.autocast(device.type, torch.bfloat16):
        for t in scheduler.timesteps:
            plain, said = (
                unet(torch.cat([x, x]), t, encoder_hidden_states=states).sample.float().chunk(2)
            )
            x = scheduler.step(plain + 3.0 * (said - plain), t, x).prev_sample
        drawn = autoencoder.decode(x).sample.float()
    made = drawn.clamp(-1, 1).add(1).mul(127.5).byte().permute(0, 2, 3, 1).cpu().numpy()
    true = np.stack([np.asarray(draw(scene)) for scene in scenes])
    rows = np.concatenate([np.concatenate(list(r), 1) for r in (true, made)], 0)
    return Image.fromarray(rows)
