"""Where things are said on Telegram: chats, topics, and rooms that are made of replies.

A place keeps the id that a group had first, for the bot's settings and stories hang on it; when the
group becomes a supergroup, Telegram gives it another one, which is only used to talk to Telegram.

Where the bot may open no topics, a story's room is the chain of replies to its card: the thread
"r17" holds message 17 and every message of ours that answers there, be it in a topic or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import telegram

from adapters.telegram_people import CHAT
from adapters.telegram_storage import Storage
from bot.chat import Place

REPLIES = "r"  # a thread that begins so is made of replies


@dataclass(frozen=True)
class Target:
    """What Telegram must be told to show something in a place."""

    chat: int
    topic: int | None = None
    reply_to: int | None = None


class Places:
    """Open with `Places.open`."""

    def __init__(self, storage: Storage, moved: dict[str, str]) -> None:
        self._storage = storage
        self._new_of = moved
        self._old_of = {new: old for old, new in moved.items()}

    @classmethod
    async def open(cls, storage: Storage) -> Places:
        rows = await storage.rows("SELECT old, new FROM moved")
        return cls(storage, {row["old"]: row["new"] for row in rows})

    async def of_message(self, message: telegram.Message) -> Place:
        """Where a person said something."""
        replied = message.reply_to_message
        thread = await self.room_of_message(message.chat, replied.message_id if replied else None)
        return self.of_chat(message.chat, thread or topic_of(message))

    async def of_our_message(self, message: telegram.MaybeInaccessibleMessage) -> Place:
        """Where a message of ours is, such as one whose button was pressed."""
        topic = topic_of(message) if isinstance(message, telegram.Message) else None
        thread = await self.room_of_message(message.chat, message.message_id)
        return self.of_chat(message.chat, thread or topic)

    def of_chat(self, chat: telegram.Chat, thread: str | None = None) -> Place:
        channel = self.first_id(chat.id)
        server = None if chat.type == telegram.Chat.PRIVATE else channel
        return Place(CHAT, channel, server, thread)

    async def room_of_message(self, chat: telegram.Chat, message: int | None) -> str | None:
        """The thread of replies that a message of ours belongs to."""
        if message is None or chat.type == telegram.Chat.PRIVATE:
            return None
        row = await self._storage.row(
            "SELECT thread FROM replies WHERE chat = ? AND message = ?",
            self.first_id(chat.id),
            message,
        )
        return row["thread"] if row else None

    def first_id(self, chat: int) -> str:
        """The id that a chat had first."""
        return self._old_of.get(str(chat), str(chat))

    async def target(self, place: Place) -> Target:
        """Where to send what belongs into a place. Raises ValueError for a place of no chat."""
        chat = int(self._new_of.get(place.channel, place.channel))
        if place.thread is None:
            return Target(chat)
        if not place.thread.startswith(REPLIES):
            return Target(chat, topic=int(place.thread))
        row = await self._storage.row(
            "SELECT max(message) AS last FROM replies WHERE chat = ? AND thread = ?",
            place.channel,
            place.thread,
        )
        return Target(chat, reply_to=row["last"] if row else None)

    async def joins(self, place: Place, message: int, owner: str) -> None:
        """A message of ours is in a room that is made of replies."""
        if place.thread is not None and place.thread.startswith(REPLIES):
            await self._storage.rows(
                "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)",
                place.channel,
                message,
                place.thread,
                owner,
            )

    async def moved(self, old: int, new: int) -> None:
        """A group has become a supergroup: its messages are out of reach, its id is another."""
        first = self.first_id(old)
        if str(new) == first:
            return
        self._new_of[first], self._old_of[str(new)] = str(new), first
        await self._storage.rows("INSERT OR REPLACE INTO moved VALUES (?, ?)", first, str(new))
        for table in ("replies", "cards"):
            await self._storage.rows(f"DELETE FROM {table} WHERE chat = ?", first)


def topic_of(message: telegram.Message) -> str | None:
    """The topic a message is in; None for the general one, and for mere replies."""
    if message.is_topic_message and message.message_thread_id is not None:
        return str(message.message_thread_id)
    return None
