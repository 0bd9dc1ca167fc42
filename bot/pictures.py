"""Pictures: files in a folder, each named by the SHA-256 of what is in it.

The same picture is kept once, and a picture never changes. A row that needs one points to it with
a foreign key; `sweep` deletes what no row of any table points to.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import aiosqlite

from bot.database import Database
from bot.durable import write_file
from bot.errors import Refusal
from bot.trouble import disk_trouble

SHA = re.compile("[0-9a-f]{64}")
GRACE_SECONDS = 3600.0  # between adding a picture and the row that points to it
NEW_SECONDS = 600.0  # the same where somebody waits for it to be deleted: long enough in practice
BATCH = 200  # pictures a transaction: others wait to write meanwhile

POINTERS = """
SELECT owner.name AS name, key."from" AS field
FROM sqlite_schema AS owner, pragma_foreign_key_list(owner.name) AS key
WHERE owner.type = 'table' AND key."table" = 'pictures'
"""


class Pictures:
    """The folder and the table `pictures`. A row of the table always has its file."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._database = database

    async def add(self, content: bytes) -> str:
        """Keeps the bytes and returns their SHA-256, in hexadecimal. Raises StoreTrouble."""
        sha = await asyncio.to_thread(self._put, content)
        async with self._database.tx() as db:
            await db.execute(
                "INSERT INTO pictures VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET added = excluded.added",
                (sha, time.time()),
            )
            if not self._path(sha).is_file():  # swept away meanwhile
                await asyncio.to_thread(self._put, content)
        return sha

    async def read(self, sha: str) -> bytes:
        """The bytes of a picture. Raises Refusal if it is gone or no longer what it was."""
        if not SHA.fullmatch(sha):
            raise Refusal("store.picture_gone")
        return await asyncio.to_thread(self._get, sha)

    async def sweep(self, *, older_than: float = GRACE_SECONDS) -> int:
        """Deletes the files that no row points to; `older_than` seconds. Returns how many."""
        before = time.time() - older_than
        deleted = await self._discard_all(await self.unused(before), before)
        return deleted + await self._sweep_strays(before)

    @asynccontextmanager
    async def letting_go(self) -> AsyncIterator[None]:
        """For deleting for ever: what no row points to at the end of the block is gone at once.

        What others have only just added stays, as its row may be yet to come. The write-ahead log
        is emptied, in which deleted words could still be read.
        """
        now = time.time()
        new = await self.unused(now) - await self.unused(now - NEW_SECONDS)
        yield
        await self._discard_all(await self.unused(now) - new, now)
        await self._database.checkpoint()

    async def unused(self, before: float) -> set[str]:
        """The pictures added before a time (seconds since 1970) that no row points to."""
        sql = f"SELECT sha FROM pictures WHERE added < ? AND {await self._unused()}"
        return {row["sha"] for row in await self._database.rows(sql, before)}

    async def discard(self, shas: Iterable[str], before: float) -> int:
        """Deletes those of the pictures that still are what `unused` says. Returns how many.

        The files go inside the transaction, so that `add` either comes first or finds them gone.
        If the commit then fails, rows without files stay, which `add` and `sweep` mend.
        """
        sql = f"DELETE FROM pictures WHERE sha = ? AND added < ? AND {await self._unused()}"
        async with self._database.tx(long=True) as db:
            gone = [sha for sha in shas if (await db.execute(sql, (sha, before))).rowcount]
            await asyncio.to_thread(self._unlink, gone)
        return len(gone)

    async def _discard_all(self, shas: Iterable[str], before: float) -> int:
        """`discard`, a few in each transaction."""
        ordered, deleted = sorted(shas), 0
        for start in range(0, len(ordered), BATCH):
            deleted += await self.discard(ordered[start : start + BATCH], before)
        return deleted

    async def _unused(self) -> str:
        """SQL: no row of any table points to this row of `pictures`."""
        return " AND ".join(
            f'NOT EXISTS (SELECT 1 FROM "{row["name"]}" WHERE "{row["field"]}" = pictures.sha)'
            for row in await self._database.rows(POINTERS)
        )

    async def _sweep_strays(self, before: float) -> int:
        """Deletes files that have no row: a crash came between the two."""
        deleted = 0
        for folder in await asyncio.to_thread(self._folders):
            names = await asyncio.to_thread(old_files, folder, before)
            strays = await self._without_row(names)
            if strays:
                async with self._database.tx():  # nobody adds one of them meanwhile
                    strays = await self._without_row(strays)
                    await asyncio.to_thread(self._unlink, strays)
                    deleted += len(strays)
        return deleted

    async def _without_row(self, names: list[str]) -> list[str]:
        sql = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT sha FROM pictures)"
        return [row["value"] for row in await self._database.rows(sql, json.dumps(names))]

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _put(self, content: bytes) -> str:
        sha = sha256(content).hexdigest()
        path = self._path(sha)
        if not path.is_file() or path.stat().st_size != len(content):
            write_file(path, content)
        return sha

    def _get(self, sha: str) -> bytes:
        try:
            content = self._path(sha).read_bytes()
        except FileNotFoundError:
            raise Refusal("store.picture_gone") from None
        except OSError as error:
            raise disk_trouble(error) from error
        if sha256(content).hexdigest() != sha:
            raise Refusal("store.picture_gone")
        return content

    def _unlink(self, names: Iterable[str]) -> None:
        try:
            for name in names:
                self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise disk_trouble(error) from error

    def _folders(self) -> list[Path]:
        return sorted(self._folder.glob("??"))


def old_files(folder: Path, before: float) -> list[str]:
    """The names of files last written before a time, seconds since 1970."""

    def found() -> Iterator[str]:
        for path in folder.glob(f"{folder.name}*"):
            try:
                if path.stat().st_mtime <= before:
                    yield path.name
            except FileNotFoundError:
                pass  # renamed when it was whole

    return [*found()]


async def require_pictures(db: aiosqlite.Connection, shas: Iterable[str | None]) -> None:
    """Raises Refusal if one of the pictures, None left aside, is not kept any more."""
    wanted = [sha for sha in shas if sha is not None]
    if not wanted:
        return
    sql = "SELECT 1 FROM json_each(?) WHERE value NOT IN (SELECT sha FROM pictures) LIMIT 1"
    if list(await db.execute_fetchall(sql, (json.dumps(wanted),))):
        raise Refusal("store.picture_gone")
