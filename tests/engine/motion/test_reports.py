"""A call that tells its progress by a callback becomes a generator of progress."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from engine.motion.reports import Report, reports
from engine.request import Progress


def test_what_is_told_comes_in_order_and_then_the_result() -> None:
    def call(report: Report) -> str:
        for number in range(3):
            report(number + 1, 3)
        return "done"

    def collected() -> Generator[Progress, None, None]:
        results.append((yield from reports(call)))

    results: list[str] = []
    assert list(collected()) == [Progress("steps", number, 3) for number in (1, 2, 3)]
    assert results == ["done"]


def test_what_the_call_raises_is_raised_here() -> None:
    def call(report: Report) -> None:
        report(1, 2)
        raise MemoryError("too little")

    drawing = reports(call)
    assert next(drawing) == Progress("steps", 1, 2)
    with pytest.raises(MemoryError, match="too little"):
        next(drawing)


def test_closing_ends_the_call_at_its_next_report() -> None:
    go_on, ended = threading.Event(), threading.Event()

    def call(report: Report) -> None:
        try:
            report(1, 2)
            go_on.wait(20)
            report(2, 2)
            raise AssertionError("it went on")
        finally:
            ended.set()

    drawing = reports(call)
    next(drawing)
    threading.Timer(0.2, go_on.set).start()
    drawing.close()
    assert ended.is_set()  # closing has waited for it
