"""Lettering as one step: the same pages as the page module makes, from plain data."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image

from bot.errors import UnknownChoice
from bot.page.layouts import LAYOUTS
from bot.page.letter import DrawnPanel, letter, side_of
from bot.page.page import PagePanel, compose_pages


def drawn(number: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (128, 128), (100 + 20 * number, 160, 200)).save(file, "PNG")
    return file.getvalue()


PANELS = [
    DrawnPanel(drawn(0), "Tom writes code.", "box"),
    DrawnPanel(drawn(1), "Tabs!", "speech", 0.25),
    DrawnPanel(drawn(2), "他疯了吗？", "thought", 0.75),
    DrawnPanel(drawn(3)),
]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_pages_are_those_of_the_page_module(layout: str) -> None:
    opened = [PagePanel(Image.open(BytesIO(p.picture)), p.caption, p.kind, p.side) for p in PANELS]
    pages = compose_pages(opened, layout, title="Tab or space?")
    files = letter(PANELS, layout, "Tab or space?")
    read = [Image.open(BytesIO(file)) for file in files]
    assert [(page.format, page.tobytes()) for page in read] == [("PNG", p.tobytes()) for p in pages]


def test_what_goes_in_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(PANELS)) == PANELS


def test_several_threads_make_the_same_bytes_as_one() -> None:
    layouts = ["four-panel", "classic", "strip", "four-panel"]
    alone = [letter(PANELS, layout) for layout in layouts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda layout: letter(PANELS, layout), layouts)) == alone


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(UnknownChoice):
        letter(PANELS, "spiral")


@pytest.mark.parametrize(
    ("speaker", "characters", "side"),
    [
        ("Tom", ("Tom", "Lisa"), 0.25),
        ("Lisa", ("Tom", "Lisa"), 0.75),
        ("Tom", ("Tom",), 0.5),
        ("Tom", ("Lisa",), None),
        ("Tom", (), None),
        (None, ("Tom",), None),
    ],
)
def test_a_speaker_stands_where_the_text_names_them(
    speaker: str | None, characters: tuple[str, ...], side: float | None
) -> None:
    assert side_of(speaker, characters) == side
