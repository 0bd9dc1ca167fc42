"""An uploaded picture leads: its latents are seen by the panels like those of an identity panel.

The picture is drawn already, so no step is taken from it. Its latents are noised to the level at
which identity is seen (that of the step, or the model's own), and one pass of the UNet over them
fills the bank.
"""

from __future__ import annotations

import base64
import binascii
import copy
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from engine.loading import Artist
from engine.request import EngineError

MOST_PIXELS = 4096 * 4096


def picture_latents(artist: Artist, picture: str, pixels: int) -> Tensor:
    """A PNG in base64 to latents [C, h, w] for panels of `pixels` a side.

    The middle square is taken. Raises `EngineError` for what is not a PNG picture.
    """
    image = ImageOps.fit(open_picture(picture), (pixels, pixels), Image.Resampling.LANCZOS)
    values = torch.from_numpy(np.array(image, dtype=np.float32)) / 127.5 - 1  # [H, W, 3]
    with artist.painting():
        return artist.encode(values.permute(2, 0, 1)[None].to(artist.device))[0]


def open_picture(picture: str) -> Image.Image:
    """RGB; what is transparent becomes white paper."""
    try:
        image = Image.open(BytesIO(base64.b64decode(picture, validate=True)), formats=["PNG"])
        if image.width * image.height > MOST_PIXELS:
            raise EngineError("a reference picture has too many pixels")
        layer = image.convert("RGBA")
    except (
        binascii.Error,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:
        raise EngineError("a reference picture cannot be read: it is not a PNG file") from error
    paper = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(paper, layer).convert("RGB")


def noised(scheduler: Any, clean: Tensor, noise: Tensor, timestep: Tensor) -> Tensor:
    """Clean latents [B, C, h, w] at the noise level of a timestep, as the UNet wants to see them.

    Some schedulers count their steps as they are asked, so the caller's stays untouched.
    """
    scheduler = copy.deepcopy(scheduler)
    noisy = scheduler.add_noise(clean, noise, timestep.reshape(1).repeat(len(clean)))
    seen: Tensor = scheduler.scale_model_input(noisy, timestep)
    return seen
