"""`inkwell check` asks Discord about the token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.check import Checker, Finding
from bot.cli import discord_chat
from bot.config import Config, DiscordConfig, WebConfig
from tests.adapters.discord_peer import TOKEN, DiscordPeer


def look(**discord: object) -> Finding:
    """The row about Discord."""
    config = Config(web=WebConfig(port=0), discord=DiscordConfig(**discord))  # type: ignore[arg-type]
    for finding in Checker(config).findings():
        if finding.what == "Discord":
            return finding
    raise AssertionError("there is no row about Discord")


def beside_discord(act: Callable[[str], Finding]) -> Finding:
    async def run() -> Finding:
        async with DiscordPeer() as peer:
            return await asyncio.to_thread(act, peer.api_url)

    return asyncio.run(run())


def test_without_a_token_nobody_is_asked() -> None:
    found = look()
    assert found.mark == "note"
    assert "docs/discord.md" in found.remedy


@pytest.mark.parametrize(("reads", "words"), [(True, "every message"), (False, "mentions it")])
def test_a_good_token_gives_the_bot_s_name(reads: bool, words: str) -> None:
    found = beside_discord(lambda url: look(token=TOKEN, api_url=url, message_content=reads))
    assert found.mark == "ok"
    assert "inkwell" in found.found
    assert words in found.found


def test_a_wrong_token_and_a_discord_that_is_not_there_are_told_apart() -> None:
    wrong = beside_discord(lambda url: look(token="wrong", api_url=url))
    assert (wrong.mark, "INKWELL_DISCORD_TOKEN" in wrong.remedy) == ("missing", True)
    away = look(token=TOKEN, api_url="http://127.0.0.1:9")
    assert (away.mark, "api_url" in away.remedy) == ("missing", True)


def test_the_chat_is_made_from_the_settings(tmp_path: Path) -> None:
    chat = discord_chat(DiscordConfig(token="x", message_content=True), tmp_path)  # type: ignore[arg-type]
    assert (chat.name, chat.knows_nonces) == ("discord", True)
