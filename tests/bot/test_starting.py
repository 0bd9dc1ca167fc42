"""Chats that start, each by itself: real clients, and networks on loopback that are not there."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import closing
from pathlib import Path

import pytest

from adapters.discord_chat import DiscordChat
from adapters.telegram_chat import TelegramChat
from bench.bot_process import BotProcess
from bench.web_client import Visitor
from bot.chat import CannotPost, Chat, Place, Post
from bot.errors import UserError
from bot.starting import started
from tests.adapters.discord_peer import TOKEN as DISCORD_TOKEN
from tests.adapters.discord_peer import DiscordPeer, until
from tests.adapters.discord_people import Someone
from tests.adapters.discord_stage import TalkingBot
from tests.adapters.telegram_peer import TOKEN as TELEGRAM_TOKEN
from tests.adapters.telegram_peer import Peer as TelegramPeer

AGAIN_SECONDS = 20.0


def on_discord(token: str, folder: Path, address: str) -> Chat:
    gateway = address.replace("http", "ws") + "/gateway"
    return DiscordChat(
        token, folder, api_url=f"{address}/api", gateway_url=gateway, guild_seconds=0.0
    )


def on_telegram(token: str, folder: Path, address: str) -> Chat:
    return TelegramChat(token, folder, api_url=address, poll_seconds=1)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


async def asks_on_discord(peer: DiscordPeer) -> None:
    assert (await Someone(peer).uses("echo", text="hello")).text == "hello"


async def asks_on_telegram(peer: TelegramPeer) -> None:
    ann = peer.person("Ann")
    ann.says("hello")
    await peer.until_says(ann.id, "You said: hello")


def test_a_telegram_that_is_not_there_is_tried_again_while_discord_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        port = free_port()
        async with DiscordPeer() as there:
            discord = on_discord(DISCORD_TOKEN, tmp_path, there.world.base)
            telegram = on_telegram(TELEGRAM_TOKEN, tmp_path, f"http://127.0.0.1:{port}")
            async with started([telegram, discord], TalkingBot()) as served:
                assert served == [discord]
                await asks_on_discord(there)
                with pytest.raises(CannotPost) as caught:
                    await telegram.post(Post(Place("telegram", "1"), "A page"))
                assert caught.value.again
                await asyncio.sleep(3)  # for a second try in vain
                async with TelegramPeer(port) as late:
                    await until(lambda: late.requests("getMe"), AGAIN_SECONDS)
                    await asks_on_telegram(late)
                    await telegram.stop()

    asyncio.run(run())
    said = [line for line in caplog.messages if "tried again until it works" in line]
    assert len(said) == 1
    assert "Telegram cannot be reached at http://127.0.0.1" in said[0]
    assert "the chat telegram can be reached now" in caplog.messages


def test_a_discord_that_is_not_there_is_tried_again_while_telegram_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        port = free_port()
        async with TelegramPeer() as there:
            discord = on_discord(DISCORD_TOKEN, tmp_path, f"http://127.0.0.1:{port}")
            telegram = on_telegram(TELEGRAM_TOKEN, tmp_path, there.address)
            async with started([discord, telegram], TalkingBot()) as served:
                assert served == [telegram]
                await asks_on_telegram(there)
                with pytest.raises(CannotPost) as caught:
                    await discord.post(Post(Place("discord", "1"), "A page"))
                assert caught.value.again
                async with DiscordPeer(port) as late:
                    await until(lambda: late.gateway.identified, AGAIN_SECONDS)
                    await asks_on_discord(late)
                    await discord.stop()

    asyncio.run(run())
    assert sum("Discord cannot be reached" in line for line in caplog.messages) == 1
    assert "the chat discord can be reached now" in caplog.messages


def test_a_network_that_is_silent_does_not_keep_the_others_waiting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with DiscordPeer() as there:
            discord = on_discord(DISCORD_TOKEN, tmp_path, there.world.base)
            telegram = on_telegram(TELEGRAM_TOKEN, tmp_path, f"http://127.0.0.1:{port}")
            async with started([telegram, discord], TalkingBot(), first_seconds=3) as served:
                assert served == [discord]
                await asks_on_discord(there)

    with closing(socket.create_server(("127.0.0.1", 0))) as silent:  # connects, never answers
        port = silent.getsockname()[1]
        asyncio.run(run())
    assert "the chat telegram is not there yet; the others serve" in caplog.messages


@pytest.mark.parametrize("wrong", ["discord", "telegram"])
def test_a_wrong_token_is_said_once_and_not_tried_again(
    wrong: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with DiscordPeer() as discord_peer, TelegramPeer() as telegram_peer:
            right = "telegram" if wrong == "discord" else "discord"
            tokens = {"discord": DISCORD_TOKEN, "telegram": TELEGRAM_TOKEN, wrong: "1:wrong"}
            discord = on_discord(tokens["discord"], tmp_path, discord_peer.world.base)
            telegram = on_telegram(tokens["telegram"], tmp_path, telegram_peer.address)
            async with started([discord, telegram], TalkingBot()) as served:
                assert [chat.name for chat in served] == [right]
                if wrong == "telegram":
                    await asks_on_discord(discord_peer)
                else:
                    await asks_on_telegram(telegram_peer)
                await asyncio.sleep(3)
            if wrong == "discord":
                asked = [path for _, path, _ in discord_peer.requests]
                assert asked == ["/users/@me"]

    asyncio.run(run())
    refusals = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(refusals) == 1
    assert "does not know th" in refusals[0]
    assert "1:wrong" not in "".join(caplog.messages)


def test_where_every_chat_has_refused_the_bot_ends_with_the_reasons(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as discord, TelegramPeer() as telegram:
            chats = [
                on_discord("1:wrong", tmp_path, discord.world.base),
                on_telegram("1:wrong", tmp_path, telegram.address),
            ]
            with pytest.raises(UserError, match=r"Discord does not know.*; Telegram does not know"):
                async with started(chats, TalkingBot()):
                    pass

    asyncio.run(run())


def test_a_port_that_is_taken_still_ends_the_bot(tmp_path: Path) -> None:
    async def run() -> None:
        first = BotProcess(tmp_path / "first")
        first.folder.mkdir()
        second = BotProcess(tmp_path, port=first.port)
        await first.start()
        try:
            with pytest.raises(RuntimeError, match="another program uses this port"):
                await second.start()
        finally:
            await first.stop()

    asyncio.run(run())


def test_the_whole_bot_serves_the_local_chat_while_both_networks_are_away(tmp_path: Path) -> None:
    async def run() -> None:
        away = f"http://127.0.0.1:{free_port()}"
        settings = {
            "INKWELL_DISCORD_TOKEN": DISCORD_TOKEN,
            "INKWELL_DISCORD_API_URL": away,
            "INKWELL_DISCORD_GATEWAY_URL": away.replace("http", "ws"),
            "INKWELL_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "INKWELL_TELEGRAM_API_URL": away,
        }
        bot = BotProcess(tmp_path, settings)
        await bot.start()
        visitor = Visitor(bot.address)
        try:
            await visitor.enter()
            await visitor.call(visitor.home, command="help", options={})
            assert "Discord cannot be reached" in bot.log()
            assert f"Telegram cannot be reached at {away}" in bot.log()
        finally:
            await visitor.close()
            assert await bot.stop() == 0

    asyncio.run(run())
