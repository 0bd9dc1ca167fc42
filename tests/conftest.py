"""For all tests: the toy engine's model can move, one thread for torch, and who hears Ctrl-C."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from bench.toy_movement import let_toys_move

let_toys_move()

# Before torch is loaded, for this process and all that it starts: on tensors as small as those of
# the tests two threads wait for each other longer than they compute.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """What is started now hears Ctrl-C, also where the tests do not: under nohup, or as a job in
    the background of a shell, they ignore it, and their children would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
