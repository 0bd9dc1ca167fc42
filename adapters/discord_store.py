"""What the Discord chat itself must remember, in an SQLite file of its own.

Cards and the rooms of stories, forms that wait to be opened, messages that were posted anew in
place of deleted ones. Stories and pictures are not here: they are the bot's.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiosqlite

SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cards (
    place TEXT NOT NULL, card TEXT NOT NULL, message TEXT NOT NULL, owner TEXT NOT NULL,
    PRIMARY KEY (place, card)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rooms (
    thread TEXT PRIMARY KEY, card TEXT NOT NULL, owner TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, content TEXT NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS anew (
    message TEXT PRIMARY KEY, successor TEXT NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS locales (owner TEXT PRIMARY KEY, locale TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mail (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    place TEXT NOT NULL, owner TEXT NOT NULL, nonce TEXT,
    post TEXT NOT NULL,            -- JSON: text, buttons, whether it is progress; "" once fetched
    at REAL NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS mail_by_nonce ON mail (place, nonce);
CREATE TABLE IF NOT EXISTS mail_files (
    mail INTEGER NOT NULL REFERENCES mail (id) ON DELETE CASCADE,
    position INTEGER NOT NULL, name TEXT NOT NULL, alt TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (mail, position)
) WITHOUT ROWID;
"""
# Which stories older mail shows, nobody noted down; it goes when it is too old.
ABOUT = """
ALTER TABLE mail ADD COLUMN about TEXT NOT NULL DEFAULT '[]';  -- JSON: names of cards
"""
STEPS = (SCHEMA, ABOUT)  # from version 0 to 1, from 1 to 2
KEPT_SECONDS = 24 * 3600.0  # forms: the addresses of files in them end about then, too
OLD_SECONDS = 30 * 24 * 3600.0  # mail that nobody fetched, messages posted anew


class Store:
    """Open it with `Store.open`. What is committed survives a crash of the process."""

    def __init__(self, connection: aiosqlite.Connection, reader: sqlite3.Connection) -> None:
        self.db = connection
        self._reader = reader

    @classmethod
    async def open(cls, path: Path) -> Store:
        """Raises OSError, one sentence, for a file that cannot be used."""
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = await aiosqlite.connect(path, isolation_level=None)
        store = cls(connection, sqlite3.connect(path, isolation_level=None))
        try:
            await connection.execute("PRAGMA journal_mode = WAL")
            await connection.execute("PRAGMA synchronous = NORMAL")
            await connection.execute("PRAGMA foreign_keys = ON")
            await connection.execute("PRAGMA secure_delete = ON")
            store._reader.execute("PRAGMA query_only = ON")
            await store._update(path)
        except sqlite3.Error as error:
            await store.close()
            raise OSError(
                f"the file {path} of the Discord chat cannot be used: {error}; mend it, or delete"
                " it: then old cards are posted anew"
            ) from error
        except OSError:
            await store.close()
            raise
        return store

    async def _update(self, path: Path) -> None:
        """Brings the file to the shape of today. Raises OSError if it is newer than that."""
        version = int(await self.one("PRAGMA user_version"))
        if version > len(STEPS):
            raise OSError(
                f"a newer Inkwell wrote the file {path} of the Discord chat; update this one, or"
                " move the file away: then old cards are posted anew"
            )
        for number, step in enumerate(STEPS[version:], version + 1):
            await self.db.executescript(
                f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;"
            )

    async def close(self) -> None:
        """Nothing may be asked afterwards."""
        self._reader.close()
        await self.db.close()

    async def one(self, sql: str, *values: object) -> Any:
        """The first column of the first row that a query finds by an index, or None."""
        row = self._reader.execute(sql, values).fetchone()
        return None if row is None else row[0]

    async def note(self, key: str) -> str | None:
        """A value that was noted, such as the fingerprint of the commands."""
        return await self.one("SELECT value FROM notes WHERE key = ?", key)  # type: ignore[no-any-return]

    async def set_note(self, key: str, value: str) -> None:
        await self.db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (key, value))

    async def card(self, place: str, card: str) -> str | None:
        """The message that shows a card in a place, by the place's key."""
        sql = "SELECT message FROM cards WHERE place = ? AND card = ?"
        return await self.one(sql, place, card)  # type: ignore[no-any-return]

    async def set_card(self, place: str, card: str, message: str, owner: str) -> None:
        sql = "INSERT OR REPLACE INTO cards VALUES (?, ?, ?, ?)"
        await self.db.execute(sql, (place, card, message, owner))

    async def cards(self, card: str) -> list[tuple[str, str]]:
        """Where a card stands: keys of places, and the messages there."""
        async with self.db.execute("SELECT place, message FROM cards WHERE card = ?", (card,)) as c:
            return [(row[0], row[1]) for row in await c.fetchall()]

    async def is_room(self, thread: str) -> bool:
        """Whether a thread was opened for a story."""
        return await self.one("SELECT 1 FROM rooms WHERE thread = ?", thread) is not None

    async def set_room(self, thread: str, card: str, owner: str) -> None:
        sql = "INSERT OR REPLACE INTO rooms VALUES (?, ?, ?)"
        await self.db.execute(sql, (thread, card, owner))

    async def close_room(self, thread: str) -> None:
        """The thread was deleted."""
        await self.db.execute("DELETE FROM rooms WHERE thread = ?", (thread,))
        await self.db.execute("DELETE FROM cards WHERE place LIKE ?", (f"%/{thread}",))

    async def keep(self, owner: str, content: dict[str, Any]) -> str:
        """Keeps what a form is to be made of, for a day; returns the name to ask for it by."""
        name = secrets.token_urlsafe(12)
        await self.db.execute(
            "INSERT INTO kept VALUES (?, ?, ?, ?)", (name, owner, json.dumps(content), time.time())
        )
        return name

    async def kept(self, owner: str, name: str) -> dict[str, Any] | None:
        """What was kept for this person; None where it is gone or somebody else's."""
        found = await self.one("SELECT content FROM kept WHERE id = ? AND owner = ?", name, owner)
        return None if found is None else dict(json.loads(found))

    async def successor(self, message: str) -> str:
        """The message that was posted in place of a deleted one; otherwise the message itself."""
        sql = "SELECT successor FROM anew WHERE message = ?"
        return str(await self.one(sql, message) or message)

    async def set_successor(self, message: str, successor: str) -> None:
        sql = "INSERT OR REPLACE INTO anew VALUES (?, ?, ?)"
        await self.db.execute(sql, (message, successor, time.time()))

    async def locale(self, owner: str) -> str | None:
        """The language of somebody's Discord, when they last used a command or a button."""
        sql = "SELECT locale FROM locales WHERE owner = ?"
        return await self.one(sql, owner)  # type: ignore[no-any-return]

    async def set_locale(self, owner: str, locale: str) -> None:
        if await self.locale(owner) != locale:
            await self.db.execute("INSERT OR REPLACE INTO locales VALUES (?, ?)", (owner, locale))

    async def delete_mail(self, cards: Sequence[str]) -> None:
        """Deletes the mail about deleted stories, whoever it is for; `cards`: of those stories."""
        deleted = await self.db.execute(
            "DELETE FROM mail WHERE id IN (SELECT mail.id FROM mail, json_each(about) AS one"
            " WHERE one.value IN (SELECT value FROM json_each(?)))",
            (json.dumps(list(cards)),),
        )
        if deleted.rowcount:
            await self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def forget(self, owner: str) -> None:
        """Deletes all that is kept of a person."""
        for table in ("cards", "rooms", "kept", "mail", "locales"):
            await self.db.execute(f"DELETE FROM {table} WHERE owner = ?", (owner,))
        await self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def prune(self) -> None:
        """Deletes what is too old to be asked for."""
        now = time.time()
        await self.db.execute("DELETE FROM kept WHERE at < ?", (now - KEPT_SECONDS,))
        for table in ("anew", "mail"):
            await self.db.execute(f"DELETE FROM {table} WHERE at < ?", (now - OLD_SECONDS,))
