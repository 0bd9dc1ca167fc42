"""The Telegram chat with a bot behind it, before a Bot API server that a test plays with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.telegram_chat import TelegramChat
from bot.chat import Bot
from bot.words import say
from tests.adapters.small_bot import SmallBot
from tests.adapters.telegram_peer import TOKEN, Peer
from tests.adapters.telegram_user import Json


class TalkingBot(SmallBot):
    """The small bot, which also knows the sentences of the catalogues."""

    def say(self, language: str | None, key: str, **values: object) -> str:
        try:
            return super().say(language, key, **values)
        except KeyError:
            return say(language, key, **values)


@asynccontextmanager
async def serving(
    peer: Peer, folder: Path, bot: Bot, **options: Any
) -> AsyncIterator[TelegramChat]:
    """The chat, talking with the peer."""
    chat = TelegramChat(
        options.pop("token", TOKEN), folder, api_url=peer.address, poll_seconds=2, **options
    )
    if isinstance(bot, SmallBot):
        bot.chat = chat
    await chat.start(bot)
    try:
        yield chat
    finally:
        if isinstance(bot, SmallBot):
            await asyncio.gather(*bot.drawing)
        await chat.stop()


Scene = Callable[[Peer, TalkingBot, TelegramChat], Awaitable[None]]


def play(folder: Path, scene: Scene, bot: TalkingBot | None = None, me: Json | None = None) -> None:
    """A scene before a fresh peer; every request that was made must be a right one.

    `me` is what Telegram says of the bot, besides the usual.
    """

    async def run() -> None:
        async with Peer() as peer:
            small = bot or TalkingBot()
            peer.me |= me or {}
            async with serving(peer, folder, small) as chat:
                await scene(peer, small, chat)
            assert peer.wrong == []

    asyncio.run(run())
