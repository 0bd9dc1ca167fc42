"""How fast we may ask Telegram: about 30 messages a second, one a second a chat, 20 a minute a
group, and a pause whenever it says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from telegram.ext import AIORateLimiter

RETRIES = 2  # after Telegram has asked for a pause
BURST = 20  # requests to one direct message at once; after them one a second
SECOND = 1.0
MOST_KEPT = 512  # direct messages
FREE = ("get", "answer", "delete")  # requests that show nothing in a chat are not counted

Asked = bool | dict[str, Any] | list[dict[str, Any]]


class Pace(AIORateLimiter):
    """The library's limiter, which counts messages only, and direct messages too: `burst` at once
    in each, then one a second."""

    def __init__(self, burst: int = BURST) -> None:
        super().__init__(max_retries=RETRIES)
        self._burst = burst
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
        """Waits until a request may be made, and makes it."""
        if endpoint.startswith(FREE):
            return await callback(*args, **kwargs)
        chat = data.get("chat_id")
        if isinstance(chat, int) and chat > 0:
            await asyncio.sleep(self._wait(chat))
        return await super().process_request(
            callback, args, kwargs, endpoint, data, rate_limit_args
        )

    def _wait(self, chat: int) -> float:
        """How many seconds a request to a direct message must wait, which is counted now."""
        now = time.monotonic()
        if chat not in self._used_up and len(self._used_up) >= MOST_KEPT:
            self._used_up = {one: until for one, until in self._used_up.items() if until > now}
        until = max(self._used_up.get(chat, 0.0), now) + SECOND
        self._used_up[chat] = until
        return max(0.0, until - now - self._burst * SECOND)
