"""The one SQLite file of the bot: one connection writes, others only read.

Two coroutines on one connection would end each other's transactions, so all writing goes through
`Database.tx`, one at a time; and only one process may have the file open, which also spares it a
fault of SQLite before 3.51.3 (two that write and checkpoint at once can damage a WAL file).

A statement takes microseconds; handing it to a thread and back takes ten times as long, and far
longer while 200 people wait. So short statements run in the event loop, and only what may wait for
the disk or look through whole tables goes to the connections' threads.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from bot.durable import Lock
from bot.migrate import BUSY_SECONDS, MIGRATIONS, migrate
from bot.trouble import in_words
from engine.prompts import same_name

ROWS_AT_ONCE = 64  # that a cursor hands over; nobody reads with one here
READERS = 2  # so that one long question does not keep all short ones waiting
ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
ID_LENGTH = 10  # 50 random bits: nobody finds a story by guessing
EVERYWHERE = ("foreign_keys=ON", "mmap_size=0")
WRITER = (*EVERYWHERE, "synchronous=FULL", "secure_delete=ON", "journal_size_limit=67108864")
READER = (*EVERYWHERE, "query_only=ON", "wal_autocheckpoint=0")
Value = str | int | float | bytes | None
T = TypeVar("T")


class Connection(aiosqlite.Connection):
    """While `here`, statements run where they are asked for, instead of in its thread.

    They then give SQLite's own cursor, whose `rowcount` is the same: the layers that the library
    puts around each would take longer than most statements.
    """

    here = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.here:
            return fn(*args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    def begins_at_once(self) -> bool:
        """Begins to write, unless another program has locked the file; whether it could."""
        self._conn.execute("PRAGMA busy_timeout=0").fetchall()
        try:
            self._conn.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:  # or a kind of it
                raise
            return False
        finally:
            self._conn.execute(f"PRAGMA busy_timeout={1000 * BUSY_SECONDS:.0f}").fetchall()
        return True

    async def execute(self, sql: str, parameters: Any = ()) -> Any:  # type: ignore[override]
        if self.here:
            return self._conn.execute(sql, parameters)
        return await super().execute(sql, parameters)

    async def executemany(self, sql: str, parameters: Any) -> Any:  # type: ignore[override]
        if self.here:
            return self._conn.executemany(sql, parameters)
        return await super().executemany(sql, parameters)

    async def execute_fetchall(  # type: ignore[override]
        self, sql: str, parameters: Any = ()
    ) -> Any:
        if self.here:
            return self._conn.execute(sql, parameters).fetchall()
        return await super().execute_fetchall(sql, parameters)


class Database:
    """An open database. Build it with `Database.open`."""

    def __init__(
        self,
        lock: Lock,
        writer: Connection,
        readers: list[Connection],
        reader_here: sqlite3.Connection,
    ) -> None:
        self._lock = lock
        self._writer = writer
        self._readers = readers
        self._reader_here = reader_here  # used by the event loop alone
        self._next_reader = cycle(readers)
        self._turn = asyncio.Lock()  # first come, first served
        self._writing: asyncio.Task[Any] | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path, migrations: Path = MIGRATIONS) -> Database:
        """Opens the database at `path`, made or brought up to date if need be.

        Raises Refusal if another process has it open or `bot.migrate` refuses it; StoreTrouble.
        """
        lock = Lock(path)
        opened: list[Connection] = []
        try:
            await to_the_end(asyncio.to_thread(migrate, path, migrations))
            for pragmas in (WRITER, *[READER] * READERS):
                opened.append(await connect(path, pragmas))
            with in_words():
                here = plain(path, READER)
        except BaseException:
            await to_the_end(close_all(opened, lock))
            raise
        return cls(lock, opened[0], opened[1:], here)

    @asynccontextmanager
    async def tx(self, *, long: bool = False) -> AsyncIterator[aiosqlite.Connection]:
        """The writer, inside a transaction: all that is written there is kept, or nothing.

        `long` is for statements that may touch thousands of rows: they leave the event loop alone.

        Any exception rolls back; so does a cancellation, while one that comes during the commit
        lets it end first. Do not wait for slow things in here: others wait to write. With
        `RETURNING` use `execute_fetchall`, for a statement with rows left unread cannot commit.
        Raises StoreTrouble if the disk is full, or another program has locked the file for 5 s.
        """
        if self._writing is asyncio.current_task():
            raise RuntimeError("this task is already in a transaction and would wait for itself")
        async with self._turn:
            self._writing = asyncio.current_task()
            try:
                with in_words():
                    if not self._writer.begins_at_once():
                        await to_the_end(self._writer.execute("BEGIN IMMEDIATE"))
                    self._writer.here = not long
                    yield self._writer
                    self._writer.here = False
                    await to_the_end(self._writer.commit())
            except BaseException:
                self._writer.here = False
                await to_the_end(self._writer.rollback())
                raise
            finally:
                self._writing = None

    async def rows(self, sql: str, *values: Value) -> list[sqlite3.Row]:
        """All rows of a query, from what is committed. Raises StoreTrouble."""
        with in_words():
            return list(
                await next(self._next_reader).execute_fetchall(sql, [*map(askable, values)])
            )

    async def row(self, sql: str, *values: Value) -> sqlite3.Row | None:
        """The first row of a query like those of `few`, or None."""
        return next(iter(await self.few(sql, *values)), None)

    async def few(self, sql: str, *values: Value) -> list[sqlite3.Row]:
        """`rows` of a query that finds a few by an index: it runs in the event loop."""
        with in_words():
            return self._reader_here.execute(sql, [*map(askable, values)]).fetchall()

    async def checkpoint(self) -> None:
        """Empties the write-ahead log, in which what was deleted can still be read."""
        async with self._turn:
            with in_words():
                await to_the_end(self._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)"))

    async def close(self) -> None:
        """Waits for the transaction that is under way and lets go of the file."""
        async with self._turn:
            if not self._closed:
                self._closed = True
                self._reader_here.close()
                await to_the_end(close_all([*self._readers, self._writer], self._lock))


async def connect(path: Path, pragmas: Sequence[str]) -> Connection:
    """`plain`, in a thread of its own."""
    connection = Connection(lambda: plain(path, pragmas), ROWS_AT_ONCE)
    with in_words():
        try:
            await to_the_end(connection)
        except BaseException:
            await to_the_end(connection.close())
            raise
    return connection


def plain(path: Path, pragmas: Sequence[str]) -> sqlite3.Connection:
    """A connection on which `same_name(text)` can be used in SQL."""
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.create_function("same_name", 1, same_name, deterministic=True)
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


async def close_all(connections: Sequence[Connection], lock: Lock) -> None:
    """The writer last: it then puts the write-ahead log into the database and removes it."""
    for connection in connections:
        await connection.close()
    lock.release()


async def to_the_end(work: Awaitable[T]) -> T:
    """The result of `work`, which is not disturbed by a cancellation; that is passed on after."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()  # seen: nobody waits for it any more
        raise cancelled
    return task.result()


def askable(value: Value) -> Value:
    """A value that SQLite can compare, so that a made-up id is simply not found."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()  # half surrogate pairs
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


def new_id() -> str:
    """A random id, safe in addresses, file names and buttons: `ID_LENGTH` of `ID_LETTERS`."""
    return "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))
