"""A child process that does not outlive the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

LOOK_SECONDS = 1.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def stay_with(parent: int) -> None:
    """End this process, without more ado, when the process with this id ends.

    Linux does it at once. Elsewhere, and where another thread of the parent had started this
    process, a thread looks every second.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    _leave_orphan(parent)  # it may have ended before the kernel was told


def _watch(parent: int) -> None:
    while True:
        _leave_orphan(parent)
        time.sleep(LOOK_SECONDS)


def _leave_orphan(parent: int) -> None:
    if os.getppid() != parent:
        os._exit(0)
