"""A process of ours that is started anew whenever it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import engine.request

START_SECONDS = 120.0  # for a new process to answer
LOOK_SECONDS = 0.1
LONG_LIFE_SECONDS = 60.0  # after which an end is bad luck, not a fault that comes again
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 15.0  # seconds between an end and a new start

logger = logging.getLogger(__name__)


class Child:
    """Keeps one process of Python running: `program` is what follows the interpreter's name.

    `answers` tells whether the process can be talked to; `up` is set while it can.
    """

    def __init__(self, program: Sequence[str], answers: Callable[[], Awaitable[bool]]) -> None:
        self._command = (sys.executable, "-P", *program)
        self._answers = answers
        self.up = asyncio.Event()
        self.process: Process | None = None
        self._ends = 0  # one after another, without having been any use
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the process and start no other. It keeps nothing, so nothing is asked of it."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    def kill(self, process: Process | None) -> None:
        """End this process, if it is still the one that runs; another one follows."""
        if process is not None and process is self.process:
            self.up.clear()
            with suppress(ProcessLookupError):
                process.kill()

    def proved(self) -> None:
        """It has done its work: the next end is not counted with the ones before."""
        self._ends = 0

    async def _keep(self) -> None:
        while True:
            begun = time.monotonic()
            code: int | str
            try:
                code = await self._live()
            except Exception:
                logger.exception("the engine's process was lost sight of")
                code = "unknown"
            if time.monotonic() - begun > LONG_LIFE_SECONDS:
                self._ends = 0
            seconds = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**self._ends)
            self._ends += 1
            logger.warning("the engine ended (%s); another starts in %.1f s", code, seconds)
            await asyncio.sleep(seconds)

    async def _live(self) -> int | str:
        """One process from start to end; its exit code, or why there was none."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=DEVNULL, stdout=2, env=environment(), start_new_session=True
            )
        except OSError as error:
            return f"it cannot be started: {error.strerror}"
        self.process = process
        try:
            await self._begin(process)
            return await process.wait()
        finally:
            self.kill(process)
            self.process = None
            await process.wait()

    async def _begin(self, process: Process) -> None:
        """Wait until it answers; one that does not in time is ended."""
        deadline = time.monotonic() + START_SECONDS
        while process.returncode is None:
            if await self._answers():
                self.up.set()
                return
            if time.monotonic() > deadline:
                logger.error("the engine has not answered for %.0f s", START_SECONDS)
                self.kill(process)
                return
            await asyncio.sleep(LOOK_SECONDS)


def environment() -> dict[str, str]:
    """Ours without the bot's settings, among which are its tokens; our modules can be found."""
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith("INKWELL_")}
    root = str(Path(engine.request.__file__).parents[1])
    path = kept.get("PYTHONPATH")
    return {**kept, "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root}
