"""A bell for whoever waits for something to change, in place of looking again and again."""

from __future__ import annotations

import asyncio


class Changes:
    """Counts changes. No change is missed between looking and waiting:

    seen = changes.count
    ...  # look, and find nothing to do
    await changes.after(seen)
    """

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def ring(self) -> None:
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, count: int, seconds: float | None = None) -> None:
        """Return when there were more changes than `count`, or after so many seconds."""
        if self.count > count:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._next.wait()
        except TimeoutError:
            pass
