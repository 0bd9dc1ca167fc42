"""Marks around posting, so that no crash makes the bot post the same thing twice.

    mark = await posts.begin(job, "page 1")
    if mark is not None:                      # None: it is there already
        message = await chat.post(Post(..., nonce=mark.nonce))
        await posts.sent(mark.nonce, message)

The nonce stays the same over every try, and a platform that knows nonces refuses the second, for as
long as it remembers the first. Where it knows none, or no more of this one, `mark.unsure` says that
an earlier try may have arrived: ask, do not send blindly.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

import aiosqlite

from bot.database import Database, Value
from bot.group_commit import GroupCommit

TIME_DIGITS = 8  # of a nonce, hexadecimal: the second when it was made
RANDOM_BYTES = 6  # 12 characters more; Discord takes at most 25


@dataclass(frozen=True)
class PostMark:
    """A post that may be sent now. `unsure`: an earlier try began and its end was never heard."""

    nonce: str
    unsure: bool


class Posts:
    """What has been posted of each job: one post a job and purpose ("page 1", "reason" …)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writes = GroupCommit(database)  # the jobs of many people are told of at once

    async def begin(self, job: int, purpose: str) -> PostMark | None:
        """Mark that a post is about to be sent; None if it was sent already, or the job is gone."""

        async def mark(connection: aiosqlite.Connection) -> PostMark | None:
            cursor = await connection.execute(
                "INSERT INTO posts (job, purpose, nonce) SELECT id, ?, ? FROM jobs WHERE id = ?"
                " ON CONFLICT (job, purpose) DO NOTHING",
                (purpose, new_nonce(), job),
            )
            rows = await connection.execute_fetchall(
                "SELECT nonce, state FROM posts WHERE job = ? AND purpose = ?", (job, purpose)
            )
            for nonce, state in rows:
                if state == "sending":
                    return PostMark(nonce, unsure=cursor.rowcount == 0)
            return None

        return await self._writes.run(mark)

    async def sent(self, nonce: str, message: str) -> None:
        """The platform has confirmed the post and calls it `message`."""
        await self._write(
            "UPDATE posts SET state = 'sent', message = ? WHERE nonce = ?", message, nonce
        )

    async def moved(self, job: int, purpose: str, message: str) -> None:
        """A post that was sent was gone; the platform has made it anew and calls it `message`."""
        sql = "UPDATE posts SET message = ? WHERE job = ? AND purpose = ?"
        await self._write(sql, message, job, purpose)

    async def not_sent(self, nonce: str) -> None:
        """The platform has refused the post for certain: the next try is the first again."""
        await self._write("DELETE FROM posts WHERE nonce = ? AND state = 'sending'", nonce)

    async def _write(self, sql: str, *values: Value) -> None:
        await self._writes.run(lambda connection: connection.execute(sql, values))

    async def message(self, job: int, purpose: str) -> str | None:
        """The platform's id of a post, if it was sent."""
        row = await self._database.row(
            "SELECT message FROM posts WHERE job = ? AND purpose = ?", job, purpose
        )
        return row["message"] if row else None


def new_nonce() -> str:
    """A nonce that tells when it was made."""
    return f"{int(time.time()):0{TIME_DIGITS}x}{secrets.token_hex(RANDOM_BYTES)}"


def age_of(nonce: str) -> float:
    """How many seconds the clock has gone since a nonce was made, forwards or backwards."""
    return abs(time.time() - int(nonce[:TIME_DIGITS], 16))
