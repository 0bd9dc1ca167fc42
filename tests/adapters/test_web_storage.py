"""The web chat's file: work that comes together is committed together, short or long."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.web_storage import Batch, Event, Storage

NAMES = "SELECT id FROM people ORDER BY id"


def add(name: str, error: Exception | None = None) -> Callable[[Batch], str]:
    """Work that stores somebody, tells of it, and then may fail."""

    def work(batch: Batch) -> str:
        batch.connection.execute("INSERT INTO people VALUES (?, '', NULL, 0)", (name,))
        batch.events.append(Event(name, batch.changed(), name))
        if error is not None:
            raise error
        return name

    return work


def names(connection: sqlite3.Connection) -> list[str]:
    return [row["id"] for row in connection.execute(NAMES)]


@pytest.mark.parametrize("long", [False, True])
def test_work_that_fails_undoes_nobody_elses(tmp_path: Path, long: bool) -> None:
    async def run() -> None:
        told: list[str] = []
        path = tmp_path / "web.sqlite3"
        storage = await Storage.open(path, lambda events: told.extend(e.text for e in events))
        results = await asyncio.gather(
            storage.write(add("ann")),
            storage.write(add("bob", ValueError("no")), long=long),
            storage.write(add("ann"), long=long),
            storage.write(add("eve")),
            return_exceptions=True,
        )
        assert (results[0], results[3]) == ("ann", "eve")
        assert isinstance(results[1], ValueError)
        assert isinstance(results[2], sqlite3.IntegrityError)
        assert told == ["ann", "eve"]
        for reading_long in (False, True):
            assert await storage.read(names, long=reading_long) == ["ann", "eve"]
        number = storage.seq
        await storage.close()
        storage = await Storage.open(path, lambda events: None)
        assert (await storage.read(names), storage.seq) == (["ann", "eve"], number)
        await storage.close()

    asyncio.run(run())


def test_nobody_reads_what_is_not_committed_yet(tmp_path: Path) -> None:
    async def run() -> None:
        storage = await Storage.open(tmp_path / "web.sqlite3", lambda events: None)
        seen: list[list[str]] = []

        def look(batch: Batch) -> None:
            assert names(batch.connection) == ["ann"]
            seen.append(names(storage._reader))

        await asyncio.gather(storage.write(add("ann")), storage.write(look))
        assert seen == [[]]
        assert await storage.read(names) == ["ann"]
        await storage.close()

    asyncio.run(run())


def test_a_disk_that_refuses_is_heard_of_and_the_next_write_works(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "web.sqlite3"
        storage = await Storage.open(path, lambda events: None)
        storage._writer.execute("PRAGMA busy_timeout=0")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await storage.write(add("ann"))
        other.execute("ROLLBACK")
        other.close()
        await storage.write(add("bob"))
        assert await storage.read(names) == ["bob"]
        await storage.close()

    asyncio.run(run())
