"""Stars that people give to pages posted on a server, and what is known of a page's posts.

A page with a star is an exhibit. What has changed about it since its posts were brought up to date
is counted in the database itself, so that nothing is missed, not even when a person is forgotten.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

import aiosqlite

from bot.chat import Place
from bot.database import Database
from bot.errors import Refusal
from bot.posts import new_nonce
from bot.requests import place_from_json, place_json

MOST_AT_ONCE = 200  # exhibits to look at in one round
GONE = ""  # in place of a message's id: somebody has removed it, and it is not to come back
Which = Literal["page", "copy"]

_COUNT = "(SELECT count(*) FROM stars WHERE stars.job = exhibits.job)"
_TO_SHOW = f"""
SELECT job, story, place, language, copy_place, copy_nonce, copy_message, changes,
    (SELECT owner FROM stories WHERE id = exhibits.story) AS owner,
    {_COUNT} AS stars, shown, copy_shown, gallery, coalesce(servers.stars, 1) AS threshold,
    coalesce(message, (
        SELECT posts.message FROM posts
        WHERE posts.job = exhibits.job AND purpose LIKE 'page %' AND posts.message IS NOT NULL
        ORDER BY length(purpose) DESC, purpose DESC LIMIT 1
    )) AS message
FROM exhibits LEFT JOIN servers ON servers.key = exhibits.server
WHERE changes <> seen ORDER BY job LIMIT {MOST_AT_ONCE}
"""
# The page that a job has posted on this server, unless its story has been deleted since.
_BEGIN = """
INSERT OR IGNORE INTO exhibits (job, story, server, place, language)
SELECT jobs.id, stories.id, server, place, language FROM jobs JOIN stories ON stories.id = story
WHERE jobs.id = ? AND server = ? AND kind IN ('draw', 'redraw') AND state IN ('drawn', 'delivered')
"""


@dataclass(frozen=True)
class Exhibit:
    """A page with what its posts should show and do show. Messages are the platform's ids."""

    job: int
    story: str | None  # None: it was deleted
    owner: str | None
    language: str
    stars: int
    threshold: int  # stars for a place in the gallery
    gallery: Place | None  # of the server, as it is set now
    place: Place
    message: str | None
    shown: int
    copy_place: Place | None
    copy_nonce: str | None  # there is a copy, or one was about to be sent
    copy_message: str | None
    copy_shown: int
    changes: int


class Stars:
    """Who has given a star to what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def press(self, job: int, person: str, server: str, channel: str) -> tuple[bool, int]:
        """Gives a star, or takes it back: whether it is given now, and how many there are.

        The button was pressed in a channel of a server. Raises Refusal where no such page stands.
        """
        async with self._database.tx() as db:
            await db.execute(_BEGIN, (job, server))
            await check_seen(db, job, server, channel)
            star = (job, person)
            taken = await db.execute("DELETE FROM stars WHERE job = ? AND person = ?", star)
            if not taken.rowcount:
                await db.execute("INSERT INTO stars VALUES (?, ?)", star)
            counted = await db.execute_fetchall("SELECT count(*) FROM stars WHERE job = ?", (job,))
        return not taken.rowcount, next(iter(counted))[0]

    async def to_show(self) -> list[Exhibit]:
        """The exhibits that have changed since their posts were brought up to date."""
        return [exhibit_from(row) for row in await self._database.few(_TO_SHOW)]

    async def begin_copy(self, exhibit: Exhibit, gallery: Place) -> str | None:
        """Marks that the one copy is about to be sent; its nonce, or None if it must not be."""
        nonce = new_nonce()
        async with self._database.tx() as db:
            done = await db.execute(
                "UPDATE exhibits SET copy_place = ?, copy_nonce = ?"
                " WHERE job = ? AND copy_nonce IS NULL AND story IS NOT NULL",
                (place_json(gallery), nonce, exhibit.job),
            )
        return nonce if done.rowcount else None

    async def copy_not_sent(self, exhibit: Exhibit) -> None:
        """The platform has refused the copy for certain: a later try is the first again."""
        async with self._database.tx() as db:
            await db.execute(
                "UPDATE exhibits SET copy_place = NULL, copy_nonce = NULL"
                " WHERE job = ? AND copy_message IS NULL",
                (exhibit.job,),
            )

    async def posted(self, exhibit: Exhibit, which: Which, message: str | None) -> None:
        """A post shows the exhibit's number of stars now; `message` is its id, or `GONE`."""
        mine = ("message", "shown") if which == "page" else ("copy_message", "copy_shown")
        async with self._database.tx() as db:
            await db.execute(
                f"UPDATE exhibits SET {mine[0]} = ?, {mine[1]} = ? WHERE job = ?",
                (message, exhibit.stars, exhibit.job),
            )

    async def seen(self, exhibit: Exhibit) -> None:
        """The posts are as they should be after the changes that the exhibit knows of."""
        async with self._database.tx() as db:
            await db.execute(
                "UPDATE exhibits SET seen = ? WHERE job = ?", (exhibit.changes, exhibit.job)
            )

    async def drop(self, exhibit: Exhibit) -> None:
        """Forgets an exhibit whose story is gone, once nothing of it is in the gallery."""
        async with self._database.tx() as db:
            await db.execute("DELETE FROM exhibits WHERE job = ? AND story IS NULL", (exhibit.job,))


async def check_seen(db: aiosqlite.Connection, job: int, server: str, channel: str) -> None:
    """Refuses a press from where neither the page nor its copy stands. Raises Refusal."""
    rows = await db.execute_fetchall(
        "SELECT place, copy_place FROM exhibits WHERE job = ? AND server = ? AND story IS NOT NULL",
        (job, server),
    )
    for row in rows:
        if channel in [place_from_json(place).channel for place in row if place is not None]:
            return
    raise Refusal("stars.nothing_here")


def exhibit_from(row: sqlite3.Row) -> Exhibit:
    fields = {name: row[name] for name in row.keys()}  # noqa: SIM118
    places = {name: place_from(fields[name]) for name in ("gallery", "copy_place")}
    return Exhibit(**{**fields, **places, "place": place_from_json(fields["place"])})


def place_from(text: str | None) -> Place | None:
    return None if text is None else place_from_json(text)
