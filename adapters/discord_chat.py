"""The bot on Discord.

A command, button or form becomes a `Call`, the bot's replies become the answer to the interaction,
in time (`discord_calls`, `discord_interactions`). What the bot says later is an ordinary message by
the channel's id, with a nonce, so that trying again makes no second one (`discord_posting`). On a
server a story gets a thread (`discord_rooms`). Commands are built from the bot's table
(`discord_commands`); buttons and forms carry their meaning and outlive restarts. What must be
remembered lies in a small file (`discord_store`). Where the bot is no member, posts wait until they
are asked for (`discord_mailbox`, `discord_away`).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import aiohttp
import discord

from adapters.discord_answers import Tools
from adapters.discord_away import Away
from adapters.discord_calls import PATIENCE_SECONDS, Calls
from adapters.discord_client import InkwellClient
from adapters.discord_mailbox import Mailbox
from adapters.discord_messages import Part, Say, buttons_of, named, one_part, parts_of
from adapters.discord_posting import Channels
from adapters.discord_rooms import Rooms
from adapters.discord_store import Store
from adapters.discord_where import AWAY, CHAT
from bot.chat import Bot, CannotPost, CannotStart, Chat, Place, Post

FILE = "discord.sqlite3"
GUILD_SECONDS = 2.0  # discord.py waits so long for each server to introduce itself
OWN_API = discord.http.Route.BASE
OWN_GATEWAY = discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
START_SECONDS = 300.0  # many servers take long
HOUSEKEEPING_SECONDS = 3600.0
FOR_THE_OPERATOR = (discord.LoginFailure, discord.PrivilegedIntentsRequired)  # no try mends it

log = logging.getLogger(__name__)


class DiscordChat(Chat):
    """`api_url` and `gateway_url` name another Discord than the real one, as for tests; the times
    are in seconds."""

    name = CHAT
    knows_nonces = True
    nonce_seconds = 120.0  # Discord says: the past few minutes

    def __init__(
        self,
        token: str,
        folder: Path = Path("data"),
        *,
        message_content: bool = False,
        api_url: str = "",
        gateway_url: str = "",
        patience: float = PATIENCE_SECONDS,
        guild_seconds: float = GUILD_SECONDS,
    ) -> None:
        self._token, self._folder = token, folder
        self._message_content = message_content
        self._api_url, self._gateway_url = api_url.rstrip("/"), gateway_url
        self._patience, self._guild_seconds = patience, guild_seconds
        self._tools: Tools | None = None
        self._away: Away | None = None
        self._calls: Calls | None = None
        self._client: InkwellClient | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = False

    async def start(self, bot: Bot) -> None:
        """Raises CannotStart for a token that is refused, an intent that is not switched on, or a
        Discord that cannot be reached; OSError for a file that cannot be used."""
        talk_to(self._api_url or OWN_API, self._gateway_url or str(OWN_GATEWAY))
        store = await Store.open(self._folder / FILE)
        client = InkwellClient(
            store, reads_all=self._message_content, guild_seconds=self._guild_seconds
        )
        rooms = Rooms(client, store, reads_all=self._message_content)
        self._tools = tools = Tools(bot, store, Channels(client, store), rooms)
        self._away = away = Away(tools, Mailbox(store))
        self._calls = Calls(tools, away, client, self._patience)
        try:
            await client.prepare(bot, self._calls)
            self._client = client
            await self._connect(client)
            self._ready = True
        except BaseException:
            await self.stop()
            raise
        self._tasks.append(asyncio.create_task(self._keep_house(store)))

    async def _connect(self, client: InkwellClient) -> None:
        try:
            await client.login(self._token)
            connection = asyncio.create_task(client.connect())
            self._tasks.append(connection)
            ready = asyncio.create_task(client.wait_until_ready())
            try:
                await asyncio.wait(
                    (connection, ready),
                    timeout=START_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if connection.done():
                    await connection
                if not ready.done():
                    raise CannotStart("Discord does not get ready", again=True)
            finally:
                ready.cancel()
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            again = not isinstance(error, FOR_THE_OPERATOR)
            raise CannotStart(why_not_connected(error), again=again) from error
        connection.add_done_callback(lost)

    async def _keep_house(self, store: Store) -> None:
        while True:
            with suppress(sqlite3.Error):  # such as a full disk: the next time may do
                await store.prune()
            await asyncio.sleep(HOUSEKEEPING_SECONDS)

    async def stop(self) -> None:
        if self._calls is not None:
            await self._calls.finish()
        if self._client is not None:
            await self._client.close()
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, discord.DiscordException, OSError):
                await task
        talk_to(OWN_API, str(OWN_GATEWAY))
        if self._tools is not None:
            await self._tools.store.close()
        self._tools = self._away = self._calls = self._client = None
        self._tasks, self._ready = [], False

    async def post(self, post: Post) -> str:
        tools = self._running(post.place)
        if post.place.thread == AWAY:
            assert self._away is not None
            return await self._away.post(post)
        channels, store = tools.channels, tools.store
        if post.edit is not None and post.buttons_only:
            view = buttons_of(post.buttons)
            is_there = await channels.edit_buttons(post.place, post.edit, view)
            return await store.successor(post.edit) if is_there else ""
        if post.edit is not None:
            if await channels.edit(post.place, post.edit, await self._part(post)):
                return await store.successor(post.edit)
            message = await self._send(post, nonce=f"a-{await store.successor(post.edit)}")
            await store.set_successor(post.edit, message)
            return message
        return await self._send(post, post.nonce)

    async def _send(self, post: Post, nonce: str) -> str:
        channels = self._running(post.place).channels
        limit = channels.limit(post.place)
        say = await self._say(post)
        parts = await parts_of(text_of(post), post.files, post.buttons, limit, say)
        return await channels.send(post.place, parts, nonce, mentioned(post))

    async def _part(self, post: Post) -> Part:
        limit = self._running(post.place).channels.limit(post.place)
        say = await self._say(post)
        part = await one_part(text_of(post), post.files, post.buttons, limit, say)
        return named(part, mentioned(post))

    async def _say(self, post: Post) -> Say:
        """Says sentences in the language of whom a post is for."""
        tools = self._running(post.place)
        if post.mention is None:
            return partial(tools.bot.say, None)
        locale = await tools.store.locale(post.mention.id)
        person = await tools.spoken_to(replace(post.mention, language=locale))
        return partial(tools.say, person)

    async def remove(self, place: Place, message: str) -> None:
        tools = self._running(place)
        if place.thread == AWAY:
            assert self._away is not None
            await self._away.remove(message)
        else:
            await tools.channels.remove(place, message)

    def _running(self, place: Place) -> Tools:
        if self._tools is None or not self._ready:
            raise CannotPost("the Discord chat is not running", again=True)
        if place.chat != self.name:
            raise CannotPost(f"this place is not on Discord: {place.key}")
        return self._tools


def text_of(post: Post) -> str:
    """The words of a post; Discord counts down by itself, without edits."""
    if post.countdown is None:
        return post.text
    words, ready = post.countdown
    return post.text.replace(words, f"<t:{round(ready)}:R>", 1)


def mentioned(post: Post) -> int | None:
    """Who is to be notified; in a direct message Discord does that by itself."""
    if post.mention is None or post.place.server is None:
        return None
    return int(post.mention.id)


def talk_to(api: str, gateway: str) -> None:
    """Sets the addresses of Discord, for all clients of this process: discord.py knows no other
    way."""
    discord.http.Route.BASE = api
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = type(OWN_GATEWAY)(gateway)


def lost(connection: asyncio.Task[None]) -> None:
    """The connection has ended, and not by a fault that is mended by connecting again."""
    if not connection.cancelled() and connection.exception() is not None:
        log.error("Discord has ended the connection: %s", why_not_connected(connection.exception()))


def why_not_connected(error: BaseException | None) -> str:
    """A sentence that says what to do."""
    match error:
        case discord.LoginFailure():
            return (
                "Discord does not know this token: copy it again from the page of your application"
                " (Bot, Reset Token) into INKWELL_DISCORD_TOKEN"
            )
        case discord.PrivilegedIntentsRequired():
            return (
                'Discord does not let the bot read messages: switch on "Message Content Intent" on'
                " the page of your application (Bot), or set message_content = false under"
                " [discord]"
            )
        case discord.HTTPException() | discord.GatewayNotFound():
            return f"Discord refuses the bot: {error}"
        case _:
            return f"Discord cannot be reached: {error}; look at the connection to the network"
