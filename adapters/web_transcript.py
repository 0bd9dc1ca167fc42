"""Rooms and messages of the web chat: what a person has been shown, kept over restarts.

Every change of a message or room gets the next sequence number. A page that lost its connection
asks for what changed after the last number it saw: nothing is missed, and as changes are told as
the message's state, hearing of one twice does no harm.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from adapters import web_rows
from adapters.web_files import drop_unused_blobs
from adapters.web_gone import erase
from adapters.web_rows import Json, Room, Said, Shown
from adapters.web_storage import Batch, Event, Storage
from bot.chat import Button

PAGE = 50  # messages fetched at once
MOST_MISSED = 300  # changes told one by one; who missed more loads anew
LONGEST_NUMBER = 18  # digits: what SQLite takes for certain


class Transcript:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def say(self, room: Room, said: Said) -> tuple[int, str]:
        """Keeps what a person says: its id, and "new", "answered" or "unanswered" (said before)."""
        return await self._storage.write(lambda batch: web_rows.say(batch, room, said))

    async def answered(self, room: Room, message: int, shown: Sequence[Shown]) -> list[Room]:
        """Shows the answers to what was said (message 0: a button was pressed), and where."""

        def work(batch: Batch) -> list[Room]:
            places = [web_rows.answer(batch, room, what) for what in shown]
            batch.connection.execute("UPDATE messages SET answered = 1 WHERE id = ?", (message,))
            return places

        return await self._storage.write(work, long=any(what.files for what in shown))

    async def show(self, room: Room, shown: Shown) -> str:
        """Shows something and returns the message's id; the same nonce is shown once."""
        long = bool(shown.files)
        return str(await self._storage.write(lambda b: web_rows.show(b, room, shown), long=long))

    async def remove(self, owner: str, message: str) -> None:
        """Takes a message of the bot away; nothing where there is none of this id."""
        if message.isdecimal() and len(message) <= LONGEST_NUMBER:
            await self._storage.write(
                lambda batch: web_rows.remove(batch, owner, int(message)), for_good=True
            )

    async def set_buttons(
        self, owner: str, message: str, buttons: Sequence[Sequence[Button]]
    ) -> bool:
        """Other buttons under a message of the bot; False where there is none of this id."""
        if not message.isdecimal() or len(message) > LONGEST_NUMBER:
            return False
        number = int(message)
        return await self._storage.write(
            lambda batch: web_rows.set_buttons(batch, owner, number, buttons)
        )

    async def erase(self, cards: Sequence[str], last_words: str) -> None:
        """Takes away what anybody was shown of deleted stories and characters, by their cards."""
        await self._storage.write(
            lambda batch: erase(batch, cards, last_words), long=True, for_good=True
        )

    async def room(self, owner: str, room: str) -> Room | None:
        """A person's room by its id; None if it is not theirs, is gone or never was."""
        if room == owner:
            return Room(room, owner)

        def work(connection: sqlite3.Connection) -> Room | None:
            found = connection.execute(
                "SELECT 1 FROM rooms WHERE id = ? AND owner = ? AND NOT gone", (room, owner)
            ).fetchone()
            return Room(room, owner) if found else None

        return await self._storage.read(work)

    async def rooms(self, owner: str) -> tuple[int, list[Json]]:
        """The number of the last change, and the rooms: home first, then the newest first."""

        def work(connection: sqlite3.Connection) -> tuple[int, list[Json]]:
            seq = connection.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()[0]
            rows = connection.execute(
                "SELECT * FROM rooms WHERE owner = ? AND NOT gone"
                " ORDER BY id != owner, (SELECT max(id) FROM messages WHERE room = rooms.id) DESC",
                (owner,),
            ).fetchall()
            rooms = [web_rows.room_json(row) for row in rows]
            if not rooms or not rooms[0]["home"]:
                rooms.insert(0, {"id": owner, "title": "", "home": True, "gone": False})
            return seq, rooms

        return await self._storage.read(work)

    async def history(self, room: Room, before: int | None = None) -> tuple[list[Json], bool]:
        """The last messages (before one of them), oldest first, and whether there are older."""

        def work(connection: sqlite3.Connection) -> tuple[list[Json], bool]:
            rows = connection.execute(
                "SELECT * FROM messages WHERE room = ? AND id < ? AND NOT gone"
                " ORDER BY id DESC LIMIT ?",
                (room.id, before if before is not None else 1 << 62, PAGE + 1),
            ).fetchall()
            kept = rows[:PAGE]
            return [web_rows.message_json(connection, row) for row in reversed(kept)], len(
                rows
            ) > PAGE

        return await self._storage.read(work)

    async def since(self, owner: str, seq: int) -> list[Event] | None:
        """What changed for a person after a number, in order.

        None: too much, or the person was forgotten since, or the number was never given.
        """

        def work(connection: sqlite3.Connection) -> list[Event] | None:
            if seq > connection.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()[0]:
                return None
            if connection.execute(
                "SELECT 1 FROM forgotten WHERE owner = ? AND seq > ?", (owner, seq)
            ).fetchone():
                return None
            rooms = connection.execute(
                "SELECT * FROM rooms WHERE owner = ? AND seq > ?", (owner, seq)
            ).fetchall()
            rows = connection.execute(
                "SELECT * FROM messages WHERE owner = ? AND seq > ? LIMIT ?",
                (owner, seq, MOST_MISSED + 1),
            ).fetchall()
            if len(rows) > MOST_MISSED:
                return None
            events = [web_rows.room_event(row) for row in rooms]
            events += [web_rows.message_event(connection, row) for row in rows]
            return sorted(events, key=lambda event: event.seq)

        return await self._storage.read(work, long=True)

    async def file(self, owner: str, token: str) -> tuple[str, bytes, str] | None:
        """Name, content and SHA-256 of a file that this person was shown."""

        def work(connection: sqlite3.Connection) -> tuple[str, bytes, str] | None:
            found = connection.execute(
                "SELECT files.name, blobs.content, sha FROM files"
                " JOIN messages ON messages.id = files.message JOIN blobs USING (sha)"
                " WHERE token = ? AND messages.owner = ?",
                (token, owner),
            ).fetchone()
            return (found["name"], found["content"], found["sha"]) if found else None

        return await self._storage.read(work, long=True)

    async def delete_room(self, room: Room) -> None:
        """Takes a room and all that was said there away; the home room is emptied."""

        def work(batch: Batch) -> None:
            row = batch.row("SELECT * FROM rooms WHERE id = ?", room.id)
            if row is None:
                return
            seq = batch.changed()
            batch.connection.execute("DELETE FROM messages WHERE room = ?", (room.id,))
            batch.connection.execute(
                "UPDATE rooms SET gone = 1, seq = ?, title = '' WHERE id = ?", (seq, room.id)
            )
            drop_unused_blobs(batch)
            batch.events.append(
                web_rows.room_event({**dict(row), "seq": seq, "gone": 1, "title": ""})
            )

        await self._storage.write(work, long=True, for_good=True)

    async def forget(self, owner: str, shown: Sequence[Shown] = ()) -> None:
        """Everything of a person; what is `shown` then stands in the home room alone."""

        def work(batch: Batch) -> None:
            batch.connection.execute("DELETE FROM rooms WHERE owner = ?", (owner,))
            batch.connection.execute("DELETE FROM people WHERE id = ?", (owner,))
            drop_unused_blobs(batch)
            for what in shown:
                web_rows.show(batch, Room(owner, owner), what)
            seq = batch.changed()
            batch.connection.execute("INSERT OR REPLACE INTO forgotten VALUES (?, ?)", (owner, seq))
            batch.events.append(Event(owner, seq, '{"type":"reload"}'))

        await self._storage.write(work, long=True, for_good=True)
