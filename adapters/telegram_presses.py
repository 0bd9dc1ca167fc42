"""Pressed buttons: each is acknowledged, at once or, in a group, with the answer for one alone.

In a group a short private answer is best shown over the chat, to the one who pressed; Telegram lets
that be said only with the acknowledgement, so it waits a moment there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import telegram
from telegram.error import TelegramError

MOMENT_SECONDS = 0.3
MOST_WORDS = 200  # characters that are shown over a chat


class Presses:
    def __init__(self) -> None:
        self._open: dict[str, telegram.CallbackQuery] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def came(self, query: telegram.CallbackQuery) -> None:
        """Acknowledges a press, without making anybody wait for that."""
        chat = query.message.chat if query.message is not None else None
        is_group = chat is not None and chat.type != telegram.Chat.PRIVATE
        self._open[query.id] = query
        task = asyncio.create_task(self._acknowledge(query.id, MOMENT_SECONDS if is_group else 0))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _acknowledge(self, id: str, wait: float) -> None:
        """Stops the button's waiting mark; one that is too old shows none any more."""
        if wait:
            await asyncio.sleep(wait)
        query = self._open.pop(id, None)
        if query is not None:
            with suppress(TelegramError):
                await query.answer()

    async def shown(self, id: str | None, words: str) -> bool:
        """Shows words to the one who pressed, if there still is time and they are few."""
        if id is None or len(words) > MOST_WORDS or id not in self._open:
            return False
        query = self._open.pop(id)
        try:
            await query.answer(words, show_alert=True)
        except TelegramError:
            return False
        return True

    async def close(self) -> None:
        """Waits for what is being acknowledged."""
        await asyncio.gather(*self._tasks)
