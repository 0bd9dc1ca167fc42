"""Databases for tests: a new one is a copy, because to make one takes eight times as long."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.database import Database
from bot.migrate import migrate


async def open_database(path: Path) -> Database:
    """The database at `path`; if there is none, an empty one that has had all migrations."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(empty())
    return await Database.open(path)


@cache
def empty() -> bytes:
    """What the migrations make of nothing."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "inkwell.sqlite3"
        migrate(path)
        return path.read_bytes()
