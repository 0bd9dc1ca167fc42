"""How long a panel takes, from what was measured. A pace is "model/steps/size" of a request.

Frames of an animation take another time, so its pace has their number, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

import aiosqlite

from bot.database import Database

MEASURES = 50  # of one pace: the median of so many foretells the next
UNMEASURED_SECONDS = 5.0  # a panel, before anything was drawn

PACE = """printf('%s/%s/%s', json_extract(:request, '$.model'),
                 json_extract(:request, '$.steps'), json_extract(:request, '$.size'))
        || ifnull('/' || json_extract(:request, '$.frames'), '')"""
_MEASURE = """
    INSERT INTO measured_paces (pace, seconds) SELECT pace, seconds / panels FROM jobs WHERE id = ?
"""
_FORGET = """
    DELETE FROM measured_paces WHERE id IN (
        SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY pace ORDER BY id DESC) AS age
                        FROM measured_paces) WHERE age > ?)
"""


async def measure(connection: aiosqlite.Connection, job_id: int) -> None:
    """Remember how long a drawn job took, in the transaction that ends its drawing."""
    await connection.execute(_MEASURE, (job_id,))
    await connection.execute(_FORGET, (MEASURES,))


async def seconds_of_a_panel(database: Database) -> Mapping[str, float]:
    """By pace; one that was never measured is taken to be like the newest of all."""
    rows = await database.rows("SELECT pace, seconds FROM measured_paces ORDER BY id")
    return medians((pace, seconds) for pace, seconds in rows)


def medians(measures: Iterable[tuple[str, float]]) -> defaultdict[str, float]:
    """Pace → median; the default is the median of the newest of all. Oldest measures come first."""
    by_pace: dict[str, list[float]] = {}
    every: list[float] = []
    for pace, seconds in measures:
        by_pace.setdefault(pace, []).append(seconds)
        every.append(seconds)
    usual = median(every[-MEASURES:]) if every else UNMEASURED_SECONDS
    return defaultdict(lambda: usual, {pace: median(own) for pace, own in by_pace.items()})
