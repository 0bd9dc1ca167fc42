"""How much one person, and one server, may have drawn; days are those of UTC.

What failed costs nothing, nor does what was cancelled while it waited. Whoever is forgotten takes
the jobs along; what these cost is kept until the day is over, under a hash in place of the name, so
that being forgotten does not begin the day anew.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b

import aiosqlite

from bot.errors import Refusal

DAY_SECONDS = 86400.0
Ask = Callable[..., Awaitable[Iterable[sqlite3.Row]]]  # SQL and its values → rows


@dataclass(frozen=True)
class Limits:
    """Of one person: waiting jobs, and panels a day. Of a server: jobs a day, None for no limit."""

    waiting_cap: int = 3
    daily_quota: int = 50
    server_cap: int | None = None


_OWN = "SELECT COALESCE(SUM(panels), 0) FROM jobs WHERE person = ? AND created >= ? AND charged = 1"
_WAITING = "SELECT COUNT(*) FROM jobs WHERE person = ? AND state = 'waiting'"
_SERVED = """
    SELECT COALESCE((SELECT SUM(jobs) FROM spent WHERE server = ?1 AND day = ?2), 0)
    + (SELECT COUNT(*) FROM jobs WHERE server = ?1 AND created >= ?2 AND charged = 1)
"""
_KEY = "SELECT key FROM spent_days WHERE day = ?"
_SPENT = "SELECT COALESCE(SUM(panels), 0) FROM spent WHERE day = ? AND who = ?"
_KEEP = """
    INSERT INTO spent SELECT ?2, ?3, server, SUM(panels), COUNT(*) FROM jobs
    WHERE person = ?1 AND created >= ?2 AND charged = 1 AND state <> 'waiting' GROUP BY server
"""


async def check(
    connection: aiosqlite.Connection,
    limits: Limits,
    person: str,
    server: str | None,
    panels: int,
    now: float,
) -> None:
    """Raise Refusal if a job of so many panels may not be queued; in the transaction that does."""

    async def ask(sql: str, *values: object) -> Iterable[sqlite3.Row]:
        return await connection.execute_fetchall(sql, values)

    if panels > limits.daily_quota:
        raise Refusal("queue.over_quota", limit=limits.daily_quota, panels=panels)
    if await _number(ask, _WAITING, person) >= limits.waiting_cap:
        raise Refusal("queue.too_many", limit=limits.waiting_cap)
    today, hours = day(now), hours_left(now)
    left = limits.daily_quota - await used(ask, person, now)
    if panels > left:
        raise Refusal(
            "queue.quota", limit=limits.daily_quota, hours=hours, panels=panels, left=max(0, left)
        )
    if server is None or limits.server_cap is None:
        return
    if await _number(ask, _SERVED, server, today) >= limits.server_cap:
        raise Refusal("queue.server_quota", limit=limits.server_cap, hours=hours)


async def used(ask: Ask, person: str, now: float) -> int:
    """Panels that count against a person's quota of this day."""
    today = day(now)
    panels = await _number(ask, _OWN, person, today)
    for row in await ask(_KEY, today):
        panels += await _number(ask, _SPENT, today, _hashed(person, row["key"]))
    return panels


async def keep_spent(connection: aiosqlite.Connection, person: str, now: float) -> None:
    """Before a person's jobs are deleted: keeps what they have cost on this day."""
    today = day(now)
    await connection.execute("INSERT OR IGNORE INTO spent_days (day) VALUES (?)", (today,))
    for row in await connection.execute_fetchall(_KEY, (today,)):
        await connection.execute(_KEEP, (person, today, _hashed(person, row["key"])))


async def drop_spent(connection: aiosqlite.Connection, now: float) -> None:
    """Deletes what was kept of days that are over, and the keys to it."""
    await connection.execute("DELETE FROM spent_days WHERE day < ?", (day(now),))


def day(now: float) -> float:
    """When the day of UTC began."""
    return now - now % DAY_SECONDS


def hours_left(now: float) -> int:
    """Whole hours until the next day of UTC, rounded up."""
    return math.ceil((DAY_SECONDS - now % DAY_SECONDS) / 3600)


def _hashed(person: str, key: bytes) -> str:
    return blake2b(person.encode(errors="replace"), key=key, digest_size=16).hexdigest()


async def _number(ask: Ask, sql: str, *values: object) -> int:
    [row] = await ask(sql, *values)
    return int(row[0])
