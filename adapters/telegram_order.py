"""The order in which updates are worked on: one person's one after the other, others at once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable
from typing import Any
from weakref import WeakValueDictionary

import telegram
from telegram.ext import BaseUpdateProcessor

from adapters.telegram_presses import Presses

MOST_AT_ONCE = 256
MOST_OF_ONE = 40  # updates of a person that wait: who sends more must not take everybody's turns
MOST_OF_GROUP = 80  # ... of all in a group, where answers are few a minute

log = logging.getLogger(__name__)


class InOrder(BaseUpdateProcessor):
    """Pressed buttons are acknowledged before their turn comes: Telegram waits for that."""

    def __init__(self, presses: Presses) -> None:
        super().__init__(MOST_AT_ONCE)
        self._presses = presses
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._waiting: Counter[int] = Counter()  # updates by the ids of people and groups

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Waits for the person's turn and works on the update. Too many of one are not heard."""
        user = update.effective_user if isinstance(update, telegram.Update) else None
        chat = update.effective_chat if isinstance(update, telegram.Update) else None
        if isinstance(update, telegram.Update) and update.callback_query is not None:
            self._presses.came(update.callback_query)
        who = user.id if user else 0
        counted = {who, chat.id if chat else who}  # in a direct message they are the same
        full = [one for one in counted if self._waiting[one] >= most_of(one)]
        if full:
            log.info("telegram:%d sends more than can be answered", full[0])
            if asyncio.iscoroutine(coroutine):
                coroutine.close()
            return
        turn = self._turns.setdefault(who, asyncio.Lock())
        self._waiting.update(counted)
        try:
            async with turn:
                await coroutine
        finally:
            self._waiting.subtract(counted)
            self._waiting = +self._waiting  # without those that nothing waits of

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Waits for what is being acknowledged."""
        await self._presses.close()


def most_of(id: int) -> int:
    """How many updates of a person or a group may wait; the ids of groups are negative."""
    return MOST_OF_GROUP if id < 0 else MOST_OF_ONE
