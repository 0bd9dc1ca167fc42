"""CLIP as the image encoder E: what a picture shows, in the tokens that an IP-Adapter reads.

The basic IP-Adapter (Ye et al. 2023, arXiv 2308.06721) was trained with CLIP's embedding of a whole
picture; its kinds "plus" and "full face" with the tokens of the last hidden layer but one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD


class ClipEncoder(nn.Module):
    """Pictures [B, 3, H, W] in -1..1 to tokens: [B, 1, C], or all hidden ones, [B, T, C]."""

    def __init__(self, vision: Any, *, hidden: bool) -> None:
        super().__init__()
        self.vision = vision  # CLIPVisionModelWithProjection
        self.hidden = hidden
        self.side = int(vision.config.image_size)

    def forward(self, pictures: Tensor) -> Tensor:
        return self._read(prepared(pictures, self.side))

    def nothing(self) -> Tensor:
        """[T, C]: what stands for no picture in the half that guidance leads away from."""
        grey = torch.zeros(1, 3, self.side, self.side, device=self.vision.device)
        tokens = self._read(grey)[0]
        return tokens if self.hidden else torch.zeros_like(tokens)

    def _read(self, pixels: Tensor) -> Tensor:
        read = self.vision(pixel_values=pixels, output_hidden_states=self.hidden)
        tokens: Tensor = read.hidden_states[-2] if self.hidden else read.image_embeds[:, None]
        return tokens.float()


def prepared(pictures: Tensor, side: int) -> Tensor:
    """Pictures in -1..1 as CLIP was trained to see them: [B, 3, side, side], the middle square."""
    height, width = pictures.shape[-2:]
    scale = side / min(height, width)
    size = (max(side, round(height * scale)), max(side, round(width * scale)))
    values = F.interpolate(pictures.float(), size, mode="bicubic", antialias=True)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    values = values[..., top : top + side, left : left + side].add(1).div(2).clamp(0, 1)
    mean, deviation = (
        values.new_tensor(numbers)[:, None, None] for numbers in (OPENAI_CLIP_MEAN, OPENAI_CLIP_STD)
    )
    return (values - mean) / deviation
