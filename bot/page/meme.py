"""Memes: a picture with words at its top and bottom in poster letters, or in a bar above it."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from bot.errors import Refusal
from bot.page.layouts import Rect
from bot.page.letter import png
from bot.page.lettering import TextBlock, draw_text, set_text
from bot.page.pictures import fitted
from bot.page.poster import Room, draw_poster, poster_block
from bot.page.writing import cjk_language, clean

LONGEST = 200  # characters of one of the words
WIDTHS = (1080, 1600)  # pixels: smaller pictures are enlarged, larger ones made smaller
TALLEST = 2400  # pixels
LEAST = (540, 432)  # pixels; a narrower or lower picture gets black beside or above and below
SHARE, SHARE_ALONE = 0.26, 0.36  # of the height that top and bottom words may cover each
MARGIN = 0.025  # of the width, between words and edges
SIZES = (0.036, 0.125)  # of the width: the smallest letters and the largest, an em
TALL = 0.6  # of the height counts as width where that is more
BAR_SIZES = (0.058, 0.034)  # … in the bar, as few lines as these allow
BAR_LINES = 3  # that are taken at the largest size
PAPER, INK = (255, 255, 255), (16, 16, 20)


def meme(picture: bytes, *, top: str = "", bottom: str = "", caption: str = "") -> bytes:
    """The picture (upright, any format) with words of any script on it or above it, as a PNG.

    It is 1,080 to 1,600 pixels wide, or 2,400 high. Raises `Refusal` when there are no words at
    all, when some are longer than `LONGEST` characters, and when the picture cannot be read;
    `UserError` when the font of a script is missing.
    """
    upper, lower, said = (_checked(words) for words in (top, bottom, caption))
    if not (upper or lower or said):
        raise Refusal("meme.no_words")
    image = _on_black(_sized(_opened(picture)))
    share = SHARE if upper and lower else SHARE_ALONE
    others = (upper, lower, said)
    margin = round(MARGIN * image.width)
    for words, is_lower in ((upper, False), (lower, True)):
        if words:
            block = _block(words, image, share, others)
            left = (image.width - block.width) / 2
            free = image.height - block.height - margin
            draw_poster(image, block, left, free if is_lower else margin)
    return png(_under_bar(image, said, others) if said else image)


def _checked(words: str) -> str:
    """The words as they can be lettered; "" where nothing of them can be seen."""
    if len(words.strip()) > LONGEST:
        raise Refusal("meme.too_long", limit=LONGEST, length=len(words.strip()))
    return clean(words)


def _opened(picture: bytes) -> Image.Image:
    try:
        image = Image.open(BytesIO(picture))
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refusal("meme.no_picture") from error
    return image


def _sized(picture: Image.Image) -> Image.Image:
    """As wide as letters need to be smooth; its proportions stay."""
    width, height = picture.size
    wanted = min(max(width, WIDTHS[0]), WIDTHS[1])
    scale = min(wanted / width, TALLEST / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return fitted(picture, Rect(0, 0, width, height), size, 0)


def _on_black(picture: Image.Image) -> Image.Image:
    """With black around it where there would be no room for letters."""
    width, height = max(picture.width, LEAST[0]), max(picture.height, LEAST[1])
    whole = Image.new("RGB", (width, height))
    whole.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    return whole


def _block(words: str, image: Image.Image, share: float, others: tuple[str, ...]) -> TextBlock:
    width, height = image.width * (1 - 2 * MARGIN), image.height * share
    smallest, largest = (size * max(image.width, TALL * image.height) for size in SIZES)
    return poster_block(words, Room(width, height, smallest, largest), others)


def _under_bar(image: Image.Image, words: str, others: tuple[str, ...]) -> Image.Image:
    """The picture under a white bar that holds the words in the comic's lettering."""
    margin = round(0.04 * image.width)
    language = cjk_language(words, others)
    largest, smallest = (round(share * image.width) for share in BAR_SIZES)
    for size in range(largest, smallest - 1, -2):
        block = set_text(words, language, image.width - 2 * margin, size, "centre")
        if len(block.lines) <= BAR_LINES:
            break
    height = round(block.height) + 2 * margin
    whole = Image.new("RGB", (image.width, image.height + height), PAPER)
    whole.paste(image, (0, height))
    draw_text(whole, block, (image.width - block.width) / 2, margin, INK)
    return whole
