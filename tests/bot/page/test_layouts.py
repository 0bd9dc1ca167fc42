"""Every layout serves every number of panels: inside the page, apart, in reading order."""

from functools import cache
from itertools import combinations, pairwise

import pytest
from PIL import Image

from bot.page.layouts import LAYOUTS, MOST_PANELS, TALLEST, WIDEST, Rect
from bot.page.placing import Kind, PagePanel
from bot.page.plan import PagePlan, plan_pages

TYPESET = [name for name, layout in LAYOUTS.items() if layout.typeset]
PICTURE = Image.new("RGB", (64, 64))
CAPTIONS: list[tuple[str | None, Kind | None]] = [
    (None, None),
    ("Tom writes a piece of code.", "box"),
    ("Tabs, of course!", "speech"),
    ("他疯了吗？", "thought"),
    ("A caption that is much too long to stand over the picture of a panel. " * 5, "box"),
    ("And somebody who talks and talks and talks without an end. " * 4, "speech"),
    ("All the words of a whole book, or so it seems to the reader. " * 33, "box"),
]


@cache
def plans(layout: str, count: int, *, wordy: bool) -> list[PagePlan]:
    words = [CAPTIONS[number % len(CAPTIONS) if wordy else 0] for number in range(count)]
    panels = [PagePanel(PICTURE, text, kind, 0.3) for text, kind in words]
    return plan_pages(panels, LAYOUTS[layout], "A title" if wordy else None)


def overlap(a: Rect, b: Rect) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


def within(inner: Rect, outer: Rect, slack: float = 0.0) -> bool:
    return (
        inner.left >= outer.left - slack
        and inner.top >= outer.top - slack
        and inner.right <= outer.right + slack
        and inner.bottom <= outer.bottom + slack
    )


@pytest.mark.parametrize("wordy", [False, True])
@pytest.mark.parametrize("count", range(1, MOST_PANELS + 1))
@pytest.mark.parametrize("layout", TYPESET)
def test_panels_stand_inside_the_page_apart_and_in_order(
    layout: str, count: int, wordy: bool
) -> None:
    pages = plans(layout, count, wordy=wordy)
    assert [panel.number for page in pages for panel in page.panels] == list(range(count))
    for page in pages:
        paper = Rect(0, 0, page.width, page.height)
        cells = [panel.cell for panel in page.panels]
        assert all(within(cell, paper.shrunk(20)) for cell in cells)
        assert not any(overlap(a, b) for a, b in combinations(cells, 2))
        for a, b in pairwise(cells):
            assert b.top >= a.bottom or (b.top == a.top and b.left > a.right)
        for panel in page.panels:
            assert within(panel.frame, panel.cell)
            assert within(panel.picture, panel.frame)
            assert panel.words is None or within(panel.words.box, panel.cell, 0.5)


@pytest.mark.parametrize("wordy", [False, True])
@pytest.mark.parametrize("count", range(1, MOST_PANELS + 1))
@pytest.mark.parametrize("layout", TYPESET)
def test_no_picture_loses_more_than_a_quarter_or_is_stretched(
    layout: str, count: int, wordy: bool
) -> None:
    for page in plans(layout, count, wordy=wordy):
        for panel in page.panels:
            aspect = panel.picture.width / panel.picture.height
            assert TALLEST - 0.02 <= aspect <= WIDEST + 0.02
            assert panel.crop.width / panel.crop.height == pytest.approx(aspect)
            assert panel.crop.width * panel.crop.height >= 0.74 * PICTURE.width * PICTURE.height


@pytest.mark.parametrize("layout", TYPESET)
def test_no_page_is_too_high_to_be_posted(layout: str) -> None:
    for page in plans(layout, MOST_PANELS, wordy=False):
        assert page.height <= LAYOUTS[layout].tallest
        assert page.width + page.height <= 10_000  # what Telegram takes as a photo


def test_classic_rows_are_uneven_and_unlike_one_another() -> None:
    cells = [panel.cell for panel in plans("classic", 4, wordy=False)[0].panels]
    assert len({cell.width for cell in cells}) == 4


def test_a_row_is_cut_up_when_one_caption_is_far_too_long() -> None:
    long = PagePanel(PICTURE, "word " * 400, "box")
    plain = PagePanel(PICTURE, None)
    pages = plan_pages([plain, long], LAYOUTS["four-panel"])
    cells = [panel.cell for page in pages for panel in page.panels]
    assert all(cell.width == LAYOUTS["four-panel"].width([]) for cell in cells)
