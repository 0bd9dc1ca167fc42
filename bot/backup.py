"""Everything that must last as one .tar file, and back. The bot may run while it is saved.

inkwell.sqlite3
pictures/ab/ab…     each picture, named by its SHA-256
web/web.sqlite3     what a chat keeps; of another chat, NAME/NAME.sqlite3 or NAME.sqlite3
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from bot.database import to_the_end
from bot.durable import Lock, flush, make_folder, staged
from bot.errors import Refusal
from bot.migrate import check_database, connected, copy_database, load_migrations, pending
from bot.trouble import disk_trouble

DATABASE = "inkwell.sqlite3"
PICTURE = re.compile("pictures/([0-9a-f]{2})/(\\1[0-9a-f]{62})")
STORED = re.compile(r"(?:([a-z]+)/\1|[a-z]+)\.sqlite3")  # a database; the main one is one of them
ASIDE = ".before-restore"  # ends the names of what a restore has replaced
ALONGSIDE = ("", "-wal", "-shm")  # what SQLite keeps next to a database


@dataclass(frozen=True)
class Saved:
    """What a backup holds. `missing` pictures were deleted while it was made, or lost before."""

    pictures: int
    missing: int


async def backup(
    database_path: Path, pictures_folder: Path, target: Path, *, force: bool = False
) -> Saved:
    """Saves databases and pictures to `target`, a .tar that is there whole or not at all.

    With `force` an older file of that name is replaced at the end. Raises Refusal: there is no
    database, the file is there and not `force`, its folder is not there; StoreTrouble.
    """
    return await to_the_end(asyncio.to_thread(save, database_path, pictures_folder, target, force))


async def restore(
    source: Path, database_path: Path, pictures_folder: Path, *, force: bool = False
) -> Saved:
    """Puts back what `backup` has saved; the bot must not run.

    With `force` a database that is there is not overwritten but moved aside. What chats keep is
    moved aside too where the file has it, and else stays. Raises Refusal: the database is there and
    not `force`, it is in use, the file is no whole backup or newer than the code.
    """
    return await to_the_end(
        asyncio.to_thread(put_back, source, database_path, pictures_folder, force)
    )


def save(database_path: Path, pictures_folder: Path, target: Path, force: bool) -> Saved:
    if not database_path.is_file():
        raise Refusal("store.nothing_to_save", path=database_path)
    check_target(target, force)
    with staged(target) as part, temporary_folder(target.parent) as folder:
        copy = folder / DATABASE
        copy_database(database_path, copy)
        shas = pictures_in(copy)
        missing = 0
        part.touch(0o600)  # people's stories
        with tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as tar:
            tar.add(copy, DATABASE)
            for sha in shas:
                try:
                    tar.add(pictures_folder / sha[:2] / sha, f"pictures/{sha[:2]}/{sha}")
                except FileNotFoundError:
                    missing += 1
            save_chats(database_path, folder / "chat", tar)
    return Saved(len(shas) - missing, missing)


def check_target(target: Path, force: bool) -> None:
    """Refuses to write over anything unasked, or where no folder is."""
    if target.is_dir():
        raise Refusal("store.backup_folder", path=target)
    if target.exists() and not force:
        raise Refusal("store.backup_there", path=target)
    if not target.parent.is_dir():
        raise Refusal("store.backup_nowhere", folder=target.parent)


def save_chats(database_path: Path, copy: Path, tar: tarfile.TarFile) -> None:
    """Adds what the chats keep; `copy` is a free name.

    Their copies must be younger than the main one. A page that was posted in between is then posted
    again after a restore, and the chat, which has its nonce, shows it once; were they older, it
    would be missing.
    """
    for path in databases_in(database_path.parent):
        if path != database_path:
            copy_database(path, copy)
            tar.add(copy, path.relative_to(database_path.parent).as_posix())


def databases_in(folder: Path) -> list[Path]:
    """The databases of the bot and of its chats, in a fixed order."""
    found = sorted([*folder.glob("*.sqlite3"), *folder.glob("*/*.sqlite3")])
    return [path for path in found if STORED.fullmatch(path.relative_to(folder).as_posix())]


def put_back(source: Path, database_path: Path, pictures_folder: Path, force: bool) -> Saved:
    lock = Lock(database_path)
    try:
        if database_path.exists() and not force:
            raise Refusal("store.database_there", path=database_path)
        with temporary_folder(database_path.parent) as folder:
            with opened_backup(source) as tar:
                unpack(tar, folder, pictures_folder)
            copy = folder / DATABASE
            chats = [path for path in databases_in(folder) if path != copy]
            for path in (copy, *chats):
                check_database(path)
            check_version(copy)
            shas = pictures_in(copy)
            for path in chats:
                replace(path, database_path.parent / path.relative_to(folder))
            replace(copy, database_path)  # last: while it is missing, restoring needs no force
    except OSError as error:
        raise disk_trouble(error) from error
    finally:
        lock.release()
    missing = sum(not (pictures_folder / sha[:2] / sha).is_file() for sha in shas)
    return Saved(len(shas) - missing, missing)


def replace(copy: Path, path: Path) -> None:
    """Puts a checked database in its place; one that is there is moved aside."""
    flush(copy)
    make_folder(path.parent)
    move_aside(path)
    os.replace(copy, path)
    flush(path.parent)


def check_version(path: Path) -> None:
    """Raises Refusal if the code cannot go on with this database."""
    migrations = load_migrations()
    with connected(path, read_only=True) as connection:
        if len(pending(connection, migrations)) == len(migrations):
            raise Refusal("store.not_a_backup")


def pictures_in(path: Path) -> list[str]:
    with connected(path, read_only=True) as connection:
        return [sha for (sha,) in connection.execute("SELECT sha FROM pictures ORDER BY sha")]


def unpack(tar: tarfile.TarFile, folder: Path, pictures_folder: Path) -> None:
    """Writes the databases to `folder`, and pictures that are not there yet to their own.

    Raises Refusal for a name, a link or a content that no backup has.
    """
    for member in tar:
        picture = PICTURE.fullmatch(member.name)
        file = tar.extractfile(member) if member.isfile() else None
        if file is None or (picture is None and not STORED.fullmatch(member.name)):
            raise Refusal("store.not_a_backup")
        if picture is None:
            unpack_database(file, folder / member.name)
        elif not (pictures_folder / picture[1] / picture[2]).is_file():
            unpack_picture(file, pictures_folder / picture[1] / picture[2])
    if not (folder / DATABASE).is_file():
        raise Refusal("store.not_a_backup")


def unpack_database(file: IO[bytes], target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    target.touch(0o600)  # the web chat's holds the key that signs sessions
    with target.open("wb") as database:
        shutil.copyfileobj(file, database)


def unpack_picture(file: IO[bytes], target: Path) -> None:
    content = file.read()
    if sha256(content).hexdigest() != target.name:
        raise Refusal("store.not_a_backup")
    with staged(target) as part:
        part.write_bytes(content)


def move_aside(path: Path) -> None:
    """Renames a database and what SQLite keeps next to it, over what was moved there before."""
    for end in ALONGSIDE:
        old, aside = Path(f"{path}{end}"), Path(f"{path}{ASIDE}{end}")
        if old.exists():
            os.replace(old, aside)
        else:
            aside.unlink(missing_ok=True)  # of another database: SQLite must not mix them


@contextmanager
def opened_backup(source: Path) -> Iterator[tarfile.TarFile]:
    """Raises Refusal if the file is none, or ends too early."""
    try:
        with source.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            yield tar
    except FileNotFoundError:
        raise Refusal("store.no_backup", path=source) from None
    except (tarfile.TarError, EOFError):
        raise Refusal("store.not_a_backup") from None


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """On the same disk as `parent`, so that what is in there can be renamed into it."""
    make_folder(parent)
    with TemporaryDirectory(prefix=".inkwell-", dir=parent) as folder:
        yield Path(folder)
