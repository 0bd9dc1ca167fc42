"""The house artist's image encoder: what a picture shows, in a few narrow tokens.

It stands where SD1.5 has CLIP's vision encoder: the artist's own autoencoder sees the picture, and
of each patch of its latents what patches mostly differ in is kept. A token says what is in its
patch: the colours surely, the details in part. Nothing in it is trained, so what the predictor has
to foresee stays the same while everything else learns.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PictureEncoder(nn.Module):
    """Latents [B, C, h, w] to semantic tokens [B, (side / patch)^2, channels].

    Latents of another size are brought to `side` first. Before `fit` the directions are random.
    """

    directions: Tensor  # [channels, C * patch^2], at right angles
    middle: Tensor  # [C * patch^2]
    size: Tensor  # [], deviation of the tokens' numbers before they are divided by it

    def __init__(
        self, latent_channels: int = 16, side: int = 16, patch: int = 2, channels: int = 32
    ) -> None:
        super().__init__()
        self.side, self.patch = side, patch
        width = latent_channels * patch**2
        directions = nn.init.orthogonal_(torch.empty(channels, width))
        self.register_buffer("directions", directions)
        self.register_buffer("middle", torch.zeros(width))
        self.register_buffer("size", torch.ones(()))

    @torch.no_grad()
    def fit(self, latents: Tensor) -> None:
        """Keep the principal components of the patches of these pictures."""
        patches = self._patches(latents).flatten(0, 1)
        self.middle.copy_(patches.mean(0))
        centred = patches - self.middle
        components = torch.linalg.svd(centred, full_matrices=False).Vh
        self.directions.copy_(components[: len(self.directions)])
        self.size.copy_((centred @ self.directions.T).std())

    @property
    def count(self) -> int:
        """Tokens of a picture."""
        return (self.side // self.patch) ** 2

    def forward(self, latents: Tensor) -> Tensor:
        if latents.shape[-2:] != (self.side, self.side):
            latents = F.interpolate(latents, (self.side, self.side), mode="bilinear")
        with torch.autocast(latents.device.type, enabled=False):
            tokens: Tensor = (self._patches(latents) - self.middle) @ self.directions.T / self.size
        return tokens

    def laid_back(self, tokens: Tensor) -> Tensor:
        """Differences between tokens, [..., T, channels], as differences between latents.

        What a token does not say of its patch is nought: [..., C, side, side].
        """
        patches = tokens.float() * self.size @ self.directions
        grid = patches.transpose(-1, -2).unflatten(-1, (self.side // self.patch, -1))
        return F.pixel_shuffle(grid, self.patch)

    def _patches(self, latents: Tensor) -> Tensor:  # [B, T, C * patch^2]
        return F.pixel_unshuffle(latents.float(), self.patch).flatten(2).transpose(1, 2)


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


class TokenLayout(nn.Module):
    """Semantic tokens where they belong in the picture, for the UNet's first layer to add.

    As in T2I-Adapter (Mou et al. 2023, arXiv 2302.08453, section 3.3). Cross-attention alone had
    to find out where each token belongs, and after 200 steps still read nothing from them.
    Tokens [B, T, C] to features [B, width, h, w], which are zero at first.
    """

    def __init__(self, channels: int, width: int, patch: int = 2, hidden: int = 96) -> None:
        super().__init__()
        self.patch = patch
        self.spread = nn.Conv2d(channels, hidden * patch**2, 1)
        self.mix = nn.Conv2d(hidden, hidden, 3, padding=1)
        self.write = nn.Conv2d(hidden, width, 3, padding=1)
        for parameter in self.write.parameters():
            nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        side = math.isqrt(tokens.shape[1])
        grid = tokens.transpose(1, 2).unflatten(2, (side, side))
        x = F.pixel_shuffle(self.spread(grid), self.patch)
        if x.shape[-2:] != size:
            x = F.interpolate(x, size, mode="bilinear")
        features: Tensor = self.write(F.silu(self.mix(F.silu(x))))
        return features
