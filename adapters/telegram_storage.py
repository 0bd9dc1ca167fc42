"""The Telegram chat's own SQLite file: what Telegram itself cannot tell again.

What writes may wait for the disk, so it runs on one thread. Looking for a row takes microseconds
and runs in the event loop: to hand it to a thread and back takes ten times as long.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE people (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, language TEXT,
    started INTEGER NOT NULL DEFAULT 0  -- 1: has opened a direct message with the bot
) WITHOUT ROWID;
CREATE TABLE moved (old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID;  -- groups' chat ids
CREATE TABLE dialogs (
    id TEXT PRIMARY KEY, chat TEXT NOT NULL, person TEXT NOT NULL, state TEXT NOT NULL,
    UNIQUE (chat, person)
) WITHOUT ROWID;
CREATE TABLE cards (
    chat TEXT NOT NULL, thread TEXT NOT NULL, card TEXT NOT NULL,
    message TEXT NOT NULL, owner TEXT NOT NULL,
    live INTEGER NOT NULL,              -- 0: what it showed is deleted
    PRIMARY KEY (chat, thread, card)
) WITHOUT ROWID;
CREATE TABLE replies (                  -- messages of ours in rooms that are made of replies
    chat TEXT NOT NULL, message INTEGER NOT NULL, thread TEXT NOT NULL, owner TEXT NOT NULL,
    PRIMARY KEY (chat, message)
) WITHOUT ROWID;
CREATE TABLE elsewhere (                -- direct messages that belong to a place in a group
    chat TEXT NOT NULL, message INTEGER NOT NULL, place TEXT NOT NULL,
    PRIMARY KEY (chat, message)
) WITHOUT ROWID;
CREATE TABLE pictures (                 -- what inline mode finds
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL, sha TEXT NOT NULL, kind TEXT NOT NULL, file TEXT NOT NULL,
    words TEXT NOT NULL, at REAL NOT NULL,
    UNIQUE (owner, sha)
);
"""
# Which stories older pictures show, nobody noted down: they could not be deleted with them. To
# look at a story once more brings its pictures back.
ABOUT = """
DELETE FROM pictures;
ALTER TABLE pictures ADD COLUMN about TEXT NOT NULL DEFAULT '[]';  -- JSON: names of cards
"""
USERNAMES = """
ALTER TABLE people ADD COLUMN username TEXT;  -- in small letters, without the @
CREATE INDEX people_by_username ON people (username);
"""
STEPS = (SCHEMA, ABOUT, USERNAMES)  # from version 0 to 1, from 1 to 2 …
PRAGMAS = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON")
OF_A_PERSON = (
    "DELETE FROM people WHERE id = ?",
    "DELETE FROM dialogs WHERE person = ?",
    "DELETE FROM cards WHERE owner = ?",
    "DELETE FROM replies WHERE owner = ?",
    "DELETE FROM elsewhere WHERE chat = ?",
    "DELETE FROM pictures WHERE owner = ?",
)

T = TypeVar("T")


class Storage:
    """Open with `Storage.open`. A statement is committed when its call returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="telegram-chat")
        self._connection: sqlite3.Connection
        self._reader: sqlite3.Connection  # used by the event loop alone

    @classmethod
    async def open(cls, path: Path) -> Storage:
        """Raises OSError with a sentence when the file cannot be used."""
        storage = cls(path)
        try:
            await storage._on_thread(storage._connect)
            storage._reader = storage._open()
            storage._reader.execute("PRAGMA query_only=ON")
        except (sqlite3.Error, OSError) as error:
            storage._thread.shutdown(wait=False)
            raise OSError(f"the Telegram chat cannot use its file {path}: {error}") from error
        return storage

    def _connect(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        connection = self._connection = self._open()
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(STEPS):
            connection.close()
            raise OSError("a newer Inkwell wrote it; update this one, or move the file away")
        for number, step in enumerate(STEPS[version:], version + 1):
            connection.executescript(
                f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;"
            )

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """What a statement finds; one that writes is committed."""
        return await self._on_thread(lambda: self._connection.execute(sql, values).fetchall())

    async def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first of what a query finds by an index, from what is committed."""
        found: sqlite3.Row | None = self._reader.execute(sql, values).fetchone()
        return found

    async def meta(self, key: str) -> str | None:
        row = await self.row("SELECT value FROM meta WHERE key = ?", key)
        return row["value"] if row else None

    async def set_meta(self, key: str, value: str) -> None:
        await self.rows("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    async def forget(self, person: str) -> None:
        """Deletes everything that is kept of a person."""

        def work() -> None:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                for sql in OF_A_PERSON:
                    self._connection.execute(sql, (person,))

        await self._on_thread(work)

    async def close(self) -> None:
        self._reader.close()
        await self._on_thread(self._connection.close)
        self._thread.shutdown()
