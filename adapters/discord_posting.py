"""Messages by the id of their channel: sent once however often it is tried, edited, taken away."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import aiohttp
import discord

from adapters.discord_messages import MOST_FILE_BYTES, Part, named, view_of
from adapters.discord_store import Store
from adapters.discord_where import channel_id
from bot.chat import CannotPost, Place

UNKNOWN_MESSAGE, ARCHIVED = 10008, 50083  # Discord's error codes
MOST_NONCE = 22
AGAIN_SECONDS = 30.0  # after a 429 that does not say for how long

T = TypeVar("T")


class Channels:
    """What the bot says in channels, threads and direct messages. Everything raises CannotPost."""

    def __init__(self, client: discord.Client, store: Store) -> None:
        self._client, self._store = client, store

    def limit(self, place: Place) -> int:
        """How many bytes a file may have there."""
        guild = self._client.get_guild(int(place.server)) if place.server else None
        return guild.filesize_limit if guild is not None else MOST_FILE_BYTES

    async def send(
        self,
        place: Place,
        parts: Sequence[Part],
        nonce: str = "",
        mention: int | None = None,
        answers: discord.Message | None = None,
    ) -> str:
        """Posts the parts one after the other; returns the id of the last.

        Trying again with the same `nonce` makes no second message, for some minutes. `mention`: the
        id of a person who is to be notified.
        """
        message, nonce = "", short_nonce(nonce)
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            fields = named(part, mention if is_last else None).fields()
            if nonce:
                fields["nonce"] = nonce if is_last else f"{nonce}-{number}"
            if mention is not None and is_last:
                fields["allowed_mentions"] = discord.AllowedMentions(
                    everyone=False, roles=False, users=[discord.Object(mention)]
                )
            if answers is not None and number == 0:
                fields["reference"] = answers.to_reference(fail_if_not_exists=False)
                fields["mention_author"] = False
            try:
                message = str((await self._send(place, fields)).id)
            except CannotPost as error:  # where a part is there, the next try needs the same nonce
                error.unknown = error.unknown or (error.again and number > 0)
                raise
        return message

    async def _send(self, place: Place, fields: dict[str, Any]) -> discord.Message:
        channel = self._client.get_partial_messageable(channel_id(place))
        return await asking(lambda: channel.send(**fields))

    async def edit(self, place: Place, message: str, part: Part) -> bool:
        """Changes a message of the bot; False where it is gone, and so was never changed."""
        target = int(await self._store.successor(message))
        channel = self._client.get_partial_messageable(channel_id(place))
        try:
            await self._awake(
                place, lambda: channel.get_partial_message(target).edit(**part.edited())
            )
        except Gone:
            return False
        return True

    async def edit_buttons(self, place: Place, message: str, view: Sequence[Any]) -> bool:
        """Changes only the buttons of a message of the bot; False where it is gone."""
        target = int(await self._store.successor(message))
        channel = self._client.get_partial_messageable(channel_id(place))
        buttons = view_of(view) if view else None
        try:
            await self._awake(place, lambda: channel.get_partial_message(target).edit(view=buttons))
        except Gone:
            return False
        return True

    async def remove(self, place: Place, message: str) -> None:
        """Deletes a message of the bot; one that is gone is no error."""
        target = int(await self._store.successor(message))
        channel = self._client.get_partial_messageable(channel_id(place))
        try:
            await self._awake(place, lambda: channel.get_partial_message(target).delete())
        except Gone:
            return
        except CannotPost as error:
            if not isinstance(error.__cause__, discord.NotFound):  # the whole channel is gone
                raise

    async def _awake(self, place: Place, act: Callable[[], Awaitable[object]]) -> None:
        """Does something with a message; a thread that was put away is taken out again first."""
        try:
            await asking(act)
        except CannotPost as error:
            cause = error.__cause__
            if not isinstance(cause, discord.HTTPException) or cause.code != ARCHIVED:
                raise
            http = self._client.http
            await asking(lambda: http.edit_channel(channel_id(place), archived=False))
            await asking(act)


class Gone(CannotPost):
    """The message is not there any more; its channel is."""


def short_nonce(nonce: str) -> str:
    """A nonce in at most 22 characters: Discord takes 25, and parts are numbered."""
    if len(nonce) <= MOST_NONCE:
        return nonce
    return hashlib.blake2b(nonce.encode(), digest_size=MOST_NONCE // 2).hexdigest()


async def asking(act: Callable[[], Awaitable[T]]) -> T:
    """Does it; what Discord or the network say against it becomes CannotPost."""
    try:
        return await act()
    except (
        discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError, RuntimeError,
    ) as error:  # fmt: skip
        raise refusal(error) from error


def refusal(error: Exception) -> CannotPost:
    """What it means that a request failed."""
    if isinstance(error, discord.RateLimited):
        return CannotPost("Discord asks to wait", again=True, wait=error.retry_after)
    if isinstance(error, aiohttp.ClientConnectorError):  # nothing left us
        return CannotPost(f"Discord cannot be reached: {error}", again=True)
    if not isinstance(error, discord.HTTPException):  # nobody knows how far the request came
        return CannotPost(f"Discord cannot be reached: {error}", again=True, unknown=True)
    if error.status == 429:
        return CannotPost("Discord asks to wait", again=True, wait=AGAIN_SECONDS)
    if error.status >= 500:
        return CannotPost(f"Discord is in trouble ({error.status})", again=True, unknown=True)
    if error.code == UNKNOWN_MESSAGE:
        return Gone("the message is gone")
    return CannotPost(f"Discord refuses it: {error.text or error.status} (code {error.code})")


async def in_time(work: asyncio.Task[T], seconds: float) -> bool:
    """Whether it is done within so many seconds; it goes on all the same."""
    done, _ = await asyncio.wait((work,), timeout=seconds)
    return bool(done)
