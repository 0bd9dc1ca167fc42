"""Changing stories by commands, buttons and forms."""

from __future__ import annotations

import asyncio
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.words import say
from engine.models import HOUSE
from tests.bot.talks import SCRIPT, Talker, talk


async def begun(ann: Talker) -> None:
    await ann.types(SCRIPT)


async def drawn(ann: Talker) -> None:
    await ann.types(SCRIPT)
    await ann.asks("story draw")
    await ann.stage.draw_all()


def test_add_puts_a_line_where_it_is_wanted(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.asks("story add", line="[NC] a street", at=2)
        assert (await ann.lines())[1] == "a street"
        assert "at most 24 panels" in await ann.asks("story add", line="[NC] x\n" * 21)
        assert len(await ann.lines()) == 4

    talk(tmp_path, scene)


def test_undo_goes_back_step_by_step(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.types("[NC] one")
        await ann.types("[NC] two")
        await ann.asks("story undo")
        await ann.asks("story undo")
        assert len(await ann.lines()) == 3
        await ann.asks("story undo")
        assert "nothing" in await ann.asks("story undo")

    talk(tmp_path, scene)


def test_two_presses_of_undo_at_once_undo_once(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.types("[NC] one")
        await ann.types("[NC] two")
        undo = ann.buttons["Undo"]
        await asyncio.gather(ann.presses(undo), ann.presses(undo))
        assert len(await ann.lines()) == 4
        assert ann.replies[0].card is not None

    talk(tmp_path, scene)


def test_undo_keeps_what_was_drawn_since(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.types("[NC] one")
        await ann.asks("story draw")
        await ann.stage.draw_all()
        pictures = [panel.picture for panel in (await ann.story()).panels]
        await ann.asks("story undo")
        assert [panel.picture for panel in (await ann.story()).panels] == pictures[:3]

    talk(tmp_path, scene)


def test_move_and_its_limits(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.asks("story move", panel=3, to=1)
        assert (await ann.lines())[0] == "the office at night"
        assert (
            "there is no panel 4; the story has 3"
            in (await ann.asks("story move", panel=4, to=1)).lower()
        )
        assert "from 1 to 24" in await ann.asks("story move", panel=1, to=25)

    talk(tmp_path, scene)


def test_edit_all_shows_the_script_and_takes_another(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.presses("Edit all")
        cast, panels = (field.value for field in ann.form.fields)
        assert cast == "[Tom] a young programmer with glasses\n[Lisa] a woman with short hair"
        assert panels.splitlines()[1] == "[Lisa] next to [Tom], angry #(Lisa: Spaces.)"
        form = ann.form
        before = (await ann.story()).version
        await ann.fills(form)
        assert (await ann.story()).version == before
        await ann.fills(form, panels=panels.replace("angry", "happy") + "\n[NC] rain")
        assert (await ann.lines())[1:] == [
            "[Lisa] next to [Tom], happy",
            "the office at night",
            "rain",
        ]

    talk(tmp_path, scene)


def test_a_form_with_a_mistake_is_not_lost(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.asks("story edit")
        form = ann.form
        text = await ann.fills(form, panels="[Tom] sings\n[Tim] sings")
        assert text.startswith("Line 2, column 1: nobody is called [Tim]")
        assert len(await ann.lines()) == 3
        await ann.presses("Back to the form")
        assert ann.form.fields[1].value == "[Tom] sings\n[Tim] sings"
        assert ann.form.fields[0].value == form.fields[0].value
        await ann.fills(panels="[Tom] sings")
        assert await ann.lines() == ["[Tom] sings"]
        await ann.asks("story edit")
        assert ann.form.fields[1].value == "[Tom] sings"

    talk(tmp_path, scene)


def test_a_panel_that_begins_with_an_unknown_name_is_refused_with_the_nearest(
    tmp_path: Path,
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        assert "nearest known name is [Lisa]" in await ann.asks(
            "story edit", panel=1, line="[Lsia] sings"
        )
        assert [member.name for member in (await ann.story()).cast] == ["Tom", "Lisa"]

    talk(tmp_path, scene)


def test_one_panel_is_edited_by_option_or_by_form(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.asks("story edit", panel=1, line="[Tom] sings #La!")
        assert (await ann.lines())[0] == "[Tom] sings"
        await ann.asks("story edit", panel=2)
        await ann.fills(line="[NC] rain")
        assert (await ann.lines())[1] == "rain"
        for wrong in ("[Eve] a girl", "[Tom] a\n[Tom] b", "hello"):
            await ann.asks("story edit", panel=1, line=wrong)
            assert (await ann.lines())[0] == "[Tom] sings"
        assert "which panel" in await ann.asks("story edit", line="[NC] rain")

    talk(tmp_path, scene)


def test_a_caption_letters_the_page_again_without_drawing(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        await ann.asks("story show")
        (before,) = ann.files
        pictures = [panel.picture for panel in (await ann.story()).panels]
        await ann.asks("story caption", panel=1, words="(Lisa: No tabs!)")
        (after,) = ann.files
        panel = (await ann.story()).panels[0]
        assert (panel.caption, panel.kind, panel.speaker) == ("No tabs!", "thought", "Lisa")
        assert before != after
        assert [panel.picture for panel in (await ann.story()).panels] == pictures
        assert await ann.stage.ledger.of_person("test:ann") == []
        await ann.asks("story undo")
        await ann.asks("story show")
        assert ann.files == [before]

    talk(tmp_path, scene)


def test_edit_words_asks_for_the_panel_and_empty_words_take_them_away(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        await ann.asks("story show")
        await ann.presses("Edit words")
        await ann.presses("2")
        assert ann.form.fields[0].value == "(Lisa: Spaces.)"
        await ann.fills(words=" ")
        assert (await ann.story()).panels[1].caption is None
        assert "U+0000" in await ann.asks("story caption", panel=1, words="a\0b")
        await ann.asks("story caption", panel=3)
        await ann.fills(words="line one\nline two")
        assert (await ann.story()).panels[2].caption == "line one line two"

    talk(tmp_path, scene)


def test_style_and_layout_are_chosen_by_buttons(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        await ann.asks("story show")
        show = dict(ann.buttons)
        await ann.presses(show["Layout"])
        await ann.presses("webtoon")
        assert ((await ann.story()).layout, len(ann.files)) == ("webtoon", 1)
        await ann.presses(show["Style"])
        await ann.presses("noir")
        story = await ann.story()
        assert (story.style, [p.picture for p in story.panels], ann.files) == (
            "noir",
            [None] * 3,
            [],
        )
        await ann.asks("story edit", style="comic", title="Spaces", layout="pictures")
        story = await ann.story()
        assert (story.style, story.title, story.layout) == ("comic", "Spaces", "pictures")

    talk(tmp_path, scene)


def test_an_option_that_changes_nothing_shows_the_story_and_opens_no_form(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.asks("story edit", quality="draft")
        told = await ann.asks("story edit", quality="draft")
        assert "[Tom]" in told
        assert [reply.form for reply in ann.replies] == [None]

    talk(tmp_path, scene)


def test_styles_are_shown_as_words_and_as_a_picture_where_they_are_chosen(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        await ann.presses("Style")
        [question] = ann.replies
        for name in HOUSE.styles:
            assert say("en", "style.line", name=name, look=say("en", f"style.{name}")) in (
                question.text
            )
        assert "watercolour" not in question.text
        assert [button.label for row in question.buttons for button in row] == list(HOUSE.styles)
        [file] = question.files
        assert Image.open(BytesIO(file.content)).width > 900
        assert "noir" in file.alt

    talk(tmp_path, scene)


def test_a_style_that_the_model_cannot_draw_is_refused_with_those_it_can(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        answers = [await ann.asks("story new", style="clay")]
        await begun(ann)
        answers.append(await ann.asks("story edit", style="clay"))
        for words in answers:
            assert "he model house has not learnt the style “clay”" in words
            assert "comic, line-art, noir, pastel, none" in words
        assert (await ann.story()).style == "comic"

    talk(tmp_path, scene)


@pytest.mark.parametrize("data", ["style:{}:sepia", "layout:{}:", "panel:{}:gone", "caption:{}:x"])
def test_a_button_for_what_is_not_there_is_refused(tmp_path: Path, data: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        story = await ann.story()
        await ann._call("(press)", {"data": data.format(story.id)}, {})
        assert ann.replies[0].private
        assert await ann.story() == story

    talk(tmp_path, scene)


def test_a_story_too_long_for_a_form_says_how_else(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await begun(ann)
        for _ in range(3):
            await ann.types("[NC] " + "rain " * 300)
        assert "/story edit" in await ann.asks("story edit")

    talk(tmp_path, scene)
