"""The small pictures that are shown where a style is chosen: `python -m engine.house.show_styles`.

The house artist draws the same panel in every style that it has learnt; the files lie in the
package, so that the bot shows them without drawing anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from engine.models import HOUSE
from engine.prompts import THUMBNAILS
from engine.request import CharacterRequest, DrawRequest, PanelDrawn, PanelRequest

PIXELS = 128  # a side
QUALITY = 82  # of WebP: some 4 KB a picture
WHO = CharacterRequest("Mia", "a young woman with long red hair, wearing a blue shirt")
PANEL = PanelRequest("[Mia] in the park, waving, happy", (WHO.name,))


def thumbnails(device: str = "auto") -> Iterator[tuple[str, bytes]]:
    """The name of each style that the house artist knows, and its picture."""
    from engine.story import draw_story  # with it comes torch

    for style in HOUSE.styles:
        request = DrawRequest((WHO,), (PANEL,), style=style, seed=7)
        for event in draw_story(request, device=device):
            if isinstance(event, PanelDrawn):
                yield style, small(event.png)


def small(png: bytes) -> bytes:
    """A PNG as a small WebP."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    file = BytesIO()
    picture.resize((PIXELS, PIXELS), Image.Resampling.LANCZOS).save(file, "WEBP", quality=QUALITY)
    return file.getvalue()


def main() -> None:
    THUMBNAILS.mkdir(exist_ok=True)
    for style, picture in thumbnails():
        (THUMBNAILS / f"{style}.webp").write_bytes(picture)
        print(f"{style}: {len(picture)} bytes")


if __name__ == "__main__":
    main()
