"""Whom the bot answers in a group, whom it remembers, and whom managers mean on Telegram."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import telegram

from adapters.telegram_chat import FILE, TelegramChat
from adapters.telegram_people import People
from adapters.telegram_storage import STEPS, Storage
from bot.words import say
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot, play
from tests.adapters.telegram_user import Json, User, administrator
from tests.adapters.test_telegram_story import inkwell

ANONYMOUS: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group"}


@pytest.mark.parametrize("typed", ["/ban@rosebot", "/ban Tom", "/echo@rosebot", "/start"])
def test_a_command_of_an_anonymous_admin_for_another_bot_is_not_ours(
    tmp_path: Path, typed: str
) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        ann.says(typed, room=room, sender_chat=room.to_json(), **{"from": ANONYMOUS})
        ann.says("/echo hi", room=room)
        await peer.until_says(room.id, "hi")
        ann.says("/ban@inkwell_bot", room=room, sender_chat=room.to_json(), **{"from": ANONYMOUS})
        await peer.until_says(room.id, "Stop being anonymous")
        assert len(peer.shown(room.id)) == 2

    play(tmp_path, scene)


def test_who_only_talks_with_others_in_a_group_is_not_remembered(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob, room = peer.person("Ann"), peer.person("Bob"), peer.group()
        said = ann.says("Tabs are better", room=room)
        ann.says("Tabs\nare better", room=room)
        ann.says("no, really", room=room, reply_to=said)
        ann.says("/roll 6", room=room)
        ann.says("/echo@another_bot hi", room=room)
        bob.says("/echo hi", room=room)
        await peer.until_says(room.id, "hi")

    play(tmp_path, scene)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT name FROM people").fetchall() == [("Bob",)]


def test_managers_block_by_reply_by_mention_and_by_user_name(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, inkwell(peer, tmp_path):
            ann, bob = peer.person("Ann"), peer.person("Bob", username="Bobby")
            room = peer.group(forum=True, topics={900: "Chat"})
            room.admins.append(administrator(ann.json))
            for person in (ann, bob):
                person.says("/start")
                await peer.until_says(person.id, "Hello!")

            async def sets(typed: str, answer: str, **more: Json | list[Json]) -> None:
                count = len(peer.shown(ann.id))
                ann.says(f"/settings {typed}", room=room, topic=900, **more)
                await peer.until(lambda: len(peer.shown(ann.id)) > count)
                assert answer in peer.texts(ann.id)[-1]

            async def is_refused(person: User) -> None:
                count = len(peer.shown(person.id))
                person.says("/story_new Tabs", room=room)
                await peer.until(lambda: len(peer.shown(person.id)) > count)
                assert "do not let you" in peer.texts(person.id)[-1]

            said = bob.says("Tabs are better", room=room, topic=900)
            await sets("block", "may not use me here any more", reply_to=said)
            await is_refused(bob)
            await sets("unblock=@bobby", "may use me here again")
            bob.says("/story_new Spaces", room=room)
            await peer.until_says(room.id, "Spaces")
            await sets("block=@Bobby", "may not use me here any more")
            await is_refused(bob)
            await sets("unblock", "may use me here again", reply_to=said)
            mention = {"type": "text_mention", "offset": 16, "length": 3, "user": bob.json}
            await sets("block=Bob", "may not use me here any more", entities=[mention])
            await is_refused(bob)
            unknown = say("en", "settings.whom_telegram")[1:]
            for typed in ("block=@nobody", "block=Bob", "block"):
                await sets(typed, unknown)

    asyncio.run(run())


def test_a_user_name_is_its_newest_owners_and_an_older_file_learns_them(tmp_path: Path) -> None:
    def user(id: int, username: str | None) -> telegram.User:
        return telegram.User(id, "Somebody", is_bot=False, username=username)

    async def run() -> None:
        storage = await Storage.open(path)
        people = People(storage)
        assert (await storage.row("SELECT started FROM people WHERE id = '7'")) is not None
        await people.met(user(7, "Tom"))
        assert await people.with_username("tOM") == "7"
        await people.met(user(8, "tom"))
        assert await people.with_username("Tom") == "8"
        assert await people.can_be_written_to("7")
        await people.met(user(8, None))
        assert await people.with_username("Tom") is None
        await storage.close()

    path = tmp_path / FILE
    with closing(sqlite3.connect(path)) as older:
        older.executescript(f"BEGIN; {STEPS[0]} PRAGMA user_version = 1; COMMIT;")
        older.execute("INSERT INTO people VALUES ('7', 'Tom', 'en', 1)")
        older.commit()
    asyncio.run(run())
