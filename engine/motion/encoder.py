"""The house artist's image encoder: what a picture shows, in a few narrow tokens.

It stands where SD1.5 has CLIP's vision encoder. It reads the latents of the artist's own
autoencoder and is trained together with the video decoder, which learns to draw a frame from its
tokens and from the two key pictures. The tokens are too narrow to hold a picture: what the key
pictures show already (who it is, where it is) costs nothing, so they come to say how it has moved.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.motion.predictor import transformer


class PictureEncoder(nn.Module):
    """Latents [B, C, h, w] to semantic tokens [B, (side / patch)^2, channels].

    Latents of another size are brought to `side` first. Every token has mean 0 and variance 1.
    """

    def __init__(
        self, latent_channels: int = 16, side: int = 16, patch: int = 2, channels: int = 32,
        width: int = 192, layers: int = 3, heads: int = 4,
    ) -> None:  # fmt: skip
        super().__init__()
        tokens = (side // patch) ** 2
        self.side = side
        self.patches = nn.Conv2d(latent_channels, width, patch + 2, stride=patch, padding=1)
        self.places = nn.Parameter(0.02 * torch.randn(tokens, width))
        self.blocks = transformer(layers, width, heads)
        self.norm = nn.LayerNorm(width)
        self.narrow = nn.Linear(width, channels)

    def forward(self, latents: Tensor) -> Tensor:
        if latents.shape[-2:] != (self.side, self.side):
            latents = F.interpolate(latents, (self.side, self.side), mode="bilinear")
        x = self.patches(latents).flatten(2).transpose(1, 2) + self.places
        tokens = self.narrow(self.norm(self.blocks(x))).float()
        return F.layer_norm(tokens, tokens.shape[-1:])


class TokenProjection(nn.Module):
    """Semantic tokens [B, T, C] as the cross-attention reads them, [B, T, width], with places."""

    def __init__(self, tokens: int, channels: int, width: int) -> None:
        super().__init__()
        self.widen = nn.Linear(channels, width)
        self.places = nn.Parameter(0.5 * torch.randn(tokens, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        projected: Tensor = self.norm(self.widen(tokens) + self.places)
        return projected
