"""What the disk and SQLite say when they will not store something, as sentences for people."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import Refusal

SQLITE_KEYS = {
    sqlite3.SQLITE_BUSY: "store.busy",
    sqlite3.SQLITE_LOCKED: "store.busy",
    sqlite3.SQLITE_FULL: "store.full",
    sqlite3.SQLITE_READONLY: "store.unwritable",
    sqlite3.SQLITE_CANTOPEN: "store.unwritable",
    sqlite3.SQLITE_PERM: "store.unwritable",
    sqlite3.SQLITE_IOERR: "store.broken",
    sqlite3.SQLITE_CORRUPT: "store.damaged",
    sqlite3.SQLITE_NOTADB: "store.damaged",
}
DISK_KEYS = {
    errno.ENOSPC: "store.full",
    errno.EDQUOT: "store.full",
    errno.EFBIG: "store.full",
    errno.EROFS: "store.unwritable",
    errno.EACCES: "store.unwritable",
    errno.EPERM: "store.unwritable",
    errno.ENOTDIR: "store.unwritable",
    errno.EISDIR: "store.unwritable",
}


class StoreTrouble(Refusal):
    """The disk or the database would not do it, whoever asked: nothing was stored.

    A later try may work, so a job that meets this has not failed for good.
    """


def disk_trouble(error: OSError) -> StoreTrouble:
    """The sentence for what the disk refused."""
    return StoreTrouble(DISK_KEYS.get(error.errno or 0, "store.broken"))


@contextmanager
def in_words() -> Iterator[None]:
    """Raises what SQLite refuses in there as StoreTrouble; a mistake in our own SQL as it is."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)  # unset if Python raised it
        key = SQLITE_KEYS.get(code & 0xFF)  # without the bits of SQLite's extended codes
        if key is None:
            raise
        raise StoreTrouble(key) from error
