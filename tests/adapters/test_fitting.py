"""Pictures made to fit a limit of bytes."""

from __future__ import annotations

from io import BytesIO
from random import Random

import pytest
from PIL import Image

from adapters.fitting import fit
from bot.chat import File

SIDE = 400


def noise(kind: str, mode: str = "RGB", **how: object) -> bytes:
    content = Random(1).randbytes(SIDE * SIDE * len(mode))
    file = BytesIO()
    Image.frombytes(mode, (SIDE, SIDE), content).save(file, kind, **how)
    return file.getvalue()


def opened(file: File | None) -> Image.Image:
    assert file is not None
    return Image.open(BytesIO(file.content))


def test_what_fits_stays_as_it_is() -> None:
    file = File("page.png", noise("PNG"), "A page")
    assert fit(file, len(file.content)) is file


def test_a_badly_packed_png_is_packed_better_without_a_change() -> None:
    plain = Image.new("RGB", (SIDE, SIDE), "red")
    content = BytesIO()
    plain.save(content, "PNG", compress_level=0)
    small = fit(File("page.png", content.getvalue(), "A page"), 50_000)
    assert opened(small).format == "PNG"
    assert opened(small).tobytes() == plain.tobytes()
    assert small is not None
    assert (small.name, small.alt) == ("page.png", "A page")


@pytest.mark.parametrize(("limit", "scale"), [(200_000, 1.0), (60_000, 0.75), (15_000, 0.35)])
def test_a_picture_becomes_a_jpeg_then_a_smaller_one(limit: int, scale: float) -> None:
    small = fit(File("page.png", noise("PNG", "RGBA")), limit)
    assert opened(small).format == "JPEG"
    assert small is not None
    assert small.name == "page.jpg"
    assert len(small.content) <= limit
    assert scale * SIDE - 101 <= opened(small).width <= SIDE


def test_an_animation_stays_one() -> None:
    frames = [Image.frombytes("L", (200, 200), Random(n).randbytes(40_000)) for n in range(4)]
    content = BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=120)
    small = fit(File("page.gif", content.getvalue()), len(content.getvalue()) // 2)
    assert opened(small).format == "GIF"
    assert getattr(opened(small), "n_frames", 1) == 4
    assert opened(small).info["duration"] == 120


@pytest.mark.parametrize(
    "file", [File("a.zip", bytes(2000)), File("a.png", bytes(2000)), File("b.png", noise("PNG"))]
)
def test_what_cannot_be_made_to_fit_is_none(file: File) -> None:
    assert fit(file, 1000) is None
