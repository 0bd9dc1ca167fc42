"""A Discord for tests with the real client and a small bot behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.discord_chat import DiscordChat
from bot.chat import Bot, Call, File, Reply
from bot.words import catalogue, say
from tests.adapters.discord_peer import TOKEN, DiscordPeer
from tests.adapters.discord_people import Someone
from tests.adapters.small_bot import SmallBot


class TalkingBot(SmallBot):
    """The small bot; what it cannot say itself is said by the catalogues. It shows the files of
    `shown`, if there are any, for every story."""

    shown: tuple[File, ...] = ()

    async def answer(self, call: Call) -> Sequence[Reply]:
        replies = await super().answer(call)
        if self.shown and call.command == "story show":
            return (replace(replies[0], files=self.shown),)
        return replies

    def say(self, language: str | None, key: str, **values: object) -> str:
        if key in catalogue("en"):
            return say(language, key, **values)
        return super().say(language, key, **values)


@dataclass
class Stage:
    """What a test plays with."""

    peer: DiscordPeer
    chat: DiscordChat
    bot: TalkingBot
    ann: Someone


Scene = Callable[[Stage], Awaitable[None]]


@asynccontextmanager
async def connected(
    peer: DiscordPeer, bot: Bot, folder: Path, **settings: Any
) -> AsyncIterator[DiscordChat]:
    """The chat, connected to the peer inside of the block."""
    settings = {"guild_seconds": 0.0, "patience": 1.0, **settings}
    chat = DiscordChat(
        TOKEN, folder, api_url=peer.api_url, gateway_url=peer.gateway_url, **settings
    )
    await chat.start(bot)
    try:
        yield chat
    finally:
        await chat.stop()


def play(folder: Path, *scenes: Scene, bot: TalkingBot | None = None, **settings: Any) -> None:
    """Plays the scenes; between two of them the bot is started again, Discord goes on. No request
    may be against Discord's description of its interface."""

    async def run() -> None:
        talking = bot or TalkingBot()
        async with DiscordPeer() as peer:
            for scene in scenes:
                async with connected(peer, talking, folder, **settings) as chat:
                    talking.chat = chat
                    await scene(Stage(peer, chat, talking, Someone(peer)))
                    for task in list(talking.drawing):
                        await task
            assert not peer.problems, "\n".join(peer.problems)

    async def in_time() -> None:
        async with asyncio.timeout(60):
            await run()

    asyncio.run(in_time())
