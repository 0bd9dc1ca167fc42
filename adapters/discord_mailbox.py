"""Posts for places where the bot is no member: kept until the person presses "Get result".

Discord lets a bot answer there, for 15 minutes and with five messages; later only a new press gives
it leave to speak.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from adapters.discord_store import Store
from bot.chat import Button, File, Place, Post

PREFIX = "mail-"  # of the ids of such posts, which no message has


@dataclass(frozen=True)
class Mail:
    """A post that waits. `progress`: it only says how far a drawing is, and stays."""

    id: int
    text: str
    files: tuple[File, ...]
    buttons: tuple[tuple[Button, ...], ...]
    progress: bool


class Mailbox:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, post: Post, owner: str) -> tuple[str, bool]:
        """Keeps a post, or changes the one that it edits; its id, and whether it is new here."""
        db = self._store.db
        content = json.dumps(
            {
                "text": post.text,
                "buttons": [[asdict(button) for button in row] for row in post.buttons],
                "progress": post.progress is not None,
            }
        )
        mail = int(post.edit.removeprefix(PREFIX)) if post.edit else None
        if mail is None and post.nonce:
            sql = "SELECT id FROM mail WHERE place = ? AND nonce = ?"
            known = await self._store.one(sql, post.place.key, post.nonce)
            if known is not None:
                return f"{PREFIX}{known}", False
        async with db.execute(
            "INSERT INTO mail (id, place, owner, nonce, post, at) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET post = excluded.post",
            (mail, post.place.key, owner, post.nonce or None, content, time.time()),
        ) as cursor:
            row = cursor.lastrowid if mail is None else mail
        await db.execute("DELETE FROM mail_files WHERE mail = ?", (row,))
        await db.executemany(
            "INSERT INTO mail_files VALUES (?, ?, ?, ?, ?)",
            [(row, n, file.name, file.alt, file.content) for n, file in enumerate(post.files)],
        )
        return f"{PREFIX}{row}", mail is None

    async def waiting(self, place: Place) -> Sequence[Mail]:
        """What has not been fetched yet, oldest first."""
        sql = "SELECT id, post FROM mail WHERE place = ? AND post != '' ORDER BY id"
        rows = await self._store.db.execute_fetchall(sql, (place.key,))
        return [await self._mail(row[0], json.loads(row[1])) for row in rows]

    async def _mail(self, mail: int, post: dict[str, object]) -> Mail:
        sql = "SELECT name, content, alt FROM mail_files WHERE mail = ? ORDER BY position"
        files = tuple(File(*row) for row in await self._store.db.execute_fetchall(sql, (mail,)))
        rows = post["buttons"]
        assert isinstance(rows, list)
        buttons = tuple(tuple(Button(**button) for button in row) for row in rows)
        return Mail(mail, str(post["text"]), files, buttons, bool(post["progress"]))

    async def fetched(self, mail: int) -> None:
        """It was shown. Its nonce stays, so that the same post is not kept a second time."""
        await self._store.db.execute("UPDATE mail SET post = '' WHERE id = ?", (mail,))
        await self._store.db.execute("DELETE FROM mail_files WHERE mail = ?", (mail,))

    async def remove(self, message: str) -> None:
        """Takes a post back by its id."""
        number = int(message.removeprefix(PREFIX))
        await self._store.db.execute("DELETE FROM mail WHERE id = ?", (number,))
