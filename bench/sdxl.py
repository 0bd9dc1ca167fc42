"""What `bench.attention` times: parts of SDXL's shapes with random weights. Nothing is fetched."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from engine.attention.hook import self_attention_layers

PANELS = 5
WORDS, WORDS_WIDTH, POOLED = 77, 2048, 1280
WIDTHS = {1280: (20, 32), 640: (10, 16)}  # of self-attention: heads, pixels a token
STEP = "whole step"
# As unet/config.json of stabilityai/stable-diffusion-xl-base-1.0 has it.
CONFIG = {
    "sample_size": 128,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 2,
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],  # the number of heads, whatever it is called
    "cross_attention_dim": WORDS_WIDTH,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 6 * 256 + POOLED,
}


@dataclass(frozen=True)
class Subject:
    """What is timed: `forward` runs these panels, all halves of each, and gives [halves * P, …]."""

    name: str
    pixels: int
    halves: int
    layers: dict[str, nn.Module]  # the self-attention that shares
    forward: Callable[[Sequence[int]], Tensor]


def random_unet(device: torch.device, dtype: torch.dtype) -> UNet2DConditionModel:
    """All of the UNet's layers, on a device.

    The transformer blocks of one stack, which have the same shapes, share their weights: 2 GB in
    place of 10 (float32), and the arithmetic stays the same.
    """
    with torch.device("meta"):
        unet = UNet2DConditionModel(**CONFIG)
    weights: dict[str, nn.Parameter] = {}
    for name, module in unet.named_modules():
        for part, parameter in list(module.named_parameters(recurse=False)):
            key = re.sub(r"transformer_blocks\.\d+", "transformer_blocks", f"{name}.{part}")
            if key not in weights:
                made = torch.empty(parameter.shape, device=device, dtype=dtype)
                weights[key] = nn.Parameter(_filled(made, part), requires_grad=False)
            setattr(module, part, weights[key])
    return unet.eval()


def _filled(tensor: Tensor, part: str) -> Tensor:
    """Of a size with which activations keep theirs from layer to layer."""
    if tensor.ndim == 1:
        return tensor.fill_(1.0 if part == "weight" else 0.0)
    bound = 1 / math.sqrt(tensor[0].numel())
    return tensor.uniform_(-bound, bound)


def decoder_attention(unet: UNet2DConditionModel) -> dict[str, nn.Module]:
    """The 36 self-attention layers that share tokens, by name."""
    names = (name.removesuffix(".processor") for name in self_attention_layers(unet, "up"))
    return {name: unet.get_submodule(name) for name in names}


def layer_subject(
    width: int, pixels: int, halves: int, device: torch.device, dtype: torch.dtype
) -> Subject:
    heads, fineness = WIDTHS[width]
    count = (pixels // fineness) ** 2
    torch.manual_seed(0)
    layer = Attention(width, heads=heads, dim_head=width // heads).to(device, dtype).eval()
    tokens = torch.randn(halves, PANELS, count, width).to(device, dtype)
    return Subject(
        f"layer, {width} wide, {count:,} tokens", pixels, halves, {"layer": layer},
        lambda panels: layer(tokens[:, list(panels)].flatten(0, 1)),
    )  # fmt: skip


def step_subject(unet: Any, pixels: int, halves: int) -> Subject:
    side, like = pixels // 8, next(unet.parameters())
    torch.manual_seed(0)
    latents = torch.randn(halves, PANELS, 4, side, side).to(like)

    def forward(panels: Sequence[int]) -> Tensor:
        rows = latents[:, list(panels)].flatten(0, 1)
        states = torch.zeros(len(rows), WORDS, WORDS_WIDTH).to(like)
        added = {
            "text_embeds": torch.zeros(len(rows), POOLED).to(like),
            "time_ids": torch.zeros(len(rows), 6).to(like),
        }
        out: Tensor = unet(rows, 500, states, added_cond_kwargs=added).sample
        return out

    return Subject(STEP, pixels, halves, decoder_attention(unet), forward)
