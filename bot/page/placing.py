"""One panel's words: which form they take, how large they are set, and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from PIL import Image

from bot.page.balloons import Body, Point, balloon_body
from bot.page.inking import LINE
from bot.page.layouts import TALLEST, Layout, Rect
from bot.page.lettering import TextBlock, set_text
from bot.page.writing import direction

Kind = Literal["box", "speech", "thought"]
Form = Literal["box", "band", "beside", "speech", "thought"]

SMALLEST = 22  # pixels an em that can still be read
INSET = 16.0  # between a panel's border and a box or balloon inside
PAD_X, PAD_Y = 18.0, 13.0  # between a caption and its box
BOX_SHARE, BALLOON_SHARE = 0.22, 0.25  # of a picture's height that lettering may cover
SHORT_BOX_SHARE = 0.26  # … when a box has no more than two lines
AIRY_SHARE = 0.1  # … where it may float above the panel instead
LARGEST_STRIP = 0.5  # of a panel's width: what may stand above its picture before letters shrink
LONGEST_LINE = 25.0  # ems; a longer line is hard to read
BESIDE = 900.0  # pixels: a panel this wide may have its caption beside the picture
LEAST_TAIL = 44.0  # pixels
HEAD = 0.32  # of a picture's height from its top: where the heads of people are


@dataclass(frozen=True)
class PagePanel:
    """One panel: its picture, and words with how they are said.

    `side` is the speaker's horizontal position in the picture, 0 left to 1 right; None: the
    speaker is not in the picture, and the balloon has no tail.
    """

    picture: Image.Image
    caption: str | None = None
    kind: Kind | None = None
    side: float | None = None


@dataclass(frozen=True)
class Words:
    """Lettering of one panel before it has a place; pixels.

    `strip` is the height it needs above the picture, or the width beside it.
    """

    form: Form
    block: TextBlock
    width: float
    height: float
    strip: float
    body: Body | None = None
    inset: float = INSET  # from the top of the panel
    right_to_left: bool = False


@dataclass(frozen=True)
class PlacedWords:
    """Lettering on the page: `box` holds it all but the tail, the text's corner is at `corner`.

    `tip` is where a balloon's tail ends, None for a voice from outside the panel.
    """

    form: Form
    box: Rect
    block: TextBlock
    corner: Point
    body: Body | None = None
    tip: Point | None = None


def words_for(
    caption: str, kind: Kind, language: str, layout: Layout, width: float, height: float
) -> Words:
    """The clean `caption` set for a panel of `width` with a picture of `height` pixels.

    Letters shrink, down to `SMALLEST`, only when they would need more than `LARGEST_STRIP` of
    the width above the picture; after that the strip grows.
    """
    room = _Room(width, height, language, layout.is_airy)
    size, largest = layout.letters, LARGEST_STRIP * width
    words = room.words(caption, kind, size)
    while words.strip > largest and size > SMALLEST:
        is_hopeless = words.strip * (SMALLEST / size) ** 2 > 1.2 * largest
        size = SMALLEST if is_hopeless else size - 2
        words = room.words(caption, kind, size)
    return replace(words, right_to_left=direction(caption) == 1)


@dataclass(frozen=True)
class _Room:
    """A panel of `width` whose picture is `height` pixels high, and how its words may stand."""

    width: float
    height: float
    language: str
    is_airy: bool

    def words(self, caption: str, kind: Kind, size: float) -> Words:
        return self._box(caption, size) if kind == "box" else self._balloon(caption, size, kind)

    def _box(self, caption: str, size: float) -> Words:
        """A box over the top of the picture when it is low enough, else a band above it."""
        inner = min(self.width - 2 * (INSET + PAD_X), LONGEST_LINE * size)
        block = set_text(caption, self.language, inner, size, "start")
        width, height = block.width + 2 * PAD_X, block.height + 2 * PAD_Y
        if self.is_airy:
            return Words("box", block, width, height, height - self._airy(height), inset=0)
        share = SHORT_BOX_SHARE if len(block.lines) <= 2 else BOX_SHARE
        if INSET + height <= share * self.height:
            return Words("box", block, width, height, 0.0)
        block = set_text(caption, self.language, self.width - 2 * (PAD_X + LINE), size, "start")
        height = block.height + 2 * (PAD_Y + LINE)
        return Words("band", block, self.width, height, height)

    def _balloon(self, caption: str, size: float, kind: Kind) -> Words:
        """A balloon over the top of the picture; what it needs more of is headroom."""
        is_thought = kind == "thought"
        body = balloon_body(caption, self.language, self.width - 2 * INSET, size, is_thought)
        inset = 0.0 if self.is_airy else INSET
        covered = self._airy(body.height) if self.is_airy else BALLOON_SHARE * self.height
        strip = max(0.0, inset + body.height - covered)
        form: Form = "thought" if is_thought else "speech"
        return Words(form, body.block, body.width, body.height, strip, body, inset)

    def _airy(self, height: float) -> float:
        """How much of floating words of this height stands over the picture."""
        return min(0.45 * height, AIRY_SHARE * self.height)


def beside(caption: str, language: str, layout: Layout, width: float) -> Words | None:
    """The caption set beside a picture in a panel of `width`, if it is wide and that is enough."""
    half = width / 2
    if width < BESIDE:
        return None
    for size in range(layout.letters, SMALLEST + 1, -2):
        block = set_text(caption, language, half - 3 * PAD_X, float(size), "start")
        height = block.height + 4 * PAD_Y
        if height <= half / TALLEST:
            is_rtl = direction(caption) == 1
            return Words("beside", block, half, height, half, right_to_left=is_rtl)
    return None


def place(
    words: Words,
    cell: Rect,
    picture: Rect,
    at: Callable[[float, float], Point],
    side: float | None,
) -> PlacedWords:
    """`words` in their `cell`; `at` gives the page's point for one of the picture (0 to 1)."""
    if words.body is not None:
        return _place_balloon(words, words.body, cell, at, side)
    if words.form == "box":
        left = cell.right - INSET - words.width if words.right_to_left else cell.left + INSET
        top = cell.top + words.inset
        box = Rect(left, top, left + words.width, top + words.height)
    elif words.form == "band":
        box = Rect(cell.left, cell.top, cell.right, picture.top)
    elif words.right_to_left:
        box = Rect(cell.left, cell.top, picture.left, cell.bottom)
    else:
        box = Rect(picture.right, cell.top, cell.right, cell.bottom)
    return PlacedWords(words.form, box, words.block, _corner(words, box))


def _corner(words: Words, box: Rect) -> Point:
    """Where the text begins: in the middle of the height, and of what is left of the width."""
    top = box.top + (box.height - words.block.height) / 2
    free = box.width - words.block.width
    if words.form == "band":
        free = 2 * (PAD_X + LINE) if not words.right_to_left else 2 * (free - PAD_X - LINE)
    return (box.left + free / 2, top)


def _place_balloon(
    words: Words, body: Body, cell: Rect, at: Callable[[float, float], Point], side: float | None
) -> PlacedWords:
    """Between the speaker and the middle of the panel, its tail going down to the speaker."""
    head_x, head_y = at(0.5 if side is None else side, HEAD)
    middle = (cell.left + cell.right) / 2
    reach = (cell.width - body.width) / 2 - INSET
    wanted = (head_x - middle) / 2 if side is not None else 0.0
    if side is not None and abs(wanted) < 0.1 * cell.width:
        wanted = -0.12 * cell.width  # not right above a head, so that the tail can be seen to lean
    centre_x = middle + max(-reach, min(reach, wanted))
    top = cell.top + words.inset
    box = Rect(centre_x - body.width / 2, top, centre_x + body.width / 2, top + body.height)
    tip = (head_x, max(head_y, box.bottom + LEAST_TAIL)) if side is not None else None
    corner = (centre_x - words.block.width / 2, top + (body.height - words.block.height) / 2)
    return PlacedWords(words.form, box, words.block, corner, body, tip)
