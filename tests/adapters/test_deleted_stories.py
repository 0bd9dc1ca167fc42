"""A story that is deleted, in every chat: its card says so wherever it stands, its room too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.telegram_chat import TelegramChat
from bot.chat import MESSAGE, Call, CommandInfo, Reply
from bot.words import say
from tests.adapters.discord_peer import DiscordPeer, until
from tests.adapters.discord_people import Someone, labels
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot, play
from tests.adapters.test_contract import CHATS, talking
from tests.adapters.test_discord_story import inkwell, thread_of

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
