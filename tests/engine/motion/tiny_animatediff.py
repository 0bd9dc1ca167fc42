"""AnimateDiff and IP-Adapters of random weights for the tiny SD1.5 model, saved as real files."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import MotionAdapter, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

WIDTH = 16  # of the tiny model's cross-attention
TOKENS = {"basic": (1, 24), "plus": (5, 32), "full": (5, 32)}  # as E gives them: count, channels
HEAD = 64  # the library fixes the width of a plus adapter's heads


def make_adapter(folder: Path, **changes: object) -> Path:
    config = {
        "block_out_channels": (16, 32), "motion_layers_per_block": 1,
        "motion_num_attention_heads": 2, "motion_norm_num_groups": 8,
    }  # fmt: skip
    MotionAdapter(**config | changes).save_pretrained(folder)
    return folder


def make_image_encoder(folder: Path, **changes: int) -> Path:
    """Sees 32 pixels a side in four patches, and has one token for the whole."""
    sizes = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "patch_size": 16,
        "num_attention_heads": 2, "image_size": 32, "projection_dim": 24,
    }  # fmt: skip
    config = CLIPVisionConfig(**sizes | changes)
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


def make_ip_adapter(file: Path, unet: Path, kind: str, *, width: int = WIDTH) -> Path:
    """In the form in which the authors of IP-Adapter publish their weights."""
    weights = {f"image_proj.{key}": value for key, value in projection(kind, width).items()}
    weights |= readers(UNet2DConditionModel.from_pretrained(unet), width)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in weights.items()}, file)
    return file


def readers(unet: UNet2DConditionModel, width: int) -> dict[str, torch.Tensor]:
    """Keys and values of every cross-attention, numbered among all attentions: 1, 3, 5 …"""
    weights = {}
    for number, name in enumerate(unet.attn_processors):
        if name.endswith("attn2.processor"):
            inner = unet.get_submodule(name.removesuffix(".processor")).inner_dim
            for part in ("to_k_ip", "to_v_ip"):
                weights[f"ip_adapter.{number}.{part}.weight"] = torch.randn(inner, width)
    return weights


def projection(kind: str, width: int) -> dict[str, torch.Tensor]:
    channels = TOKENS[kind][1]
    if kind == "basic":
        return {
            "proj.weight": torch.randn(4 * width, channels), "proj.bias": torch.zeros(4 * width),
            "norm.weight": torch.ones(width), "norm.bias": torch.zeros(width),
        }  # fmt: skip
    if kind == "full":
        return {
            "proj.0.weight": torch.randn(channels, channels), "proj.0.bias": torch.zeros(channels),
            "proj.2.weight": torch.randn(width, channels), "proj.2.bias": torch.zeros(width),
            "proj.3.weight": torch.ones(width), "proj.3.bias": torch.zeros(width),
        }  # fmt: skip
    weights = {
        "latents": torch.randn(1, 3, HEAD),
        "proj_in.weight": torch.randn(HEAD, channels), "proj_in.bias": torch.zeros(HEAD),
        "proj_out.weight": torch.randn(width, HEAD), "proj_out.bias": torch.zeros(width),
        "norm_out.weight": torch.ones(width), "norm_out.bias": torch.zeros(width),
    }  # fmt: skip
    for layer in range(4):
        attention, feed = f"layers.{layer}.0", f"layers.{layer}.1"
        for norm in (f"{attention}.norm1", f"{attention}.norm2", f"{feed}.0"):
            weights |= {f"{norm}.weight": torch.ones(HEAD), f"{norm}.bias": torch.zeros(HEAD)}
        weights |= {
            f"{attention}.to_q.weight": torch.randn(HEAD, HEAD) / 8,
            f"{attention}.to_kv.weight": torch.randn(2 * HEAD, HEAD) / 8,
            f"{attention}.to_out.weight": torch.randn(HEAD, HEAD) / 8,
            f"{feed}.1.weight": torch.randn(4 * HEAD, HEAD) / 8,
            f"{feed}.3.weight": torch.randn(HEAD, 4 * HEAD) / 8,
        }
    return weights
