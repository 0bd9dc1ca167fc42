"""How fast we may ask Telegram: about 30 messages a second, one a second a chat, 20 a minute a
group, and a pause in a chat whenever it says so.

The library's own limiter would stop for all chats then. A group in slow mode can ask for an hour,
and must not take the bot away from everybody else.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import AIORateLimiter

from adapters.telegram_errors import seconds_of

RETRIES = 2  # after Telegram has asked for a pause
LONGEST_PAUSE_SECONDS = 30.0  # that is waited for here; delivery sees to longer ones
BURST = 20  # requests to one direct message at once; after them one a second
SECOND = 1.0
MOST_KEPT = 512  # direct messages
# Requests that put nothing into a chat are not counted.
FREE = ("get", "answer", "delete", "sendChatAction")

log = logging.getLogger(__name__)
logging.getLogger("telegram.ext.AIORateLimiter").setLevel(logging.CRITICAL)  # it is said here

Asked = bool | dict[str, Any] | list[dict[str, Any]]


class Pace(AIORateLimiter):
    """The library's limiter, which counts messages only, and direct messages too: `burst` at once
    in each, then one a second."""

    def __init__(self, burst: int = BURST) -> None:
        super().__init__(max_retries=0)
        self._burst = burst
        self._closed: dict[object, float] = {}  # by chat: until when Telegram wants no requests
        self._used_up: dict[int, float] = {}  # until when all that was sent takes its seconds

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Asked]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Asked:
        """Waits until a request may be made, and makes it. Raises RetryAfter."""
        if endpoint.startswith(FREE):
            return await callback(*args, **kwargs)
        chat = data.get("chat_id")
        if isinstance(chat, int) and chat > 0:
            await asyncio.sleep(self._wait(chat))
        for left in reversed(range(RETRIES + 1)):
            await self._open(chat)
            try:
                return await super().process_request(
                    callback, args, kwargs, endpoint, data, rate_limit_args
                )
            except RetryAfter as error:
                self._close(chat, seconds_of(error))
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _open(self, chat: object) -> None:
        """Waits for the end of a pause. Raises RetryAfter for one that is long."""
        seconds = self._closed.get(chat, 0.0) - time.monotonic()
        if seconds > LONGEST_PAUSE_SECONDS:
            raise RetryAfter(math.ceil(seconds))
        if seconds > 0:
            await asyncio.sleep(seconds)

    def _close(self, chat: object, seconds: float) -> None:
        log.info("Telegram asks for a pause of %g s in %s", seconds, chat)
        now = time.monotonic()
        if len(self._closed) >= MOST_KEPT:
            self._closed = {one: until for one, until in self._closed.items() if until > now}
        self._closed[chat] = now + seconds

    def _wait(self, chat: int) -> float:
        """How many seconds a request to a direct message must wait, which is counted now."""
        now = time.monotonic()
        if chat not in self._used_up and len(self._used_up) >= MOST_KEPT:
            self._used_up = {one: until for one, until in self._used_up.items() if until > now}
        until = max(self._used_up.get(chat, 0.0), now) + SECOND
        self._used_up[chat] = until
        return max(0.0, until - now - self._burst * SECOND)
