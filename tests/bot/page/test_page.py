"""Pages as they come out: drawn ink where the plan says, and no input that breaks them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from bot.errors import UserError
from bot.page.layouts import LAYOUTS, Rect
from bot.page.page import PagePanel, compose_pages, draw_page
from bot.page.placing import Kind
from bot.page.plan import plan_pages

TYPESET = [name for name, layout in LAYOUTS.items() if layout.typeset]
HOSTILE = [
    "\ud83d\udc00",
    "\u202e\u2066\u2067\u200f",
    "a" + "\u0301" * 1999,
    "\x00\x07\x1b[31m\x7f",
    "\u200b\u200d\u2060\ufeff",
    "\ufe0f\u20e3",
    "W" * 2000,
    "﷽" * 50,
    "\U0010ffff\ue000\ufffe",
    "‏" + "(" * 300,
]


def scene(number: int = 0, pixels: int = 256) -> Image.Image:
    """A flat picture; its colours tell panels apart."""
    sky = Image.new("RGB", (pixels, pixels), (120 + 5 * number % 100, 170, 220))
    sky.paste((230, 180, 140), (pixels // 3, pixels // 3, pixels // 2, pixels // 2))
    return sky


def story(count: int) -> list[PagePanel]:
    words: list[tuple[str | None, Kind | None]] = [
        ("Tom writes code.", "box"),
        ("Tabs!", "speech"),
        ("他疯了吗？", "thought"),
        (None, None),
    ]
    chosen = [words[number % 4] for number in range(count)]
    return [PagePanel(scene(n), text, kind, 0.3) for n, (text, kind) in enumerate(chosen)]


@pytest.mark.parametrize("layout", TYPESET)
def test_pages_of_a_layout_are_pictures_of_the_planned_size(layout: str) -> None:
    pages = compose_pages(story(9), layout, title="Tab or space?")
    plan = plan_pages(story(9), LAYOUTS[layout], "Tab or space?")
    assert [page.size for page in pages] == [(p.width, p.height) for p in plan]
    assert all(page.getpixel((3, 3)) == (255, 255, 255) for page in pages)


def test_the_layout_pictures_has_no_page() -> None:
    assert compose_pages(story(4), "pictures") == []


def test_an_unknown_layout_names_the_nearest_and_all() -> None:
    with pytest.raises(UserError, match=r"four-panel.*classic.*four-panel.*strip.*webtoon"):
        compose_pages(story(1), "fourpanel")


def test_the_same_story_gives_the_same_bytes() -> None:
    first, second = (compose_pages(story(4), "classic")[0].tobytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("kind", ["box", "speech", "thought"])
@pytest.mark.parametrize("layout", TYPESET)
@pytest.mark.parametrize("text", ["No!", "Lisa asks Tom whether he uses tabs. " * 4, "空格" * 150])
def test_words_leave_ink_only_in_their_box_and_tail(layout: str, kind: Kind, text: str) -> None:
    panel = PagePanel(scene(), text, kind, 0.7)
    plan = plan_pages([panel], LAYOUTS[layout])[0]
    bare = replace(plan, panels=tuple(replace(p, words=None) for p in plan.panels))
    changed = ImageChops.difference(draw_page(plan, [panel]), draw_page(bare, [panel]))
    words = plan.panels[0].words
    assert words is not None
    room = words.box
    if words.tip is not None:
        x, y = words.tip
        room = Rect(min(room.left, x), room.top, max(room.right, x), max(room.bottom, y))
    left, top, right, bottom = changed.getbbox() or (0, 0, 0, 0)
    assert left >= room.left - 12
    assert top >= room.top - 12
    assert right <= room.right + 12
    assert bottom <= room.bottom + 12


@pytest.mark.parametrize("kind", ["box", "speech", "thought"])
def test_faces_stay_free(kind: Kind) -> None:
    plan = plan_pages(
        [PagePanel(scene(), "Tabs, of course! " * 6, kind, 0.5)] * 4,
        LAYOUTS["four-panel"],
    )[0]
    for panel in plan.panels:
        assert panel.words is not None
        assert panel.words.box.bottom <= panel.picture.top + 0.3 * panel.picture.height


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", ["box", "speech", "thought"])
def test_hostile_strings_neither_crash_nor_leave_the_panel(text: str, kind: Kind) -> None:
    panel = PagePanel(scene(), text, kind, 0.5)
    plan = plan_pages([panel, panel], LAYOUTS["four-panel"], title=text)[0]
    draw_page(plan, [panel, panel])
    for placed in plan.panels:
        if placed.words is not None:
            assert placed.words.box.left >= placed.cell.left - 0.5
            assert placed.words.box.right <= placed.cell.right + 0.5
            assert placed.words.box.bottom <= placed.cell.bottom + 0.5


@given(st.text(st.characters(codec=None), max_size=200), st.sampled_from(["speech", "thought"]))
@settings(max_examples=40, deadline=None)
def test_anything_can_be_said(text: str, kind: Kind) -> None:
    panel = PagePanel(scene(), text, kind, 0.2)
    assert compose_pages([panel], "strip")


@pytest.mark.parametrize("side", [-3.0, 0.0, 1.0, 7.0])
def test_a_speaker_outside_the_picture_gets_a_tail_inside_it(side: float) -> None:
    plan = plan_pages([PagePanel(scene(), "Here!", "speech", side)], LAYOUTS["strip"])[0].panels[0]
    assert plan.words is not None
    assert plan.words.tip is not None
    assert plan.picture.left < plan.words.tip[0] < plan.picture.right


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
@pytest.mark.parametrize("size", [(256, 256), (1024, 1024), (640, 480), (3, 200)])
def test_pictures_of_any_mode_and_size_are_taken(mode: str, size: tuple[int, int]) -> None:
    panel = PagePanel(Image.new(mode, size), "Here!", "speech", 0.5)
    assert len(compose_pages([panel] * 2, "four-panel")) == 1
