"""Pictures that people upload: whatever comes in, an upright RGB PNG of bounded size goes on.

The picture is drawn anew, so nothing hidden in the file (place, camera, profile, script) is kept.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import suppress
from io import BytesIO

from PIL import Image, ImageOps, ImageStat, UnidentifiedImageError

from bot.errors import Refusal

MAX_UPLOAD_MEGABYTES = 20
MAX_MEGAPIXELS = 60
MAX_WEBP_MEGAPIXELS = 24  # its reader needs four times as much memory as the others
MAX_SIDE = 1024  # pixels, of the picture that is kept
LEAST_SIDE = 64  # pixels, of a picture that shows somebody
LEAST_SPREAD = 3.0  # of its shades (standard deviation, of 255), or it is empty paper
STRIP = 64  # rows of the smaller picture
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")

# What Pillow would only warn about is far over our own limit. For good, because filters that are
# changed for a moment are changed for all threads.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

# A large picture takes some 400 MB while it is read: one at a time.
_one_at_a_time = threading.Lock()


def accept_upload(content: bytes) -> bytes:
    """The first frame of a PNG, JPEG, WebP or GIF as PNG, at most 1024 pixels a side.

    Transparent parts become white. Raises Refusal for anything else. Blocks, for up to some
    seconds: call it in a thread.
    """
    if not content:
        raise Refusal("store.upload_empty")
    if len(content) > MAX_UPLOAD_MEGABYTES * 1_000_000:
        raise Refusal("store.upload_long", limit=MAX_UPLOAD_MEGABYTES)
    with _one_at_a_time:
        try:
            with Image.open(BytesIO(content), formats=FORMATS) as image:
                return redrawn(image)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise Refusal("store.upload_pixels", limit=MAX_MEGAPIXELS) from None
        except UnidentifiedImageError:
            raise Refusal("store.upload_kind") from None
        except Refusal:
            raise
        except Exception as error:  # Pillow has no common type for what files can have wrong
            raise Refusal("store.upload_broken") from error


def accept_reference(content: bytes) -> bytes:
    """The same for a picture that a character shall look like: it must show something.

    Who is on it only a model could tell; but nobody is on a sheet of one colour. Raises Refusal.
    """
    picture = accept_upload(content)
    with Image.open(BytesIO(picture)) as image:
        if min(image.size) < LEAST_SIDE:
            raise Refusal("store.reference_small", limit=LEAST_SIDE)
        if max(ImageStat.Stat(image.convert("RGB")).stddev) < LEAST_SPREAD:
            raise Refusal("store.reference_empty")
    return picture


def redrawn(image: Image.Image) -> bytes:
    """PNG bytes of an opened picture, of which only the size is read yet."""
    width, height = image.size
    limit = MAX_WEBP_MEGAPIXELS if image.format == "WEBP" else MAX_MEGAPIXELS
    if width * height > limit * 1_000_000:
        raise Refusal("store.upload_pixels", limit=limit)
    image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is read smaller from the start
    picture = flattened(image)
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    picture.info = {key: image.info[key] for key in ("exif", "xmp") if key in image.info}
    with suppress(Exception):  # a broken note on how the camera was held: as it is
        ImageOps.exif_transpose(picture, in_place=True)
    picture.info = {}
    with BytesIO() as file:
        picture.save(file, "PNG")
        return file.getvalue()


def flattened(image: Image.Image) -> Image.Image:
    """The picture in RGB on white, a large one smaller by a whole factor.

    Strip by strip, so that a large picture is not in memory twice.
    """
    width, height = image.size
    factor = max(1, max(width, height) // (2 * MAX_SIDE))
    flat = Image.new("RGB", (-(-width // factor), -(-height // factor)), "white")
    for top in range(0, height, STRIP * factor):
        strip = coloured(image.crop((0, top, width, min(height, top + STRIP * factor))))
        strip = strip.reduce(factor)
        flat.paste(strip, (0, top // factor), strip if strip.mode == "RGBA" else None)
    return flat


def coloured(image: Image.Image) -> Image.Image:
    """The picture in RGB, or in RGBA if parts of it may be transparent."""
    if image.mode.startswith("I"):  # a grey PNG of 16 bits; Pillow itself would cut them off
        return image.convert("F").point(lambda value: value / 257).convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")
