"""An uploaded picture leads: its latents are seen by the panels like those of an identity panel.

The picture is drawn already, so no step is taken from it. Its latents are noised to the level at
which identity is seen (that of the step, or the model's own), and one pass of the UNet over them
fills the bank. No weights are needed for that, and a cartoon does as well as a photo.
"""

from __future__ import annotations

import base64
import binascii
import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageChops, ImageOps
from torch import Tensor

from engine.attention.consistent import Sight
from engine.loading import Artist
from engine.models import ModelSpec
from engine.plan import Shot
from engine.request import EngineError

MOST_PIXELS = 4096 * 4096
PAPER_SHADES = 12  # of 255: how far the shades of one sheet of paper lie apart
FEW_PANELS = 2  # that show who somebody is
MARGIN = 0.04  # around a figure cut out of its paper, of its longer side


def picture_latents(artist: Artist, picture: str, pixels: int) -> Tensor:
    """A PNG in base64 to latents [C, h, w] for panels of `pixels` a side, cut as `framed` does.

    Raises `EngineError` for what is not a PNG picture.
    """
    values = picture_values(picture, pixels).to(artist.device)
    with artist.painting():
        return artist.encode(values[None])[0]


def picture_values(picture: str, pixels: int) -> Tensor:
    """A PNG in base64 as [3, pixels, pixels] in -1..1. Raises `EngineError`."""
    image = framed(open_picture(picture), pixels)
    values = torch.from_numpy(np.array(image, dtype=np.float32)) / 127.5 - 1  # [H, W, 3]
    return values.permute(2, 0, 1)


def framed(image: Image.Image, pixels: int) -> Image.Image:
    """A square of `pixels` a side in which somebody is as large as can be, head included.

    A figure on plain paper is cut out of it, whole. Of any other picture the upper square is taken
    if it is upright, as heads are above, and else the middle one.
    """
    size, fine = (pixels, pixels), Image.Resampling.LANCZOS
    figure = figure_on_paper(image)
    if figure is None:
        return ImageOps.fit(image, size, fine, centering=(0.5, 0.0))
    return ImageOps.pad(image.crop(figure), size, fine, paper_colour(image), (0.5, 1.0))


def figure_on_paper(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of what is drawn, with a margin, where the paper shows at the
    top and on both sides; None for a picture without paper, or with nothing on it."""
    width, height = image.size
    paper = Image.new("RGB", image.size, paper_colour(image))
    difference = ImageChops.difference(image, paper)
    red, green, blue = (band.point(ink) for band in difference.split())
    box = ImageChops.lighter(ImageChops.lighter(red, green), blue).getbbox()
    if box is None or box[0] == 0 or box[1] == 0 or box[2] == width:
        return None
    margin = round(MARGIN * max(box[2] - box[0], box[3] - box[1]))
    left, top, right, bottom = box
    return (
        max(0, left - margin), max(0, top - margin),
        min(width, right + margin), min(height, bottom + margin),
    )  # fmt: skip


def paper_colour(image: Image.Image) -> tuple[int, ...]:
    """Red, green and blue of the upper left corner of an RGB picture."""
    return tuple(image.crop((0, 0, 1, 1)).tobytes())


def ink(shade: int) -> int:
    """Whether it differs from the paper, as 255 or 0."""
    return 255 if shade > PAPER_SHADES else 0


def own_rates(shots: Sequence[Shot], spec: ModelSpec, rate: float) -> dict[str, float]:
    """The rates of shots of which panels do not see the story's own `rate` r.

    Of a picture as much is seen as its strength says. Where identity leads, all is seen of a saved
    character's portraits, and twice the rate of a character who has only one or two identity
    panels, as in stories of several people.
    """
    rates = {shot.name: shot.strength for shot in shots if shot.picture is not None}
    if spec.sharing == "leading":
        identities = [s for s in shots if s.identity_of is not None and s.picture is None]
        panels = Counter(shot.identity_of for shot in identities)
        for shot in identities:
            if shot.alone:
                rates[shot.name] = 1.0
            elif panels[shot.identity_of] <= FEW_PANELS:
                rates[shot.name] = min(1.0, 2 * rate)
    return rates


def in_sight(sights: Sequence[Sight], shots: Sequence[Shot], share: float) -> tuple[Sight, ...]:
    """Sights without the pictures that lead earlier steps only; `share` (0..1) of them is done.

    A picture of less than half the full strength leads the first steps alone, which settle shapes
    and colours; what is finer the words then decide.
    """
    over = {s.name for s in shots if s.picture is not None and share >= 2 * s.strength}
    return tuple(
        tuple(
            replace(glance, identities=tuple(n for n in glance.identities if n not in over))
            for glance in sight
        )
        for sight in sights
    )


def open_picture(picture: str) -> Image.Image:
    """RGB; what is transparent becomes white paper."""
    try:
        image = Image.open(BytesIO(base64.b64decode(picture, validate=True)), formats=["PNG"])
        if image.width * image.height > MOST_PIXELS:
            raise EngineError("a picture of the story has too many pixels")
        layer = image.convert("RGBA")
    except (
        binascii.Error,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:
        raise EngineError("a picture of the story cannot be read: it is not a PNG file") from error
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
