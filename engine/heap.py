"""The C library's heap: glibc keeps freed blocks of up to 32 MB, where the system could have them.

Tensors on the CPU are such blocks. The next batch has other sizes, does not fit into the holes that
the last one left, and so a long story would take more memory than a short one.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def release_heap() -> None:
    """Give what is free back to the system; takes some milliseconds. Only glibc has to be asked."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], object] | None:
    if sys.platform != "linux":
        return None
    trim: Callable[[int], object] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim  # None with musl
