"""What goes with a deleted story or character in the same transaction: the jobs that draw it.

Their rows stay for a while, cancelled and empty: a number that people have read means nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import aiosqlite

LISTED = "(SELECT value FROM json_each(?))"
OF_A_JOB = ("job_pictures", "job_notes", "job_sources")

# A request names a saved character by the seed, which no other character has. It is the request
# that is asked: since it was frozen, its story may have lost the character from its cast.
ITS_PICTURE = """(
    value ->> '$.seed' IN (SELECT value FROM json_each(:seeds))
    AND key NOT IN (SELECT value FROM json_each(about, '$.own'))
)"""
WITHOUT_PICTURE = f"""
UPDATE jobs SET request = json_set(request, '$.characters', (
    SELECT json_group_array(json(iif({ITS_PICTURE}, json_set(value, '$.picture', NULL), value)))
    FROM json_each(request, '$.characters')
)) WHERE request <> '{{}}'
AND EXISTS (SELECT 1 FROM json_each(request, '$.characters') WHERE {ITS_PICTURE})
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

    Stories keep names and words, also those that wait to be drawn; the uploaded picture they lose,
    and so does what failed or was cancelled, which can be tried again.
    """
    listed = json.dumps(characters)
    with_picture = await db.execute_fetchall(
        f"SELECT seed FROM characters WHERE id IN {LISTED} AND reference IS NOT NULL", (listed,)
    )
    seeds = [row["seed"] for row in with_picture]
    if seeds:
        await db.execute(WITHOUT_PICTURE, {"seeds": json.dumps(seeds)})
    return await drop_jobs(
        db, f"kind IN ('sheet', 'meme-draw') AND about ->> '$.character' IN {LISTED}", listed
    )
