"""Who is noted in the database: whoever uses the bot, and nobody who only talks where it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat import FORM, PRESS, ROOM
from tests.bot.talks import SCRIPT, Stage, Talker, picture, talk


async def noted(stage: Stage) -> set[tuple[str, str]]:
    """Whom the database knows, by key and name."""
    rows = await stage.database.rows("SELECT key, name FROM people")
    return {(row["key"], row["name"]) for row in rows}


def changes(stage: Stage) -> int:
    """How many rows have been written since the database was opened."""
    return stage.database._writer.total_changes


def test_what_people_say_among_themselves_leaves_no_trace(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        before = changes(ann.stage)
        for text in ("hello", "", "[Tom] a boy", "a\nb", "[Tom] a boy\n[Tim waves", "\ud800"):
            await bob.types(text, file=picture())
            assert bob.replies == []
        assert (await noted(ann.stage), changes(ann.stage)) == (set(), before)

    talk(tmp_path, scene, server="guild")


def test_in_a_storys_room_the_one_who_writes_it_is_noted_and_no_bystander(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        card = ann.replies[0].card or ""
        assert await noted(ann.stage) == {("test:ann", "Ann")}
        ann.place = bob.place = replace(ann.place, thread="t1")
        await ann._call(ROOM, {"card": card}, {})
        for text in ("hello", "[NC] nonsense", SCRIPT):
            await bob.types(text)
            assert bob.replies == []
        assert await noted(ann.stage) == {("test:ann", "Ann")}
        ann.person = replace(ann.person, name="Anna")
        await ann.types("[NC] the street")
        assert len(await ann.lines()) == 4
        assert await noted(ann.stage) == {("test:ann", "Anna")}

    talk(tmp_path, scene, server="guild")


def test_somebody_known_is_left_as_they_are_where_they_talk_with_others(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("help")
        ann.person = replace(ann.person, name="Anna")
        before = changes(ann.stage)
        await ann.types("hello")
        assert (await noted(ann.stage), changes(ann.stage)) == ({("test:ann", "Ann")}, before)

    talk(tmp_path, scene, server="guild")


def test_whom_a_server_refuses_is_not_noted_for_a_script(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.stage.bot.stores.people.change_server("test:guild", who="managers")
        await bob.types(SCRIPT)
        assert (bob.replies, await noted(bob.stage)) == ([], set())

    talk(tmp_path, scene, server="guild")


@pytest.mark.parametrize("way", ["command", "press", "form", "direct message"])
def test_whoever_uses_the_bot_is_noted(tmp_path: Path, way: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        match way:
            case "command":
                await ann.asks("help")
            case "press":
                await ann._call(PRESS, {"data": "draw:gone"}, {})
            case "form":
                await ann._call(FORM, {"data": "edit:gone"}, {})
            case "direct message":
                await ann.types("hello")
        assert ann.replies
        assert await noted(ann.stage) == {("test:ann", "Ann")}

    talk(tmp_path, scene, server=None if way == "direct message" else "guild")
