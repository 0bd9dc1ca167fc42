"""The house artist's autoencoder: 256 px pictures to 16 x 16 x 16 latents and back.

An `AutoencoderDC` of diffusers (Chen et al. 2024, arXiv 2410.10733) trained here on drawn scenes.
Its latents are made for a small diffusion model: the first channels are the picture's colours, the
others are details and smaller; they are disturbed while it learns, so that the decoder forgives
what the painter gets slightly wrong; and half-sized latents must decode to the half-sized picture
(Kouzelis et al. 2025, arXiv 2502.09509), which keeps them smooth.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderDC
from diffusers.models.normalization import RMSNorm
from torch import Tensor, nn

from engine.devices import training_autocast
from engine.house.course import Course
from engine.house.drawing import PIXELS, draw
from engine.house.scenes import sample_single

SIDE = PIXELS // 16  # of the latents
LATENT_CHANNELS = 16
COLOURS = 3  # the first channels: the picture 16 times smaller, near unit variance
COLOUR_SCALE = 2.0
CROP = 128
WIDTHS = (16, 16, 64, 128, 256)
DETAIL = 0.6  # deviation of the other channels
NOISE = 0.2  # disturbance of the latents while the autoencoder learns; of details as much smaller


def build_autoencoder() -> AutoencoderDC:
    none = ((),) * len(WIDTHS)
    return AutoencoderDC(
        in_channels=3,
        latent_channels=LATENT_CHANNELS,
        encoder_block_types="ResBlock",
        decoder_block_types="ResBlock",
        encoder_block_out_channels=WIDTHS,
        decoder_block_out_channels=WIDTHS,
        encoder_layers_per_block=(0, 1, 1, 1, 2),
        decoder_layers_per_block=(0, 1, 1, 2, 2),
        encoder_qkv_multiscales=none,
        decoder_qkv_multiscales=none,
        upsample_block_type="pixel_shuffle",
        scaling_factor=1.0,
    )


def prepare(model: AutoencoderDC) -> AutoencoderDC:
    """Start every residual branch at zero: without it the first thousand steps teach nothing."""
    for name, module in model.named_modules():
        if isinstance(module, RMSNorm) and "norm_out" not in name:
            nn.init.zeros_(module.weight)
    return model


def as_tensor(pictures: np.ndarray) -> Tensor:
    """uint8 [B, H, W, 3] -> float [B, 3, H, W] in -1..1, channels last in memory."""
    tensor = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1)
    return tensor.contiguous(memory_format=torch.channels_last)


def sample_crops(random: Random, count: int) -> Tensor:
    """Parts of fresh scenes, most of them where the faces are."""
    crops = np.empty((count, CROP, CROP, 3), np.uint8)
    for i in range(count):
        picture = np.asarray(draw(sample_single(random)))
        free = PIXELS - CROP
        left = random.randint(0, free)
        top = random.randint(20, 90) if random.random() < 0.7 else random.randint(0, free)
        crops[i] = picture[top : top + CROP, left : left + CROP]
    return as_tensor(crops)


def difference(drawn: Tensor, true: Tensor) -> Tensor:
    """Colours (L1 and squared) and gradients (L1): comics live by their outlines."""
    loss = F.l1_loss(drawn, true) + 2.0 * F.mse_loss(drawn, true)
    for d in (-1, -2):
        loss = loss + 0.3 * F.l1_loss(drawn.diff(dim=d), true.diff(dim=d))
    return loss


def order(latents: Tensor, true: Tensor) -> Tensor:
    """Ties the first channels to the colours and keeps the others smaller.

    A diffusion model then settles colours and places first, at high noise, and details last.
    Latents with equal variance in every channel were far harder to paint.
    """
    colours = COLOUR_SCALE * F.avg_pool2d(true, PIXELS // SIDE)
    details = latents[:, COLOURS:]
    mean, deviation = details.mean((0, 2, 3)), details.var((0, 2, 3)).add(1e-4).sqrt()
    spread = (mean.square() + (deviation / DETAIL).log().square()).mean()
    return 0.2 * F.mse_loss(latents[:, :COLOURS], colours) + 0.1 * spread


def train_autoencoder(
    start: AutoencoderDC, minutes: float, folder: Path, device: torch.device, *, resume: bool
) -> AutoencoderDC:
    """Teach the autoencoder on crops of fresh scenes; returns the average of its weights."""
    model = start.to(device, memory_format=torch.channels_last)
    course = Course(
        "autoencoder", {"model": model}, minutes=minutes, learning_rate=1.5e-3, folder=folder
    )
    resumed = resume and course.resume()
    random = Random(course.step_number + 1)
    sizes = torch.full((LATENT_CHANNELS, 1, 1), DETAIL, device=device)
    sizes[:COLOURS] = 1
    for share in course.lessons():
        true = sample_crops(random, 16).to(device)
        strength = NOISE if resumed else NOISE * (0.2 + 0.8 * share)
        with training_autocast(device):
            latents = model.encode(true).latent.float()
            seen = latents + strength * sizes * torch.randn_like(latents)
            drawn = model.decode(seen).sample.float()
            small = model.decode(F.avg_pool2d(seen, 2)).sample.float()
        with torch.no_grad():
            error = F.mse_loss(drawn.clamp(-1, 1), true).item()
        loss = difference(drawn, true) + order(latents, true)
        loss = loss + 0.25 * difference(small, F.avg_pool2d(true, 2))
        course.learn(
            loss,
            psnr=-10 * np.log10(error / 4 + 1e-12),
            colours=latents[:, :COLOURS].std().item(),
            details=latents[:, COLOURS:].std().item(),
        )
    return course.averages["model"]
