"""The files of messages, and their contents: each content is kept once, as long as it is shown."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from adapters.web_storage import Batch
from bot.chat import File

ONE_TIME = 1000  # is taken from a replaced file's position: more files than a message ever has
KEPT_TIMES = 4


def put_files(batch: Batch, message: int, files: Sequence[File], *, keep_last: bool) -> None:
    """Replaces a message's files. One that stays keeps its address: pages need not load it anew.

    `keep_last` keeps those of the last few times: a page may just be loading a preview.
    """
    connection = batch.connection
    old = connection.execute("SELECT * FROM files WHERE message = ?", (message,)).fetchall()
    if not old and not files:
        return
    tokens = {(row["sha"], row["name"]): row["token"] for row in old if row["position"] >= 0}
    if keep_last:
        connection.execute(
            "UPDATE files SET position = position - ? WHERE message = ?", (ONE_TIME, message)
        )
        connection.execute(
            "DELETE FROM files WHERE message = ? AND position < ?",
            (message, -KEPT_TIMES * ONE_TIME),
        )
    else:
        connection.execute("DELETE FROM files WHERE message = ?", (message,))
    for position, file in enumerate(files):
        sha = hashlib.sha256(file.content).hexdigest()
        token = tokens.pop((sha, file.name), None) or secrets.token_urlsafe(18)
        width, height = pixels(file)
        connection.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (sha, file.content))
        connection.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (token, message, position, file.name, file.alt, sha, width, height, len(file.content)),
        )
    for row in old:
        connection.execute(
            "DELETE FROM blobs WHERE sha = ?1 AND NOT EXISTS (SELECT 1 FROM files WHERE sha = ?1)",
            (row["sha"],),
        )


def drop_unused_blobs(batch: Batch) -> None:
    batch.connection.execute("DELETE FROM blobs WHERE sha NOT IN (SELECT sha FROM files)")


def pixels(file: File) -> tuple[int | None, int | None]:
    """Width and height, so that a page can keep the room before the picture is there."""
    if not file.is_picture:
        return None, None
    try:
        with Image.open(BytesIO(file.content)) as picture:
            return picture.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return None, None
