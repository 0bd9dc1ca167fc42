"""A story that is deleted, in every chat: its card says so wherever it stands, its room too."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from adapters.discord_away import GET
from adapters.telegram_chat import TelegramChat
from bot.chat import MESSAGE, Call, CommandInfo, Reply
from bot.words import say
from tests.adapters.discord_peer import DiscordPeer, until
from tests.adapters.discord_people import Someone, labels
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot, play
from tests.adapters.test_contract import CHATS, talking
from tests.adapters.test_discord_story import SCRIPT, bounded, inkwell, thread_of
from tests.adapters.test_telegram_inline import found
from tests.adapters.test_telegram_story import drawn_story
from tests.adapters.test_telegram_story import inkwell as telegram

DELETED = say("en", "story.deleted", title="Tabs")


@pytest.mark.parametrize("chat", CHATS)
def test_the_card_says_that_its_story_is_deleted_and_has_no_buttons(
    chat: str, tmp_path: Path
) -> None:
    async def run() -> None:
        async with talking(chat, tmp_path) as (stage, store):
            ann = await stage.person("Ann", "en")
            await ann.new("Tabs")
            await ann.say("[Tom] a man")
            await ann.say("[Tom] types")
            card = await ann.finds(lambda seen: seen.data("Draw"), "a card that can be drawn")
            await ann.command("story delete")
            await ann.press("button.erase")
            await ann.finds(lambda seen: seen.text == DELETED, "what became of it")
            async with asyncio.timeout(20):
                while any(seen.data("Draw") for seen in await ann.seen()):
                    await asyncio.sleep(0.05)
            assert card.text not in [seen.text for seen in await ann.seen()]
            assert store.rows("SELECT * FROM stories") == []

    asyncio.run(run())


def test_on_discord_the_thread_of_a_deleted_story_answers_to_lines(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            ann = Someone(peer)
            async with inkwell(peer, tmp_path):
                await ann.uses("story new", title="Tabs")
                room = ann.at(thread_of(peer))
                card = peer.in_channel(room.where)[0]
                assert "Edit all" in labels(card)
                asked = await ann.uses("story delete", story="Tabs")  # from the channel
                await ann.presses(asked.messages[0], "Delete for ever")
                await until(lambda: peer.in_channel(room.where)[0]["content"] == DELETED)
                assert labels(peer.in_channel(room.where)[0]) == []
                await room.types("[Tom] in the park")
                left = say("en", "story.room_left")
                await until(lambda: left in peer.in_channel(room.where)[-1]["content"])

    asyncio.run(run())


def test_where_the_bot_is_no_member_nothing_of_it_waits_any_more(tmp_path: Path) -> None:
    mail = "SELECT post FROM mail UNION ALL SELECT name FROM mail_files"

    async def run() -> None:
        async with DiscordPeer() as peer:
            ann = Someone(peer).at("group")
            async with inkwell(peer, tmp_path) as bot:
                shown = await ann.uses("story new", title="Tabs", script=SCRIPT)
                drawn = await ann.uses("story draw")
                drawn.fresh = False  # what is drawn is not told at once
                async with asyncio.timeout(60):
                    while (await bot.ledger.get(1)).state != "delivered":
                        await asyncio.sleep(0.05)
                file = tmp_path / "discord" / "discord.sqlite3"
                assert any(".png" in row[0] for row in rows(file, mail))
                asked = await ann.uses("story delete")
                erased = await ann.presses(asked.messages[0], "Delete for ever")
                await until(lambda: DELETED in erased.text)
                assert rows(file, mail) == []
                button = {"type": 2, "id": 2, "style": 1, "label": "Get result", "custom_id": GET}
                row = {"type": 1, "id": 1, "components": [button]}
                notice = {**shown.messages[0], "components": [row]}
                late = await ann.presses(notice, "Get result")
                assert (late.text, late.private) == (say("en", "discord.nothing_yet"), [True])

    asyncio.run(bounded(run()))


def test_on_telegram_nobody_finds_its_pages_any_more(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, telegram(peer, tmp_path):
            ann, bob = peer.person("Ann"), peer.person("Bob")
            await drawn_story(peer, ann)
            ann.presses("Share")
            await peer.until_says(ann.id, "Who shall be able to see this story?")
            ann.presses("Everyone")
            shared = await peer.until_says(ann.id, "https://t.me/inkwell_bot?start=story_")
            bob.says(f"/start {shared['text'].rpartition('?start=')[2].split()[0]}")
            async with asyncio.timeout(60):
                while not (await found(peer, ann) and await found(peer, bob)):
                    await asyncio.sleep(0.05)
            ann.says("/story_delete")
            await peer.until(lambda: "Delete for ever" in ann.buttons())
            ann.presses("Delete for ever")
            await peer.until_says(ann.id, "is deleted")
            assert await found(peer, ann) == []
            assert await found(peer, bob) == []
            file = tmp_path / "telegram" / "telegram.sqlite3"
            assert rows(file, "SELECT * FROM pictures") == []

    asyncio.run(bounded(run()))


def rows(file: Path, sql: str) -> list[tuple[str, ...]]:
    """What a chat's own file holds."""
    with closing(sqlite3.connect(file)) as reader:
        return reader.execute(sql).fetchall()


class DeletingBot(TalkingBot):
    """Deletes its first story on demand."""

    async def answer(self, call: Call) -> Sequence[Reply]:
        if call.command == "delete":
            return (Reply("Deleted.", private=True, gone=(next(iter(self.lines)),)),)
        return await super().answer(call)


def test_on_telegram_the_topic_of_a_deleted_story_is_still_listened_to(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        rights = {"status": "administrator", "can_manage_topics": True}
        room = peer.group(forum=True, me=rights)
        ann.says("/story_new Tabs", room=room)
        card = await peer.until_says(room.id, "0 lines")
        await peer.until(lambda: bot.rooms)
        (topic,) = room.topics
        ann.says("/delete", room=room)
        await peer.until_says(room.id, "Deleted.")
        where = (room.id, card["message_id"])
        await peer.until(lambda: peer.messages[where]["text"] == "Deleted.")
        assert "reply_markup" not in peer.messages[where]
        ann.says("[Tom] in the park", room=room, topic=topic)
        await peer.until(lambda: bot.calls[-1].command == MESSAGE)

    delete = CommandInfo("delete", "help.help")
    play(tmp_path, scene, DeletingBot(commands=(*TalkingBot().commands, delete)))
