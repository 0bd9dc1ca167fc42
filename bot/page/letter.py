"""Lettering as one pure step: drawn panels with their words go in, finished pages come out.

Arguments and result are plain data, so it can run in a thread or in another process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from bot.page.page import PagePanel, compose_pages
from bot.page.placing import Kind


@dataclass(frozen=True)
class DrawnPanel:
    """A panel's picture (PNG or any other format) and words; `side` as of `side_of`."""

    picture: bytes
    caption: str | None = None
    kind: Kind | None = None
    side: float | None = None


def letter(panels: Sequence[DrawnPanel], layout: str, title: str | None = None) -> list[bytes]:
    """The lettered pages as PNG; none for the layout "pictures", which sets no type.

    Raises `UserError` for a layout that does not exist and for a missing font.
    """
    opened = [
        PagePanel(opened_rgb(panel.picture), panel.caption, panel.kind, panel.side)
        for panel in panels
    ]
    return [png(page) for page in compose_pages(opened, layout, title=title)]


def side_of(speaker: str | None, characters: Sequence[str]) -> float | None:
    """Where the speaker stands, 0 (left) to 1 (right), characters in the order of the text.

    None when nobody speaks, or somebody who is not in the picture.
    """
    if speaker is None or speaker not in characters:
        return None
    return (characters.index(speaker) + 0.5) / len(characters)


def opened_rgb(picture: bytes) -> Image.Image:
    """A picture's pixels as RGB."""
    with Image.open(BytesIO(picture)) as image:
        return image.convert("RGB")


def png(image: Image.Image) -> bytes:
    """The image as a PNG file; the same pixels give the same bytes."""
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
