"""Frames between two pictures are as crisp as these.

An autoencoder loses what is fine, so that between two crisp pictures a background that stands still
would turn soft. Where a decoded frame looks like the decoding of one of the pictures, it gets what
that picture has beside its decoding. Where a flow is known, both are carried to where they are
seen in the frame, so that a face that moves stays a face.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.motion.flow import Carried

UNLIKE = 0.2  # difference (pictures are -1..1) at which a place has little in common any more
NEIGHBOURHOOD = 9  # pixels a side in which a place is compared


def with_details(
    frames: Tensor, moments: Tensor, pictures: Tensor, decoded: Tensor,
    carried: Carried | None = None,
) -> Tensor:  # fmt: skip
    """Decoded frames [B, 3, H, W] at the moments [B], 0..1, with the details of both pictures.

    pictures: the first and the last frame as they are, [2, 3, H, W]; decoded: after the
    autoencoder. Values are in -1..1. carried: how both get into the frames.
    """
    nearness = torch.stack([1 - moments, moments]).to(frames)[..., None, None, None]
    lost, seen = (
        p[:, None].expand(-1, len(frames), -1, -1, -1) for p in (pictures - decoded, decoded)
    )
    if carried is not None:
        lost, seen = (torch.stack(carried.each(start, end)) for start, end in (lost, seen))
        nearness = torch.stack([carried.share, 1 - carried.share]).to(frames)
    alike = torch.stack([likeness(frames, end) for end in seen])  # [2, B, 1, H, W]
    shares = nearness * alike
    mixed = (shares * lost).sum(0) / shares.sum(0).clamp_min(1e-6)
    return frames + alike.amax(0) * mixed


def likeness(frames: Tensor, others: Tensor) -> Tensor:
    """How much each place looks like that of the others [B, 3, H, W]: [B, 1, H, W], 0..1."""
    off = (frames - others).abs().amax(1, keepdim=True)
    around = F.avg_pool2d(off, NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2, count_include_pad=False)
    return torch.exp(-((around / UNLIKE) ** 2))
