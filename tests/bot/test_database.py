"""The database: one writer, whole transactions, and files that it refuses to open."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.database import Database, new_id
from bot.errors import Refusal
from bot.migrate import KEEP_COPIES_SECONDS, MIGRATIONS, load_migrations, migrate
from bot.trouble import StoreTrouble

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "inkwell.sqlite3"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Migrations of a database with one table."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    write(folder, "0001_notes.sql", "CREATE TABLE notes (text TEXT NOT NULL UNIQUE) STRICT;")
    return folder


def write(folder: Path, name: str, sql: str) -> None:
    (folder / name).write_text(sql, encoding="utf-8")


def with_notes(path: Path, notes: Path, work: Callable[[Database], Awaitable[None]]) -> list[str]:
    """What is in the table after `work`, read anew by somebody else."""

    async def run() -> None:
        database = await Database.open(path, notes)
        try:
            await work(database)
        finally:
            await database.close()

    asyncio.run(run())
    return texts(path)


def texts(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY rowid")]
    finally:
        connection.close()


async def note(database: Database, text: str, pause: float = 0) -> None:
    async with database.tx() as db:
        await db.execute("INSERT INTO notes VALUES (?)", (text,))
        await asyncio.sleep(pause)


def refusal(path: Path, folder: Path = MIGRATIONS) -> str:
    """The key of what opening says."""

    async def run() -> None:
        database = await Database.open(path, folder)
        await database.close()

    with pytest.raises(Refusal) as caught:
        asyncio.run(run())
    assert str(caught.value) != caught.value.key
    return caught.value.key


def test_what_is_written_is_there_for_readers_at_once_and_after_a_restart(
    path: Path, notes: Path
) -> None:
    async def work(database: Database) -> None:
        await note(database, "one")
        row = await database.row("SELECT text FROM notes WHERE text = ?", "one")
        assert row is not None
        assert row["text"] == "one"
        assert await database.row("SELECT text FROM notes WHERE text = ?", "two") is None

    assert with_notes(path, notes, work) == ["one"]
    assert with_notes(path, notes, lambda database: note(database, "two")) == ["one", "two"]


def test_readers_see_nothing_of_a_transaction_that_is_not_over(path: Path, notes: Path) -> None:
    async def work(database: Database) -> None:
        async with database.tx() as db:
            await db.execute("INSERT INTO notes VALUES ('one')")
            assert await database.rows("SELECT * FROM notes") == []
        assert len(await database.rows("SELECT * FROM notes")) == 1

    with_notes(path, notes, work)


def test_readers_cannot_write(path: Path, notes: Path) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(StoreTrouble):
            await database.rows("INSERT INTO notes VALUES ('one')")

    assert with_notes(path, notes, work) == []


def test_two_writers_at_once_take_turns(path: Path, notes: Path) -> None:
    async def work(database: Database) -> None:
        await asyncio.gather(*(note(database, str(number), 0.001) for number in range(20)))

    assert with_notes(path, notes, work) == [str(number) for number in range(20)]


async def note_then_fail(database: Database, sql: str) -> None:
    async with database.tx() as db:
        await db.execute("INSERT INTO notes VALUES ('half')")
        await db.execute(sql)
        raise KeyError


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT 1", KeyError),
        ("INSERT INTO notes VALUES ('half')", sqlite3.IntegrityError),
        ("INSERT INTO nowhere VALUES (1)", sqlite3.OperationalError),
    ],
)
def test_a_transaction_with_an_error_leaves_nothing(
    path: Path, notes: Path, sql: str, error: type[Exception]
) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(error):
            await note_then_fail(database, sql)
        await note(database, "whole")

    assert with_notes(path, notes, work) == ["whole"]


@pytest.mark.parametrize("moment", [0.0, 0.005, 0.02])
def test_a_task_cancelled_inside_a_transaction_leaves_nothing_and_stops_nobody(
    path: Path, notes: Path, moment: float
) -> None:
    async def work(database: Database) -> None:
        task = asyncio.create_task(note(database, "one", pause=60))
        await asyncio.sleep(moment)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await note(database, "two")

    assert with_notes(path, notes, work) == ["two"]


def test_a_cancellation_at_any_moment_keeps_all_of_a_transaction_or_nothing(
    path: Path, notes: Path
) -> None:
    async def both(database: Database, number: int) -> None:
        async with database.tx() as db:
            await db.execute("INSERT INTO notes VALUES (?)", (f"{number} first",))
            await db.execute("INSERT INTO notes VALUES (?)", (f"{number} second",))

    async def work(database: Database) -> None:
        for number in range(40):
            task = asyncio.create_task(both(database, number))
            for _ in range(number):  # so many turns of the loop
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        await both(database, 100)

    found = with_notes(path, notes, work)
    assert "100 second" in found
    assert len(found) % 2 == 0
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert first.split()[0] == second.split()[0]


def test_a_transaction_inside_of_another_is_refused_instead_of_waiting_for_itself(
    path: Path, notes: Path
) -> None:
    async def work(database: Database) -> None:
        async with database.tx():
            with pytest.raises(RuntimeError, match="already in a transaction"):
                async with database.tx():
                    pass

    with_notes(path, notes, work)


def test_closing_waits_for_the_transaction_that_is_under_way(path: Path, notes: Path) -> None:
    async def work(database: Database) -> None:
        task = asyncio.create_task(note(database, "one", pause=0.05))
        await asyncio.sleep(0.01)
        await database.close()
        await task

    assert with_notes(path, notes, work) == ["one"]


def test_a_full_disk_is_said_in_words_and_leaves_what_was_there(path: Path, notes: Path) -> None:
    async def work(database: Database) -> None:
        await note(database, "one")
        async with database.tx() as db:
            await db.execute("PRAGMA max_page_count = 10")
        with pytest.raises(StoreTrouble) as caught:
            await note(database, "x" * 1_000_000)
        assert caught.value.key == "store.full"
        async with database.tx() as db:
            await db.execute("PRAGMA max_page_count = 10000")
        await note(database, "two")

    assert with_notes(path, notes, work) == ["one", "two"]


def test_a_database_locked_by_another_program_is_said_in_words(
    path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.database.BUSY_SECONDS", 0.1)

    async def work(database: Database) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreTrouble) as caught:
            await note(database, "one")
        assert caught.value.key == "store.busy"
        assert await database.rows("SELECT * FROM notes") == []
        other.execute("ROLLBACK")
        other.close()
        await note(database, "two")

    assert with_notes(path, notes, work) == ["two"]


def test_made_up_ids_are_only_not_found(path: Path, notes: Path) -> None:
    async def work(database: Database) -> None:
        for value in ("\ud800", "\0", 10**30, -(10**30), "'; DROP TABLE notes; --", b"\xff", None):
            assert await database.row("SELECT * FROM notes WHERE text = ?", value) is None
        await note(database, "one")

    assert with_notes(path, notes, work) == ["one"]


def test_only_one_process_has_the_database_open(path: Path, notes: Path) -> None:
    program = f"""
import asyncio
from pathlib import Path
from bot.database import Database
async def main():
    await Database.open(Path({str(path)!r}), Path({str(notes)!r}))
    print("open", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        assert refusal(path, notes) == "store.in_use"
        other.kill()
    assert with_notes(path, notes, lambda database: note(database, "one")) == ["one"]


def test_a_database_that_was_never_closed_has_all_that_was_committed(
    path: Path, notes: Path
) -> None:
    program = f"""
import asyncio, os
from pathlib import Path
from bot.database import Database
async def main():
    database = await Database.open(Path({str(path)!r}), Path({str(notes)!r}))
    for text in ("one", "two"):
        async with database.tx() as db:
            await db.execute("INSERT INTO notes VALUES (?)", (text,))
    async with database.tx() as db:
        await db.execute("INSERT INTO notes VALUES ('three')")
        os._exit(9)
asyncio.run(main())
"""
    killed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert killed.returncode == 9
    assert with_notes(path, notes, lambda database: note(database, "four")) == [
        "one",
        "two",
        "four",
    ]


def test_a_file_that_is_no_database_is_refused_and_stays_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"holiday photos" * 1000)
    assert refusal(path) == "store.damaged"
    assert path.read_bytes() == b"holiday photos" * 1000


def test_the_database_of_another_program_is_refused(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title)")
    connection.close()
    assert refusal(path) == "store.not_ours"


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file" / "inkwell.sqlite3") == "store.unwritable"


def test_a_database_from_a_newer_version_is_refused(path: Path, notes: Path) -> None:
    write(notes, "0002_later.sql", "CREATE TABLE later (x);")
    path.parent.mkdir()
    migrate(path, notes)
    (notes / "0002_later.sql").unlink()
    assert refusal(path, notes) == "store.newer"


def test_an_edited_migration_is_refused(path: Path, notes: Path) -> None:
    path.parent.mkdir()
    migrate(path, notes)
    write(notes, "0001_notes.sql", "CREATE TABLE notes (text TEXT, more TEXT) STRICT;")
    assert refusal(path, notes) == "store.edited_migration"


def test_line_endings_do_not_make_a_migration_another(path: Path, notes: Path) -> None:
    write(notes, "0001_notes.sql", "CREATE TABLE notes (\n  text TEXT\n);\n")
    path.parent.mkdir()
    migrate(path, notes)
    (notes / "0001_notes.sql").write_bytes(b"CREATE TABLE notes (\r\n  text TEXT\r\n);\r\n")
    migrate(path, notes)


def test_before_a_migration_the_database_is_copied(path: Path, notes: Path) -> None:
    with_notes(path, notes, lambda database: note(database, "one"))
    write(notes, "0002_shout.sql", "UPDATE notes SET text = upper(text);")
    assert with_notes(path, notes, lambda database: note(database, "two")) == ["ONE", "two"]
    copy = path.with_name("inkwell.sqlite3.before-0002")
    assert texts(copy) == ["one"]

    with_notes(path, notes, lambda database: note(database, "three"))
    assert copy.exists()
    long_ago = time.time() - KEEP_COPIES_SECONDS - 1
    os.utime(copy, (long_ago, long_ago))
    with_notes(path, notes, lambda database: note(database, "four"))
    assert not copy.exists()  # people may have deleted what is in there


@pytest.mark.parametrize(
    "broken",
    [
        "INSERT INTO notes VALUES ('half'); INSERT INTO nowhere VALUES (1);",
        "INSERT INTO notes VALUES ('half'); this is not SQL;",
        "INSERT INTO notes VALUES ('half'); COMMIT;",
        "CREATE TABLE a (b REFERENCES notes (text)); INSERT INTO a VALUES ('nobody');",
    ],
)
def test_a_migration_that_fails_leaves_the_database_as_it_was(
    path: Path, notes: Path, broken: str
) -> None:
    with_notes(path, notes, lambda database: note(database, "one"))
    write(notes, "0002_broken.sql", broken)
    with pytest.raises((sqlite3.Error, ValueError)):
        migrate(path, notes)
    if "COMMIT" not in broken:
        assert texts(path) == ["one"]
    (notes / "0002_broken.sql").unlink()
    assert with_notes(path, notes, lambda database: note(database, "two"))[-1] == "two"


@pytest.mark.parametrize("name", ["0003_gap.sql", "0001_twice.sql", "two.sql"])
def test_migrations_must_be_numbered_without_a_gap(notes: Path, name: str) -> None:
    write(notes, name, "")
    with pytest.raises(ValueError, match="migration"):
        load_migrations(notes)


def test_the_migrations_of_the_project_make_a_database_that_points_nowhere_astray(
    path: Path,
) -> None:
    async def run() -> None:
        database = await Database.open(path)
        try:
            assert await database.rows("PRAGMA foreign_key_check") == []
            [check] = await database.rows("PRAGMA integrity_check")
            assert tuple(check) == ("ok",)
            [mode] = await database.rows("PRAGMA journal_mode")
            assert tuple(mode) == ("wal",)
        finally:
            await database.close()

    asyncio.run(run())


def test_ids_are_random_and_harmless() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(
        len(name) == 10 and set(name) <= set("abcdefghijklmnopqrstuvwxyz234567") for name in ids
    )
