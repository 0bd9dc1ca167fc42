"""Backups: whole or not at all, taken while the bot writes, and put back without losing a thing."""

from __future__ import annotations

import asyncio
import io
import resource
import sqlite3
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from bot.backup import ASIDE, DATABASE, Saved, backup, restore
from bot.chat import Person
from bot.database import Database
from bot.errors import Refusal
from bot.migrate import load_migrations
from bot.people import People
from bot.pictures import Pictures
from bot.stories import Panel, Stories
from bot.trouble import StoreTrouble
from tests.bot.new_store import open_database


@dataclass(frozen=True)
class Home:
    """Where a bot keeps its things."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "inkwell.sqlite3"

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def other(tmp_path: Path) -> Home:
    return Home(tmp_path / "other")


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    (tmp_path / "saved").mkdir()
    return tmp_path / "saved" / "backup.tar"


@asynccontextmanager
async def running(home: Home) -> AsyncIterator[Database]:
    database = await open_database(home.path)
    try:
        yield database
    finally:
        await database.close()


async def draw(home: Home, database: Database, title: str, picture: bytes) -> None:
    """A story of Ann's with one drawn panel."""
    pictures, stories = Pictures(home.pictures, database), Stories(database)
    await People(database, pictures).meet(Person("web", "ann", "Ann"))
    story = await stories.new("web:ann", title=title, style="comic", layout="classic", seed=1)
    panel = Panel("one", "[Tom] waves", picture=await pictures.add(picture))
    await stories.save(replace(story, panels=(panel,)), owner="web:ann")


async def drawn(home: Home) -> dict[str, bytes]:
    """Every story's title and picture."""
    async with running(home) as database:
        pictures = Pictures(home.pictures, database)
        return {
            story.title: await pictures.read(story.panels[0].picture or "")
            for story in await Stories(database).of_owner("web:ann", 1000)
            if story.panels  # else its panel was about to be written
        }


def prepare(home: Home, *titles: str) -> None:
    async def run() -> None:
        async with running(home) as database:
            for title in titles:
                await draw(home, database, title, title.encode())

    asyncio.run(run())


def saved(home: Home, tar: Path, *, force: bool = False) -> Saved:
    return asyncio.run(backup(home.path, home.pictures, tar, force=force))


def put_back(tar: Path, home: Home, *, force: bool = False) -> Saved:
    return asyncio.run(restore(tar, home.path, home.pictures, force=force))


def refused(tar: Path, home: Home, *, force: bool = False) -> str:
    before = content(home.folder)
    with pytest.raises(Refusal) as caught:
        put_back(tar, home, force=force)
    assert str(caught.value) != caught.value.key
    assert content(home.folder) == before
    return caught.value.key


def content(folder: Path) -> dict[str, bytes]:
    """Every file but the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def members(tar: Path) -> dict[str, bytes]:
    with tarfile.open(tar) as file:
        found = {member.name: file.extractfile(member) for member in file}
        return {name: part.read() for name, part in found.items() if part is not None}


def pack(tar: Path, parts: dict[str, bytes]) -> Path:
    tar.parent.mkdir(exist_ok=True)
    with tarfile.open(tar, "w") as file:
        for name, part in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(part)
            file.addfile(member, io.BytesIO(part))
    return tar


def test_what_was_saved_comes_back_elsewhere(home: Home, other: Home, tar: Path) -> None:
    prepare(home, "one", "two")
    assert saved(home, tar) == Saved(2, 0)
    assert tar.stat().st_mode & 0o077 == 0  # people's stories
    assert [path.name for path in tar.parent.iterdir()] == [tar.name]
    assert put_back(tar, other) == Saved(2, 0)
    assert asyncio.run(drawn(other)) == {"one": b"one", "two": b"two"}
    assert asyncio.run(drawn(home)) == {"one": b"one", "two": b"two"}


def test_a_backup_while_the_bot_writes_is_whole(home: Home, other: Home, tar: Path) -> None:
    async def run() -> int:
        async with running(home) as database:
            await draw(home, database, "first", b"first")

            async def write() -> None:
                for number in range(1000):
                    await draw(home, database, str(number), b"%d" % number)

            writing = asyncio.create_task(write())
            while len(await database.rows("SELECT * FROM panels")) < 5:
                await asyncio.sleep(0.01)
            report = await backup(home.path, home.pictures, tar)
            assert not writing.done()
            writing.cancel()
            await asyncio.wait([writing])
            return report.pictures

    pictures = asyncio.run(run())
    assert pictures >= 5
    assert put_back(tar, other).missing == 0
    found = asyncio.run(drawn(other))
    assert found.items() >= {("first", b"first")}
    assert all(title in ("first", picture.decode()) for title, picture in found.items())


def test_a_newer_backup_replaces_an_older_one_only_if_asked(
    home: Home, other: Home, tar: Path
) -> None:
    prepare(home, "one")
    saved(home, tar)
    prepare(home, "two")
    before = content(tar.parent)
    with pytest.raises(Refusal, match="already a file"):
        saved(home, tar)
    assert content(tar.parent) == before
    saved(home, tar, force=True)
    put_back(tar, other)
    assert set(asyncio.run(drawn(other))) == {"one", "two"}


def test_a_backup_makes_no_folders(home: Home, tar: Path) -> None:
    prepare(home, "one")
    with pytest.raises(Refusal, match="no folder"):
        saved(home, tar.parent / "far" / "away.tar")
    with pytest.raises(Refusal, match="is a folder"):
        saved(home, tar.parent, force=True)
    assert not content(tar.parent)


def test_a_full_disk_leaves_the_older_backup_and_no_half_one(home: Home, tar: Path) -> None:
    prepare(home, "one")
    saved(home, tar)
    before = content(tar.parent)
    prepare(home, "x" * 80)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (10_000, home.path.stat().st_size + 1_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            with pytest.raises(StoreTrouble):
                saved(home, tar, force=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert content(tar.parent) == before


def test_a_lost_picture_is_counted_and_does_not_stop_a_backup(
    home: Home, other: Home, tar: Path
) -> None:
    prepare(home, "one", "two")
    sha = sha256(b"one").hexdigest()
    (home.pictures / sha[:2] / sha).unlink()
    assert saved(home, tar) == Saved(1, 1)
    assert put_back(tar, other) == Saved(1, 1)


def test_without_a_database_there_is_nothing_to_save(home: Home, tar: Path) -> None:
    with pytest.raises(Refusal) as caught:
        saved(home, tar)
    assert caught.value.key == "store.nothing_to_save"
    assert not home.folder.exists()
    assert not tar.exists()


def test_a_database_that_is_there_is_only_moved_aside_and_only_if_asked(
    home: Home, tar: Path
) -> None:
    prepare(home, "one")
    saved(home, tar)
    prepare(home, "two")
    assert refused(tar, home) == "store.database_there"
    for _ in range(2):
        put_back(tar, home, force=True)
    assert set(asyncio.run(drawn(home))) == {"one"}

    put_back(tar, home, force=True)
    aside = Path(f"{home.path}{ASIDE}")
    connection = sqlite3.connect(aside)
    assert connection.execute("SELECT title FROM stories").fetchall() == [("one",)]
    connection.close()


def test_what_a_crashed_bot_left_beside_the_database_is_not_mixed_into_the_old_one(
    home: Home, tar: Path
) -> None:
    """A write-ahead log goes aside with its own database, and stays with no other."""
    prepare(home, "one")
    saved(home, tar)
    wal, shm = (Path(f"{home.path}{end}") for end in ("-wal", "-shm"))
    wal.write_bytes(b"log of the crashed bot")
    shm.write_bytes(b"")
    put_back(tar, home, force=True)
    assert not wal.exists()
    assert Path(f"{home.path}{ASIDE}-wal").read_bytes() == b"log of the crashed bot"
    assert set(asyncio.run(drawn(home))) == {"one"}
    put_back(tar, home, force=True)
    assert not Path(f"{home.path}{ASIDE}-wal").exists()


def test_nothing_is_restored_under_a_running_bot(home: Home, tar: Path) -> None:
    prepare(home, "one")
    saved(home, tar)

    async def run() -> None:
        async with running(home) as database:
            with pytest.raises(Refusal) as caught:
                await restore(tar, home.path, home.pictures, force=True)
            assert caught.value.key == "store.in_use"
            assert len(await database.rows("SELECT * FROM stories")) == 1

    asyncio.run(run())
    assert set(asyncio.run(drawn(home))) == {"one"}


def test_a_backup_of_a_newer_version_is_refused(home: Home, tar: Path) -> None:
    prepare(home, "one")
    connection = sqlite3.connect(home.path)
    with connection:
        later = (len(load_migrations()) + 1, "9999_later.sql", "0", 0.0)
        connection.execute("INSERT INTO migrations VALUES (?, ?, ?, ?)", later)
    connection.close()
    saved(home, tar)
    assert refused(tar, home, force=True) == "store.newer"


def test_a_file_that_is_no_backup_is_refused_and_nothing_changes(
    home: Home, tar: Path, tmp_path: Path
) -> None:
    prepare(home, "one")
    saved(home, tar)
    whole = members(tar)
    sha = sha256(b"two").hexdigest()
    empty = tmp_path / "empty.sqlite3"
    sqlite3.connect(empty).close()

    assert refused(tmp_path / "nowhere.tar", home, force=True) == "store.no_backup"
    for name, data in (
        ("text", b"hello" * 1000),
        ("nothing", b""),
        ("cut", tar.read_bytes()[:9000]),
    ):
        (tmp_path / name).write_bytes(data)
        assert refused(tmp_path / name, home, force=True) == "store.not_a_backup"
    for parts in (
        {},
        {"notes.txt": b"hello"},
        {**whole, "../../evil": b"x"},
        {**whole, "/evil": b"x"},
        {**whole, f"pictures/{sha[:2]}/../{sha}": b"two"},
        {**whole, f"pictures/zz/{sha}": b"two"},
        {**whole, "web/../../evil.sqlite3": b"x"},
        {**whole, "web/evil.sqlite3": b"x"},
        {**whole, f"pictures/{sha[:2]}/{sha}": b"not two"},
        {DATABASE: empty.read_bytes()},
    ):
        assert refused(pack(tar, parts), home, force=True) == "store.not_a_backup"
    for database in (b"hello" * 1000, whole[DATABASE][:8192], b"\xff" * 50_000):
        parts = {DATABASE: database}
        assert refused(pack(tar, parts), home, force=True) == "store.damaged"
    assert set(asyncio.run(drawn(home))) == {"one"}


def test_a_link_in_a_backup_is_refused(home: Home, tar: Path) -> None:
    prepare(home, "one")
    with tarfile.open(tar, "w") as file:
        member = tarfile.TarInfo(DATABASE)
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(member)
    assert refused(tar, home, force=True) == "store.not_a_backup"


def test_a_full_disk_while_restoring_leaves_the_database(home: Home, tar: Path) -> None:
    prepare(home, "one")
    saved(home, tar)
    before = content(home.folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(StoreTrouble) as caught:
            put_back(tar, home, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.key == "store.full"
    assert content(home.folder) == before
