"""Whom the bot has met on Telegram, and who can be written to in a direct message."""

from __future__ import annotations

import telegram

from adapters.telegram_storage import Storage
from bot.chat import Person

CHAT = "telegram"


def person_of(user: telegram.User) -> Person:
    """A Telegram user as the bot knows people."""
    return Person(CHAT, str(user.id), user.full_name or str(user.id), user.language_code)


class People:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def met(self, user: telegram.User, *, started: bool = False) -> None:
        """Remembers names and language; `started`: in a direct message, which stays open."""
        person = person_of(user)
        username = user.username.lower() if user.username else None
        known = await self._storage.row("SELECT * FROM people WHERE id = ?", person.id)
        open_to_us = started or (known is not None and bool(known["started"]))
        now = (person.id, person.name, person.language, int(open_to_us), username)
        if known is not None and tuple(known) == now:  # as nearly always
            return
        if username is not None:  # it may have been somebody else's before
            await self._storage.rows(
                "UPDATE people SET username = NULL WHERE username = ? AND id != ?",
                username,
                person.id,
            )
        await self._storage.rows(
            "INSERT INTO people (id, name, language, started, username) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET"
            " name = excluded.name, language = excluded.language,"
            " started = max(started, excluded.started), username = excluded.username",
            *now,
        )

    async def can_be_written_to(self, person: str) -> bool:
        """Whether somebody has opened the bot, so that it may begin a direct message."""
        row = await self._storage.row("SELECT started FROM people WHERE id = ?", person)
        return row is not None and bool(row["started"])

    async def left(self, person: str) -> None:
        """Somebody has closed or blocked the direct message."""
        await self._storage.rows("UPDATE people SET started = 0 WHERE id = ?", person)

    async def with_username(self, username: str) -> str | None:
        """The id of somebody whom the bot has met under a user name, without the @."""
        row = await self._storage.row("SELECT id FROM people WHERE username = ?", username.lower())
        return row["id"] if row else None

    async def named(self, person: str) -> Person | None:
        """Somebody whom the bot has met, by id."""
        row = await self._storage.row("SELECT name, language FROM people WHERE id = ?", person)
        return Person(CHAT, person, row["name"], row["language"]) if row else None
