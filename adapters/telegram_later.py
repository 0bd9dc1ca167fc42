"""Answers that Telegram wants later, such as those in a group in slow mode.

They wait in a line for each chat, outside the turn of the person who gets them, so that what this
person says meanwhile is heard, and come in the order in which they were given.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.chat import CannotPost

PATIENCE_SECONDS = 300.0
SHORTEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 30.0  # where Telegram does not say how long
MOST_WAITING = 100  # in one chat

log = logging.getLogger(__name__)
Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Waiting:
    """Something to show. `whose` is a person's id, `end` when it comes too late."""

    act: Act
    whose: str
    end: float


class Later:
    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._lines: dict[str, deque[Waiting]] = {}  # by chat; there is a task for each
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def surely(self, act: Act, chat: str, whose: str) -> None:
        """Acts now or, where Telegram wants that, in a while; what is lost is in the log."""
        waiting = Waiting(act, whose, time.monotonic() + self._patience)
        if chat in self._lines:
            self._line_up(chat, waiting)
            return
        error = await tried(waiting)
        if error is None:
            return
        if self._closed:
            log_lost(waiting, error)
        elif chat in self._lines:
            self._line_up(chat, waiting)
        else:
            self._lines[chat] = deque([waiting])
            task = asyncio.create_task(self._work(chat, error))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _line_up(self, chat: str, waiting: Waiting) -> None:
        if len(self._lines[chat]) < MOST_WAITING:
            self._lines[chat].append(waiting)
        else:
            log_lost(waiting, "too much waits in this chat")

    async def _work(self, chat: str, error: CannotPost | None) -> None:
        """Works off a chat's line; `error` tells why the first in it must wait."""
        line, pause = self._lines[chat], SHORTEST_WAIT_SECONDS
        while line:
            first = line[0]
            if error is not None:
                wait = max(error.wait or 0.0, pause)
                if time.monotonic() + wait > first.end:
                    log_lost(line.popleft(), error)
                    continue
                await asyncio.sleep(wait)
                pause = min(2 * pause, LONGEST_WAIT_SECONDS)
            if first not in line:  # forgotten meanwhile
                continue
            try:
                error = await tried(first)
            except Exception:  # such as of the chat's own file
                log.exception("an answer to telegram:%s is lost", first.whose)
                error = None
            if error is None:
                pause = SHORTEST_WAIT_SECONDS
                if first in line:
                    line.remove(first)
        self._lines.pop(chat, None)

    def forget(self, person: str) -> None:
        """Nothing is shown any more that waits for somebody."""
        for line in self._lines.values():
            kept = [waiting for waiting in line if waiting.whose != person]
            line.clear()
            line.extend(kept)

    async def close(self) -> None:
        """What still waits is lost, and nothing will wait."""
        self._closed = True
        self._lines.clear()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def tried(waiting: Waiting) -> CannotPost | None:
    """Acts, and says why that must be done again; None if it is done, or lost."""
    try:
        await waiting.act()
    except CannotPost as error:
        if comes_later(error):
            return error
        log_lost(waiting, error)
    return None


def comes_later(error: CannotPost) -> bool:
    """Whether to try again does no harm and may work."""
    return error.again and not error.unknown


def log_lost(waiting: Waiting, why: object) -> None:
    log.warning("an answer to telegram:%s is lost: %s", waiting.whose, why)
