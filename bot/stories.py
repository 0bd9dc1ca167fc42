"""Where stories are kept, with the pictures of their panels, their pages and the steps back."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace

import aiosqlite

from bot.animations import Animations
from bot.database import Database, askable, new_id
from bot.deleting import drop_jobs
from bot.errors import Refusal
from bot.group_commit import GroupCommit
from bot.pictures import require_pictures
from bot.sharing import audiences
from bot.story import (
    CastMember,
    Original,
    Panel,
    Story,
    checked_story,
    content,
    numbered,
    pictures_of,
    restored,
    story_from,
)

__all__ = ["CastMember", "Original", "Panel", "Stories", "Story"]

MAX_STORIES = 1_000  # a person
MAX_STEPS = 20  # back
KEPT_DRAWINGS = 5  # of a story: older ones lose their pages
DOUBLE_PRESS_SECONDS = 10.0

# Cast and panels come as JSON, [position, every field of the dataclass] each.
SELECT = """
SELECT stories.*, (
    SELECT json_group_array(json_array(position, name, description, character, reference))
    FROM cast_members WHERE story = stories.id
) AS members, (
    SELECT json_group_array(json_array(
        position, id, text, caption, kind, speaker, json(characters), seed, picture
    )) FROM panels WHERE story = stories.id
) AS panels, (
    SELECT json_group_array(audience) FROM story_shares WHERE story = stories.id
) AS audiences, (
    SELECT CASE
        WHEN before.id IS NULL THEN json_array(NULL, NULL, json('true'))
        WHEN before.owner <> stories.owner
            AND NOT EXISTS (SELECT 1 FROM story_shares WHERE story = before.id)
            THEN json_array(NULL, NULL, json('false'))
        ELSE json_array(
            before.title, (SELECT name FROM people WHERE key = before.owner), json('false')
        )
    END
    FROM remixes LEFT JOIN stories AS before ON before.id = remixes.parent
    WHERE remixes.story = stories.id
) AS original
FROM stories
"""
# A part of the title or, where there is none, of what a story is called then: who is in it.
IN_TITLE = "instr(same_name(title), same_name(?1))"
LIKE = f"""(
    {IN_TITLE} OR title = '' AND EXISTS (
        SELECT 1 FROM (VALUES (', '), ('、')) AS commas WHERE instr(same_name((
            SELECT coalesce(group_concat(name, commas.column1), '') FROM (
                SELECT name FROM cast_members WHERE story = stories.id ORDER BY position LIMIT 3
            )
        )), same_name(?1))
    )
)"""
SHARED = "EXISTS (SELECT 1 FROM story_shares WHERE story = id AND audience IN (?, ?))"


class Stories:
    """Every question asks as somebody: what is not theirs or shared does not exist for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.animations = Animations(database)
        self._writes = GroupCommit(database)  # many people begin and change theirs at once

    async def new(
        self,
        owner: str,
        *,
        title: str,
        style: str,
        layout: str,
        seed: int,
        model: str = "",
        quality: str = "",
        room: str | None = None,
        parent: str | None = None,
        cast: tuple[CastMember, ...] = (),
        panels: tuple[Panel, ...] = (),
    ) -> Story:
        """A story, with its first lines if there are any. Raises Refusal over a limit."""
        now = time.time()
        story = checked_story(
            Story(
                id=new_id(),
                owner=owner,
                title=title,
                style=style,
                layout=layout,
                model=model,
                quality=quality,
                seed=seed,
                cast=cast,
                panels=panels,
                room=room,
                shared_with=(),
                parent=parent,
                created=now,
                changed=now,
                version=1,
            )
        )
        return await self._writes.run(lambda db: insert(db, story))

    async def remix(self, owner: str, original: Story, copy: Story) -> Story:
        """A new story like `copy`, of which the original is remembered. Raises Refusal.

        Another one made of the same original a moment ago is returned instead: a double press.
        """
        copy, story_id, now = checked_story(copy), new_id(), time.time()
        look = (copy.title, copy.style, copy.layout, copy.seed)
        drawn_by = (copy.model, copy.quality)

        async def insert(db: aiosqlite.Connection) -> Story:
            twins = await db.execute_fetchall(
                "SELECT id FROM stories JOIN remixes ON remixes.story = id"
                " WHERE remixes.parent = ? AND owner = ? AND created > ?",
                (original.id, owner, now - DOUBLE_PRESS_SECONDS),
            )
            for twin in twins:
                return await owned(db, twin["id"], owner)
            await check_number(db, owner)
            await db.execute(
                "INSERT INTO stories VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL, ?, ?, 1, ?, ?)",
                (story_id, owner, *look, now, now, *drawn_by),
            )
            await db.execute(
                "INSERT INTO remixes VALUES (?, (SELECT id FROM stories WHERE id = ?))",
                (story_id, original.id),
            )
            await write(db, replace(copy, id=story_id, room=None, shared_with=()))
            if copy.room is not None:
                await enter(db, story_id, owner, copy.room)
            return await owned(db, story_id, owner)

        return await self._writes.run(insert)

    async def get(self, story_id: str, reader: str, server: str | None = None) -> Story:
        """A story that is the reader's own or shared. Raises Refusal otherwise."""
        row = await self._database.row(
            f"{SELECT} WHERE id = ? AND (owner = ? OR {SHARED})",
            story_id,
            reader,
            *audiences(server),
        )
        if row is None:
            raise Refusal("store.no_story")
        return story_from(row)

    async def of_room(self, room_key: str) -> Story | None:
        """The story that was last given this room. Whoever asks must look at its owner."""
        row = await self._database.row(
            f"{SELECT} WHERE room = ? ORDER BY entered DESC, id LIMIT 1", room_key
        )
        return None if row is None else story_from(row)

    async def has_left(self, room_key: str, owner: str) -> bool:
        """Whether the place was the room of a story that its owner has deleted."""
        sql = "SELECT 1 FROM left_rooms WHERE room = ? AND owner = ?"
        return await self._database.row(sql, room_key, owner) is not None

    async def of_owner(self, owner: str, limit: int = 25, like: str = "") -> list[Story]:
        """A person's own stories, the last changed first; `like` is a part of what it is called.

        Those that have it in their title come before those without a title.
        """
        best = f"NOT {IN_TITLE}, " if like else ""  # without it, the index has the order
        rows = await self._database.rows(
            f"{SELECT} WHERE {LIKE} AND owner = ?2 ORDER BY {best}changed DESC, id LIMIT ?3",
            like,
            owner,
            limit,
        )
        return [story_from(row) for row in rows]

    async def save(self, story: Story, *, owner: str) -> Story:
        """Keeps all of a story but its parent, and what it was before as a step back.

        Of the owner's stories only this one has its room then. Returns it as stored. Raises
        Refusal over a limit, or if somebody else has changed or deleted it since it was read.
        """
        story = checked_story(story)

        async def exchange(db: aiosqlite.Connection) -> Story:
            stored = await owned(db, story.id, owner)
            if stored.version != story.version:
                raise Refusal("store.changed_meanwhile")
            if content(stored) != content(story):
                await keep_step(db, stored)
            await write(db, story)
            if story.room is not None and story.room != stored.room:
                await enter(db, story.id, owner, story.room)
            return await owned(db, story.id, owner)

        return await self._writes.run(exchange)

    async def enter(self, story_id: str, owner: str, room: str) -> None:
        """Makes a place the room of one of the owner's stories. Raises Refusal."""

        async def move(db: aiosqlite.Connection) -> None:
            changed = await db.execute(
                "UPDATE stories SET version = version + 1, changed = ? WHERE id = ? AND owner = ?",
                (time.time(), askable(story_id), owner),
            )
            if not changed.rowcount:
                raise Refusal("store.no_story")
            await enter(db, story_id, owner, room)

        await self._writes.run(move)

    async def undo(self, story_id: str, owner: str) -> Story:
        """Makes title, looks, seed, cast and panels what they were before the last change.

        Raises Refusal if there is nothing to undo.
        """

        async def back(db: aiosqlite.Connection) -> Story:
            stored = await owned(db, story_id, owner)
            last = "FROM steps WHERE story = ? ORDER BY number DESC LIMIT 1"
            steps = await db.execute_fetchall(f"SELECT number, content {last}", (stored.id,))
            for number, text in steps:
                await write(db, restored(stored, text))
                await db.execute(
                    "DELETE FROM steps WHERE story = ? AND number = ?", (stored.id, number)
                )
                return await owned(db, story_id, owner)
            raise Refusal("store.nothing_to_undo")

        return await self._writes.run(back)

    async def set_picture(self, story_id: str, panel_id: str, sha: str) -> None:
        """Gives a panel its picture; nothing happens if the panel is gone. For the worker."""
        async with self._database.tx() as db:
            await require_pictures(db, [sha])
            done = await db.execute(
                "UPDATE panels SET picture = ? WHERE story = ? AND id = ?",
                (sha, story_id, panel_id),
            )
            if done.rowcount:
                await db.execute(
                    "UPDATE stories SET version = version + 1, changed = ? WHERE id = ?",
                    (time.time(), story_id),
                )

    async def add_page(self, story_id: str, job: int, sha: str, number: int) -> None:
        """Keeps a lettered page of a drawing, instead of the one of that number if there is one.

        Nothing happens if the story is gone. For the worker.
        """
        async with self._database.tx() as db:
            await require_pictures(db, [sha])
            await db.execute(
                "INSERT OR REPLACE INTO pages SELECT id, ?, ?, ? FROM stories WHERE id = ?",
                (job, number, sha, story_id),
            )
            await forget_old_pages(db, story_id)

    async def set_pages(self, story_id: str, job: int, shas: Sequence[str]) -> None:
        """Keeps the lettered pages of a drawing instead of all that it had, numbered from 1."""
        async with self._database.tx() as db:
            await require_pictures(db, shas)
            await db.execute("DELETE FROM pages WHERE story = ? AND job = ?", (story_id, job))
            await db.executemany(
                "INSERT INTO pages SELECT id, ?, ?, ? FROM stories WHERE id = ?",
                [(job, number, sha, story_id) for number, sha in enumerate(shas, 1)],
            )
            await forget_old_pages(db, story_id)

    async def pages(self, story_id: str, job: int | None = None) -> list[str]:
        """The pages of a drawing by number (SHA-256); without a job, those of the latest one.

        Whoever asks must have got the story by `get`.
        """
        rows = await self._database.rows(
            "SELECT sha FROM pages WHERE story = ?1 AND job ="
            " coalesce(?2, (SELECT max(job) FROM pages WHERE story = ?1)) ORDER BY number",
            story_id,
            job,
        )
        return [row["sha"] for row in rows]

    async def ids(self, owner: str) -> list[str]:
        """A person's own stories, in an order that changes with none of them."""
        sql = "SELECT id FROM stories WHERE owner = ? ORDER BY id"
        return [row["id"] for row in await self._database.rows(sql, owner)]

    async def delete(self, story_id: str, owner: str) -> list[int]:
        """Deletes a story and empties its jobs, returned for `Ledger.stop`. Raises Refusal."""
        async with self._database.tx(long=True) as db:
            stored = await owned(db, story_id, owner)
            left = "INSERT OR IGNORE INTO left_rooms SELECT room, owner FROM stories WHERE id = ?"
            await db.execute(f"{left} AND room IS NOT NULL", (stored.id,))
            await db.execute("DELETE FROM stories WHERE id = ?", (stored.id,))
            await db.execute("INSERT INTO deleted VALUES (?, ?)", (stored.id, owner))
            return await drop_jobs(db, "story = ?", stored.id)


async def check_number(db: aiosqlite.Connection, owner: str) -> None:
    [row] = await db.execute_fetchall("SELECT count(*) FROM stories WHERE owner = ?", (owner,))
    if row[0] >= MAX_STORIES:
        raise Refusal("store.many_stories", limit=MAX_STORIES)


async def owned(db: aiosqlite.Connection, story_id: str, owner: str) -> Story:
    """The owner's story, inside a transaction. Raises Refusal."""
    values = (askable(story_id), owner)
    for row in await db.execute_fetchall(f"{SELECT} WHERE id = ? AND owner = ?", values):
        return story_from(row)
    raise Refusal("store.no_story")


async def insert(db: aiosqlite.Connection, story: Story) -> Story:
    """Stores a new story; without its parent if that is gone. Raises Refusal."""
    await check_number(db, story.owner)
    await require_pictures(db, pictures_of(story))
    look = (story.title, story.style, story.layout, story.seed)
    drawn_by = (story.model, story.quality)
    [row] = await db.execute_fetchall(
        "INSERT INTO stories VALUES"
        " (?, ?, ?, ?, ?, ?, NULL, NULL, (SELECT id FROM stories WHERE id = ?), ?, ?, 1, ?, ?)"
        " RETURNING parent",
        (story.id, story.owner, *look, story.parent, story.created, story.changed, *drawn_by),
    )
    if story.cast or story.panels:  # can be undone, too
        await keep_step(db, replace(story, cast=(), panels=(), version=0))
        await write_lines(db, story)
    if story.room is not None:
        await enter(db, story.id, story.owner, story.room)
    return replace(story, parent=row["parent"])


async def write(db: aiosqlite.Connection, story: Story) -> None:
    """Stores everything but room and parent, as the next version."""
    await require_pictures(db, pictures_of(story))
    await db.execute(
        "UPDATE stories SET title = ?, style = ?, layout = ?, seed = ?, model = ?, quality = ?,"
        " changed = ?, room = iif(? IS NULL, NULL, room), version = version + 1 WHERE id = ?",
        (
            story.title,
            story.style,
            story.layout,
            story.seed,
            story.model,
            story.quality,
            time.time(),
            story.room,
            story.id,
        ),
    )
    for table in ("cast_members", "panels", "story_shares"):
        await db.execute(f"DELETE FROM {table} WHERE story = ?", (story.id,))
    await write_lines(db, story)
    await db.executemany(
        "INSERT INTO story_shares VALUES (?, ?)",
        [(story.id, audience) for audience in story.shared_with],
    )


async def write_lines(db: aiosqlite.Connection, story: Story) -> None:
    """Stores cast and panels of a story that has none in the tables."""
    await db.executemany(  # a saved character may have been deleted meanwhile
        "INSERT INTO cast_members VALUES (?, ?, ?, ?, (SELECT id FROM characters WHERE id = ?), ?)",
        [(story.id, *row) for row in numbered(story.cast)],
    )
    await db.executemany(
        "INSERT INTO panels VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (story.id, *(json.dumps(v) if isinstance(v, tuple) else v for v in row))
            for row in numbered(story.panels)
        ],
    )


async def enter(db: aiosqlite.Connection, story_id: str, owner: str, room: str) -> None:
    """Gives the story the room, and takes it from the other stories of the same owner."""
    await db.execute(
        "UPDATE stories SET room = NULL, version = version + 1"
        " WHERE owner = ? AND room = ? AND id <> ?",
        (owner, room, story_id),
    )
    await db.execute(
        "UPDATE stories SET room = ?, entered = ? WHERE id = ?", (room, time.time(), story_id)
    )
    await db.execute("DELETE FROM left_rooms WHERE room = ? AND owner = ?", (room, owner))


async def keep_step(db: aiosqlite.Connection, story: Story) -> None:
    """Keeps what the story is, so that it can be again; the oldest step goes."""
    step = (story.id, story.version)
    await db.execute("INSERT INTO steps VALUES (?, ?, ?)", (*step, json.dumps(content(story))))
    await db.executemany(
        "INSERT INTO step_pictures VALUES (?, ?, ?)",
        [(*step, sha) for sha in sorted(pictures_of(story))],
    )
    await db.execute(
        "DELETE FROM steps WHERE story = ?1 AND number NOT IN ("
        "SELECT number FROM steps WHERE story = ?1 ORDER BY number DESC LIMIT ?2)",
        (story.id, MAX_STEPS),
    )


async def forget_old_pages(db: aiosqlite.Connection, story_id: str) -> None:
    await db.execute(
        "DELETE FROM pages WHERE story = ?1 AND job NOT IN ("
        "SELECT DISTINCT job FROM pages WHERE story = ?1 ORDER BY job DESC LIMIT ?2)"
        " AND job NOT IN (SELECT job FROM exhibits)",  # their posts are edited with every star
        (story_id, KEPT_DRAWINGS),
    )
