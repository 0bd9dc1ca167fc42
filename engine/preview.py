"""What a panel looks like so far: the picture that this step foresees, decoded small."""

from __future__ import annotations

from io import BytesIO

import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.loading import Artist

PIXELS = 96  # a side


def preview_jpegs(artist: Artist, foreseen: Tensor) -> list[bytes]:
    """Latents of B foreseen pictures [B, C, h, w] as B JPEG files of 96 pixels a side.

    The latents are shrunk before they are decoded: that costs a few hundredths of a picture.
    """
    side = foreseen.shape[-1]
    shrink = max(1, side * artist.pixels_per_latent // PIXELS)
    small = F.adaptive_avg_pool2d(foreseen, max(1, side // shrink))
    return [jpeg_bytes(picture) for picture in artist.decode(small)]


def jpeg_bytes(picture: Tensor) -> bytes:
    """[3, H, W] in -1..1 as a small JPEG file."""
    values = picture.add(1).mul(127.5).clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
    file = BytesIO()
    image = Image.fromarray(values).resize((PIXELS, PIXELS), Image.Resampling.BILINEAR)
    image.save(file, "JPEG", quality=70)
    return file.getvalue()
