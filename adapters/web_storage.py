"""The web chat's own SQLite file, on one thread: what waits together is committed together.

A commit waits for the disk. With one for each of 200 people who write at once the last would wait
200 times as long; here all that came in while the disk was busy goes into the next commit.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE people (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, language TEXT, created REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE rooms (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, seq INTEGER NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX rooms_by_owner ON rooms (owner, seq);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    room TEXT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    owner TEXT NOT NULL,
    seq INTEGER NOT NULL,          -- of its last change
    at REAL NOT NULL,              -- Unix time in seconds
    mine INTEGER NOT NULL,         -- 1: said by the person, 0: by the bot
    text TEXT NOT NULL,
    attached TEXT NOT NULL DEFAULT '[]',  -- names of the files that the person sent along
    buttons TEXT NOT NULL DEFAULT '[]',
    progress REAL,
    opens TEXT,                    -- the room that this message leads to
    card TEXT,
    nonce TEXT,
    answered INTEGER NOT NULL DEFAULT 1  -- 0: handed to the bot, which has not answered yet
);
CREATE INDEX messages_by_room ON messages (room, id);
CREATE INDEX messages_by_change ON messages (owner, seq);
CREATE UNIQUE INDEX messages_by_nonce ON messages (owner, mine, nonce);
CREATE UNIQUE INDEX messages_by_card ON messages (room, card);
CREATE INDEX messages_by_owners_card ON messages (owner, card) WHERE card IS NOT NULL;
CREATE TABLE blobs (sha TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE files (
    token TEXT PRIMARY KEY,        -- its address; not to be guessed
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,     -- from 0; below: replaced lately
    name TEXT NOT NULL,
    alt TEXT NOT NULL,
    sha TEXT NOT NULL REFERENCES blobs (sha),
    width INTEGER, height INTEGER, -- of pictures, in pixels
    bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_by_message ON files (message, position);
CREATE INDEX files_by_sha ON files (sha);
"""
TAKEN_AWAY = """
-- Rows that stay behind, so that a page that was not connected hears of it later.
ALTER TABLE messages ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;  -- 1: taken away, and empty
CREATE TABLE forgotten (
    owner TEXT PRIMARY KEY,        -- whose pages must load anew
    seq INTEGER NOT NULL           -- if they have not since then
) WITHOUT ROWID;
"""
STEPS = (SCHEMA, TAKEN_AWAY)  # from version 0 to 1, from 1 to 2 …
MOST_TOGETHER = 256  # pieces of work in one commit

T = TypeVar("T")


@dataclass(frozen=True)
class Event:
    """Something that a person's open pages must hear of: JSON, ready to be sent."""

    owner: str
    seq: int
    text: str


@dataclass
class Batch:
    """What a piece of work writes with. `seq` numbers every change, over all rooms."""

    connection: sqlite3.Connection
    seq: int
    events: list[Event] = field(default_factory=list)

    def changed(self) -> int:
        self.seq += 1
        return self.seq

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self.connection.execute(sql, values).fetchone()
        return found


class Storage:
    """Open with `Storage.open`. `publish` is called in the event loop, in the order of commits."""

    def __init__(self, path: Path, publish: Callable[[Sequence[Event]], None]) -> None:
        self._path, self._publish = path, publish
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="web-chat")
        self._waiting: list[tuple[Callable[[Batch], Any], asyncio.Future[Any]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._connection: sqlite3.Connection
        self.secret = b""
        self.seq = 0

    @classmethod
    async def open(cls, path: Path, publish: Callable[[Sequence[Event]], None]) -> Storage:
        """Raises OSError with a sentence when the file cannot be used."""
        storage = cls(path, publish)
        try:
            await storage._on_thread(storage._connect)
        except (sqlite3.Error, OSError) as error:
            storage._thread.shutdown(wait=False)
            raise OSError(f"the web chat cannot use its file {path}: {error}") from error
        return storage

    def _connect(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)  # it holds the key that signs sessions
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._connection = connection
        connection.row_factory = sqlite3.Row
        for pragma in ("busy_timeout=5000", "foreign_keys=ON", "synchronous=FULL", "mmap_size=0"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA journal_mode=WAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(STEPS):
            connection.close()
            raise OSError("a newer Inkwell wrote it; update this one, or move the file away")
        if version == 0:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        for number, step in enumerate(STEPS[version:], version + 1):
            connection.executescript(
                f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;"
            )
        connection.executemany(
            "INSERT OR IGNORE INTO meta VALUES (?, ?)",
            [("secret", secrets.token_bytes(32)), ("seq", 0)],
        )
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        self.secret, self.seq = meta["secret"], meta["seq"]

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._on_thread(lambda: work(self._connection))

    async def write(self, work: Callable[[Batch], T]) -> T:
        """Runs a piece of work, all or nothing; returns once it is safely on the disk."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_what_waits())
        return await future

    async def _write_what_waits(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = (
                    self._waiting[:MOST_TOGETHER],
                    self._waiting[MOST_TOGETHER:],
                )
                await self._write_together(together)
        finally:
            self._writer = None

    async def _write_together(
        self, together: Sequence[tuple[Callable[[Batch], Any], asyncio.Future[Any]]]
    ) -> None:
        works = [work for work, _ in together]
        try:
            batch, results = await self._on_thread(lambda: self._commit(works))
        except Exception as error:  # such as a full disk: everybody in it hears of it
            results = [error] * len(works)
        else:
            self.seq = batch.seq
            self._publish(batch.events)
        for (_, future), result in zip(together, results, strict=True):
            if future.done():  # who asked is gone; what was asked is done all the same
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _commit(self, works: Sequence[Callable[[Batch], Any]]) -> tuple[Batch, list[Any]]:
        connection = self._connection
        batch = Batch(connection, self.seq)
        results: list[Any] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            for work in works:
                results.append(self._do(work, batch))
            connection.execute("UPDATE meta SET value = ? WHERE key = 'seq'", (batch.seq,))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return batch, results

    @staticmethod
    def _do(work: Callable[[Batch], Any], batch: Batch) -> Any:
        """The result of one piece of work, or its error; an error undoes nobody else's work."""
        events = len(batch.events)
        batch.connection.execute("SAVEPOINT work")
        try:
            result = work(batch)
        except Exception as error:
            if not batch.connection.in_transaction:  # SQLite gave the whole transaction up
                raise
            batch.connection.execute("ROLLBACK TO work")
            del batch.events[events:]
            result = error
        batch.connection.execute("RELEASE work")
        return result

    async def close(self) -> None:
        while self._writer is not None:
            await asyncio.wait([self._writer])
        await self._on_thread(self._connection.close)
        self._thread.shutdown()
