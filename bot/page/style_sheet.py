"""What the styles look like: their small pictures side by side, each with its name below."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw

from bot.page.letter import png
from bot.page.lettering import draw_text, set_text
from bot.page.page import INK, PAPER
from engine.prompts import thumbnail

SIDE = 192  # pixels of one picture
GUTTER = 16
LABEL_HEIGHT, LABEL_SIZE = 44, 26
MOST_ACROSS = 5


@lru_cache(maxsize=8)
def style_sheet(styles: Sequence[str]) -> bytes | None:
    """A PNG with those of the styles that there are pictures of, in order; None without any."""
    found = [(name, content) for name in styles if (content := thumbnail(name)) is not None]
    if not found:
        return None
    across = min(MOST_ACROSS, len(found))
    rows = -(-len(found) // across)
    pitch = SIDE + LABEL_HEIGHT + GUTTER
    size = (across * (SIDE + GUTTER) + GUTTER, rows * pitch + GUTTER)
    sheet = Image.new("RGB", size, PAPER)
    for number, (name, content) in enumerate(found):
        left = GUTTER + number % across * (SIDE + GUTTER)
        place(sheet, name, content, left, GUTTER + number // across * pitch)
    return png(sheet)


def place(sheet: Image.Image, name: str, content: bytes, left: int, top: int) -> None:
    """One framed picture with its name."""
    picture = Image.open(BytesIO(content)).convert("RGB")
    sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top))
    frame = (left, top, left + SIDE - 1, top + SIDE - 1)
    ImageDraw.Draw(sheet).rectangle(frame, outline=INK, width=2)
    label = set_text(name, "en", SIDE, LABEL_SIZE, "centre")
    middle = left + (SIDE - label.width) / 2
    draw_text(sheet, label, middle, top + SIDE + (LABEL_HEIGHT - label.height) / 2, INK)
