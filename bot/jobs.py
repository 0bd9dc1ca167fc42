"""The ledger of jobs: what people asked to be drawn, in a table that survives anything.

    waiting ──► drawing ──► drawn ──► delivered
       ▲  │        │ │        │
       └──┼────────┘ │        └────► failed, cancelled (with its story or person)
          └──────────┴─────────────► failed, cancelled

Every arrow is one transaction that checks the state it leaves, so a cancelled job is never drawn
and a delivered one never waits again. A transition that came too late returns False.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping

import aiosqlite

from bot import quota
from bot.changes import Changes
from bot.database import Database, to_the_end
from bot.errors import Refusal
from bot.group_commit import GroupCommit
from bot.job import NAMES, NEW_NAMES, Job, NewJob, Reason
from bot.notes import Notes
from bot.pace import PACE, measure
from bot.posts import Posts
from bot.queue_order import NEXT, Position, Queue
from bot.quota import Limits

__all__ = ["Job", "Ledger", "Limits", "NewJob", "Position", "Reason"]

MOST_ATTEMPTS = 8  # an engine may be killed some times in a row and the story not be to blame
BACK_OFF_SECONDS = 5.0  # after the first attempt; twice as long after each further one
KEPT_DAYS = 30.0
LOOK_AGAIN_SECONDS = 60.0  # should a change have been cut off before it could ring

_COLUMNS = ", ".join(NAMES)
# Only of what was cancelled it matters whether its request is gone; the others are not even read.
_LEAN_REQUEST = "iif(state = 'cancelled' AND request = '{}', '{}', '') AS request"
_LEAN_COLUMNS = ", ".join(_LEAN_REQUEST if name == "request" else name for name in NAMES)
_INSERT = f"""
    INSERT INTO jobs ({", ".join(NEW_NAMES)}, created, pace)
    VALUES ({", ".join(":" + name for name in NEW_NAMES)}, :now, {PACE})
    RETURNING {_COLUMNS}
"""
_SOURCES = """
    INSERT INTO job_sources SELECT DISTINCT :id, value
    FROM json_each(:about, '$.sources') JOIN pictures ON sha = value
"""
# Found by what is unfinished of a person, however much was drawn for them before. What has no story
# is told apart by its request: every meme has a seed of its own.
_SAME = """
    SELECT id FROM jobs WHERE id IN (
        SELECT id FROM jobs WHERE person = :person AND state = 'waiting'
        UNION ALL SELECT id FROM jobs WHERE person = :person AND state = 'drawing')
    AND story IS :story AND kind = :kind AND request = :request
    AND (kind != 'animate' OR about = :about)
"""


class Ledger:
    """The job table. `engines` is how many jobs are drawn at once; `clock` gives UTC seconds.

    `changed` tells whoever waits that some job came or changed its state.
    """

    def __init__(
        self, database: Database, *, engines: int = 1, clock: Callable[[], float] = time.time
    ) -> None:
        self.changed = Changes()
        self.posts = Posts(database)
        self.notes = Notes(database)
        self._database = database
        self._arrivals = GroupCommit(database)
        self._queue = Queue(database, engines)
        self._now = clock
        self._stops: dict[int, asyncio.Event] = {}  # of the jobs that are being drawn

    async def enqueue(self, job: NewJob, limits: Limits) -> Job:
        """Put a job into the queue.

        Raises Refusal beyond a limit, and when the very same request is already in the queue: two
        presses of one button draw once.
        """
        row = await self._arrivals.run(lambda connection: self._insert(connection, job, limits))
        self.changed.ring()
        return Job.from_row(row)

    async def _insert(
        self, connection: aiosqlite.Connection, job: NewJob, limits: Limits
    ) -> sqlite3.Row:
        now = self._now()
        values = {name: getattr(job, name) for name in NEW_NAMES} | {"now": now}
        for twin in await connection.execute_fetchall(_SAME, values):
            raise Refusal("queue.already", number=twin["id"])
        await quota.check(connection, limits, job.person, job.server, job.panels, now)
        [row] = await connection.execute_fetchall(_INSERT, values)
        await connection.execute(_SOURCES, {"id": row["id"], "about": job.about})
        return row

    async def claim(self) -> Job | None:
        """Take up the next job in fair order: it is being drawn from now on."""
        claimed: list[Job] = []
        try:
            await to_the_end(self._claim(claimed))
        except asyncio.CancelledError:
            for job in claimed:  # or nobody would draw it until the next start
                await to_the_end(self.give_back(job.id))
            raise
        return claimed[0] if claimed else None

    async def _claim(self, claimed: list[Job]) -> None:
        async with self._database.tx() as connection:
            rows = await connection.execute_fetchall(
                f"UPDATE jobs SET state = 'drawing', started = ?1 WHERE id = ({NEXT})"
                f" RETURNING {_COLUMNS}",
                (self._now(),),
            )
            jobs = [Job.from_row(row) for row in rows]
            self._stops.update((job.id, asyncio.Event()) for job in jobs)
        if jobs:
            claimed.extend(jobs)
            self.changed.ring()

    async def take(self, stopping: asyncio.Event) -> Job | None:
        """The next job, as soon as there is one: waits for new ones and for back-offs to end.

        None once `stopping` is set and `changed` was rung; a claim under way is not cut off by it.
        """
        while not stopping.is_set():
            seen = self.changed.count
            job = await self.claim()
            if job is not None:
                return job
            ready = await self._queue.seconds_until_ready(self._now())
            await self.changed.after(seen, min(ready, LOOK_AGAIN_SECONDS))
        return None

    def stop_event(self, job_id: int) -> asyncio.Event:
        """Set when a claimed job is no longer to be drawn, as when somebody cancels it."""
        event = self._stops.get(job_id)
        if event is None:  # it has stopped already
            event = asyncio.Event()
            event.set()
        return event

    async def set_message(self, job_id: int, message: str) -> None:
        """Remember the platform's id of the progress post."""
        values = (message, job_id)
        await self._arrivals.run(
            lambda connection: connection.execute(
                "UPDATE jobs SET message = ? WHERE id = ?", values
            )
        )

    async def keep_pictures(self, job_id: int, pictures: Mapping[int, str]) -> bool:
        """Note pictures (panel index from 0 → SHA-256) of a job that is being drawn."""
        async with self._database.tx() as connection:
            drawing = await connection.execute_fetchall(
                "SELECT 1 FROM jobs WHERE id = ? AND state = 'drawing'", (job_id,)
            )
            if not list(drawing):
                return False
            await connection.executemany(
                "INSERT OR REPLACE INTO job_pictures VALUES (?, ?, ?)",
                [(job_id, panel, sha) for panel, sha in pictures.items()],
            )
        return True

    async def pictures(self, job_id: int) -> dict[int, str]:
        """What has been kept: panel index → SHA-256."""
        rows = await self._database.rows(
            "SELECT panel, picture FROM job_pictures WHERE job = ? ORDER BY panel", job_id
        )
        return {row["panel"]: row["picture"] for row in rows}

    async def drawn(self, job_id: int, seconds: float) -> bool:
        """All pictures are kept; it took so long. Waits for its delivery now.

        An animation's frames are in its file by now, and are let go of.
        """
        async with self._database.tx() as connection:
            moved = await _move(
                connection, job_id, "drawing", "state = 'drawn', seconds = :took", took=seconds
            )
            if moved:
                await measure(connection, job_id)
                await connection.execute(
                    "DELETE FROM job_pictures WHERE job ="
                    " (SELECT id FROM jobs WHERE id = ? AND kind = 'animate')",
                    (job_id,),
                )
        if moved:
            self._left(job_id)
        return moved

    async def delivered(self, job_id: int) -> bool:
        """The person has it."""
        # The request holds uploaded pictures; only what failed or was cancelled is asked for again.
        return await self._change(job_id, "drawn", "state = 'delivered', told = 1, request = '{}'")

    async def fail(self, job_id: int, reason_key: str, /, **values: object) -> bool:
        """Give up a job that is not delivered, for a reason the person will be told."""
        return await self._change(
            job_id,
            "waiting drawing drawn",
            "state = 'failed', charged = 0, reason = :reason",
            reason=Reason(reason_key, values).to_json(),
        )

    async def told(self, job_id: int) -> bool:
        """The person has heard that it failed or was cancelled (or cannot be reached at all)."""
        return await self._change(job_id, "failed cancelled", "told = 1")

    async def try_later(self, job_id: int, reason_key: str, /, **values: object) -> bool:
        """An attempt went wrong: draw it again after a while. False: it is over, now or before.

        The back-off doubles with each attempt; after the last the job has failed with the reason.
        """
        async with self._database.tx() as connection:
            rows = await connection.execute_fetchall(
                "UPDATE jobs SET attempts = attempts + 1, reason = :reason,"
                " state = iif(attempts + 1 < :most, 'waiting', 'failed'),"
                " charged = (attempts + 1 < :most), not_before = :now + :wait * (1 << attempts)"
                " WHERE id = :id AND state = 'drawing' RETURNING state",
                {
                    "id": job_id,
                    "reason": Reason(reason_key, values).to_json(),
                    "most": MOST_ATTEMPTS,
                    "now": self._now(),
                    "wait": BACK_OFF_SECONDS,
                },
            )
            states = [row["state"] for row in rows]
        if states:
            self._left(job_id)
        return states == ["waiting"]

    async def give_back(self, job_id: int, wait_seconds: float = 0.0) -> bool:
        """The engine cannot be reached: back into the queue, and no attempt is used up."""
        return await self._change(
            job_id,
            "drawing",
            "state = 'waiting', started = NULL, not_before = :until",
            until=self._now() + wait_seconds,
        )

    async def cancel(self, job_id: int, person: str) -> bool:
        """Cancel a job that is waiting or being drawn; False if it is too late for that.

        Raises Refusal for a job that is not this person's, in the words for one that is not there.
        """
        await self.get(job_id, person)
        return await self._cancel(job_id, "waiting drawing")

    async def cancel_all(self, person: str) -> None:
        """Cancel whatever a person has under way, before `People.forget` deletes the rows."""
        for job in await self.of_person(person):
            await self._cancel(job.id, "waiting drawing drawn")

    def stop(self, jobs: Iterable[int]) -> None:
        """They were cancelled with the story or character that they draw (`bot.deleting`)."""
        for job_id in jobs:
            self._left(job_id)

    async def prune(self) -> None:
        """Delete what ended more than `KEPT_DAYS` ago, and the sums of days that are over."""
        now = self._now()
        async with self._database.tx(long=True) as connection:
            await connection.execute(
                "DELETE FROM jobs WHERE told = 1 AND created < ?",
                (now - KEPT_DAYS * quota.DAY_SECONDS,),
            )
            await quota.drop_spent(connection, now)

    async def recover(self) -> None:
        """At the start, before anything is claimed: what was being drawn waits again.

        No attempt is used up, pictures that were kept stay, drawn jobs stay for their delivery.
        """
        async with self._database.tx() as connection:
            await connection.execute(
                "UPDATE jobs SET state = 'waiting', started = NULL WHERE state = 'drawing'"
            )
        self.changed.ring()

    async def position(self, job_id: int) -> Position:
        """Of one job; (0, 0.0) once it is neither waiting nor being drawn."""
        return (await self.positions()).get(job_id, Position(0, 0.0))

    async def positions(self) -> dict[int, Position]:
        """Of every job that is waiting or being drawn, in the order they will be drawn."""
        return await self._queue.positions(self._now())

    async def get(self, job_id: int, person: str | None = None) -> Job:
        """A job; raises Refusal if there is none or, with `person`, it is somebody else's."""
        row = await self._database.row(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", job_id)
        if row is None or person not in (None, row["person"]):
            raise Refusal("queue.no_job", number=job_id)
        return Job.from_row(row)

    async def of_person(self, person: str) -> list[Job]:
        """A person's jobs that are not over yet: waiting, being drawn, or drawn."""
        where = "person = ? AND state IN ('waiting', 'drawing', 'drawn') ORDER BY id"
        rows = await self._database.few(f"SELECT {_COLUMNS} FROM jobs WHERE {where}", person)
        return [Job.from_row(row) for row in rows]

    async def memes(self, person: str) -> list[int]:
        """The numbers of the memes that were drawn for a person and are still kept."""
        rows = await self._database.rows(
            "SELECT id FROM jobs WHERE person = ? AND kind = 'meme-draw' AND about <> '{}'"
            " AND state IN ('drawn', 'delivered') ORDER BY id",
            person,
        )
        return [row["id"] for row in rows]

    async def undelivered(self) -> list[Job]:
        """Whose people have not heard the end: drawn, failed and cancelled ones, oldest first.

        A request can hold megabytes of pictures. Its place is empty here, or "{}" where what was
        cancelled cannot be asked for again.
        """
        where = "told = 0 AND state IN ('drawn', 'failed', 'cancelled') ORDER BY id"
        rows = await self._database.rows(f"SELECT {_LEAN_COLUMNS} FROM jobs WHERE {where}")
        return [Job.from_row(row) for row in rows]

    async def used_today(self, person: str) -> int:
        """Panels that count against the person's quota of this day (UTC)."""
        return await quota.used(self._database.few, person, self._now())

    async def _cancel(self, job_id: int, states: str) -> bool:
        return await self._change(
            job_id, states, "charged = (state <> 'waiting'), state = 'cancelled'"
        )

    async def _change(self, job_id: int, states: str, change: str, **values: object) -> bool:
        async with self._database.tx() as connection:
            moved = await _move(connection, job_id, states, change, **values)
        if moved:
            self._left(job_id)
        return moved

    def _left(self, job_id: int) -> None:
        """The job is in another state than before: tell whoever draws it, and all who wait."""
        stop = self._stops.pop(job_id, None)
        if stop is not None:
            stop.set()
        self.changed.ring()


async def _move(
    connection: aiosqlite.Connection, job_id: int, states: str, change: str, **values: object
) -> bool:
    """Change a job if it is in one of `states` (names, spaces between); whether it was."""
    known = ", ".join(f"'{state}'" for state in states.split())
    cursor = await connection.execute(
        f"UPDATE jobs SET {change} WHERE id = :id AND state IN ({known})", {**values, "id": job_id}
    )
    return cursor.rowcount == 1
