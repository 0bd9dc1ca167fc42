"""Who uses the bot, and what each server has decided about it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import aiosqlite

from bot import quota
from bot.chat import Person, Place
from bot.database import Database
from bot.deleting import drop_characters
from bot.errors import Refusal
from bot.group_commit import GroupCommit
from bot.limits import checked_name, harmless_name
from bot.pictures import Pictures
from bot.safety import STRICTNESSES, Strictness

MAX_CAP = 1_000_000
MAX_CHANNELS = 100
MAX_ROLES = 100
MAX_BLOCKED_WORDS = 200
MAX_STARS = 1_000
LISTS = ("channels", "roles", "blocked_words")  # columns that hold JSON


@dataclass(frozen=True)
class Account:
    """A person who has used the bot. `language` is chosen, or what the chat tells, or None."""

    key: str
    name: str
    language: str | None
    created: float  # seconds since 1970


@dataclass(frozen=True)
class ServerSettings:
    """What the managers of a server have set; None is the bot's own setting."""

    who: Literal["everyone", "managers"] = "everyone"
    channels: tuple[str, ...] = ()  # where the bot may be used; none: everywhere
    daily_cap: int | None = None  # pages a day on this server
    waiting_cap: int | None = None  # waiting jobs a person
    style: str | None = None
    roles: tuple[str, ...] = ()  # whose people may use the bot; none: all
    blocked_words: tuple[str, ...] = ()
    gallery: Place | None = None  # where pages with enough stars are shown once more
    stars: int = 3  # how many are enough
    strictness: Strictness | None = None


class People:
    """Accounts, blocks and the settings of servers. `clock` gives UTC seconds."""

    def __init__(
        self, database: Database, pictures: Pictures, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._now = clock
        self._arrivals = GroupCommit(database)

    async def meet(self, person: Person) -> Account:
        """The person's account, made or brought up to date if need be."""
        name = harmless_name(person.name) or person.id
        account = await self.find(person.key)
        if account is None or account.name != name:
            account = await self._arrivals.run(lambda db: put_name(db, person.key, name))
        return replace(account, language=account.language or person.language)

    async def find(self, key: str) -> Account | None:
        """The account of somebody who was met; `language` only if it was chosen."""
        row = await self._database.row("SELECT * FROM people WHERE key = ?", key)
        return None if row is None else Account(**dict(row))

    async def set_language(self, key: str, language: str) -> None:
        """Keeps the language that a person wants to be spoken to in."""
        async with self._database.tx() as db:
            await db.execute("UPDATE people SET language = ? WHERE key = ?", (language, key))

    async def forget(self, key: str) -> list[int]:
        """Deletes the account with all that belongs to it, and its pictures that no one else needs.

        Only blocks stay: they are the servers', and name nothing but the key; and what was drawn on
        this day, without the key, until the day is over. Returns the jobs that drew the person's
        characters alone, for `Ledger.stop`: some may be other people's.
        """
        async with self._pictures.letting_go(), self._database.tx(long=True) as db:
            rows = await db.execute_fetchall("SELECT id FROM characters WHERE owner = ?", (key,))
            jobs = await drop_characters(db, [row["id"] for row in rows])
            await quota.keep_spent(db, key, self._now())
            await db.execute("DELETE FROM people WHERE key = ?", (key,))
        return jobs

    async def is_new_to(self, key: str, what: str) -> bool:
        """Whether a person is now told for the first time what is said only once."""
        async with self._database.tx() as db:
            told = await db.execute("INSERT OR IGNORE INTO told VALUES (?, ?)", (key, what))
            return bool(told.rowcount)

    async def has_deleted(self, key: str, id: str) -> bool:
        """Whether a person has deleted a story or character of this id."""
        sql = "SELECT 1 FROM deleted WHERE id = ? AND owner = ?"
        return await self._database.row(sql, id, key) is not None

    async def block(self, server_key: str, person_key: str) -> None:
        """Keeps a person from using the bot on a server."""
        async with self._database.tx() as db:
            await db.execute("INSERT OR IGNORE INTO blocks VALUES (?, ?)", (server_key, person_key))

    async def unblock(self, server_key: str, person_key: str) -> None:
        """Takes back `block`."""
        async with self._database.tx() as db:
            await db.execute(
                "DELETE FROM blocks WHERE server = ? AND person = ?", (server_key, person_key)
            )

    async def is_blocked(self, server_key: str, person_key: str) -> bool:
        """Whether the person may not use the bot on that server."""
        sql = "SELECT 1 FROM blocks WHERE server = ? AND person = ?"
        return await self._database.row(sql, server_key, person_key) is not None

    async def server(self, server_key: str) -> ServerSettings:
        """The settings of a server; defaults where nothing was ever set."""
        row = await self._database.row("SELECT * FROM servers WHERE key = ?", server_key)
        return settings_from(row)

    async def change_server(self, server_key: str, **fields: Any) -> ServerSettings:
        """Changes some fields of `ServerSettings`. Raises Refusal for a value out of range."""
        async with self._database.tx() as db:
            settings = checked_settings(replace(await stored(db, server_key), **fields))
            values = row_of(settings)
            await db.execute(
                f"INSERT OR REPLACE INTO servers (key, {', '.join(values)})"
                f" VALUES (?{', ?' * len(values)})",
                (server_key, *values.values()),
            )
            await db.execute(  # other pages may have enough stars now
                "UPDATE exhibits SET changes = changes + 1 WHERE server = ?", (server_key,)
            )
        return settings


async def put_name(db: aiosqlite.Connection, key: str, name: str) -> Account:
    [row] = await db.execute_fetchall(
        "INSERT INTO people VALUES (?, ?, NULL, ?)"
        " ON CONFLICT DO UPDATE SET name = excluded.name RETURNING *",
        (key, name, time.time()),
    )
    return Account(**dict(row))


async def stored(db: aiosqlite.Connection, server_key: str) -> ServerSettings:
    rows = await db.execute_fetchall("SELECT * FROM servers WHERE key = ?", (server_key,))
    return settings_from(next(iter(rows), None))


def settings_from(row: sqlite3.Row | None) -> ServerSettings:
    if row is None:
        return ServerSettings()
    fields = {name: row[name] for name in row.keys() if name != "key"}  # noqa: SIM118
    fields |= {name: tuple(json.loads(row[name])) for name in LISTS}
    gallery = None if row["gallery"] is None else Place(**json.loads(row["gallery"]))
    return ServerSettings(**{**fields, "gallery": gallery})


def row_of(settings: ServerSettings) -> dict[str, Any]:
    """The columns of a server's row, without its key."""
    columns = asdict(settings)
    columns |= {name: json.dumps(columns[name], ensure_ascii=False) for name in LISTS}
    gallery = columns["gallery"]
    return columns | {"gallery": None if gallery is None else json.dumps(gallery)}


def checked_settings(settings: ServerSettings) -> ServerSettings:
    """The settings as they can be kept. Raises Refusal."""
    if settings.who not in ("everyone", "managers"):
        raise ValueError(f'"who" is "everyone" or "managers", not {settings.who!r}')
    if settings.strictness not in (None, *STRICTNESSES):
        raise ValueError(f'"strictness" cannot be {settings.strictness!r}')
    for cap in (settings.daily_cap, settings.waiting_cap):
        if cap is not None and not 0 <= cap <= MAX_CAP:
            raise Refusal("store.cap", limit=MAX_CAP)
    if len(settings.channels) > MAX_CHANNELS:
        raise Refusal("store.many_channels", limit=MAX_CHANNELS)
    if len(settings.roles) > MAX_ROLES:
        raise Refusal("store.many_roles", limit=MAX_ROLES)
    if len(settings.blocked_words) > MAX_BLOCKED_WORDS:
        raise Refusal("store.many_words", limit=MAX_BLOCKED_WORDS)
    if not 1 <= settings.stars <= MAX_STARS:
        raise Refusal("store.stars", limit=MAX_STARS)
    style = None if settings.style is None else checked_name(settings.style)
    once: dict[str, Any] = {name: tuple(dict.fromkeys(getattr(settings, name))) for name in LISTS}
    return replace(settings, style=style, **once)
