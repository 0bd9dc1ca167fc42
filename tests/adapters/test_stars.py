"""Stars on Discord and Telegram: the counts under a page and its copy, without sending it again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import bot.gallery
from adapters.telegram_chat import TelegramChat
from bot.chat import Button, File, Place, Post
from tests.adapters.discord_peer import DiscordPeer, until
from tests.adapters.discord_people import ALL, Someone, labels
from tests.adapters.discord_stage import Stage
from tests.adapters.discord_stage import play as play_on_discord
from tests.adapters.discord_world import GUILD, LOBBY
from tests.adapters.small_bot import picture
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot
from tests.adapters.telegram_stage import play as play_on_telegram
from tests.adapters.telegram_user import Json, administrator
from tests.adapters.test_discord_story import SCRIPT, bounded, thread_of
from tests.adapters.test_discord_story import inkwell as on_discord
from tests.adapters.test_discord_story import pages as pages_on_discord
from tests.adapters.test_telegram_story import inkwell as on_telegram
from tests.adapters.test_telegram_story import labels as labels_on_telegram

SECONDS = 40.0
FILES = tuple(File(f"{n}.png", picture(str(n), size=(64, 64)), "A page") for n in range(12))


@pytest.fixture(autouse=True)
def quick_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.gallery, "EDIT_SECONDS", 0.2)


def starred(count: int) -> tuple[tuple[Button, ...], ...]:
    return ((Button(f"⭐ {count}", "star:1"),),)


def test_on_discord_a_star_changes_the_buttons_and_sends_no_page(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer, on_discord(peer, tmp_path):
            ann = Someone(peer, permissions=ALL)
            await ann.uses("settings", gallery="here", stars=2)
            await ann.uses("story new", title="Tabs", script=SCRIPT)
            room = ann.at(thread_of(peer))
            await room.presses(peer.in_channel(room.where)[0], "Draw")
            await until(lambda: pages_on_discord(peer, room.where), SECONDS)
            (page,) = pages_on_discord(peer, room.where)
            page_before = dict(page)
            await until(lambda: any("⭐" in label for label in labels(page)))
            sent = len(peer.world.files)  # a preview may have come before the page
            bob, carl, dora = (Someone(peer, str(n), f"Fan {n}").at(room.where) for n in (8, 9, 10))
            await bob.presses(page, "⭐")
            await until(lambda: "⭐ 1" in labels(page), SECONDS)
            await carl.presses(page, "⭐ 1")
            await until(lambda: pages_on_discord(peer, LOBBY), SECONDS)
            (copy,) = pages_on_discord(peer, LOBBY)
            await dora.at(LOBBY).presses(copy, "⭐ 2")
            await until(lambda: "⭐ 3" in labels(page) and "⭐ 3" in labels(copy), SECONDS)
            assert len(peer.world.files) == sent + 1  # the copy, once
            assert page["attachments"] == page_before["attachments"]
            assert page["content"] == page_before["content"]
            assert not peer.problems, "\n".join(peer.problems)

    asyncio.run(bounded(run()))


def uploads(peer: Peer) -> int:
    return sum(len(asked.files) for asked in peer.asked)


def test_on_telegram_a_star_changes_the_buttons_and_sends_no_page(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, on_telegram(peer, tmp_path):
            ann, room = peer.person("Ann"), peer.group()
            room.admins.append(administrator(ann.json))
            ann.says("/settings gallery=here stars=2", room=room)
            await peer.until(lambda: peer.shown(ann.id) or peer.shown(room.id))
            ann.says(SCRIPT, room=room)
            await peer.until_says(room.id, "Panels (2 of at most")
            ann.presses("Draw", room)

            def photos() -> list[Json]:
                shown = [one for one in peer.shown(room.id) if "photo" in one]
                return [one for one in shown if any("⭐" in it for it in labels_on_telegram(one))]

            page = (await peer.until(photos))[0]
            caption, photo = page["caption"], page["photo"]
            sent = uploads(peer)
            peer.person("Bob").presses("⭐", room)
            await peer.until(lambda: "⭐ 1" in labels_on_telegram(page))
            assert uploads(peer) == sent
            peer.person("Carl").presses("⭐ 1", room)
            copy = (await peer.until(lambda: photos()[1:]))[0]
            sent = uploads(peer)
            peer.person("Dora").press(copy, "star:1")
            await peer.until(lambda: all("⭐ 3" in labels_on_telegram(one) for one in (page, copy)))
            assert uploads(peer) == sent
            assert (page["caption"], page["photo"]) == (caption, photo)

    asyncio.run(bounded(run()))


def test_on_discord_only_buttons_of_what_is_there_are_changed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        peer, chat, here = stage.peer, stage.chat, Place("discord", LOBBY, GUILD)
        message = await chat.post(Post(here, "Tabs", FILES, starred(0), nonce="1"))
        stars = Post(here, buttons=starred(1), edit=message, buttons_only=True)
        assert await chat.post(stars) == message
        shown = peer.in_channel()
        assert [len(one["attachments"]) for one in shown] == [10, 2]
        assert (labels(shown[-1]), shown[-1]["content"]) == (["⭐ 1"], "Tabs")
        assert len(peer.world.files) == len(FILES)
        del peer.world.messages[LOBBY][message]
        assert await chat.post(stars) == ""
        assert len(peer.in_channel()) == 1

    play_on_discord(tmp_path, scene)


def test_on_discord_the_buttons_in_an_archived_thread_are_changed_too(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ann.uses("story new", title="Tabs")
        thread = thread_of(stage.peer)
        there = Place("discord", LOBBY, GUILD, thread)
        message = await stage.chat.post(Post(there, "Tabs", FILES[:1], starred(0), nonce="1"))
        stage.peer.world.channels[thread]["thread_metadata"]["archived"] = True
        stars = Post(there, buttons=starred(1), edit=message, buttons_only=True)
        assert await stage.chat.post(stars) == message
        assert labels(stage.peer.in_channel(thread)[-1]) == ["⭐ 1"]

    play_on_discord(tmp_path, scene)


def test_on_telegram_only_buttons_of_what_is_there_are_changed(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        room = peer.group()
        here = Place("telegram", str(room.id), str(room.id))
        for files in (FILES[:1], FILES[:2], ()):  # a photo, an album with a text, a text
            message = await chat.post(Post(here, "Tabs", files, starred(0)))
            stars = Post(here, buttons=starred(1), edit=message, buttons_only=True)
            sent = uploads(peer)
            assert await chat.post(stars) == message
            assert await chat.post(stars) == message  # Telegram: "message is not modified"
            assert uploads(peer) == sent
            last = peer.shown(room.id)[-1]
            assert labels_on_telegram(last) == ["⭐ 1"]
            assert (last.get("text") or last["caption"]) == "Tabs"
            del peer.messages[(room.id, last["message_id"])]
            assert await chat.post(stars) == ""

    play_on_telegram(tmp_path, scene)
