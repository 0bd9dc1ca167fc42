"""Tiny models in the two forms they come in: a folder of parts, and one file with LDM's names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from engine.vocabulary import clip_tokenizer

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
TOP = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE = {
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
    "conv_shortcut": "nin_shortcut",
    "conv_norm_out": "norm_out",
    "downsamplers.0": "downsample",
    "upsamplers.0": "upsample",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0": "mid.attn_1",
    "resnets": "block",
}
OPEN_CLIP = {
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.embeddings.token_embedding": "token_embedding",
    "text_model.final_layer_norm": "ln_final",
    "text_model.encoder.layers": "transformer.resblocks",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


def make_model(folder: Path, family: str) -> Path:
    """A random model of SD1.5's or SDXL's build in diffusers format; returns the folder."""
    torch.manual_seed(7)
    xl = family == "sdxl"
    attention = ("CrossAttnDownBlock2D", "DownBlock2D")
    added = (
        {"addition_embed_type": "text_time", "addition_time_embed_dim": 8,
         "projection_class_embeddings_input_dim": 6 * 8 + 24}
        if xl
        else {}
    )  # fmt: skip
    parts = {
        "unet": UNet2DConditionModel(
            sample_size=8, block_out_channels=(32, 64), layers_per_block=2,
            cross_attention_dim=40 if xl else 16, attention_head_dim=2, norm_num_groups=8,
            down_block_types=attention[::-1] if xl else attention,
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D")
            if xl
            else ("UpBlock2D", "CrossAttnUpBlock2D"),
            **added,
        ),
        "vae": AutoencoderKL(
            block_out_channels=(8, 8, 8, 8), down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, norm_num_groups=4,
            layers_per_block=2,
        ),
        "text_encoder": CLIPTextModel(_words(16)),
        "tokenizer": clip_tokenizer(),
        "scheduler": EulerDiscreteScheduler(beta_schedule="scaled_linear", steps_offset=1),
    }  # fmt: skip
    pipeline = StableDiffusionXLPipeline if xl else StableDiffusionPipeline
    if xl:
        parts["text_encoder_2"] = CLIPTextModelWithProjection(_words(24))
        parts["tokenizer_2"] = clip_tokenizer(pad="!")
    else:
        parts |= {"safety_checker": None, "feature_extractor": None}
        parts["requires_safety_checker"] = False
    pipeline(**parts).save_pretrained(folder)
    return folder


def _words(width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        hidden_size=width, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        projection_dim=width, bos_token_id=49406, eos_token_id=49407, pad_token_id=1,
    )  # fmt: skip


def in_one_file(folder: Path, file: Path) -> Path:
    """Writes the model of a folder as LDM's checkpoints are: returns the file."""
    index = json.loads((folder / "model_index.json").read_text())
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    vae = AutoencoderKL.from_pretrained(folder / "vae")
    state = {f"model.diffusion_model.{k}": t for k, t in ldm_unet(unet)}
    state |= {f"first_stage_model.{k}": t for k, t in _ldm_vae(vae)}
    first = CLIPTextModel.from_pretrained(folder / "text_encoder").state_dict()
    words = {f"text_model.{k.removeprefix('text_model.')}": t for k, t in first.items()}
    if "text_encoder_2" in index:
        second = CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder_2")
        state |= {f"conditioner.embedders.0.transformer.{k}": t for k, t in words.items()}
        state |= {
            f"conditioner.embedders.1.model.{k}": t for k, t in _open_clip(second.state_dict())
        }
    else:
        state |= {f"cond_stage_model.transformer.{k}": t for k, t in words.items()}
    save_file({key: tensor.contiguous().clone() for key, tensor in state.items()}, file)
    return file


def ldm_unet(unet: UNet2DConditionModel) -> Iterator[tuple[str, Tensor]]:
    blocks = _ldm_blocks(unet)
    for key, tensor in unet.state_dict().items():
        for ours, theirs in {**TOP, **blocks}.items():
            if key.startswith(f"{ours}."):
                rest = key.removeprefix(ours)
                if ".resnets." in ours:
                    name = rest.split(".")[1]
                    rest = rest.replace(name, RESNET[name], 1)
                yield f"{theirs}{rest}", tensor
                break
        else:
            raise AssertionError(key)


def _ldm_blocks(unet: UNet2DConditionModel) -> dict[str, str]:
    """The places of resnets, attentions and samplers in LDM's two long rows of blocks."""
    layers, names = unet.config.layers_per_block, {}
    for i, block in enumerate(unet.down_blocks):
        for j in range(layers):
            row = 1 + i * (layers + 1) + j
            names[f"down_blocks.{i}.resnets.{j}"] = f"input_blocks.{row}.0"
            names[f"down_blocks.{i}.attentions.{j}"] = f"input_blocks.{row}.1"
        if block.downsamplers:
            row = 1 + i * (layers + 1) + layers
            names[f"down_blocks.{i}.downsamplers.0.conv"] = f"input_blocks.{row}.0.op"
    for i, block in enumerate(unet.up_blocks):
        attends = hasattr(block, "attentions")
        for j in range(layers + 1):
            row = i * (layers + 1) + j
            names[f"up_blocks.{i}.resnets.{j}"] = f"output_blocks.{row}.0"
            names[f"up_blocks.{i}.attentions.{j}"] = f"output_blocks.{row}.1"
        if block.upsamplers:
            row = i * (layers + 1) + layers
            place = f"output_blocks.{row}.{2 if attends else 1}.conv"
            names[f"up_blocks.{i}.upsamplers.0.conv"] = place
    names["mid_block.resnets.0"] = "middle_block.0"
    names["mid_block.attentions.0"] = "middle_block.1"
    names["mid_block.resnets.1"] = "middle_block.2"
    return names


def _ldm_vae(vae: AutoencoderKL) -> Iterator[tuple[str, Tensor]]:
    last = len(vae.config.block_out_channels) - 1
    for key, tensor in vae.state_dict().items():
        name = key.replace("down_blocks", "down")
        for i in range(last + 1):
            name = name.replace(f"up_blocks.{i}.", f"up.{last - i}.")
        for ours, theirs in VAE.items():
            name = name.replace(ours, theirs)
        is_attention = ".attn_1." in name and tensor.ndim == 2
        yield name, tensor[..., None, None] if is_attention else tensor


def _open_clip(state: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for key, tensor in state.items():
        if ".self_attn.q_proj." in key:
            joined = torch.cat([state[key.replace("q_proj", f"{n}_proj")] for n in "qkv"])
            name = key.replace("self_attn.q_proj.", "attn.in_proj_")
        elif ".k_proj." in key or ".v_proj." in key:
            continue
        elif key == "text_projection.weight":
            yield "text_projection", tensor.T
            continue
        else:
            name, joined = key, tensor
        for ours, theirs in OPEN_CLIP.items():
            name = name.replace(ours, theirs)
        yield name, joined
