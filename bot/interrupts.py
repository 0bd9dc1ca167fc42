"""Ctrl-C: what it does meanwhile, and that it waits until what must stay whole is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

OnCtrlC = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def on_ctrl_c(action: OnCtrlC) -> Iterator[None]:
    """Ctrl-C does `action` inside the block; left alone where the process is told to ignore it."""
    before = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if before is signal.SIG_IGN or not in_main:
        yield
        return
    signal.signal(signal.SIGINT, action)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def ctrl_c_later() -> Iterator[None]:
    """What Ctrl-C does, it does after the block."""
    pressed: list[int] = []
    with on_ctrl_c(lambda number, _: pressed.append(number)):
        yield
    if pressed:
        signal.raise_signal(signal.SIGINT)
