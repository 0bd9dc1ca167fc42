"""Files that a power cut leaves whole or not at all, and a lock that a crash lets go of."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import Refusal
from bot.trouble import disk_trouble

PART = ".part"  # ends the name of a file that is still being written


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A free name beside `target` to write to; on a clean exit that file becomes `target`.

    Raises StoreTrouble, and leaves nothing behind, if the disk refuses; blocks: not for the loop.
    """
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}{PART}")
    try:
        make_folder(target.parent)
        yield part
        flush(part)
        os.replace(part, target)
        flush(target.parent)
    except OSError as error:
        raise disk_trouble(error) from error
    finally:
        part.unlink(missing_ok=True)


def write_file(target: Path, content: bytes) -> None:
    """Writes a file through `staged`."""
    with staged(target) as part, part.open("xb") as file:
        file.write(content)


def make_folder(folder: Path) -> None:
    """The folder with its parents; what is made anew is for our own eyes only."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
            flush(path.parent)


def flush(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk and not only in memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Lock:
    """Held by one process at a time, for one `path`; the system frees it when that process ends."""

    def __init__(self, path: Path) -> None:
        """Takes the lock. Raises Refusal if another has it."""
        try:
            make_folder(path.parent)
            self._descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise disk_trouble(error) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise Refusal("store.in_use", path=path) from None

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
