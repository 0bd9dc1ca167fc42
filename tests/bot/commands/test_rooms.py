"""A story's room: typing lines, and how stories begin."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.animating import AboutAnimation
from bot.chat import ROOM, Place
from bot.requests import AboutPage
from tests.bot.talks import SCRIPT, Talker, picture, talk


def test_a_story_is_typed_line_by_line(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", title="Tabs")
        card = ann.replies[0].card
        assert (ann.replies[0].room, bool(card)) == ("Tabs", True)
        for line in SCRIPT.splitlines():
            await ann.types(line)
            assert [reply.card for reply in ann.replies] == [card]
        story = await ann.story()
        assert [member.name for member in story.cast] == ["Tom", "Lisa"]
        assert [p.caption for p in story.panels] == ["Tabs!", "Spaces.", "Silence."]
        assert "3. [NC] the office at night #Silence." in ann.text

    talk(tmp_path, scene)


def test_a_whole_script_in_a_direct_message_begins_a_story(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        assert len(await ann.lines()) == 3
        assert ann.replies[0].room == "Tom, Lisa"
        await ann.types("[NC] the street")
        assert len(await ann.lines()) == 4
        await ann.types(SCRIPT.replace("Tom", "Bob").replace("Lisa", "Eve"))
        assert "Bob" in (await ann.story()).cast[0].name
        assert len(await ann.stage.stories.of_owner("test:ann")) == 2

    talk(tmp_path, scene)


def test_a_first_line_in_a_direct_message_begins_one_too(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types("【汤姆】一个男孩")
        assert (await ann.story()).cast[0].name == "汤姆"

    talk(tmp_path, scene)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("hello", "Begin a story"),
        ("", "Begin a story"),
        ("[Tom", "never closed"),
        ("[Tom] a boy\n[Tom] and [Lisa]\n[Liza] waves #a", "nobody is called [Lisa]"),
        ("[Tom] waves #Hi!", "not introduced"),
    ],
)
def test_what_is_no_story_is_answered_in_a_direct_message(
    tmp_path: Path, text: str, answer: str
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert answer in await ann.types(text)
        assert ann.replies[0].private
        assert await ann.stage.stories.of_owner("test:ann") == []

    talk(tmp_path, scene)


def test_on_a_server_only_a_whole_script_is_meant_for_the_bot(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        for text in ("hello", "[Tom] a boy", "[Tom", "a\nb"):
            await ann.types(text)
            assert ann.replies == []
        await ann.types(SCRIPT)
        assert ann.replies[0].room == "Tom, Lisa"
        assert (await ann.story()).room is None  # until the adapter has opened a place

    talk(tmp_path, scene, server="guild")


def test_a_thread_that_was_opened_for_a_card_is_the_storys_room(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        card = ann.replies[0].card
        ann.place = bob.place = replace(ann.place, thread="t1")
        await ann._call(ROOM, {"card": card or ""}, {})
        await ann.types("[NC] the street")
        assert len(await ann.lines()) == 4
        await bob.types("[NC] nonsense")
        await bob.types(SCRIPT)
        assert (bob.replies, len(await ann.lines())) == ([], 4)

    talk(tmp_path, scene, server="guild")


def test_only_the_owner_can_give_a_story_its_room(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        text = await bob._call(ROOM, {"card": ann.replies[0].card or ""}, {})
        assert "no story" in text or "not" in text
        assert (await ann.story()).room == ann.place.key
        await ann._call(ROOM, {"card": "something else"}, {})
        assert ann.replies == []

    talk(tmp_path, scene)


def test_pages_of_ones_own_are_rooms_also_if_nobody_says_so(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.place = Place("test", "ann", "here")  # as in the local chat
        await ann.asks("story new")
        ann.place = replace(ann.place, thread="page1")
        await ann.types("[Tom] a boy\n[Tom] waves")
        assert (await ann.story()).room == ann.place.key
        assert len(await ann.lines()) == 1

    talk(tmp_path, scene)


def test_a_message_with_a_mistake_changes_nothing_and_says_where_it_is(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        before = await ann.story()
        text = await ann.types("[Tom] runs\n[Tomm] and [Liza] sit #x")
        assert text.startswith("Line 2")
        assert await ann.story() == before

    talk(tmp_path, scene)


def test_a_picture_that_comes_with_a_name_is_what_it_looks_like(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types("[Tom] a boy", file=picture())
        await ann.asks("story new")
        await ann.types("[Tom] a boy", file=picture())
        assert (await ann.story()).cast[0].reference is not None
        assert "not used" in await ann.types("[Tom] waves", file=picture())
        assert "empty" in await ann.types("[Eve] a girl", file=b"")
        assert len((await ann.story()).cast) == 1

    talk(tmp_path, scene)


def test_story_new_takes_everything_at_once(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks(
            "story new", title="Tabs", script=SCRIPT, style="noir", layout="strip",
            picture=picture(), character="lisa",
        )  # fmt: skip
        story = await ann.story()
        assert (story.title, story.style, story.layout) == ("Tabs", "noir", "strip")
        assert [bool(member.reference) for member in story.cast] == [False, True]

    talk(tmp_path, scene)


def test_a_picture_needs_a_name(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert "whom the picture shows" in await ann.asks("story new", picture=picture())
        await ann.asks("story new", picture=picture(), character="Tom")
        assert (await ann.story()).cast[0].name == "Tom"
        await ann.asks("story new", picture=picture(), script=SCRIPT)
        assert (await ann.story()).cast[0].reference

    talk(tmp_path, scene)


def test_a_wrong_script_makes_no_story(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert (await ann.asks("story new", script="[Tom] a boy")).startswith("The story has")
        assert await ann.stage.stories.of_owner("test:ann") == []

    talk(tmp_path, scene)


def test_the_next_page_has_the_same_cast(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", title="Tabs", script=SCRIPT)
        await ann.asks("story draw")
        await ann.stage.draw_all()
        first = await ann.story()
        await ann.asks("story continue")
        page = await ann.story()
        assert (page.title, page.parent, page.panels) == ("Tabs (2)", first.id, ())
        assert [member.reference for member in page.cast] == [
            first.panels[0].picture,
            first.panels[1].picture and None,  # Lisa is never alone
        ]
        await ann.types("[Tom] sleeps")
        await ann.asks("story continue")
        assert (await ann.story()).title == "Tabs (3)"

    talk(tmp_path, scene)


def test_the_next_page_is_called_by_its_title_though_it_has_no_heading(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", title="Tabs", script=SCRIPT)
        await ann.asks("story draw")
        await ann.stage.draw_all()
        await ann.asks("story continue")
        await ann.types("[Tom] sleeps")
        await ann.asks("story draw")
        page = AboutPage.from_json((await ann.job()).about)
        assert (page.title, page.name("en")) == ("", "Tabs (2)")
        assert "Tabs (2), 1 panel:" in await ann.asks("queue")
        before = json.loads(page.to_json())
        del before["called"]  # as an older version of the bot has queued it
        assert AboutPage.from_json(json.dumps(before)).name("en") == "Tom"
        await ann.stage.draw_all()
        await ann.asks("story animate", what="page")
        moving = AboutAnimation.from_json((await ann.job()).about)
        assert (moving.title, moving.name("en")) == ("", "Tabs (2)")

    talk(tmp_path, scene)


def test_the_queue_calls_a_story_without_a_title_by_who_is_in_it(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story draw")
        assert "Tom, Lisa, 3 panels:" in await ann.asks("queue")

    talk(tmp_path, scene)


def test_there_is_no_blank_between_two_chinese_sentences_of_the_queue(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("language", to="zh")
        assert await ann.asks("queue") == "你没有在等任何东西。队列里一共有0个。"

    talk(tmp_path, scene)


def test_a_mistyped_name_is_asked_about_and_becomes_a_panel_of_who_was_meant(
    tmp_path: Path,
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.types("[NC] rain\n[Tmo] waves in the park\n[NC] snow")
        card, question = ann.replies
        assert "Tmo" in card.text
        assert question.text == "Tmo is new. Did you mean Tom?"
        assert [b.label for b in question.buttons[0]] == ["Keep Tmo", "I meant Tom"]
        meant = ann.buttons["I meant Tom"]
        assert "That was Tom: panel 5." in await ann.presses(meant)
        story = await ann.story()
        assert [member.name for member in story.cast] == ["Tom", "Lisa"]
        assert (await ann.lines())[3:] == ["rain", "[Tom] waves in the park", "snow"]
        assert story.panels[4].characters == ("Tom",)
        assert "has changed since" in await ann.presses(meant)  # a second press does nothing
        assert len(await ann.lines()) == 6

    talk(tmp_path, scene)


def test_a_new_name_like_a_known_one_can_be_kept(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.types("[Tim] an old man")
        meant = ann.buttons["I meant Tom"]
        assert "Tim stays" in await ann.presses("Keep Tim")
        await ann.types("[Tim] waves")
        assert "in a panel already" in await ann.presses(meant)
        names = [member.name for member in (await ann.story()).cast]
        assert names == ["Tom", "Lisa", "Tim"]
        bob.replies = ann.replies
        assert "Tim" not in await bob.presses(meant)  # it is not his story

    talk(tmp_path, scene)


def test_a_new_name_like_no_other_is_told_and_can_be_taken_back(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.types("[Zoe] jumps")
        card, told = ann.replies
        assert "[Zoe] jumps" in card.text
        assert told.text.startswith("New in this story: Zoe. ")
        [[undo]] = told.buttons
        await ann.presses(undo)
        assert [member.name for member in (await ann.story()).cast] == ["Tom", "Lisa"]
        await ann.presses(undo)  # a second press does nothing
        assert len(await ann.lines()) == 3

    talk(tmp_path, scene)


def test_a_mistyped_name_is_asked_about_in_chinese(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("language", to="zh")
        await ann.types("[汤姆] 一个男孩\n\n[汤姆] 挥手")
        await ann.types("【汤母】跑步")
        assert "汤母是新角色。你是想写汤姆吗？" in ann.text
        assert "改成了汤姆：第2格。" in await ann.presses("我是指汤姆")

    talk(tmp_path, scene)
