"""Pictures made to fit their panel."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from bot.page.layouts import Rect
from bot.page.pictures import fitted

UNSEEN = 8  # shades: a halo so faint is none


@pytest.mark.parametrize("scale", [1.0, 2.0, 2.5, 4.3, 17.0])
def test_lines_stay_crisp_and_without_halos_however_far_a_picture_is_enlarged(
    scale: float,
) -> None:
    picture = Image.new("RGB", (64, 64), (200, 200, 200))
    ImageDraw.Draw(picture).line((32, 0, 32, 64), fill=(40, 40, 40), width=3)
    side = round(64 * scale)
    enlarged = fitted(picture, Rect(0, 0, 64, 64), (side, side), 0)
    assert enlarged.size == (side, side)
    across = [enlarged.getpixel((x, side // 2)) for x in range(side)]
    values = [value[0] for value in across if isinstance(value, tuple)]
    assert min(values) >= 40 - UNSEEN
    assert max(values) <= 200 + UNSEEN
    between = sum(60 < value < 180 for value in values)
    assert between <= 4 * scale  # each edge is about as wide as a pixel of the picture
