"""What is free goes back to the system."""

from __future__ import annotations

import platform

import psutil
import pytest

from engine.heap import release_heap


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other systems do it by themselves")
def test_freed_blocks_below_one_that_is_used_go_back_to_the_system() -> None:
    blocks = [bytes(64_000) for _ in range(1_000)]
    used = blocks.pop()
    whole = psutil.Process().memory_info().rss
    blocks.clear()
    release_heap()
    assert psutil.Process().memory_info().rss < whole - 40_000_000
    assert len(used) == 64_000
