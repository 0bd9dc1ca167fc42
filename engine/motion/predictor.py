"""The Semantic Motion Predictor (StoryDiffusion, Zhou et al. 2024, arXiv 2405.01434, section 3.2).

Motion between two key pictures is predicted in the space of an image encoder E, where a picture is
a few semantic tokens and not pixels:

    K_s, K_e = E(F_s), E(F_e)                      tokens of the start and the end  [T, C]
    K_i      = (1 - i/L) K_s + (i/L) K_e           the linear path, i = 0..L        [L + 1, T, C]
    P_0..P_L = B(K_0..K_L)                         B: a transformer

The authors released neither code nor weights. Here B is residual around the path and its last
layer is zero at the start, so that untrained it *is* the path: with t = i/L

    P_i = K_i + 4 t (1 - t) R(K_i, K_s, K_e, t)

The factor keeps the two ends exactly where they are. Beside K_i every token reads K_s and K_e,
which cannot be told from their mixture, and t. So a frame's tokens hold all that is known of the
clip, and R reads one frame at a time: over all frames at once it learnt the clips of its training
by heart, and single moments of ten times as many clips cost no more.

With OpenCLIP ViT-H/14 tokens are 1280 wide and B is 1024 wide (`paper_sized`).
"""

from __future__ import annotations

import json
import os
from math import isqrt
from pathlib import Path
from typing import Any

import torch
from diffusers.models.embeddings import get_2d_sincos_pos_embed, get_timestep_embedding
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.request import EngineError


def transformer(layers: int, width: int, heads: int) -> nn.Sequential:
    """Layers that normalise first, on tokens [B, N, width]."""
    return nn.Sequential(
        *(
            nn.TransformerEncoderLayer(
                width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True,
                norm_first=True,
            )
            for _ in range(layers)
        )
    )  # fmt: skip


def linear_path(start: Tensor, end: Tensor, frames: int) -> Tensor:
    """K_0..K_L: tokens [B, T, C] of both ends to [B, frames, T, C]."""
    return on_path(start, end, times(frames)[None])


def on_path(start: Tensor, end: Tensor, moments: Tensor) -> Tensor:
    """The path at the moments [B, M], 0 (start) to 1 (end): [B, M, T, C]."""
    return torch.lerp(start[:, None], end[:, None], moments.to(start)[..., None, None])


def times(frames: int) -> Tensor:
    """float [frames]: i/L, 0 at the first frame and 1 at the last."""
    return torch.linspace(0, 1, frames)


def place_embedding(tokens: int, width: int) -> Tensor:
    """[tokens, width]: sines of row and column; what is left over, as of CLIP, comes first."""
    side = isqrt(tokens)
    extra = tokens - side**2
    places: Tensor = get_2d_sincos_pos_embed(
        width, side, cls_token=extra > 0, extra_tokens=extra, output_type="pt"
    )
    return places.float()


class SemanticMotionPredictor(nn.Module):
    """B of the paper. `tokens` T a picture, `channels` C each; `width`, `layers`, `heads` of B."""

    def __init__(
        self, tokens: int, channels: int, width: int = 1024, layers: int = 8, heads: int = 8
    ) -> None:
        super().__init__()
        self.read = nn.Linear(channels, width)
        self.read_ends = nn.Linear(2 * channels, width)
        self.places = nn.Parameter(place_embedding(tokens, width))
        self.blocks = transformer(layers, width, heads)
        self.norm = nn.LayerNorm(width)
        self.write = nn.Linear(width, channels)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    @classmethod
    def paper_sized(cls, tokens: int = 257) -> SemanticMotionPredictor:
        """For the hidden tokens of OpenCLIP ViT-H/14."""
        return cls(tokens, 1280, width=1024, layers=8, heads=16)

    def forward(self, start: Tensor, end: Tensor, frames: int) -> Tensor:
        """Tokens [B, T, C] of start and end to those of every frame, [B, frames, T, C]."""
        return self.at(start, end, times(frames).expand(len(start), -1))

    def at(self, start: Tensor, end: Tensor, moments: Tensor, path: Tensor | None = None) -> Tensor:
        """The tokens at the moments [B, M], 0 (start) to 1 (end): [B, M, T, C].

        `path`: K_i [B, M, T, C], where something better than the linear one is known.
        """
        time = moments.to(start)[..., None, None]
        if path is None:
            path = on_path(start, end, moments)
        width = self.read.out_features
        told = get_timestep_embedding(1000 * moments.flatten(), width).to(path)
        ends = self.read_ends(torch.cat([start, end], -1))[:, None]
        x = self.read(path) + ends + self.places
        x = x + told.unflatten(0, moments.shape)[:, :, None]
        x = self.blocks(x.flatten(0, 1))
        offsets = self.write(self.norm(x)).unflatten(0, moments.shape)
        foreseen: Tensor = path + 4 * time * (1 - time) * offsets.to(path)
        return foreseen


# -- weights ----------------------------------------------------------------------------------


def save_predictor(predictor: SemanticMotionPredictor, folder: Path) -> None:
    """Into `folder`: predictor.safetensors (fp16) and predictor.json, its dimensions."""
    folder.mkdir(parents=True, exist_ok=True)
    block: Any = predictor.blocks[0]
    dimensions = {
        "tokens": predictor.places.shape[0],
        "channels": predictor.read.in_features,
        "width": predictor.read.out_features,
        "layers": len(predictor.blocks),
        "heads": block.self_attn.num_heads,
    }
    weights = {k: v.detach().cpu().half().contiguous() for k, v in predictor.state_dict().items()}
    words, numbers = folder / "predictor.json", folder / "predictor.safetensors"
    new = {path: path.with_name(f"new-{path.name}") for path in (words, numbers)}
    new[words].write_text(json.dumps(dimensions), encoding="utf-8")
    save_file(weights, new[numbers])
    for path in new:  # whoever reads meanwhile finds whole files
        os.replace(new[path], path)


def load_predictor(folder: Path) -> SemanticMotionPredictor:
    """What `save_predictor` wrote, in float32; an `EngineError` where it cannot be read."""
    try:
        dimensions = json.loads((folder / "predictor.json").read_text(encoding="utf-8"))
        predictor = SemanticMotionPredictor(**dimensions)
        predictor.load_state_dict(load_file(folder / "predictor.safetensors"))
    except (OSError, RuntimeError, ValueError, TypeError, AssertionError, SafetensorError) as error:
        raise EngineError(f"the motion predictor in {folder} cannot be loaded: {error}") from error
    return predictor.eval()
