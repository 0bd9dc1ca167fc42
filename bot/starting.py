"""Starting the chats, each by itself: one that cannot be reached keeps no other from serving."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bot.chat import Bot, CannotStart, Chat
from bot.errors import UserError

FIRST_SECONDS = 20.0  # for the first tries; what takes longer goes on in the background
AGAIN_SECONDS = (2.0, 300.0)  # the first and the longest wait before another try
SPREAD = (0.8, 1.2)  # so that bots which lost the same network do not come back as one

log = logging.getLogger(__name__)


class Start:
    """One chat, tried until it takes calls or has refused for good (`refused`). `tried` is done
    after the first try, with what must end the whole bot."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.is_up = False
        self.refused: CannotStart | None = None
        self.tried: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, bot: Bot, stack: AsyncExitStack) -> None:
        """Tries. What only the operator can mend is said once, and so is what may pass."""
        wait, is_told = AGAIN_SECONDS[0], False
        try:
            while not await self._try(bot, stack, is_told):
                is_told = True
                self._first_try_is_over(None)
                await asyncio.sleep(wait * random.uniform(*SPREAD))
                wait = min(2 * wait, AGAIN_SECONDS[1])
            self._first_try_is_over(None)
        except Exception as error:
            self._first_try_is_over(error)

    async def _try(self, bot: Bot, stack: AsyncExitStack, is_told: bool) -> bool:
        """Whether it is decided."""
        try:
            await self.chat.start(bot)
        except CannotStart as error:
            if not error.again:
                log.error("%s; the bot goes on without it", error)
                self.refused = error
            elif not is_told:
                log.warning("%s; it is tried again until it works", error)
            return not error.again
        stack.push_async_callback(self.chat.stop)
        self.is_up = True
        if is_told or self.tried.cancelled():
            log.warning("the chat %s can be reached now", self.chat.name)
        return True

    def _first_try_is_over(self, error: Exception | None) -> None:
        if self.tried.done():
            if error is not None:  # nobody waits for it any more
                log.error("the chat %s cannot start", self.chat.name, exc_info=error)
        elif error is not None:
            self.tried.set_exception(error)
        else:
            self.tried.set_result(None)


@asynccontextmanager
async def started(
    chats: Sequence[Chat], bot: Bot, first_seconds: float = FIRST_SECONDS
) -> AsyncIterator[Sequence[Chat]]:
    """The chats, taking calls inside of the block; yields those that do so from the beginning.

    One that cannot be reached is tried again all the while; `first_seconds` is how long the others
    wait for its first try. Raises UserError where all have refused
    for good, and OSError for what a chat says must end the whole bot.
    """
    starts = [Start(chat) for chat in chats]
    async with AsyncExitStack() as stack:
        tasks = [asyncio.create_task(start.run(bot, stack)) for start in starts]
        try:
            await first_tries([start.tried for start in starts], first_seconds)
            for start in starts:
                if start.tried.cancelled():
                    log.warning("the chat %s is not there yet; the others serve", start.chat.name)
            refusals = [str(start.refused) for start in starts if start.refused is not None]
            if refusals and len(refusals) == len(starts):
                raise UserError("; ".join(refusals))
            yield [start.chat for start in starts if start.is_up]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def first_tries(tried: Sequence[asyncio.Future[None]], seconds: float) -> None:
    """Waits for them, but not for ever: those that are late are cancelled, which means only that
    nobody waits for them any more. Raises what one of them has raised."""
    if not tried:
        return
    done, late = await asyncio.wait(tried, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for one in late:
        one.cancel()
    for error in [one.exception() for one in done]:
        if error is not None:
            raise error
