"""Where finished animations of stories are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from bot.database import Database
from bot.page.moving import Kind
from bot.pictures import require_pictures

KEPT = 5  # of a story: older ones go


@dataclass(frozen=True)
class Animation:
    """One file of a job, `number` from 1."""

    job: int
    number: int
    kind: Kind
    sha: str

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Animation:
        return cls(row["job"], row["number"], row["kind"], row["sha"])


class Animations:
    """The table `animations`. Whoever asks must have got the story by `Stories.get`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, story: str, job: int, kind: Kind, shas: Sequence[str]) -> None:
        """Keeps the files of a job instead of all that it had; nothing if the story is gone."""
        async with self._database.tx() as db:
            await require_pictures(db, shas)
            await db.execute("DELETE FROM animations WHERE story = ? AND job = ?", (story, job))
            await db.executemany(
                "INSERT INTO animations SELECT id, ?, ?, ?, ? FROM stories WHERE id = ?",
                [(job, number, kind, sha, story) for number, sha in enumerate(shas, 1)],
            )
            await db.execute(
                "DELETE FROM animations WHERE story = ?1 AND job NOT IN (SELECT job FROM"
                " animations WHERE story = ?1 GROUP BY job ORDER BY job DESC LIMIT ?2)",
                (story, KEPT),
            )

    async def of(self, story: str, job: int | None = None) -> list[Animation]:
        """A story's files by job and number; with `job`, those of that one."""
        rows = await self._database.rows(
            "SELECT * FROM animations WHERE story = ?1 AND (?2 IS NULL OR job = ?2)"
            " ORDER BY job, number",
            story,
            job,
        )
        return [Animation.from_row(row) for row in rows]
