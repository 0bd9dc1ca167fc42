"""The same client on simcord, a virtual Discord that others wrote: it takes what we send."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import simcord

from adapters.discord_answers import Tools
from adapters.discord_away import Away
from adapters.discord_calls import Calls
from adapters.discord_client import InkwellClient
from adapters.discord_mailbox import Mailbox
from adapters.discord_posting import Channels
from adapters.discord_rooms import Rooms
from adapters.discord_store import Store
from bot.chat import CommandInfo
from bot.commands import COMMANDS
from tests.adapters.discord_stage import TalkingBot


def test_every_command_is_taken_and_answered(tmp_path: Path) -> None:
    async def run() -> None:
        store = await Store.open(tmp_path / "discord.sqlite3")
        client = InkwellClient(store, reads_all=True, guild_seconds=0.0)
        small = TalkingBot()
        real: Sequence[CommandInfo] = [command.info for command in COMMANDS]
        small.commands = [*small.commands, *(i for i in real if i.name not in names(small))]
        rooms = Rooms(client, store, reads_all=True)
        tools = Tools(small, store, Channels(client, store), rooms)
        await client.prepare(small, Calls(tools, Away(tools, Mailbox(store)), client))
        try:
            async with asyncio.timeout(60), simcord.run(client, shard_count=1) as env:
                guild = env.create_guild()
                channel = guild.create_text_channel("lobby")
                ann = guild.add_member(env.create_user("ann"))
                offered = ann.available_commands(channel)
                assert {"echo", "story new", "help"} <= set(offered)
                said = await ann.slash(channel, "echo", text="hello")
                assert said.response is not None
                assert said.response.content == "hello"
                asked = await ann.slash(channel, "character new")
                assert asked.modal is not None
                shown = await ann.slash(channel, "help")
                assert shown.response is not None
                pressed = await ann.click(shown.response, label="Ask")
                assert pressed.modal is not None
                made = await ann.slash(channel, "story new", title="Tabs")
                assert made.ephemeral
        finally:
            await store.close()

    asyncio.run(run())


def names(bot: TalkingBot) -> set[str]:
    return {info.name for info in bot.commands}
