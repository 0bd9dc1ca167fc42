"""Whose turn it is, and how long that will take.

A person's n-th waiting job takes turn n, and jobs of theirs that are being drawn come before it.
Within a turn, whoever was served longest ago comes first; a serving is forgotten after an hour,
so that ever new people cannot keep anybody waiting for ever. What is left goes by job number.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, groupby
from operator import itemgetter
from typing import NamedTuple

from bot.database import Database
from bot.pace import seconds_of_a_panel

REMEMBERED_SECONDS = 3600.0  # how long somebody counts as served

# The next job; ?1 is now. It is among the first jobs of all people: their later ones come later.
# One look into an index for each person who waits, where a GROUP BY of all servings took 15 times
# as long.
NEXT = f"""
    WITH running AS MATERIALIZED (
        SELECT person, COUNT(*) AS jobs FROM jobs WHERE state = 'drawing' GROUP BY person),
    firsts AS MATERIALIZED (
        SELECT person, MIN(id) AS first FROM jobs
        WHERE state = 'waiting' AND not_before <= ?1 GROUP BY person)
    SELECT first FROM firsts LEFT JOIN running USING (person)
    ORDER BY COALESCE(running.jobs, 0), COALESCE(
        (SELECT MAX(started) FROM jobs
         WHERE person = firsts.person AND started > ?1 - {REMEMBERED_SECONDS}), 0), first
    LIMIT 1
"""

_UNFINISHED = """
    SELECT person, id, panels, pace, started, not_before FROM jobs WHERE state = 'drawing'
    UNION ALL
    SELECT person, id, panels, pace, NULL, not_before FROM jobs WHERE state = 'waiting'
    ORDER BY person, id
"""
_SERVED = "SELECT person, MAX(started) AS at FROM jobs WHERE started > ? GROUP BY person"


class Position(NamedTuple):
    """How many jobs come before one, those being drawn included, and seconds until it is drawn."""

    ahead: int
    seconds: float


class Queue:
    """Foretells the order. `engines` is how many jobs are drawn at the same time."""

    def __init__(self, database: Database, engines: int = 1) -> None:
        self._database = database
        self._engines = engines
        self._one_at_a_time = asyncio.Lock()
        self._following: asyncio.Task[dict[int, Position]] | None = None

    async def positions(self, now: float) -> dict[int, Position]:
        """Of every job that is waiting or being drawn, in order.

        Who asks while an answer is being worked out shares the next one: 200 people who ask at
        once cost two looks, not 200.
        """
        if self._following is None:
            self._following = asyncio.create_task(self._look(now))
        return await asyncio.shield(self._following)

    async def seconds_until_ready(self, now: float) -> float:
        """When nothing is ready: seconds until the first back-off ends, infinite if none does."""
        row = await self._database.row("SELECT MIN(not_before) FROM jobs WHERE state = 'waiting'")
        return math.inf if row is None or row[0] is None else max(0.0, row[0] - now)

    async def _look(self, now: float) -> dict[int, Position]:
        async with self._one_at_a_time:
            self._following = None  # whoever asks from here on may want to see later changes
            seconds = await seconds_of_a_panel(self._database)
            served = await self._database.rows(_SERVED, now - REMEMBERED_SECONDS)
            jobs = await self._database.rows(_UNFINISHED)
        drawing = [job for job in jobs if job["started"] is not None]
        waits = (job for job in jobs if job["started"] is None)
        waiting = {person: list(own) for person, own in groupby(waits, key=itemgetter("person"))}
        running = Counter(job["person"] for job in drawing)
        order = in_order(waiting, running, {row["person"]: row["at"] for row in served})
        found: dict[int, Position] = {}
        before = 0.0  # seconds of drawing, shared by all engines
        for job in drawing:
            left = max(0.0, job["panels"] * seconds[job["pace"]] - (now - job["started"]))
            found[job["id"]] = Position(0, left)
            before += left / self._engines
        for ahead, (_, id, panels, pace, _, not_before) in enumerate(order, len(drawing)):
            own = panels * seconds[pace]
            wait = before if before > not_before - now else not_before - now
            found[id] = Position(ahead, wait + own)
            before += own / self._engines
        return found


def in_order(
    waiting: Mapping[str, Sequence[sqlite3.Row]],
    running: Mapping[str, int],
    served: Mapping[str, float],
) -> Iterator[sqlite3.Row]:
    """The jobs that wait, by person and oldest first, in the order in which they will be taken up.

    `running` is how many of a person's are being drawn, `served` when somebody was last served. A
    job that backs off stands where it will be when that is over.
    """
    joining = defaultdict(list)  # turn → those who have none before
    for person in sorted(waiting, key=lambda p: (served.get(p, 0.0), waiting[p][0]["id"])):
        joining[running.get(person, 0)].append(iter(waiting[person]))
    circle: list[Iterator[sqlite3.Row]] = []
    for turn in count():
        # Those who have had a turn by then were served later than those who join in only now.
        circle = joining.pop(turn, []) + circle
        if not circle and not joining:
            return
        staying = []
        for jobs in circle:
            job = next(jobs, None)
            if job is not None:
                yield job
                staying.append(jobs)
        circle = staying
