"""Where nothing moves, the frames between show what the two pictures show.

An autoencoder loses what is fine, so that between two crisp pictures a background that stands still
would turn soft. Where a decoded frame looks like the decoding of one of the pictures, it gets what
that picture has beside its decoding.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

UNLIKE = 0.2  # difference (pictures are -1..1) at which a place has little in common any more
NEIGHBOURHOOD = 9  # pixels a side in which a place is compared


def with_details(frames: Tensor, moments: Tensor, pictures: Tensor, decoded: Tensor) -> Tensor:
    """Decoded frames [B, 3, H, W] at the moments [B], 0..1, with the details of both pictures.

    pictures: the first and the last frame as they are, [2, 3, H, W]; decoded: after the
    autoencoder. Values are in -1..1.
    """
    lost = pictures - decoded
    nearness = torch.stack([1 - moments, moments]).to(frames)[..., None, None, None]
    alike = torch.stack([likeness(frames, end) for end in decoded])  # [2, B, 1, H, W]
    shares = nearness * alike
    mixed = (shares * lost[:, None]).sum(0) / shares.sum(0).clamp_min(1e-6)
    return frames + alike.amax(0) * mixed


def likeness(frames: Tensor, picture: Tensor) -> Tensor:
    """How much each place looks like the picture [3, H, W]: [B, 1, H, W], 0..1."""
    off = (frames - picture).abs().amax(1, keepdim=True)
    around = F.avg_pool2d(off, NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2, count_include_pad=False)
    return torch.exp(-((around / UNLIKE) ** 2))
