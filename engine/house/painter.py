"""The house artist's painter: a small latent diffusion UNet that learns single panels and stories.

A large model carries a character's look in its self-attention, and Consistent Self-Attention works
on it untrained. A small one carries it in its convolutions, so it is taught: it paints groups of
four panels that see sampled tokens of one another, each panel with a noise level of its own in half
of the groups, so that a noisier panel learns to copy who somebody is from a cleaner one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from diffusers import AutoencoderDC, DDIMScheduler, UNet2DConditionModel
from PIL import Image
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from engine.devices import training_autocast
from engine.house.autoencoder import LATENT_CHANNELS, SIDE
from engine.house.course import Course
from engine.house.drawing import draw
from engine.house.group_attention import install_group_attention, seeing
from engine.house.groups import GROUP, NONE, Panels, Store, group_captions
from engine.house.scenes import sample_single
from engine.house.words import WIDTH, Examiner, exam_loss, tokens

EMPTY_CAPTIONS = 0.1  # for classifier-free guidance
ALONE = 0.25  # share of the groups that see nothing
QUIET = 0.4  # share of the seeing groups whose words leave hair and clothes wholly to the others
EXAM_WEIGHT = 0.1


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


def noise_levels(sight: Tensor, random: Random) -> Tensor:
    """int64 [P]: one level for all (the noisier part), or one a panel, some nearly clean."""
    panels = len(sight)
    levels = [int(1000 * random.random() ** 0.75) for _ in range(panels)]
    if not sight.any():
        return torch.tensor(levels)
    if random.random() < 0.25:
        return torch.full((panels,), random.randrange(250, 1000))
    return torch.tensor([random.randrange(30) if random.random() < 0.3 else t for t in levels])


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
