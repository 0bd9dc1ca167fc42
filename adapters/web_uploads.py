"""Files on their way in: kept raw, in a folder of their own, until the call that they belong to."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.chat import Attachment

MOST_MEGABYTES = 20
MOST_BYTES = MOST_MEGABYTES * 1_000_000
MOST_WAITING = 4  # files of one person; a further one takes the place of the oldest
KEPT_SECONDS = 1800
LONGEST_NAME = 120


class TooBig(Exception):
    pass


@dataclass(frozen=True)
class Upload:
    owner: str
    name: str
    path: Path
    at: float


class Uploads:
    """`folder` is emptied now, as a crash may have left files there, and at the end.

    Raises OSError where that is not possible.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._uploads: dict[str, Upload] = {}
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
        folder.mkdir(mode=0o700, parents=True)

    async def take(self, owner: str, name: str, parts: AsyncIterator[bytes]) -> str:
        """Keeps a file and returns its token. Raises TooBig, and then keeps nothing."""
        token = secrets.token_urlsafe(18)
        path = self._folder / token
        size = 0
        try:
            with path.open("xb") as file:
                async for part in parts:
                    size += len(part)
                    if size > MOST_BYTES:
                        raise TooBig
                    await asyncio.to_thread(file.write, part)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._make_room(owner)
        self._uploads[token] = Upload(owner, name[-LONGEST_NAME:], path, time.monotonic())
        return token

    def _make_room(self, owner: str) -> None:
        too_old = time.monotonic() - KEPT_SECONDS
        for token in [token for token, one in self._uploads.items() if one.at < too_old]:
            self.drop(token)
        own = [token for token, one in self._uploads.items() if one.owner == owner]
        for token in own[: max(0, len(own) + 1 - MOST_WAITING)]:
            self.drop(token)

    def name(self, owner: str, token: str) -> str | None:
        """The name of a person's own upload; None where there is none (any more)."""
        upload = self._uploads.get(token)
        return upload.name if upload and upload.owner == owner else None

    async def read(self, token: str) -> Attachment:
        """What was uploaded, as it came; it is gone from here afterwards."""
        upload = self._uploads.pop(token)
        content = await asyncio.to_thread(upload.path.read_bytes)
        upload.path.unlink(missing_ok=True)
        return Attachment(upload.name, content)

    def drop(self, token: str) -> None:
        self._uploads.pop(token).path.unlink(missing_ok=True)

    def forget(self, owner: str) -> None:
        for token in [token for token, one in self._uploads.items() if one.owner == owner]:
            self.drop(token)

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
