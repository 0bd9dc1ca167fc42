"""Pictures made to fit a platform's limit of bytes: the same picture, then a smaller one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

from PIL import Image, ImageSequence

from bot.chat import File

SCALES = (1.0, 0.75, 0.5, 0.35)  # of the sides
QUALITIES = (92, 80)  # of JPEG
SMALLEST_PIXELS = 64  # a side: below it nothing can be recognised


def fit(file: File, most_bytes: int) -> File | None:
    """The file in at most so many bytes; None where it cannot be done, as for other files.

    A picture is packed better, then becomes a JPEG of high quality, then a smaller one; an
    animation becomes smaller. Blocks, for up to some seconds: call it in a thread.
    """
    if len(file.content) <= most_bytes:
        return file
    if not file.is_picture:
        return None
    try:
        for name, content in tries(file):
            if len(content) <= most_bytes:
                return replace(file, name=name, content=content)
    except (OSError, ValueError, Image.DecompressionBombError):  # not a picture after all
        pass
    return None


def tries(file: File) -> Iterator[tuple[str, bytes]]:
    """Name and content, each smaller than the one before as a rule."""
    stem = file.name.rpartition(".")[0]
    with Image.open(BytesIO(file.content)) as image:
        if getattr(image, "is_animated", False):
            yield from ((f"{stem}.gif", animation(image, scale)) for scale in SCALES[1:])
            return
        if image.format == "PNG":
            yield file.name, saved(image, "PNG", optimize=True)
        plain = on_white(image)
    for scale in SCALES:
        picture = scaled(plain, scale)
        for quality in QUALITIES:
            yield f"{stem}.jpg", saved(picture, "JPEG", quality=quality, optimize=True)


def on_white(image: Image.Image) -> Image.Image:
    """Without transparency, which a JPEG cannot have."""
    colours = image.convert("RGBA")
    ground = Image.new("RGBA", colours.size, "white")
    return Image.alpha_composite(ground, colours).convert("RGB")


def scaled(image: Image.Image, scale: float) -> Image.Image:
    width, height = (max(SMALLEST_PIXELS, round(side * scale)) for side in image.size)
    if (width, height) == image.size or scale == 1:
        return image
    return image.resize((width, height), Image.Resampling.LANCZOS)


def animation(image: Image.Image, scale: float) -> bytes:
    frames = [scaled(frame.convert("RGB"), scale) for frame in ImageSequence.Iterator(image)]
    milliseconds = image.info.get("duration", 100)  # a frame
    return saved(
        frames[0], "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0
    )


def saved(image: Image.Image, kind: str, **how: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()
