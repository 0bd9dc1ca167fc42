"""Brings a database to the shape that the code needs. Blocks: not for the event loop."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bot.durable import staged
from bot.errors import Refusal
from bot.trouble import StoreTrouble, in_words

MIGRATIONS = Path(__file__).parents[1] / "migrations"  # so in the source tree and when installed
FILE_NAME = re.compile(r"(\d{4})_\w+\.sql")
BUSY_SECONDS = 5.0
KEEP_COPIES_SECONDS = 30 * 24 * 3600.0  # they hold what people may have deleted since

RECORDS = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    applied REAL NOT NULL
) STRICT
"""


@dataclass(frozen=True)
class Migration:
    """One file of the folder; `number` from 1."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def load_migrations(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """All migrations, in order. Raises ValueError if a number is missing or there twice."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = FILE_NAME.fullmatch(path.name)
        if match is None:
            raise ValueError(f"a migration is called NNNN_name.sql, not {path.name}")
        found.append(Migration(int(match[1]), path.name, path.read_text(encoding="utf-8")))
    if [migration.number for migration in found] != [*range(1, len(found) + 1)]:
        raise ValueError(f"the migrations are not numbered 1, 2, 3 … in {folder}")
    return tuple(found)


def migrate(path: Path, folder: Path = MIGRATIONS) -> None:
    """Applies what the database at `path` lacks, after copying it to a file beside it.

    Makes the database if there is none. Each migration is one transaction: if one fails, those
    before it stay, and the error is raised. Raises Refusal for a database that is newer than the
    code, or of another program, or made with a migration that was edited since; StoreTrouble.
    """
    with connected(path) as connection:
        missing = pending(connection, load_migrations(folder))
        if missing and missing[0].number > 1:
            copy_database(path, path.with_name(f"{path.name}.before-{missing[0].number:04}"))
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        for migration in missing:
            apply(connection, migration)
    for copy in path.parent.glob(f"{path.name}.before-*"):
        if copy.stat().st_mtime < time.time() - KEEP_COPIES_SECONDS:
            copy.unlink(missing_ok=True)


def pending(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> Sequence[Migration]:
    """The migrations that a database lacks. Raises Refusal if it is none that they can serve."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if "migrations" not in tables:
        if tables:
            raise Refusal("store.not_ours")
        return migrations
    done = connection.execute("SELECT number, name, sha256 FROM migrations ORDER BY number")
    applied = done.fetchall()
    if len(applied) > len(migrations):
        raise Refusal("store.newer")
    for (number, name, digest), migration in zip(applied, migrations, strict=False):
        if (number, digest) != (migration.number, migration.sha256):
            raise Refusal("store.edited_migration", name=name)
    return migrations[len(applied) :]


def apply(connection: sqlite3.Connection, migration: Migration) -> None:
    """Runs one migration and records it, in one transaction."""
    connection.execute("PRAGMA foreign_keys=OFF")  # a table may be replaced by another
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{migration.sql}")
        if not connection.in_transaction:
            raise ValueError(f"{migration.name} ends its transaction by itself")
        astray = connection.execute("PRAGMA foreign_key_check").fetchone()
        if astray:
            raise ValueError(f"{migration.name} leaves a row of {astray[0]} that points nowhere")
        connection.execute(RECORDS)
        connection.execute(
            "INSERT INTO migrations VALUES (?, ?, ?, ?)",
            (migration.number, migration.name, migration.sha256, time.time()),
        )
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA foreign_keys=ON")


def copy_database(source: Path, target: Path) -> None:
    """A whole, checked copy of a database, also while it is written to. Raises StoreTrouble."""
    with staged(target) as part:
        with connected(source, read_only=True) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        check_database(part)


def check_database(path: Path) -> None:
    """Raises StoreTrouble if the file is no database or is damaged."""
    with connected(path, read_only=True) as connection:
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise StoreTrouble("store.damaged")


@contextmanager
def connected(path: Path, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection for a short time. What SQLite refuses in there is raised as StoreTrouble."""
    address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    with (
        in_words(),
        closing(
            sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
        ) as connection,
    ):
        yield connection
