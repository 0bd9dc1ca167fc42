"""Character sheets: the same person in four poses on one card, with name and description."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw
from uniseg.graphemecluster import grapheme_clusters

from bot.page.layouts import Rect
from bot.page.letter import opened_rgb, png
from bot.page.lettering import TextBlock, draw_text, set_text
from bot.page.page import BORDER, INK, PAPER
from bot.page.pictures import crop_for, fitted
from bot.page.poster import Room, poster_block
from bot.page.writing import cjk_language, clean

MARGIN, GUTTER, GAP = 40, 20, 28  # pixels; the gap is above the description
WIDTH = 1120  # pixels between the margins
NAME_SIZES = (44.0, 96.0)  # pixels an em: the smallest and the largest
NAME_HEIGHT = 200.0  # pixels that a name may take
LONGEST_NAME, LONGEST_DESCRIPTION = 60, 400  # graphemes; what is beyond never fits the card
DESCRIPTION_SIZE, DESCRIPTION_LINES = 30, 3
MOST_PICTURES = 4


def character_sheet(
    pictures: Sequence[bytes], name: str, description: str = "", *, across: int = 2
) -> bytes:
    """One to four pictures of a person, `across` a row (2: a square, 4: a strip), as a PNG.

    Pictures that would leave a row unfilled stand in one row. The card is 1,200 pixels wide. The
    name stands above the pictures, and at most three lines of the description below. Raises
    `UserError` when the font of a script is missing, `ValueError` for another number of pictures.
    """
    if not 1 <= len(pictures) <= MOST_PICTURES:
        raise ValueError(f"a character sheet has 1 to {MOST_PICTURES} pictures")
    heading = _name(clean(name), description)
    words = _description(clean(description), name)
    top = MARGIN + (round(heading.height) + GUTTER if heading else 0)
    cells = _cells(len(pictures), len(pictures) if len(pictures) % across else across, top)
    bottom = round(cells[-1].bottom)
    height = bottom + (round(words.height) + GAP if words else 0) + MARGIN
    card = Image.new("RGB", (WIDTH + 2 * MARGIN, height), PAPER)
    for picture, cell in zip(pictures, cells, strict=True):
        _paste(card, opened_rgb(picture), cell)
    for block, place in ((heading, MARGIN), (words, bottom + GAP)):
        if block is not None:
            draw_text(card, block, (card.width - block.width) / 2, place, INK)
    return png(card)


def _name(name: str, description: str) -> TextBlock | None:
    if not name:
        return None
    smallest, largest = NAME_SIZES
    room = Room(WIDTH, NAME_HEIGHT, smallest, largest)
    return poster_block(_shortened(name, LONGEST_NAME), room, [description])


def _description(words: str, name: str) -> TextBlock | None:
    """As many of the words as three lines hold."""
    if not words:
        return None
    language = cjk_language(words, [name])

    def shown(most: int) -> TextBlock:
        text = _shortened(words, most)
        return set_text(text, language, WIDTH, DESCRIPTION_SIZE, "centre")

    low, high = 1, LONGEST_DESCRIPTION
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(shown(middle).lines) <= DESCRIPTION_LINES
        low, high = (middle, high) if fits else (low, middle - 1)
    return shown(low)


def _shortened(words: str, most: int) -> str:
    """At most `most` graphemes of the words, with an ellipsis where some are left out."""
    letters = list(grapheme_clusters(words))
    if len(letters) <= most:
        return words
    return "".join(letters[:most]).rstrip(" ,，、;；") + "…"


def _cells(count: int, across: int, top: int) -> list[Rect]:
    """Squares in rows, from left to right."""
    side = (WIDTH - GUTTER * (across - 1)) // across
    corners = [
        (
            MARGIN + number % across * (side + GUTTER),
            top + number // across * (side + GUTTER),
        )
        for number in range(count)
    ]
    return [Rect(left, upper, left + side, upper + side) for left, upper in corners]


def _paste(card: Image.Image, picture: Image.Image, cell: Rect) -> None:
    size = (round(cell.width), round(cell.height))
    corner = (round(cell.left), round(cell.top))
    card.paste(fitted(picture, crop_for(picture.size, 1.0), size, 0), corner)
    edges = (*corner, corner[0] + size[0] - 1, corner[1] + size[1] - 1)
    ImageDraw.Draw(card).rectangle(edges, outline=INK, width=BORDER)
