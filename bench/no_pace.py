"""Telegram without pauses: a bench measures the bot, not the limits that Telegram sets it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from adapters.telegram_pace import Asked, Pace


class NoPace(Pace):
    """Lets every request through at once."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Asked]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Asked:
        """Makes the request."""
        return await callback(*args, **kwargs)
