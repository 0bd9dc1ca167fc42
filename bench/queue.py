"""Is a long queue quick? `python -m bench.queue [--json FILE]`.

10,000 jobs of 500 people wait, after 10,000 others were drawn within the hour. Medians of: the
positions of all; the next job, claimed on the disk; one more job and its place in the queue. And
of 200 people who add a job and ask for its place all at once: when the last one knows.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from bench.table import Bar, finish, print_table
from bot.database import Database
from bot.jobs import Ledger, Limits, NewJob
from engine.request import CharacterRequest, DrawRequest, PanelRequest

PEOPLE, WAITING, DRAWN, ROUNDS, CROWD = 500, 10_000, 10_000, 20, 200
LIMITS = Limits(waiting_cap=WAITING, daily_quota=100 * WAITING)


def request(panels: int, seed: int) -> str:
    """As large as a usual one."""
    cast = tuple(CharacterRequest(name, "a young programmer " * 5) for name in ("Tom", "Lisa"))
    panel = PanelRequest("[Tom] and [Lisa] argue, both upset, " * 3, ("Tom", "Lisa"))
    return DrawRequest(cast, (panel,) * panels, seed=seed).to_json()


def some_job(dice: random.Random) -> NewJob:
    person = f"web:{dice.randrange(PEOPLE)}"
    panels = dice.randint(1, 8)
    story = str(dice.random())
    drawing = request(panels, dice.randrange(2**32))
    return NewJob(person, '{"chat": "web"}', None, "draw", story, drawing, "{}", panels, "en")


async def fill(ledger: Ledger, database: Database, dice: random.Random) -> None:
    """The people, what was drawn for them before, and the queue."""
    people = [(f"web:{number}",) for number in range(PEOPLE)]
    async with database.tx() as connection:
        await connection.executemany("INSERT INTO people VALUES (?, 'name', NULL, 0)", people)
    for _ in range(DRAWN):
        await ledger.enqueue(some_job(dice), LIMITS)
    async with database.tx() as connection:
        await connection.execute(
            "UPDATE jobs SET state = 'delivered', told = 1, started = created, seconds = panels"
        )
    for _ in range(WAITING):
        await ledger.enqueue(some_job(dice), LIMITS)


async def milliseconds(work: Callable[[], Awaitable[object]]) -> float:
    """Median of `ROUNDS` times."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


async def measure(folder: Path) -> dict[str, float]:
    """Every figure, in milliseconds."""
    dice = random.Random(0)
    database = await Database.open(folder / "inkwell.sqlite3")
    ledger = Ledger(database)

    async def ask() -> None:
        job = await ledger.enqueue(some_job(dice), LIMITS)
        assert (await ledger.position(job.id)).ahead > 0

    try:
        await fill(ledger, database, dice)
        assert len(await ledger.positions()) == WAITING
        positions = await milliseconds(ledger.positions)
        claim = await milliseconds(ledger.claim)
        one = await milliseconds(ask)
        began = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(CROWD)))
        crowd = (time.perf_counter() - began) * 1000
    finally:
        await database.close()
    return {"positions": positions, "claim": claim, "one": one, "crowd": crowd}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder)))
    print_table(
        [f"{WAITING:,} jobs of {PEOPLE} people waiting", "milliseconds"],
        [
            ["positions of all", f"{figures['positions']:.1f}"],
            ["next job", f"{figures['claim']:.1f}"],
            ["a new job and its position", f"{figures['one']:.1f}"],
            [f"{CROWD} of these at once, until the last", f"{figures['crowd']:.0f}"],
        ],
    )
    finish(
        [
            Bar("positions of all", figures["positions"], 100, at_least=False, unit=" ms"),
            Bar("next job", figures["claim"], 50, at_least=False, unit=" ms"),
        ],
        {f"{name}_milliseconds": value for name, value in figures.items()},
        options.json,
    )


if __name__ == "__main__":
    main()
