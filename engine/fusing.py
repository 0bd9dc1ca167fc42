"""PhotoMaker's ID encoder (Li et al. 2023, arXiv 2312.04461, section 3.2), as version 1 has it.

CLIP's ViT-L/14 sees the picture; two projections of what it sees, 768 and 1280 wide, stand side by
side like the states of SDXL's two text encoders. Two MLPs join that with the state of a noun:

    y = MLP1([t, e]) + t,   t* = LayerNorm(y + MLP2(y))

The names of the parts are those of the published weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from engine.motion.clip_encoder import prepared

HEAD = 64  # channels of a head of CLIP's towers


class Mlp(nn.Module):
    """[…, `inputs`] to […, `outputs`]: normalised, then two layers; what goes in is not added."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm(inputs)
        self.fc1 = nn.Linear(inputs, outputs)
        self.fc2 = nn.Linear(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(nn.functional.gelu(self.fc1(self.layernorm(x))))
        return out


class FuseModule(nn.Module):
    """States of a noun [N, C] and an identity [C] to the noun's new states [N, C]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp1 = Mlp(2 * width, width)
        self.mlp2 = Mlp(width, width)
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, t: Tensor, e: Tensor) -> Tensor:
        y = self.mlp1(torch.cat([t, e.expand_as(t)], -1)) + t  # [N, C]
        fused: Tensor = self.layer_norm(y + self.mlp2(y))
        return fused


class IdEncoder(nn.Module):
    """Sees a picture, and puts what it has seen into the states of a noun."""

    def __init__(self, config: CLIPVisionConfig, second: int) -> None:
        """`second`: how wide the second projection is; the first is as wide as `config` says."""
        super().__init__()
        tower = CLIPVisionModelWithProjection(config)
        self.vision_model = tower.vision_model
        self.visual_projection = tower.visual_projection
        self.visual_projection_2 = nn.Linear(config.hidden_size, second, bias=False)
        self.width = config.projection_dim + second
        self.fuse_module = FuseModule(self.width)
        self.side = int(config.image_size)

    @classmethod
    def like(cls, shapes: Mapping[str, Sequence[int]]) -> IdEncoder:
        """One without its weights, of which these are the shapes.

        Raises KeyError, IndexError or ValueError for those of something else.
        """
        embeddings, layer = "vision_model.embeddings", "vision_model.encoder.layers"
        first, second = (shapes[f"visual_projection{n}.weight"] for n in ("", "_2"))
        hidden, patch = first[1], shapes[f"{embeddings}.patch_embedding.weight"][2]
        patches = shapes[f"{embeddings}.position_embedding.weight"][0] - 1
        config = CLIPVisionConfig(
            hidden_size=hidden,
            intermediate_size=shapes[f"{layer}.0.mlp.fc1.weight"][0],
            num_hidden_layers=sum(
                key.startswith(layer) and key.endswith(".mlp.fc1.weight") for key in shapes
            ),
            num_attention_heads=max(1, hidden // HEAD),
            patch_size=patch,
            image_size=patch * math.isqrt(patches),
            projection_dim=first[0],
        )
        return cls(config, second[0])

    def identity(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in -1..1 to what tells who they show, [B, C]."""
        seen = self.vision_model(pixel_values=prepared(pictures, self.side)).pooler_output
        return torch.cat([self.visual_projection(seen), self.visual_projection_2(seen)], -1)
