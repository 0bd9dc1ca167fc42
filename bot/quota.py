"""How much one person, and one server, may have drawn; days are those of UTC.

What failed costs nothing, nor does what was cancelled while it waited.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import aiosqlite

from bot.errors import Refusal

DAY_SECONDS = 86400.0


@dataclass(frozen=True)
class Limits:
    """Of one person: waiting jobs, and panels a day. Of a server: jobs a day, None for no limit."""

    waiting_cap: int = 3
    daily_quota: int = 50
    server_cap: int | None = None


USED = "SELECT COALESCE(SUM(panels), 0) FROM jobs WHERE person = ? AND created >= ? AND charged = 1"
_WAITING = "SELECT COUNT(*) FROM jobs WHERE person = ? AND state = 'waiting'"
_SERVED = "SELECT COUNT(*) FROM jobs WHERE server = ? AND created >= ? AND charged = 1"


async def check(
    connection: aiosqlite.Connection,
    limits: Limits,
    person: str,
    server: str | None,
    panels: int,
    now: float,
) -> None:
    """Raise Refusal if a job of so many panels may not be queued; in the transaction that does."""
    if panels > limits.daily_quota:
        raise Refusal("queue.over_quota", limit=limits.daily_quota, panels=panels)
    if await _number(connection, _WAITING, person) >= limits.waiting_cap:
        raise Refusal("queue.too_many", limit=limits.waiting_cap)
    today, hours = day(now), hours_left(now)
    left = limits.daily_quota - await _number(connection, USED, person, today)
    if panels > left:
        raise Refusal(
            "queue.quota", limit=limits.daily_quota, hours=hours, panels=panels, left=max(0, left)
        )
    if server is None or limits.server_cap is None:
        return
    if await _number(connection, _SERVED, server, today) >= limits.server_cap:
        raise Refusal("queue.server_quota", limit=limits.server_cap, hours=hours)


def day(now: float) -> float:
    """When the day of UTC began."""
    return now - now % DAY_SECONDS


def hours_left(now: float) -> int:
    """Whole hours until the next day of UTC, rounded up."""
    return math.ceil((DAY_SECONDS - now % DAY_SECONDS) / 3600)


async def _number(connection: aiosqlite.Connection, sql: str, *values: object) -> int:
    [row] = await connection.execute_fetchall(sql, values)
    return int(row[0])
