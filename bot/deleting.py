"""What goes with a deleted story or character in the same transaction: the jobs that draw it.

Their rows stay for a while, cancelled and empty: a number that people have read means nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import aiosqlite

LISTED = "(SELECT value FROM json_each(?))"
OF_A_JOB = ("job_pictures", "job_notes", "job_sources")

# The cast of a story goes by a saved character's seed, which no other character has.
WITHOUT_PICTURE = """
UPDATE jobs SET request = json_set(request, '$.characters', (
    SELECT json_group_array(json(
        iif(value ->> '$.seed' = :seed, json_set(value, '$.picture', NULL), value)
    )) FROM json_each(request, '$.characters')
)) WHERE request <> '{}'
AND story IN (SELECT story FROM cast_members WHERE character = :id AND reference IS NULL)
"""


async def drop_jobs(db: aiosqlite.Connection, where: str, *values: str) -> list[int]:
    """Cancels the jobs that are not over, and empties all of them.

    `where` is SQL. Returns their numbers, for `Ledger.stop` once that is committed.
    """
    rows = await db.execute_fetchall(f"SELECT id FROM jobs WHERE {where}", values)
    numbers = [int(row["id"]) for row in rows]
    listed = (json.dumps(numbers),)
    for table in OF_A_JOB:
        await db.execute(f"DELETE FROM {table} WHERE job IN {LISTED}", listed)
    await db.execute(
        "UPDATE jobs SET request = '{}', about = '{}',"
        " charged = iif(state = 'waiting', 0, charged),"
        " state = iif(state IN ('waiting', 'drawing', 'drawn'), 'cancelled', state)"
        f" WHERE id IN {LISTED}",
        listed,
    )
    return numbers


async def drop_characters(db: aiosqlite.Connection, characters: Sequence[str]) -> list[int]:
    """Drops the jobs that draw these characters alone, before their rows are deleted.

    Stories keep names and words, also those that wait to be drawn; the uploaded picture they lose.
    """
    listed = json.dumps(characters)
    with_picture = await db.execute_fetchall(
        f"SELECT id, seed FROM characters WHERE id IN {LISTED} AND reference IS NOT NULL", (listed,)
    )
    for row in with_picture:
        await db.execute(WITHOUT_PICTURE, {"id": row["id"], "seed": row["seed"]})
    return await drop_jobs(
        db, f"kind IN ('sheet', 'meme-draw') AND about ->> '$.character' IN {LISTED}", listed
    )
