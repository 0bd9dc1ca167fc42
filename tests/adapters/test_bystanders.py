"""With the real bot: who only talks where a story is written leaves no trace in any database."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.adapters.discord_peer import DiscordPeer, until
from tests.adapters.discord_people import Someone
from tests.adapters.discord_world import BOT_USER
from tests.adapters.telegram_peer import Peer
from tests.adapters.test_discord_story import SCRIPT, bounded, thread_of
from tests.adapters.test_discord_story import inkwell as on_discord
from tests.adapters.test_telegram_story import inkwell as on_telegram


def column(file: Path, sql: str) -> set[str]:
    """The values that a query finds in a database."""
    with closing(sqlite3.connect(file)) as database:
        return {value for (value,) in database.execute(sql)}


def test_on_discord_a_bystander_leaves_no_trace(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer, on_discord(peer, tmp_path):
            ann, bob = Someone(peer), Someone(peer, "8", "Bob")
            await ann.uses("story new", title="Tabs", script=SCRIPT)
            thread = thread_of(peer)
            await bob.types(f"<@{BOT_USER}> is fun")
            await bob.at(thread).types("[Tom] sleeps")
            line = await ann.at(thread).types("[Tom] wakes")
            await until(lambda: line["reactions"])

    asyncio.run(bounded(run()))
    assert column(tmp_path / "inkwell.sqlite3", "SELECT key FROM people") == {"discord:7"}
    (own,) = (tmp_path / "discord").glob("*.sqlite3")
    assert column(own, "SELECT owner FROM locales") == {"7"}


def test_on_telegram_a_bystander_leaves_no_trace(tmp_path: Path) -> None:
    ids: list[str] = []

    async def run() -> None:
        async with Peer() as peer, on_telegram(peer, tmp_path):
            ann, bob, room = peer.person("Ann"), peer.person("Bob"), peer.group()
            ids.append(str(ann.id))
            ann.says(SCRIPT, room=room)
            card = await peer.until_says(room.id, "Panels (2 of at most")
            bob.says("@inkwell_bot is fun", room=room)
            bob.says("[Tom] sleeps", room=room, reply_to=card)
            ann.says("[Tom] wakes", room=room, reply_to=card)
            await peer.until_says(room.id, "Panels (3 of at most")

    asyncio.run(bounded(run()))
    known = column(tmp_path / "store" / "inkwell.sqlite3", "SELECT key FROM people")
    assert known == {f"telegram:{id}" for id in ids}
    assert column(tmp_path / "telegram" / "telegram.sqlite3", "SELECT id FROM people") == {*ids}
