"""What the benches take for an answer."""

from __future__ import annotations

import asyncio

import aiohttp

from bench.timed_peers import TimedTelegram
from tests.adapters.telegram_peer import TOKEN


def test_what_follows_an_undo_is_no_answer_to_what_was_typed_since() -> None:
    async def run() -> None:
        async with TimedTelegram() as peer, aiohttp.ClientSession() as session:
            ann = peer.person("Ann")

            async def ask(method: str, **fields: str) -> None:
                url = f"{peer.address}/bot{TOKEN}/{method}"
                async with session.post(url, data=fields) as response:
                    assert response.status == 200, await response.text()

            ann.says("/quota")
            await ask("getUpdates", timeout="1")
            await ask("sendMessage", chat_id=str(ann.id), text="The last change is taken back.")
            assert not peer.watch.delays
            await ask("sendMessage", chat_id=str(ann.id), text="Today you have used 4 panels.")
            assert len(peer.watch.delays["command"]) == 1
            await peer.watch.wait(str(ann.id))

    asyncio.run(run())
