"""kill -9 of the bot and of its engine while stories are drawn: the short form of `bench.kill`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bench.askers import CHATS, Asker, Chat, discord, telegram, title
from bench.bot_process import BotProcess, is_whole
from bench.kill import Plan, over, run
from tests.adapters.discord_peer import DiscordPeer
from tests.adapters.telegram_methods import Asked
from tests.adapters.telegram_peer import Peer

Blow = Callable[[], Awaitable[None]]


@pytest.mark.parametrize("chat", CHATS)
def test_no_story_is_lost_and_none_comes_twice(chat: str, tmp_path: Path) -> None:
    plan = Plan(3, kills=2, gap=(0.3, 2.5), environment={"TOY_SECONDS": "0.3"}, chat=chat)
    outcome = asyncio.run(run(plan, tmp_path))
    assert outcome.accepted == 3
    assert outcome.pages == [1, 1, 1]
    assert (outcome.killed_bots, outcome.killed_engines) == (2, 2)
    assert outcome.whole
    assert outcome.slowest_story < 0.3 * 4 + 10


class DeadlyDiscord(DiscordPeer):
    """Strikes once, when it has taken a page and before it says so."""

    blow: Blow | None = None

    async def _obey(
        self, request: web.Request, path: str, body: Any, files: Any
    ) -> web.StreamResponse:
        answer = await super()._obey(request, path, body, files)
        if files and request.method == "POST" and body.get("content") == title(0):
            blow, self.blow = self.blow, None
            if blow is not None:
                await blow()
        return answer


class DeadlyTelegram(Peer):
    """Strikes once, when a page comes: after it has taken it, or before."""

    blow: Blow | None = None
    after = True

    async def _do(self, asked: Asked) -> Any:
        is_page = asked.method == "sendPhoto" and asked.given.get("caption") == "Tom"
        blow = self.blow if is_page else None
        if blow is None:
            return await super()._do(asked)
        self.blow = None
        if not self.after:
            await blow()
            raise web.HTTPServiceUnavailable
        answer = await super()._do(asked)
        await blow()
        return answer


async def killed_while_posting(
    peer: DeadlyDiscord | DeadlyTelegram,
    there: AbstractAsyncContextManager[Chat],
    folder: Path,
    check: Callable[[Asker], Awaitable[None]],
) -> None:
    """One story, of which the bot is killed while it posts the page; then it is started again."""
    struck = asyncio.Event()

    async def blow() -> None:
        await bot.kill()
        struck.set()

    async with asyncio.timeout(100), there as chat:
        bot = BotProcess(folder, {"TOY_SECONDS": "0.05", **chat.environment})
        peer.blow = blow
        await bot.start()
        try:
            asker = chat.asker(bot, 0)
            await asker.ask()
            await struck.wait()
            await bot.start()
            await over(bot, 1)
            await check(asker)
        finally:
            await bot.stop()
    assert is_whole(bot.database)


def test_on_discord_a_page_that_came_when_the_bot_was_killed_does_not_come_twice(
    tmp_path: Path,
) -> None:
    async def check(asker: Asker) -> None:
        assert await asker.pages() == 1

    peer = DeadlyDiscord()
    asyncio.run(killed_while_posting(peer, discord(peer), tmp_path, check))


@pytest.mark.parametrize("came", [True, False])
def test_on_telegram_a_page_that_may_have_come_is_sent_again_on_request_only(
    came: bool, tmp_path: Path
) -> None:
    async def check(asker: Asker) -> None:
        assert asker.is_unsure()
        assert await asker.pages() == int(came)
        await asker.send_again()
        assert await asker.pages() == int(came) + 1

    peer = DeadlyTelegram()
    peer.after = came
    asyncio.run(killed_while_posting(peer, telegram(peer), tmp_path, check))
