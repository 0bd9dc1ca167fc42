"""Many small writes, one wait for the disk.

A commit takes milliseconds, most of them waiting for the disk, and there is one writer. When 200
people press a button at once, their writes come in while one commit is under way and share the
next: the last of them is done after a tenth of the time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiosqlite

from bot.database import Database
from bot.trouble import in_words

SLICE_SECONDS = 0.01  # of writes in one go: then whoever else waits for the event loop has a turn

T = TypeVar("T")
Write = Callable[[aiosqlite.Connection], Awaitable[Any]]


class GroupCommit:
    """Runs writes in turn, as many as there are in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Write, asyncio.Future[Any]]] = []
        self._running: asyncio.Task[None] | None = None

    async def run(self, write: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """The result of `write`, once it is on the disk; what it raises, and then it wrote nothing.

        The others of its transaction are not touched by that. Once asked for, a write is made, even
        if nobody waits for it any more.
        """
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, result))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await result

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._run_group()
        finally:
            self._running = None

    async def _run_group(self) -> None:
        group: list[tuple[Write, asyncio.Future[Any]]] = []
        outcomes: list[Any] = []
        try:
            async with self._database.tx() as connection:
                group, self._waiting = self._waiting, []
                begun = time.monotonic()
                for write, _ in group:
                    outcomes.append(await outcome_of(write, connection))
                    if time.monotonic() - begun > SLICE_SECONDS:
                        await asyncio.sleep(0)
                        begun = time.monotonic()
        except BaseException as error:  # nothing of the group is kept
            if not group:
                group, self._waiting = self._waiting, []
            outcomes = [error] * len(group)
            if not isinstance(error, Exception):
                raise
        finally:
            for (_, result), outcome in zip(group, outcomes, strict=True):
                settle(result, outcome)


async def outcome_of(write: Write, connection: aiosqlite.Connection) -> Any:
    """What a write returns or raises, in the latter case undone."""
    await connection.execute("SAVEPOINT one")
    try:
        with in_words():
            outcome = await write(connection)
    except Exception as error:
        await connection.execute("ROLLBACK TO one")
        outcome = error
    await connection.execute("RELEASE one")
    return outcome


def settle(result: asyncio.Future[Any], outcome: Any) -> None:
    if result.done():  # whoever asked was cancelled
        return
    if isinstance(outcome, BaseException):
        result.set_exception(outcome)
    else:
        result.set_result(outcome)
