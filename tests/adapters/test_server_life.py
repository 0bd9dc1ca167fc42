"""Life on a server or in a group, with the real bot: a shared cast, the gallery, missing rights."""

from __future__ import annotations

import asyncio
from pathlib import Path

import discord
import pytest

import bot.gallery
from bot.words import say
from tests.adapters.discord_peer import DiscordPeer, until
from tests.adapters.discord_people import ALL, Someone, labels
from tests.adapters.discord_world import LOBBY, Json
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_user import Room, administrator
from tests.adapters.test_discord_story import SCRIPT, bounded, pages, said, thread_of
from tests.adapters.test_discord_story import inkwell as on_discord
from tests.adapters.test_telegram_story import inkwell as on_telegram
from tests.adapters.test_telegram_story import labels as labels_on_telegram

SECONDS = 40.0


@pytest.fixture(autouse=True)
def quick_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.gallery, "EDIT_SECONDS", 0.2)


def test_on_discord_a_meme_is_drawn_of_the_servers_cast(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer, on_discord(peer, tmp_path):
            ann, bob = Someone(peer), Someone(peer, "8", "Bob")
            await ann.uses("character new", name="Tom", description="a man with glasses")
            await ann.uses("character share", character="Tom", with_="server")
            await bob.uses("meme", words="Tom: when the build is green")
            await until(lambda: pages(peer, LOBBY), SECONDS)
            (meme,) = pages(peer, LOBBY)
            assert say("en", "job.meme", name="Tom") in meme["content"]
            assert "when the build is green" in meme["attachments"][0]["description"]
            assert "<@8>" in meme["content"]
            assert not peer.problems, "\n".join(peer.problems)

    asyncio.run(bounded(run()))


def photos(peer: Peer, room: Room) -> list[Json]:
    return [message for message in peer.shown(room.id) if "photo" in message]


def test_on_telegram_a_meme_is_drawn_of_the_groups_cast(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, on_telegram(peer, tmp_path):
            ann, bob, room = peer.person("Ann"), peer.person("Bob"), peer.group()
            ann.says("/character_new Tom | a man with glasses", room=room)
            await peer.until(lambda: peer.shown(ann.id) or peer.shown(room.id))
            ann.says("/character_share Tom with=server", room=room)
            await peer.until(lambda: len([*peer.shown(ann.id), *peer.shown(room.id)]) > 1)
            bob.says("/meme Tom: when the build is green", room=room)
            meme = await peer.until_says(room.id, say("en", "job.meme", name="Tom"))
            assert "photo" in meme

    asyncio.run(bounded(run()))


def test_on_discord_what_the_bot_may_not_do_is_said_before_anything_is_drawn(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer, on_discord(peer, tmp_path) as bot:
            ann = Someone(peer)
            await ann.uses("story new", title="Tabs", script=SCRIPT)
            room = ann.at(thread_of(peer))
            card = peer.in_channel(room.where)[0]
            peer.world.rights &= ~discord.Permissions(attach_files=True)
            for answer in (await room.uses("story draw"), await room.presses(card, "Draw")):
                await until(lambda answer=answer: answer.messages)  # type: ignore[misc]
                assert say("en", "right.files") in answer.text
                assert answer.private == [True]
            assert await bot.ledger.undelivered() == []
            peer.world.rights |= discord.Permissions(attach_files=True)
            await room.presses(card, "Draw")
            await until(lambda: pages(peer, room.where), SECONDS)

    asyncio.run(bounded(run()))


def test_on_telegram_what_the_bot_may_not_do_is_said_before_anything_is_drawn(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with Peer() as peer, on_telegram(peer, tmp_path):
            ann, room = peer.person("Ann"), peer.group()
            room.permissions["can_send_photos"] = False
            ann.says(SCRIPT, room=room)
            await peer.until_says(room.id, "Panels (2 of at most")
            ann.presses("Draw", room)
            words = say("en", "right.files")
            alert = await peer.until(lambda: peer.requests("answerCallbackQuery"))
            assert words in alert[-1].given["text"]
            assert photos(peer, room) == []

    asyncio.run(bounded(run()))


def test_on_discord_a_page_in_the_gallery_can_be_remixed_and_goes_with_its_story(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer, on_discord(peer, tmp_path):
            ann, bob = Someone(peer, permissions=ALL), Someone(peer, "8", "Bob")
            await ann.uses("settings", gallery="here", stars=1)
            await ann.uses("story new", title="Tabs", script=SCRIPT)
            room = ann.at(thread_of(peer))
            await room.uses("story share", with_="server")
            await room.presses(peer.in_channel(room.where)[0], "Draw")
            await until(lambda: pages(peer, room.where), SECONDS)
            await bob.at(room.where).presses(pages(peer, room.where)[0], "⭐")
            await until(lambda: pages(peer, LOBBY), SECONDS)
            (copy,) = pages(peer, LOBBY)
            assert labels(copy) == ["⭐ 1", "Remix"]
            await bob.presses(copy, "Remix")
            after = say("en", "story.after", title="Tabs", name="Ann")
            await until(lambda: any(after in said(peer, place) for place in [*peer.world.channels]))
            asked = await room.uses("story delete")
            await room.presses(asked.messages[0], "Delete for ever")
            await until(lambda: pages(peer, LOBBY) == [], SECONDS)

    asyncio.run(bounded(run()))


def test_on_telegram_a_page_in_the_gallery_can_be_remixed_and_goes_with_its_story(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with Peer() as peer, on_telegram(peer, tmp_path):
            ann, bob, room = peer.person("Ann"), peer.person("Bob"), peer.group()
            room.admins.append(administrator(ann.json))
            ann.says("/start")
            await peer.until_says(ann.id, "Hello!")
            ann.says("/settings gallery=here stars=1", room=room)
            ann.says(SCRIPT, room=room)
            card = await peer.until_says(room.id, "Panels (2 of at most")
            ann.says("/story_share with=server", room=room, reply_to=card)
            ann.presses("Draw", room)
            await peer.until(lambda: photos(peer, room))
            bob.presses("⭐", room)
            copy = (await peer.until(lambda: photos(peer, room)[1:]))[0]
            assert labels_on_telegram(copy) == ["⭐ 1", "Remix"]
            bob.presses("Remix", room)
            await peer.until_says(room.id, "by Ann")
            ann.says("/story_delete", room=room, reply_to=card)
            asked = await peer.until_says(ann.id, "for ever?")
            ann.press(asked, "erase:" + story_of(asked))
            await peer.until(lambda: copy not in peer.shown(room.id))

    asyncio.run(bounded(run()))


def story_of(asked: Json) -> str:
    """The story that a question with buttons is about."""
    rows = asked["reply_markup"]["inline_keyboard"]
    data = next(b["callback_data"] for row in rows for b in row if b["callback_data"][0] == "e")
    return str(data.partition(":")[2])
