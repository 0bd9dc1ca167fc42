"""The comic page: panels with their pictures and words, typeset into pages."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from bot.errors import UnknownChoice
from bot.page.inking import LINE, draw_speech, draw_thought
from bot.page.layouts import LAYOUTS, Rect
from bot.page.lettering import draw_text
from bot.page.pictures import fitted
from bot.page.placing import PagePanel, PlacedWords
from bot.page.plan import PagePlan, PanelPlan, plan_pages

__all__ = ["PagePanel", "compose_pages", "draw_page", "placed_picture"]

PAPER = (255, 255, 255)
INK = (16, 16, 20)
CAPTION = (255, 244, 199)
BORDER = 5  # pixels of a panel's border


def compose_pages(
    panels: Sequence[PagePanel], layout: str, *, title: str | None = None
) -> list[Image.Image]:
    """The pages of a comic, about 1,200 pixels wide; none for the layout "pictures".

    Raises `UserError` for a layout that does not exist and for a missing font.
    """
    if layout not in LAYOUTS:
        raise UnknownChoice("layout", layout, LAYOUTS)
    if not LAYOUTS[layout].typeset or not panels:
        return []
    return [draw_page(plan, panels) for plan in plan_pages(panels, LAYOUTS[layout], title)]


def draw_page(plan: PagePlan, panels: Sequence[PagePanel]) -> Image.Image:
    """One planned page, drawn."""
    page = Image.new("RGB", (plan.width, plan.height), PAPER)
    if plan.title is not None:
        draw_text(page, plan.title.block, *plan.title.corner, INK)
    for panel in plan.panels:
        _draw_picture(page, panel, panels[panel.number].picture)
        if panel.words is not None:
            _draw_words(page, panel.words)
    return page


def _draw_picture(page: Image.Image, plan: PanelPlan, picture: Image.Image) -> None:
    page.paste(*placed_picture(plan, picture))
    _draw_border(page, plan.frame)


def placed_picture(plan: PanelPlan, picture: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """A picture as its panel shows it, and where its corner is on the page."""
    size = (int(plan.picture.width), int(plan.picture.height))
    headroom = int(plan.picture.top - plan.frame.top)
    if plan.words is not None and plan.words.form == "band":
        headroom = 0
    place = (int(plan.picture.left), int(plan.picture.top) - headroom)
    return fitted(picture, plan.crop, size, headroom), place


def _draw_border(page: Image.Image, box: Rect, width: float = BORDER) -> None:
    edges = (int(box.left), int(box.top), int(box.right) - 1, int(box.bottom) - 1)
    ImageDraw.Draw(page).rectangle(edges, outline=INK, width=round(width))


def _draw_words(page: Image.Image, words: PlacedWords) -> None:
    """Boxes, bands and balloons with their letters."""
    box = words.box
    if words.body is not None:
        centre = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
        draw = draw_thought if words.form == "thought" else draw_speech
        draw(page, words.body, centre, words.tip)
    else:
        edges = (int(box.left), int(box.top), int(box.right) - 1, int(box.bottom) - 1)
        ImageDraw.Draw(page).rectangle(edges, fill=CAPTION)
        _draw_border(page, box, LINE - 1 if words.form == "box" else BORDER)
    draw_text(page, words.block, *words.corner, INK)
