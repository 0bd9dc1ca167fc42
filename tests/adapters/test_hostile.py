"""What people do to a bot on Discord and Telegram: floods, pings, files broken under it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.discord_chat import FILE as DISCORD_FILE
from adapters.telegram_chat import FILE as TELEGRAM_FILE
from adapters.telegram_chat import TelegramChat
from adapters.telegram_order import MOST_AT_ONCE, MOST_OF_ONE
from adapters.telegram_pace import Pace
from bot.chat import Call, CannotPost, Place, Post, Reply
from bot.words import say
from tests.adapters.discord_peer import until
from tests.adapters.discord_stage import Stage
from tests.adapters.discord_stage import play as play_on_discord
from tests.adapters.small_bot import picture
from tests.adapters.telegram_peer import Fault, Peer
from tests.adapters.telegram_stage import TalkingBot, serving
from tests.adapters.telegram_stage import play as play_on_telegram


class SlowForOne(TalkingBot):
    """Answers everybody at once but `slow`, who waits for `enough`."""

    slow = ""
    enough: asyncio.Event

    async def answer(self, call: Call) -> Sequence[Reply]:
        if call.person.id == self.slow:
            await self.enough.wait()
        return await super().answer(call)


def test_one_who_floods_telegram_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    async def run() -> None:
        bot = SlowForOne()
        bot.enough = asyncio.Event()
        async with Peer() as peer, serving(peer, tmp_path, bot, pace=Pace(burst=1000)):
            ann, bob = peer.person("Ann"), peer.person("Bob")
            bot.slow = str(ann.id)
            for number in range(MOST_AT_ONCE + 50):
                ann.says(f"line {number}")
            bob.says("hello")
            await peer.until_says(bob.id, "You said: hello")
            bot.enough.set()
            await peer.until(lambda: len(peer.shown(ann.id)) == MOST_OF_ONE)
            heard = [call.options["text"] for call in bot.calls if call.person.id == bot.slow]
            assert heard == [f"line {number}" for number in range(MOST_OF_ONE)]
            ann.says("later")
            await peer.until_says(ann.id, "You said: later")

    asyncio.run(run())


def test_a_group_that_floods_telegram_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    class SlowInGroups(TalkingBot):
        async def answer(self, call: Call) -> Sequence[Reply]:
            if call.place.server is not None:
                await enough.wait()
                return ()
            return await super().answer(call)

    async def run() -> None:
        bot = SlowInGroups()
        async with Peer() as peer, serving(peer, tmp_path, bot, pace=Pace(burst=1000)):
            bob, room = peer.person("Bob"), peer.group()
            for number in range(10):
                guest = peer.person(f"Guest {number}")
                for _ in range(MOST_OF_ONE - 1):
                    guest.says("/echo hello", room=room)
            bob.says("hello")
            await peer.until_says(bob.id, "You said: hello")
            enough.set()

    enough = asyncio.Event()
    asyncio.run(run())


def test_a_pause_that_telegram_wants_in_one_chat_stops_no_other(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob, room = peer.person("Ann"), peer.person("Bob"), peer.group("Slow mode")
        later = Fault("sendMessage", 429, "Too Many Requests", {"retry_after": 4})
        peer.faults.append(later)
        ann.says("/echo slowly", room=room)
        await peer.until(lambda: not peer.faults)
        bob.says("hello")
        await peer.until_says(bob.id, "You said: hello")
        assert peer.shown(room.id) == []
        await peer.until_says(room.id, "slowly")

        peer.faults.append(replace(later, parameters={"retry_after": 3600}))
        post = Post(Place("telegram", str(room.id), str(room.id)), "A page")
        for _ in range(2):
            with pytest.raises(CannotPost) as caught:
                await chat.post(post)
            assert caught.value.again
            assert 3500 < (caught.value.wait or 0) <= 3600
        asked = [one.given["text"] for one in peer.requests("sendMessage")]
        assert asked.count("A page") == 1
        bob.says("again")
        await peer.until_says(bob.id, "You said: again")

    play_on_telegram(tmp_path, scene)


def test_pictures_of_many_people_are_fetched_a_few_at_a_time(tmp_path: Path) -> None:
    class Counting(TalkingBot):
        now = most = 0

        async def answer(self, call: Call) -> Sequence[Reply]:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.05)
            self.now -= 1
            return await super().answer(call)

    bot = Counting()

    async def scene(peer: Peer, small: TalkingBot, chat: TelegramChat) -> None:
        people = [peer.person(f"Guest {number}") for number in range(12)]
        for person in people:
            person.says("/meme Ha", photo=picture("x", size=(64, 64)))
        await peer.until(lambda: all(peer.shown(person.id) for person in people))
        assert bot.most <= 3

    play_on_telegram(tmp_path, scene, bot)


def broken(file: Path, table: str) -> None:
    """As after a fault of the disk: what the chat keeps by itself cannot be written."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"DROP TABLE {table}")


def test_where_the_chats_own_file_is_broken_people_are_told(tmp_path: Path) -> None:
    async def on_telegram(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        broken(tmp_path / TELEGRAM_FILE, "people")
        ann.says("hello")
        await peer.until_says(ann.id, say("en", "telegram.broken"))

    async def on_discord(stage: Stage) -> None:
        broken(tmp_path / DISCORD_FILE, "locales")
        assert (await stage.ann.uses("echo", text="hello")).text == "hello"

    play_on_telegram(tmp_path, on_telegram)
    play_on_discord(tmp_path, on_discord)


def test_the_name_of_the_bot_is_no_part_of_a_line_however_it_is_written(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        ann.says("@Inkwell_BOT hello", room=room)
        await peer.until(lambda: bot.calls)
        assert bot.calls[0].options == {"text": "hello"}

    play_on_telegram(tmp_path, scene)


def test_nobody_is_called_by_what_somebody_typed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        everybody = "@everyone <@7> <@&111>"
        answer = await stage.ann.uses("echo", text=everybody)
        stage.bot.hold = asyncio.Event()
        late = await stage.ann.uses("echo", text=everybody, late=True)
        await until(lambda: late.answers)
        stage.bot.hold.set()
        await until(lambda: late.messages)
        await stage.ann.in_dm().types(everybody)
        await until(lambda: stage.peer.in_channel(stage.ann.in_dm().where)[1:])
        typed = stage.peer.in_channel(stage.ann.in_dm().where)[-1]
        for message in (*answer.messages, *late.messages, typed):
            assert "everyone" in message["content"]
            assert message["allowed_mentions"]["parse"] == []
            assert not message["allowed_mentions"].get("users")

    play_on_discord(tmp_path, scene, patience=0.2)


def test_a_session_that_discord_has_forgotten_is_begun_anew(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        gateway = stage.peer.gateway
        gateway.forgetful = True
        await gateway.drop()
        await until(lambda: gateway.identified == 2, 30)
        answer = await stage.ann.uses("echo", text="back")
        assert answer.text == "back"
        assert gateway.resumed == 0

    play_on_discord(tmp_path, scene)


def test_a_telegram_in_trouble_is_asked_again_for_what_people_said(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        peer.faults += [Fault("getUpdates", 502, "Bad Gateway"), Fault("getUpdates", drop=True)]
        ann.says("hello")
        await peer.until_says(ann.id, "You said: hello")

    play_on_telegram(tmp_path, scene)
