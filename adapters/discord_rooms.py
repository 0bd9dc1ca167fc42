"""The rooms of stories on servers: a thread each, in which plain messages are lines."""

from __future__ import annotations

import logging
from typing import Literal

import discord

from adapters.discord_posting import asking
from adapters.discord_store import Store
from adapters.discord_where import CHAT
from bot.chat import CannotPost, Person, Place

MOST_TITLE = 100  # characters
ARCHIVE_MINUTES: Literal[10080] = 10080  # a week of silence, until Discord puts the thread away

log = logging.getLogger(__name__)


class Rooms:
    """Opens threads. `reads_all`: plain messages on servers come with their text."""

    def __init__(self, client: discord.Client, store: Store, *, reads_all: bool) -> None:
        self._client, self._store, self._reads_all = client, store, reads_all

    @property
    def hint(self) -> str | None:
        """The sentence that is said once in a new room, if lines do not arrive by themselves."""
        return None if self._reads_all else "discord.how_to_write"

    @property
    def name(self) -> str:
        """How to mention the bot in words."""
        return f"@{self._client.user.name}" if self._client.user else "@Inkwell"

    async def open(self, place: Place, person: Person, title: str, card: str) -> int | None:
        """The id of a new thread for a card, with the person in it; None where none can be opened,
        such as in a forum, without permission, or while Discord is in trouble."""
        channel = self._client.get_channel(int(place.channel))
        if not isinstance(channel, discord.TextChannel):
            return None
        kind = discord.ChannelType.public_thread
        if channel.is_news():
            kind = discord.ChannelType.news_thread
        try:
            thread = await asking(
                lambda: channel.create_thread(
                    name=title[:MOST_TITLE].strip() or CHAT.title(),
                    type=kind,
                    auto_archive_duration=ARCHIVE_MINUTES,
                )
            )
        except CannotPost as error:
            log.warning("no thread in %s: %s", place.key, error)
            return None
        await self._store.set_room(str(thread.id), card, person.id)
        try:
            await asking(lambda: thread.add_user(discord.Object(int(person.id))))
        except CannotPost as error:  # they find it all the same: they are told of it
            log.info("nobody was added to the thread %d: %s", thread.id, error)
        return int(thread.id)
