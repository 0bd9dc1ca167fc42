"""The order in which updates are worked on: one person's one after the other, others at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any
from weakref import WeakValueDictionary

import telegram
from telegram.ext import BaseUpdateProcessor

from adapters.telegram_presses import Presses

MOST_AT_ONCE = 256


class InOrder(BaseUpdateProcessor):
    """Pressed buttons are acknowledged before their turn comes: Telegram waits for that."""

    def __init__(self, presses: Presses) -> None:
        super().__init__(MOST_AT_ONCE)
        self._presses = presses
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Waits for the person's turn and works on the update."""
        user = update.effective_user if isinstance(update, telegram.Update) else None
        if isinstance(update, telegram.Update) and update.callback_query is not None:
            self._presses.came(update.callback_query)
        turn = self._turns.setdefault(user.id if user else 0, asyncio.Lock())
        async with turn:
            await coroutine

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Waits for what is being acknowledged."""
        await self._presses.close()
