"""“typing…”: what people see on Telegram while their answer takes longer than a moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import telegram
from telegram.constants import ChatAction
from telegram.error import TelegramError

from adapters.telegram_places import Places
from bot.chat import Place

MOMENT_SECONDS = 0.2
AGAIN_SECONDS = 4.5  # Telegram shows it for five

log = logging.getLogger(__name__)


@asynccontextmanager
async def typing(api: telegram.Bot, places: Places, place: Place) -> AsyncIterator[None]:
    """Inside, people see after a moment that the bot types in a place; it does no harm if not."""
    task = asyncio.create_task(_types(api, places, place))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _types(api: telegram.Bot, places: Places, place: Place) -> None:
    await asyncio.sleep(MOMENT_SECONDS)
    try:
        target = await places.target(place)
        while True:
            await api.send_chat_action(
                target.chat, ChatAction.TYPING, message_thread_id=target.topic
            )
            await asyncio.sleep(AGAIN_SECONDS)
    except (TelegramError, ValueError) as error:
        log.debug("nobody sees that the bot types in %s: %s", place.key, error)
