"""Rooms of stories that were deleted, and rooms in which another story begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat import ROOM, Place
from bot.words import languages, say
from tests.bot.talks import SCRIPT, Talker, talk

LEFT = say("en", "story.room_left")


async def in_own_room(ann: Talker, thread: str) -> None:
    """A story begins where Ann is, and gets a room of its own."""
    await ann.asks("story new", title=thread, script=SCRIPT)
    card = ann.replies[0].card or ""
    ann.place = replace(ann.place, thread=thread)
    await ann._call(ROOM, {"card": card}, {})


async def deletes_it(ann: Talker) -> None:
    await ann.asks("story delete")
    await ann.presses("Delete for ever")


@pytest.mark.parametrize("begin", ["new", "continue", "remix"])
def test_a_story_that_begins_in_anothers_room_leaves_that_one_its_room(
    tmp_path: Path, begin: str
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.place = Place("test", "ann", "here")  # as in the local chat
        await in_own_room(ann, "Tabs")
        await ann.asks(f"story {begin}")
        second = ann.replies[0].card or ""
        first = ann.place
        ann.place = replace(first, thread="second")
        await ann._call(ROOM, {"card": second}, {})
        ann.place = first
        await ann.types("[NC] the street")
        stories = await ann.stage.stories.of_owner("test:ann")
        rooms = {story.room: len(story.panels) for story in stories}
        assert rooms[first.key] == 4
        assert rooms[replace(first, thread="second").key] in (0, 3)

    talk(tmp_path, scene)


@pytest.mark.parametrize("place", [Place("test", "ann", "here"), Place("test", "hall", "guild")])
def test_a_line_in_the_room_of_a_deleted_story_is_answered_and_begins_none(
    tmp_path: Path, place: Place
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.place = bob.place = place
        await in_own_room(ann, "Tabs")
        room = ann.place
        ann.place = place  # it can be deleted from anywhere
        await ann.asks("story delete")
        await ann.presses("Delete for ever")
        ann.place = bob.place = room
        for line in ("[Tom] in the park", "hello", SCRIPT):
            assert await ann.types(line) == LEFT
        await bob.types("hello")
        assert LEFT not in bob.text
        assert await ann.stage.stories.of_owner("test:ann") == []

    talk(tmp_path, scene)


def test_a_command_without_a_story_does_nothing_to_another_one_there(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.place = Place("test", "ann", "here")
        await ann.asks("story new", title="Kept", script=SCRIPT)
        await in_own_room(ann, "Tabs")
        await deletes_it(ann)
        for command in ("draw", "undo", "delete", "show"):
            assert await ann.asks(f"story {command}") == LEFT
        assert "Kept" in await ann.asks("story show", story="Kept")

    talk(tmp_path, scene)


def test_a_story_that_gets_the_room_of_a_deleted_one_is_typed_on_there(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.place = Place("test", "ann", "here")
        await in_own_room(ann, "Tabs")
        await deletes_it(ann)
        await in_own_room(ann, "Tabs")
        await ann.types("[NC] the street")
        assert len(await ann.lines()) == 4

    talk(tmp_path, scene)


def test_after_a_direct_message_lost_its_story_the_next_one_begins_there(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await deletes_it(ann)
        await ann.types(SCRIPT)
        assert len(await ann.lines()) == 3

    talk(tmp_path, scene)


def test_nothing_of_left_rooms_stays_of_somebody_who_is_forgotten(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.place = Place("test", "ann", "here")
        await in_own_room(ann, "Tabs")
        await deletes_it(ann)
        await ann.asks("forget")
        await ann.presses("Delete everything")
        assert await ann.stage.database.rows("SELECT * FROM left_rooms") == []

    talk(tmp_path, scene)


def test_undo_is_said_beside_the_card_and_not_on_it(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.types("[NC] the street")
        await ann.presses("Undo")
        card, said = ann.replies
        undone = say("en", "story.undone")
        assert (undone in card.text, said.text) == (False, undone)

    talk(tmp_path, scene)


def test_a_card_says_what_its_star_means_and_only_then(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        mark = say("en", "story.card_mark")
        assert mark not in await ann.types(SCRIPT)
        await ann.asks("character new", name="Ben", description="a boy")
        assert mark in await ann.types("[Ben] in the park")
        assert "Characters (3 of" in ann.text

    talk(tmp_path, scene)


def test_a_list_of_characters_has_no_heading_without_any_below(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        own, shared = say("en", "character.list_head"), say("en", "character.shared_head")
        await ann.asks("character new", name="Ben", description="a boy")
        assert shared not in await ann.asks("character list")
        await ann.asks("character share", character="Ben", with_="everyone")
        listed = await bob.asks("character list")
        assert (own in listed, shared in listed) == (False, True)

    talk(tmp_path, scene)


@pytest.mark.parametrize("language", languages())
def test_in_the_local_chat_nobody_hears_of_servers_when_sharing(
    tmp_path: Path, language: str
) -> None:
    words: Mapping[str, str] = {"en": "server", "zh": "服务器"}

    async def scene(ann: Talker, bob: Talker) -> None:
        ann.place = Place("web", "ann", "here")
        await ann.asks("story new", script=SCRIPT)
        await ann.asks("story draw")
        await ann.stage.draw_all()
        await ann.asks("language", to=language)
        await ann.asks("story show")
        await ann.presses(say(language, "button.share"))
        assert words[language] not in "".join([ann.text, *ann.buttons])
        await ann.presses(say(language, "button.share_local"))
        assert words[language] not in ann.text
        await ann.asks("character new", name="Ben", description="x")
        assert words[language] not in await ann.asks("character share", character="Ben")

    talk(tmp_path, scene)
