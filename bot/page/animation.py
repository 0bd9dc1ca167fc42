"""Comics that move: from panel to panel, or a page whose panels come alive one after the other.

Only the pictures move. The letters are those of the page and stand still over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.page.layouts import LAYOUTS, Rect
from bot.page.letter import opened_rgb
from bot.page.moving import TICK, Film, Frames, Pixels, even, resized
from bot.page.page import draw_page, placed_picture
from bot.page.placing import PagePanel, Words, place, words_for
from bot.page.plan import PagePlan, PanelPlan, plan_pages
from bot.page.writing import cjk_language, clean

WIDTHS = (512, 768)  # pixels: narrower pictures are enlarged, wider ones made smaller
PAGE_WIDTH = 720  # pixels of a moving page, at most
PAGE_PIXELS = 1_600_000  # of one, at most: a tall page is narrower
HOLD, LONGEST_HOLD = 8, 24  # ticks that a panel's own picture stands; longer where words are read
LETTERS_A_TICK = 3  # that are read; wide ones of East Asia count twice


@dataclass(frozen=True)
class Window:
    """One panel's frame on a page, through which a picture is seen behind the letters.

    `ink` is what is seen there over black, `clear` how much of the picture, 0 to 255; `size` is
    the picture's, in pixels, that the plan was made for.
    """

    plan: PanelPlan
    size: tuple[int, int]
    ink: Pixels
    clear: NDArray[np.uint16]

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns of the page."""
        frame = self.plan.frame
        return slice(int(frame.top), int(frame.bottom)), slice(int(frame.left), int(frame.right))

    def showing(self, picture: Image.Image) -> Pixels:
        """The frame's pixels with the picture in it."""
        rows, columns = self.place
        ground = Image.new("RGB", (columns.stop - columns.start, rows.stop - rows.start))
        if picture.size != self.size:
            picture = picture.resize(self.size, Image.Resampling.LANCZOS)
        fitted, (left, top) = placed_picture(self.plan, picture)
        ground.paste(fitted, (left - columns.start, top - rows.start))
        seen = np.asarray(ground, np.uint16) * self.clear // 255
        return (self.ink + seen).astype(np.uint8)


def windows(plan: PagePlan, panels: Sequence[PagePanel]) -> list[Window]:
    """The panels of a page: drawn over black and over white, the letters show by themselves."""
    over = {}
    for shade in ("black", "white"):
        blank = [replace(p, picture=Image.new("RGB", p.picture.size, shade)) for p in panels]
        over[shade] = np.asarray(draw_page(plan, blank))
    clear = over["white"].astype(np.uint16) - over["black"]
    found = [
        Window(one, panels[one.number].picture.size, over["black"], clear) for one in plan.panels
    ]
    return [replace(w, ink=w.ink[w.place], clear=w.clear[w.place]) for w in found]


# -- from panel to panel ----------------------------------------------------------------------


def moving_panels(
    panels: Sequence[PagePanel], frames: Sequence[bytes], segment: int, *, lettered: bool = True
) -> Film:
    """One picture that moves from panel to panel, `segment` frames (PNG) each, both ends counted.

    One panel alone moves to another pose and back: 2 * (segment - 1) frames. Each panel's words
    stand from its own picture up to the next one's.
    """
    first = opened_rgb(frames[0])
    said = [
        replace(one, picture=first, caption=one.caption if lettered else None) for one in panels
    ]
    shown = [windows(plan, said)[0] for plan in panel_plans(said, first.size)]
    steps = segment - 1
    owner = [min(number // steps, len(panels) - 1) for number in range(len(frames))]

    def draw(number: int) -> Pixels:
        return shown[owner[number]].showing(opened_rgb(frames[number]))

    is_key = [number % steps == 0 for number in range(len(frames))]
    times = [
        TICK * (hold(said[own].caption) if key else 1)
        for key, own in zip(is_key, owner, strict=True)
    ]
    if len(panels) == 1 and len(frames) > steps:
        times[steps] = TICK * HOLD  # the words were read before
    keys = frozenset(number for number, key in enumerate(is_key) if key)
    return Film(Frames(len(frames), draw), times, keys)


def panel_plans(panels: Sequence[PagePanel], size: tuple[int, int]) -> list[PagePlan]:
    """A page of its own for each panel, whose pictures have `size`.

    All are equally large, with room for the longest words.
    """
    wide = min(max(size[0], WIDTHS[0]), WIDTHS[1])
    width, height = even((wide, size[1] * wide / size[0]))
    said = [replace(one, caption=clean(one.caption or "") or None) for one in panels]
    captions = [one.caption for one in said if one.caption]
    words = [words_of(one, captions, width, height) for one in said]
    strip = 2 * ceil(max((one.strip for one in words if one), default=0.0) / 2)
    frame, picture = Rect(0, 0, width, strip + height), Rect(0, strip, width, strip + height)

    def at(x: float, y: float) -> tuple[float, float]:
        return min(0.94, max(0.06, x)) * width, strip + y * height

    plans = []
    for panel, own in zip(said, words, strict=True):
        top = strip - own.strip if own and own.body else 0  # a balloon stays near who speaks
        cell = replace(frame, top=top)
        placed = place(own, cell, picture, at, panel.side) if own else None
        crop = Rect(0, 0, *size)
        # Number 0: each is the only panel of its page.
        only = PanelPlan(0, frame, frame, picture, crop, placed)
        plans.append(PagePlan(width, strip + height, (only,)))
    return plans


def words_of(panel: PagePanel, captions: Sequence[str], width: int, height: int) -> Words | None:
    if panel.caption is None:
        return None
    language = cjk_language(panel.caption, captions)
    layout = LAYOUTS["classic"]
    return words_for(panel.caption, panel.kind or "box", language, layout, width, height)


def hold(caption: str | None) -> int:
    """Ticks that a panel stands still: long enough for its words."""
    letters = sum(1 + (east_asian_width(letter) in "WF") for letter in caption or "")
    return min(LONGEST_HOLD, max(HOLD, ceil(letters / LETTERS_A_TICK)))


# -- the page ---------------------------------------------------------------------------------


def moving_pages(
    panels: Sequence[PagePanel],
    layout: str,
    alive: Mapping[int, Sequence[bytes]],
    title: str | None = None,
) -> list[Film]:
    """The pages of a comic on which the panels in `alive` move one after the other.

    `alive` holds the frames (PNG) of panels by number from 0; each begins and ends with its own
    picture. A page of which nothing moves is left out. None for a layout without pages.
    """
    if not LAYOUTS[layout].typeset or not panels:
        return []
    plans = plan_pages(panels, LAYOUTS[layout], title)
    wanted = [plan for plan in plans if any(one.number in alive for one in plan.panels)]
    return [moving_page(plan, panels, alive) for plan in wanted]


def moving_page(
    plan: PagePlan, panels: Sequence[PagePanel], alive: Mapping[int, Sequence[bytes]]
) -> Film:
    """One planned page; at its beginning and after each panel it stands still."""
    still = np.asarray(draw_page(plan, panels))
    scale = min(1.0, PAGE_WIDTH / plan.width, sqrt(PAGE_PIXELS / (plan.width * plan.height)))
    size = even((plan.width * scale, plan.height * scale))
    shots = list(page_shots(windows(plan, panels), alive))

    def draw(number: int) -> Pixels:
        shot = shots[number]
        if shot.window is None or shot.frame is None:
            return resized(still, size)
        page = still.copy()
        page[shot.window.place] = shot.window.showing(opened_rgb(shot.frame))
        return resized(page, size)

    keys = frozenset(number for number, shot in enumerate(shots) if shot.key)
    return Film(Frames(len(shots), draw), [TICK * shot.ticks for shot in shots], keys)


@dataclass(frozen=True)
class Shot:
    """A moment of a page: one panel shows another frame, or all is as drawn."""

    ticks: int
    key: bool = False
    window: Window | None = None
    frame: bytes | None = None


def page_shots(shown: Sequence[Window], alive: Mapping[int, Sequence[bytes]]) -> Iterator[Shot]:
    yield Shot(HOLD, key=True)
    for window in shown:
        frames = alive.get(window.plan.number, ())
        middle = len(frames) // 2  # the other pose
        for number, frame in enumerate(frames):
            if number == middle:
                yield Shot(HOLD // 2, True, window, frame)
            elif number:  # the first is the picture itself
                yield Shot(1, False, window, frame)
        if frames:
            yield Shot(HOLD, key=True)
