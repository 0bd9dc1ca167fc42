"""Writes that share a transaction do not share their errors."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiosqlite
import pytest

from bot.database import Database
from bot.group_commit import GroupCommit
from tests.bot.new_store import open_database


def with_table(folder: Path, story: Callable[[Database, GroupCommit], Awaitable[None]]) -> None:
    async def run() -> None:
        database = await open_database(folder / "inkwell.sqlite3")
        try:
            async with database.tx() as connection:
                await connection.execute("CREATE TABLE t (n INTEGER UNIQUE CHECK (n < 100))")
            await story(database, GroupCommit(database))
        finally:
            await database.close()

    asyncio.run(run())


def adding(*numbers: int) -> Callable[[aiosqlite.Connection], Awaitable[int]]:
    async def write(connection: aiosqlite.Connection) -> int:
        for number in numbers:
            await connection.execute("INSERT INTO t VALUES (?)", (number,))
        return sum(numbers)

    return write


async def numbers(database: Database) -> list[int]:
    return [row["n"] for row in await database.rows("SELECT n FROM t ORDER BY n")]


def test_many_at_once_are_all_written_and_each_hears_its_own_result(tmp_path: Path) -> None:
    async def story(database: Database, group: GroupCommit) -> None:
        results = await asyncio.gather(*(group.run(adding(number)) for number in range(50)))
        assert results == [*range(50)]
        assert await numbers(database) == results

    with_table(tmp_path, story)


def test_many_writes_leave_the_event_loop_to_others_in_between(tmp_path: Path) -> None:
    turns = 0

    async def slow(connection: aiosqlite.Connection) -> int:
        time.sleep(0.006)
        return turns

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def story(database: Database, group: GroupCommit) -> None:
        counting = asyncio.create_task(count())
        seen = await asyncio.gather(*(group.run(slow) for _ in range(20)))
        counting.cancel()
        assert len(set(seen)) >= 10  # somebody had a turn after every second write

    with_table(tmp_path, story)


def test_a_write_that_fails_is_undone_and_spares_the_others(tmp_path: Path) -> None:
    async def story(database: Database, group: GroupCommit) -> None:
        good, bad, other = await asyncio.gather(
            *(group.run(adding(*some)) for some in ((1,), (2, 3, 200), (4,))),
            return_exceptions=True,
        )
        assert (good, other) == (1, 4)
        assert isinstance(bad, sqlite3.IntegrityError)
        assert await numbers(database) == [1, 4]

    with_table(tmp_path, story)


def test_a_lost_transaction_is_told_to_all_of_it_and_the_next_works(tmp_path: Path) -> None:
    async def lose(connection: aiosqlite.Connection) -> None:
        await connection.execute("ROLLBACK")

    async def story(database: Database, group: GroupCommit) -> None:
        results = await asyncio.gather(
            group.run(adding(1)), group.run(lose), group.run(adding(2)), return_exceptions=True
        )
        assert all(isinstance(result, sqlite3.Error) for result in results)
        assert await group.run(adding(3)) == 3
        assert await numbers(database) == [3]

    with_table(tmp_path, story)


def test_a_write_is_made_although_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    async def story(database: Database, group: GroupCommit) -> None:
        task = asyncio.create_task(group.run(adding(1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await group.run(adding(2)) == 2
        assert await numbers(database) == [1, 2]

    with_table(tmp_path, story)
