"""A long call that tells its progress by a callback, turned into a generator of progress."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import TypeVar

from engine.request import Progress

T = TypeVar("T")
Report = Callable[[int, int], None]


class NobodyListens(Exception):
    """Raised in the call when the generator was closed."""


def reports(call: Callable[[Report], T]) -> Generator[Progress, None, T]:
    """Run `call(report)` in a thread; yields what `report(done, total)` is told, as steps.

    Returns what the call returns; what it raises is raised here. Closing the generator ends the
    call at its next report, and waits for that.
    """
    told: Queue[Progress | None] = Queue()
    closed = threading.Event()

    def report(done: int, total: int) -> None:
        if closed.is_set():
            raise NobodyListens
        told.put(Progress("steps", done, total))

    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(call, report)
        future.add_done_callback(lambda _: told.put(None))
        try:
            while (news := told.get()) is not None:
                yield news
        finally:
            closed.set()
        return future.result()
