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
        if post.edit:
            await self._change(int(post.edit.removeprefix(PREFIX)), post)
            return post.edit, False
        if post.nonce:
            sql = "SELECT id FROM mail WHERE place = ? AND nonce = ?"
            known = await self._store.one(sql, post.place.key, post.nonce)
            if known is not None:
                return f"{PREFIX}{known}", False
        content, about = written(post, progress=post.progress is not None), json.dumps(post.about)
        async with self._store.db.execute(
            "INSERT INTO mail (place, owner, nonce, post, at, about) VALUES (?, ?, ?, ?, ?, ?)",
            (post.place.key, owner, post.nonce or None, content, time.time(), about),
        ) as cursor:
            mail = cursor.lastrowid
        assert mail is not None
        await self._put_files(mail, post)
        return f"{PREFIX}{mail}", True

    async def _change(self, mail: int, post: Post) -> None:
        """Changes what is kept. What says how far a drawing is stays of that kind, its last words
        too: they are no result. What was deleted meanwhile, with its story, stays so."""
        kept = await self._store.one("SELECT post FROM mail WHERE id = ?", mail)
        if kept is None:
            return
        content = written(post, progress=bool(kept) and json.loads(kept)["progress"])
        await self._store.db.execute("UPDATE mail SET post = ? WHERE id = ?", (content, mail))
        await self._store.db.execute("DELETE FROM mail_files WHERE mail = ?", (mail,))
        await self._put_files(mail, post)

    async def _put_files(self, mail: int, post: Post) -> None:
        await self._store.db.executemany(
            "INSERT INTO mail_files SELECT id, ?, ?, ?, ? FROM mail WHERE id = ?",
            [(n, file.name, file.alt, file.content, mail) for n, file in enumerate(post.files)],
        )

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


def written(post: Post, *, progress: bool) -> str:
    """The words of a post as they are kept."""
    buttons = [[asdict(button) for button in row] for row in post.buttons]
    return json.dumps({"text": post.text, "buttons": buttons, "progress": progress})
