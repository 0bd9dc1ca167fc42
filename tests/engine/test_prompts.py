"""The words a model reads."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from engine.house.show_styles import PIXELS
from engine.models import HOUSE
from engine.prompts import (
    THUMBNAILS,
    Style,
    drawable,
    fitting,
    load_styles,
    panel_prompt,
    portrait_prompt,
    same_name,
    shortened,
    styles_of,
    thumbnail,
)
from engine.request import CharacterRequest, DrawRequest, PanelRequest

CAST = {
    same_name(c.name): c
    for c in (
        CharacterRequest("Tom", "a young programmer with glasses."),
        CharacterRequest("丽莎", "一个女开发者，短发。"),
        CharacterRequest("Mute", ""),
    )
}
COMIC = Style("comic", "comic", "漫画", "")


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        (
            "[Tom] in the office, typing",
            "Tom, a young programmer with glasses, in the office, typing, comic",
        ),
        ("[Tom]", "Tom, a young programmer with glasses, comic"),
        (
            "in the park, [tom] and [ＴＯＭ] wave",
            "in the park, Tom, a young programmer with glasses, and Tom wave, comic",
        ),
        ("[丽莎] 在同一个公园，看着同一张桌子", "丽莎，一个女开发者，短发，在公园，看着桌子，漫画"),
        ("【丽莎】 在公园", "丽莎，一个女开发者，短发，在公园，漫画"),
        ("[Mute] in the same office, on the Same chair", "Mute in the office, on the chair, comic"),
        ("[Mute] runs", "Mute runs, comic"),
        ("[NC] the empty office", "the empty office, comic"),
        ("[Tom], angry", "Tom, a young programmer with glasses, angry, comic"),
    ],
)
def test_names_become_descriptions(text: str, prompt: str) -> None:
    assert panel_prompt(PanelRequest(text, ()), CAST, COMIC) == prompt


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[Mute] in the office, looking at Tom's code", "Mute in the office, looking at the code"),
        ("[Mute] reads Tom’s letter and waves at Tom", "Mute reads the letter and waves"),
        ("[NC] tom's desk, next to Tom", "the desk"),
        ("[Mute] with tomatoes, a Tom in hand", "Mute with tomatoes, a Tom in hand"),
        ("[Mute] 在查看丽莎的代码", "Mute 在查看代码"),
        ("[Mute] 向丽莎挥手，看着自己和丽莎的代码", "Mute 挥手，看着自己的代码"),
        ("[Mute] 看着Tom的代码", "Mute 看着代码"),
        ("[Mute] 抱着一只丽莎", "Mute 抱着一只丽莎"),
    ],
)
def test_somebody_who_is_not_in_the_panel_is_not_named(text: str, words: str) -> None:
    none = Style("none", "", "", "")
    assert panel_prompt(PanelRequest(text, ("Mute",)), CAST, none) == words


def test_who_is_in_the_panel_may_be_named_again_without_brackets() -> None:
    words = panel_prompt(PanelRequest("[Tom] and [Mute] at Tom's desk", ()), CAST, COMIC)
    assert words.endswith("and Mute at Tom's desk, comic")


def test_a_name_that_is_a_part_of_one_in_the_panel_stays_in_it() -> None:
    cast = CAST | {"tom sawyer": CharacterRequest("Tom Sawyer", "")}
    words = panel_prompt(PanelRequest("[Tom Sawyer] at Tom Sawyer's desk", ()), cast, COMIC)
    assert words == "Tom Sawyer at Tom Sawyer's desk, comic"


def test_a_portrait_speaks_the_language_of_the_description() -> None:
    assert portrait_prompt(CAST["丽莎"], COMIC) == "丽莎，一个女开发者，短发，站着，漫画"


def test_every_style_has_words_for_both_languages_or_none_at_all() -> None:
    for name, style in load_styles().items():
        assert (
            bool(style.prompt) == bool(style.prompt_zh) == bool(style.negative) == (name != "none")
        )


def test_every_style_names_one_that_the_house_artist_draws_in_its_place() -> None:
    for name, style in load_styles().items():
        assert drawable(name, HOUSE.styles) == (name if name in HOUSE.styles else style.like)
        assert drawable(name, ()) == name
    assert styles_of(HOUSE.styles) == HOUSE.styles
    assert styles_of(()) == tuple(load_styles())


@pytest.mark.parametrize("style", HOUSE.styles)
def test_every_style_of_the_house_artist_has_a_small_picture(style: str) -> None:
    content = thumbnail(style)
    assert content is not None
    assert len(content) < 10_000
    assert Image.open(BytesIO(content)).size == (PIXELS, PIXELS)


def test_no_small_picture_is_left_over() -> None:
    pictures = {path.stem for path in THUMBNAILS.iterdir()}
    assert pictures == set(HOUSE.styles)
    assert thumbnail("photo") is None


def test_a_request_survives_its_journey_through_json() -> None:
    request = DrawRequest(
        (CharacterRequest("汤姆", "x"),), (PanelRequest("[汤姆]", ("汤姆",)),), seed=3, rate=0.4
    )
    assert DrawRequest.from_json(request.to_json()) == request


@pytest.mark.parametrize("length", [10, 300, 1900])
def test_an_endless_description_leaves_room_for_action_and_style(length: int) -> None:
    sam = CharacterRequest(
        "Sam", "a man with " + "very " * (length // 5) + "red hair, a blue shirt"
    )
    cast = {"sam": sam}

    def prompt(share: float) -> str:
        return panel_prompt(
            PanelRequest("[Sam] in the kitchen, waving", ("Sam",)), cast, COMIC, share
        )

    words, share = fitting(prompt, lambda text: len(text) < 120)
    assert words.startswith("Sam")
    assert words.endswith("in the kitchen, waving, comic")
    assert (share == 1) == (length == 10)


@pytest.mark.parametrize(
    ("description", "share", "short"),
    [
        ("a man, red hair, a blue shirt", 0.7, "a man, red hair"),
        ("a very tall man", 0.6, "a very"),
        ("一个男人，红色头发，蓝色衬衫", 0.8, "一个男人，红色头发"),
        ("一个高高的男人", 0.6, "一个高高"),
        ("a man", 1.0, "a man"),
    ],
)
def test_a_description_is_shortened_at_the_end_of_a_clause(
    description: str, share: float, short: str
) -> None:
    assert shortened(description, share) == short


@pytest.mark.parametrize(
    "name",
    [
        *("\u200bTom\u200b", "\ufeffTOM", "Ｔｏｍ\u2060", " tom "),
        *("\u200fTom", "Tom\u200d", "\u2067 Tom\u2069", "\u202bTo\u200em\u202c", "Tom\u200c\u061c"),
    ],
)
def test_a_name_is_known_whatever_was_copied_along(name: str) -> None:
    assert same_name(name) == "tom"


def test_joiners_inside_a_name_are_part_of_it() -> None:
    assert same_name("می\u200cنا") != same_name("مینا")
