"""A real ledger in a SQLite file, with a clock that stands still until it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bot.chat import Person
from bot.database import Database
from bot.jobs import Job, Ledger, Limits, NewJob
from bot.people import People
from bot.pictures import Pictures
from tests.bot.new_store import open_database

NOON = 20_000 * 86400.0 + 12 * 3600  # seconds since 1970: noon of some day, UTC
NO_LIMITS = Limits(waiting_cap=10_000, daily_quota=10_000)
SEEDS = count()


class Clock:
    """Seconds since 1970. Each look takes a millisecond, so that no two things happen at once."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def new_job(
    name: str,
    *,
    panels: int = 4,
    server: str | None = None,
    story: str | None = None,
    request: str | None = None,
) -> NewJob:
    """A job of the person web:`name`; without a `request` none is like another."""
    request = request or f'{{"model": "house", "seed": {next(SEEDS)}}}'
    place = json.dumps({"chat": "web", "channel": name})
    return NewJob(f"web:{name}", place, server, "draw", story, request, "{}", panels, "en")


@dataclass
class Scene:
    """What a test plays with."""

    database: Database
    ledger: Ledger
    clock: Clock
    people: People
    pictures: Pictures

    async def ask(self, names: str, limits: Limits = NO_LIMITS) -> list[Job]:
        """Enqueue one job for each name in turn: "ann bob ann"."""
        return [await self.ledger.enqueue(new_job(name), limits) for name in names.split()]

    async def claimed(self) -> Job:
        job = await self.ledger.claim()
        assert job is not None
        return job

    async def served(self, times: int, *, finish: bool = True) -> str:
        """The names of the next people to be served, each drawn before the next if `finish`."""
        names = []
        for _ in range(times):
            job = await self.claimed()
            names.append(job.person.removeprefix("web:"))
            if finish:
                assert await self.ledger.drawn(job.id, 1.0)
        return " ".join(names)


def play(
    folder: Path,
    story: Callable[[Scene], Awaitable[None]],
    names: Sequence[str] = ("ann", "bob", "cid", "dot"),
) -> None:
    """Run a story on the ledger in `folder`; the database is closed at its end."""

    async def run() -> None:
        database = await open_database(folder / "inkwell.sqlite3")
        try:
            clock = Clock()
            pictures = Pictures(folder / "pictures", database)
            people = People(database, pictures, clock=clock)
            for name in names:
                await people.meet(Person("web", name, name))
            await story(Scene(database, Ledger(database, clock=clock), clock, people, pictures))
        finally:
            await database.close()

    asyncio.run(run())
