"""Backups of what chats keep beside the bot's own database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.backup import ASIDE, DATABASE, Saved
from tests.bot.test_backup import Home, members, pack, prepare, put_back, refused, saved


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    (tmp_path / "saved").mkdir()
    return tmp_path / "saved" / "backup.tar"


def said(path: Path, *words: str) -> sqlite3.Connection:
    """A chat's database with these words, as the chat has it open: the newest are in its log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("CREATE TABLE IF NOT EXISTS said (words TEXT)")
    connection.executemany("INSERT INTO said VALUES (?)", [(word,) for word in words])
    return connection


def heard(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [words for (words,) in connection.execute("SELECT words FROM said")]
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["web/web.sqlite3", "discord.sqlite3"])
def test_what_chats_keep_is_saved_while_they_run_and_comes_back(
    tmp_path: Path, home: Home, tar: Path, name: str
) -> None:
    other = Home(tmp_path / "other")
    prepare(home, "one")
    chat = said(home.folder / name, "hello")
    saved(home, tar)
    chat.execute("INSERT INTO said VALUES ('later')")
    chat.close()
    assert put_back(tar, other) == Saved(1, 0)
    assert heard(other.folder / name) == ["hello"]
    assert (other.folder / name).stat().st_mode & 0o077 == 0  # a key may be in it

    put_back(tar, home, force=True)
    assert heard(home.folder / name) == ["hello"]
    assert heard(Path(f"{home.folder / name}{ASIDE}")) == ["hello", "later"]


def test_an_older_backup_without_chats_leaves_what_they_keep(home: Home, tar: Path) -> None:
    prepare(home, "one")
    saved(home, tar)
    chat = home.folder / "web" / "web.sqlite3"
    said(chat, "hello").close()
    put_back(tar, home, force=True)
    assert heard(chat) == ["hello"]
    assert [path.name for path in chat.parent.iterdir()] == [chat.name]


def test_other_databases_near_by_are_not_ours_to_save(home: Home, tar: Path) -> None:
    prepare(home, "one")
    for name in ("web/notes.sqlite3", ".hidden/hidden.sqlite3", "a/b/b.sqlite3", "web/web.db"):
        said(home.folder / name, "private").close()
    saved(home, tar)
    assert [name for name in members(tar) if not name.startswith("pictures/")] == [DATABASE]


def test_a_damaged_chat_in_a_backup_is_refused_and_nothing_changes(home: Home, tar: Path) -> None:
    prepare(home, "one")
    said(home.folder / "web" / "web.sqlite3", "hello").close()
    saved(home, tar)
    parts = {**members(tar), "web/web.sqlite3": b"hello" * 1000}
    assert refused(pack(tar, parts), home, force=True) == "store.damaged"
