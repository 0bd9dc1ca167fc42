"""Pictures made to fit their panel: cut mildly, enlarged, continued upwards behind a balloon."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageFilter

from bot.page.layouts import Rect

TOP_SHARE = 0.3  # of what is cut in height goes from the top, where the heads are
SHARPEN_FROM = 1.5  # enlargements from here on are sharpened
SHARPEN_UP_TO = 2.5  # ... at most at this scale: beyond, that takes time and shows nothing


def crop_for(size: tuple[int, int], aspect: float) -> Rect:
    """The largest part of a picture of `size` pixels that has this width by height."""
    width, height = size
    if width / height > aspect:
        cut = width - height * aspect
        return Rect(cut / 2, 0, width - cut / 2, height)
    cut = height - width / aspect
    return Rect(0, cut * TOP_SHARE, width, height - cut * (1 - TOP_SHARE))


def fitted(picture: Image.Image, crop: Rect, size: tuple[int, int], headroom: int) -> Image.Image:
    """The cropped picture at `size` pixels, with `headroom` pixels more above it."""
    enlarged = _enlarged(_flat(picture), crop, size)
    if headroom <= 0:
        return enlarged
    whole = Image.new("RGB", (size[0], size[1] + headroom))
    whole.paste(_continued(enlarged, headroom), (0, 0))
    whole.paste(enlarged, (0, headroom))
    return whole


def _enlarged(picture: Image.Image, crop: Rect, size: tuple[int, int]) -> Image.Image:
    """Lanczos; large steps are smoothed and sharpened again, so that lines stay clean and crisp.

    The sharpened picture is kept between the darkest and the lightest neighbour of each source
    pixel, which leaves no halos along the lines.
    """
    box = (crop.left, crop.top, crop.right, crop.bottom)
    scale = size[0] / crop.width
    if scale > SHARPEN_UP_TO:
        sharpened = (int(crop.width * SHARPEN_UP_TO), int(crop.height * SHARPEN_UP_TO))
        return _enlarged(picture, crop, sharpened).resize(size, Image.Resampling.BICUBIC)
    smooth = picture.resize(size, Image.Resampling.LANCZOS, box)
    if scale < SHARPEN_FROM:
        return smooth
    blurred = smooth.filter(ImageFilter.GaussianBlur(0.3 * scale))
    sharp = blurred.filter(ImageFilter.UnsharpMask(0.8 * scale, percent=200))
    bounds = (ImageFilter.MinFilter(3), ImageFilter.MaxFilter(3))
    low, high = (
        picture.filter(bound).resize(size, Image.Resampling.BILINEAR, box) for bound in bounds
    )
    return ImageChops.darker(ImageChops.lighter(sharp, low), high)


def _flat(picture: Image.Image) -> Image.Image:
    """Without transparency: on white paper."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    paper = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(paper, layer).convert("RGB")


def _continued(picture: Image.Image, height: int) -> Image.Image:
    """What may be above a picture: the colours of its top edge, ever softer upwards."""
    width = picture.width
    edge = picture.crop((0, 0, width, min(4, picture.height))).resize((width, 1))
    sharp = edge.resize((width, height))
    few = edge.resize((max(2, width // 160), 1), Image.Resampling.BOX)
    soft = few.resize((width, 1), Image.Resampling.BICUBIC).resize((width, height))
    fade = Image.linear_gradient("L").point([v * v // 255 for v in range(256)])  # white below
    fade = fade.resize((width, height))
    return Image.composite(sharp, soft, fade)
