"""What the engine remarked on a job, kept with the job until its page is posted."""

from __future__ import annotations

from bot.database import Database


class Notes:
    """The remarks on every job, in the words that its person will read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, job: int, words: str) -> None:
        """Keep a remark; the same one again is kept once. Raises StoreTrouble."""
        async with self._database.tx() as connection:
            await connection.execute(
                "INSERT OR IGNORE INTO job_notes (job, words)"
                " SELECT id, ? FROM jobs WHERE id = ?",  # its person may be forgotten by now
                (words, job),
            )

    async def of(self, job: int) -> list[str]:
        """In the order they came. Raises StoreTrouble."""
        rows = await self._database.rows(
            "SELECT words FROM job_notes WHERE job = ? ORDER BY number", job
        )
        return [row["words"] for row in rows]
