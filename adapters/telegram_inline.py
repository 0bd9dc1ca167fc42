"""Inline mode: "@bot tabs" in any chat finds one's own pages and memes, to be sent there."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Sequence

import telegram
from telegram import (
    InlineQueryResultCachedDocument,
    InlineQueryResultCachedGif,
    InlineQueryResultCachedMpeg4Gif,
    InlineQueryResultCachedPhoto,
    InlineQueryResultsButton,
)
from telegram.error import TelegramError

from adapters.telegram_outbox import Sent
from adapters.telegram_people import person_of
from adapters.telegram_storage import Storage
from bot.chat import Bot, File

MOST_KEPT = 50  # of one person, which is also what Telegram takes as one answer
CACHE_SECONDS = 5
LONGEST_WORDS = 1000  # characters by which a picture is found
LONGEST_TITLE = 60
START = "inline"  # what /start is given by somebody who has nothing to show yet

Result = (
    InlineQueryResultCachedPhoto
    | InlineQueryResultCachedGif
    | InlineQueryResultCachedMpeg4Gif
    | InlineQueryResultCachedDocument
)


log = logging.getLogger(__name__)


class Inline:
    def __init__(self, bot: Bot, storage: Storage) -> None:
        self._bot, self._storage = bot, storage

    async def keep(self, owner: str, text: str, sent: Sent, about: Sequence[str]) -> None:
        """Remembers the pictures that somebody was shown; the newest `MOST_KEPT` stay. `about`:
        cards of the stories that they show."""
        if not sent.files:
            return
        for file, message in sent.files:
            found = file_of(message)
            if found is None:
                continue
            kind, id = found
            words = f"{text}\n{file.name}\n{file.alt}"[:LONGEST_WORDS]
            await self._storage.rows(
                "INSERT OR REPLACE INTO pictures (owner, sha, kind, file, words, at, about)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                owner,
                sha(file),
                kind,
                id,
                words,
                time.time(),
                json.dumps(list(about)),
            )
        await self._storage.rows(
            "DELETE FROM pictures WHERE owner = ?1 AND number NOT IN"
            " (SELECT number FROM pictures WHERE owner = ?1 ORDER BY number DESC LIMIT ?2)",
            owner,
            MOST_KEPT,
        )

    async def delete(self, cards: Sequence[str]) -> None:
        """Forgets the pictures of the deleted stories of these cards, whoever was shown them."""
        if not cards:
            return
        await self._storage.rows(
            "DELETE FROM pictures WHERE number IN"
            " (SELECT number FROM pictures, json_each(about) AS one"
            " WHERE one.value IN (SELECT value FROM json_each(?)))",
            json.dumps(list(cards)),
        )
        await self._storage.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    async def answer(self, query: telegram.InlineQuery) -> None:
        """Answers with what has all the words in it, the newest first."""
        found = await self._found(str(query.from_user.id), query.query.split())
        button = None
        if not found:
            language = await self._bot.language(person_of(query.from_user))
            label = self._bot.say(language, "telegram.inline_none")
            button = InlineQueryResultsButton(label, start_parameter=START)
        try:
            await query.answer(found, cache_time=CACHE_SECONDS, is_personal=True, button=button)
        except TelegramError as error:  # most often the person has typed on meanwhile
            log.info("an inline query is not answered: %s", error)

    async def _found(self, owner: str, words: Sequence[str]) -> list[Result]:
        rows = await self._storage.rows(
            "SELECT number, kind, file, words FROM pictures WHERE owner = ? ORDER BY number DESC",
            owner,
        )
        return [
            result(str(row["number"]), row["kind"], row["file"], row["words"])
            for row in rows
            if all(word.casefold() in row["words"].casefold() for word in words)
        ]


def result(id: str, kind: str, file: str, words: str) -> Result:
    title = next(filter(None, words.splitlines()), "")[:LONGEST_TITLE] or id
    if kind == "photo":
        return InlineQueryResultCachedPhoto(id, file, title=title)
    if kind == "gif":
        return InlineQueryResultCachedGif(id, file, title=title)
    if kind == "mp4":
        return InlineQueryResultCachedMpeg4Gif(id, file, title=title)
    return InlineQueryResultCachedDocument(id, title, file)


def file_of(message: telegram.Message) -> tuple[str, str] | None:
    """Kind and id of the file of a message of ours."""
    if message.photo:
        return "photo", message.photo[-1].file_id
    if message.animation:
        return "gif" if message.animation.mime_type == "image/gif" else "mp4", (
            message.animation.file_id
        )
    if message.document:
        return "document", message.document.file_id
    return None


def sha(file: File) -> str:
    return hashlib.sha256(file.content).hexdigest()
