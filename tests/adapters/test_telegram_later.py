"""What Telegram wants later: it comes later, in order and once, and keeps nobody waiting."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from adapters import telegram_pace
from adapters.telegram_chat import TelegramChat
from adapters.telegram_later import Act, Later
from bot.chat import ROOM, CannotPost
from tests.adapters.telegram_peer import Fault, Peer
from tests.adapters.telegram_stage import TalkingBot, play
from tests.adapters.test_telegram_groups import group_place


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause of a second is as long as one of a minute."""
    monkeypatch.setattr(telegram_pace, "LONGEST_PAUSE_SECONDS", 0.1)


def slow_mode() -> Fault:
    return Fault("sendMessage", 429, "Too Many Requests: retry after 1", {"retry_after": 1})


def test_a_card_that_telegram_wants_later_comes_and_becomes_a_room(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        peer.faults.append(slow_mode())
        ann.says("/story_new Tabs", room=room)
        await peer.until(lambda: bot.calls and not peer.faults)
        ann.says("Hello")  # her turn is not over only when the card has come
        await peer.until_says(ann.id, "You said: Hello")
        assert peer.shown(room.id) == []
        card = await peer.until_says(room.id, "0 lines")
        await peer.until_says(room.id, "as replies to my messages")
        assert bot.calls[-1].command == ROOM
        assert bot.calls[-1].place == group_place(room, f"r{card['message_id']}")
        assert len(bot.lines) == 1

    play(tmp_path, scene)


def test_only_one_topic_is_opened_for_a_card_that_comes_later(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        rights = {"status": "administrator", "can_manage_topics": True}
        ann, room = peer.person("Ann"), peer.group(forum=True, me=rights)
        peer.faults.append(slow_mode())
        ann.says("/story_new Tabs", room=room)
        card = await peer.until_says(room.id, "0 lines")
        assert list(room.topics) == [card["message_thread_id"]]
        await peer.until(lambda: bot.rooms)
        assert len(peer.shown(room.id)) == 2  # with the link to it, which came first
        assert "has a topic of its own" in peer.texts(room.id)[0]

    play(tmp_path, scene)


def test_a_question_that_is_asked_later_can_be_answered(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        peer.faults.append(slow_mode())
        ann.says("/story_show")
        await peer.until_says(ann.id, "What the story is called")
        ann.presses("The last cup")
        await peer.until(lambda: bot.calls)
        assert bot.calls[0].options == {"title": "The last cup"}

    play(tmp_path, scene)


def refusing(shown: list[str], words: str, times: int, wait: float | None = None) -> Act:
    """Something to show that Telegram wants later for so many times."""
    left = [times]

    async def act() -> None:
        if left[0]:
            left[0] -= 1
            raise CannotPost("slow mode", again=True, wait=wait)
        shown.append(words)

    return act


def test_what_waits_in_one_chat_comes_in_order_and_other_chats_do_not_wait() -> None:
    async def run() -> None:
        later, shown = Later(), list[str]()
        await later.surely(refusing(shown, "first", 1), "here", "7")
        await later.surely(refusing(shown, "second", 0), "here", "8")
        await later.surely(refusing(shown, "elsewhere", 0), "there", "7")
        assert shown == ["elsewhere"]
        async with asyncio.timeout(30):
            while len(shown) < 3:
                await asyncio.sleep(0.01)
        await later.surely(refusing(shown, "third", 0), "here", "7")
        assert shown == ["elsewhere", "first", "second", "third"]
        await later.close()

    asyncio.run(run())


def test_what_belongs_to_somebody_who_is_forgotten_does_not_come() -> None:
    async def run() -> None:
        later, shown = Later(), list[str]()
        await later.surely(refusing(shown, "Ann's", 1), "here", "7")
        await later.surely(refusing(shown, "Bob's", 0), "here", "8")
        later.forget("7")
        async with asyncio.timeout(30):
            while not shown:
                await asyncio.sleep(0.01)
        assert shown == ["Bob's"]
        await later.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "error",
    [
        CannotPost("slow mode", again=True, wait=3600),
        CannotPost("cut off", unknown=True),
        CannotPost("cut off", again=True, unknown=True),
        CannotPost("thrown out"),
    ],
)
def test_what_would_come_too_late_or_twice_is_not_tried_again(
    error: CannotPost, caplog: pytest.LogCaptureFixture
) -> None:
    async def act() -> None:
        raise error

    async def run() -> None:
        later, shown = Later(), list[str]()
        with caplog.at_level(logging.WARNING):
            await later.surely(act, "here", "7")
            async with asyncio.timeout(30):
                while "is lost" not in caplog.text:
                    await asyncio.sleep(0)
        await asyncio.sleep(0)
        await later.surely(refusing(shown, "next", 0), "here", "7")
        assert shown == ["next"]
        await later.close()

    asyncio.run(run())


def test_what_breaks_does_not_keep_back_what_waits_behind_it() -> None:
    async def run() -> None:
        later, shown, tries = Later(), list[str](), list[int]()

        async def breaks() -> None:
            tries.append(1)
            if len(tries) > 1:
                raise OSError("the disk is full")
            raise CannotPost("slow mode", again=True)

        await later.surely(breaks, "here", "7")
        await later.surely(refusing(shown, "next", 0), "here", "7")
        async with asyncio.timeout(30):
            while not shown:
                await asyncio.sleep(0.01)
        await later.close()

    asyncio.run(run())


def test_nothing_waits_when_the_chat_ends() -> None:
    async def run() -> None:
        later, shown = Later(), list[str]()
        await later.surely(refusing(shown, "never", 1, wait=100), "here", "7")
        async with asyncio.timeout(30):
            await later.close()
        await later.surely(refusing(shown, "never", 1), "here", "7")
        assert shown == []
        assert len(asyncio.all_tasks()) == 1  # this one

    asyncio.run(run())
