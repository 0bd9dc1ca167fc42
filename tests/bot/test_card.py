"""The story card: everything in one message, however long the story is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.buttons import decode
from bot.card import (
    MOST_TEXT,
    card_name,
    is_drawn,
    page_buttons,
    story_card,
    story_of_card,
    title_of,
    words_tag,
)
from bot.commands import PRESSES
from bot.script import MAX_CHARACTERS, MAX_PANELS
from bot.stories import CastMember, Panel, Story

SHA = "0" * 64


def story(cast: int = 1, panels: int = 1, words: str = "waves", sha: str | None = None) -> Story:
    names = ["Tom", *(f"c{number}" for number in range(2, cast + 1))][:cast]
    return Story(
        id="k3vq7mzt2a",
        owner="test:ann",
        title="",
        style="comic",
        layout="classic",
        seed=1,
        cast=tuple(CastMember(name, words, None, None) for name in names),
        panels=tuple(
            Panel(str(n), f"[Tom] {words}", f"hi {n}", "speech", "Tom", ("Tom",), n, sha)
            for n in range(panels)
        ),
        room=None,
        shared_with=(),
        parent=None,
        created=0,
        changed=0,
        version=1,
    )


def labels(rows: object) -> list[list[str]]:
    return [[button.label for button in row] for row in rows]  # type: ignore[attr-defined]


def test_a_card_shows_cast_and_panels_as_they_are_typed() -> None:
    text = story_card(replace(story(), title="Tabs"), "en").text
    assert text.splitlines()[0] == "Tabs"
    assert "• [Tom] waves" in text
    assert "1. [Tom] waves #Tom: hi 0" in text


def test_before_drawing_there_are_five_buttons_and_afterwards_also_those_of_a_page() -> None:
    before = [["Draw", "Undo", "Edit all"], ["Style", "Layout"]]
    assert labels(story_card(story(), "en").buttons) == before
    after = [["Redraw", "Edit words", "Meme", "Share", "Delete"], ["Animate", "Living panel"]]
    assert labels(story_card(story(sha=SHA), "en").buttons) == before + after
    assert labels(page_buttons("k3vq7mzt2a", "en")) == after


def test_without_panels_there_is_nothing_to_draw() -> None:
    assert labels(story_card(story(panels=0), "en").buttons)[0] == ["Undo", "Edit all"]


def test_every_button_of_a_card_does_something() -> None:
    for row in story_card(story(sha=SHA), "zh").buttons:
        for button in row:
            assert decode(button.data).action in PRESSES


@pytest.mark.parametrize("words", ["x" * 1990, "漫" * 1990, "😀" * 1990, "a\u202eb " * 100])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_longest_story_fits_into_one_message(words: str, language: str) -> None:
    long = replace(story(MAX_CHARACTERS, MAX_PANELS, words), title="t" * 80)
    text = story_card(long, language).text
    assert len(text) <= MOST_TEXT
    assert text.count("\n") >= MAX_CHARACTERS + MAX_PANELS
    assert "\u202e" not in text


def test_an_empty_card_says_what_to_type() -> None:
    assert "[Tom]" in story_card(replace(story(), cast=(), panels=()), "en").text


def test_a_story_without_a_title_is_called_after_its_cast() -> None:
    assert title_of(story(cast=2), "en") == "Tom, c2"
    assert title_of(story(cast=0), "en") == "Untitled"
    assert title_of(replace(story(), title="<b>\x1b"), "en") == "<b>\ufffd"


def test_a_card_has_one_name_for_ever_and_tells_its_story() -> None:
    assert story_of_card(card_name(story())) == "k3vq7mzt2a"
    assert story_card(story(), "en").card == card_name(story())
    assert (story_of_card("job 3"), story_of_card("story "), story_of_card("")) == (None,) * 3


def test_a_story_is_drawn_when_every_panel_is() -> None:
    assert not is_drawn(story(panels=0))
    assert not is_drawn(story(panels=2))
    assert is_drawn(story(panels=2, sha=SHA))


def test_the_tag_of_the_words_changes_with_them_and_not_with_pictures() -> None:
    assert words_tag(story()) == words_tag(replace(story(sha=SHA), version=7))
    assert words_tag(story()) != words_tag(story(words="runs"))
    assert words_tag(story()) != words_tag(replace(story(), style="noir"))
