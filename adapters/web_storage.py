"""The web chat's own SQLite file: what waits together is committed together.

A commit waits for the disk. With one for each of 200 people who write at once the last would wait
200 times as long; here all that came in while the disk was busy goes into the next commit.

What waits for the disk, or handles whole files, does so on one thread. The rest takes microseconds
and runs in the event loop: handing it to a thread and back would take several times as long.
"""

from __future__ import annotations

import asyncio
import logging
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
# What was shown before, nobody noted down. A story's own room begins with its card, so all that
# the bot showed there is about it; elsewhere the buttons tell: "redraws:ID:…".
ABOUT = """
CREATE TABLE about (               -- which stories a message shows, by the names of their cards
    card TEXT NOT NULL,
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    PRIMARY KEY (card, message)
) WITHOUT ROWID;
CREATE INDEX about_by_message ON about (message);
CREATE TABLE deleted_cards (card TEXT PRIMARY KEY) WITHOUT ROWID;  -- of deleted stories
INSERT INTO about SELECT card, id FROM messages WHERE card IS NOT NULL;
INSERT OR IGNORE INTO about
    SELECT head.card, one.id FROM messages AS head
    JOIN messages AS one ON one.room = head.room AND NOT one.mine
    WHERE head.room != head.owner AND head.id =
        (SELECT min(id) FROM messages WHERE room = head.room AND card IS NOT NULL);
INSERT OR IGNORE INTO about
    SELECT 'story ' || substr(rest, 1, instr(rest || ':', ':') - 1), id FROM (
        SELECT messages.id, substr(button.value ->> 'data', instr(button.value ->> 'data', ':') + 1)
            AS rest
        FROM messages, json_each(messages.buttons) AS line, json_each(line.value) AS button
    );
"""
STEPS = (SCHEMA, TAKEN_AWAY, ABOUT)  # from version 0 to 1, from 1 to 2 …
MOST_TOGETHER = 256  # pieces of work in one commit
PRAGMAS = (
    "busy_timeout=5000",
    "foreign_keys=ON",
    "synchronous=FULL",
    "mmap_size=0",
    "secure_delete=ON",  # what is deleted is overwritten
)

T = TypeVar("T")

log = logging.getLogger(__name__)


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


@dataclass(frozen=True)
class Waiting:
    """A piece of work, and whom to tell how it went."""

    work: Callable[[Batch], Any]
    long: bool
    for_good: bool
    future: asyncio.Future[Any]


class Storage:
    """Open with `Storage.open`. `publish` is called in the event loop, in the order of commits."""

    def __init__(self, path: Path, publish: Callable[[Sequence[Event]], None]) -> None:
        self._path, self._publish = path, publish
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="web-chat")
        self._waiting: list[Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._writer: sqlite3.Connection
        self._reader: sqlite3.Connection  # of the event loop
        self._thread_reader: sqlite3.Connection
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
        connection = self._writer = plain(self._path)
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
        self._reader, self._thread_reader = plain(self._path), plain(self._path)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def read(self, work: Callable[[sqlite3.Connection], T], *, long: bool = False) -> T:
        """What is found in what is committed. `long` is for whole files and many rows."""
        if long:
            return await self._on_thread(lambda: work(self._thread_reader))
        return work(self._reader)

    async def write(
        self, work: Callable[[Batch], T], *, long: bool = False, for_good: bool = False
    ) -> T:
        """Runs a piece of work, all or nothing; returns once it is safely on the disk.

        `long` is for whole files and many rows. What is deleted `for_good` can then be read in no
        file any more.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(work, long, for_good, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_what_waits())
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
            self._writing = None

    async def _write_together(self, together: Sequence[Waiting]) -> None:
        batch = Batch(self._writer, self.seq)
        try:
            results = await self._commit(together, batch)
        except Exception as error:  # such as a full disk: everybody in it hears of it
            results = [error] * len(together)
        else:
            self.seq = batch.seq
            self._publish(batch.events)
            if any(one.for_good for one in together):
                await self._on_thread(self._empty_log)
        for one, result in zip(together, results, strict=True):
            if one.future.done():  # who asked is gone; what was asked is done all the same
                continue
            if isinstance(result, Exception):
                one.future.set_exception(result)
            else:
                one.future.set_result(result)

    async def _commit(self, together: Sequence[Waiting], batch: Batch) -> list[Any]:
        def work() -> list[Any]:
            results = [self._do(one.work, batch) for one in together]
            self._writer.execute("UPDATE meta SET value = ? WHERE key = 'seq'", (batch.seq,))
            return results

        def undo() -> None:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

        try:
            await self._on_thread(lambda: self._writer.execute("BEGIN IMMEDIATE"))
            long = any(one.long for one in together)
            results = await self._on_thread(work) if long else work()
            await self._on_thread(lambda: self._writer.execute("COMMIT"))
        except BaseException:
            await self._on_thread(undo)
            raise
        return results

    def _empty_log(self) -> None:
        """Moves the write-ahead log, in which what was deleted can still be read, into the file."""
        try:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:  # what was asked is done; the next time empties it
            log.warning("the web chat's write-ahead log could not be emptied: %s", error)

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
        while self._writing is not None:
            await asyncio.wait([self._writing])
        for connection in (self._reader, self._thread_reader, self._writer):
            await self._on_thread(connection.close)
        self._thread.shutdown()


def plain(path: Path) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection
