"""kill -9 of the bot and of its engine while stories are drawn: the short form of `bench.kill`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.kill import Plan, run


def test_no_story_is_lost_and_none_comes_twice(tmp_path: Path) -> None:
    plan = Plan(stories=3, kills=2, gap=(0.3, 2.5), environment={"TOY_SECONDS": "0.3"})
    outcome = asyncio.run(run(plan, tmp_path))
    assert outcome.accepted == 3
    assert outcome.pages == [1, 1, 1]
    assert (outcome.killed_bots, outcome.killed_engines) == (2, 2)
    assert outcome.whole
    assert outcome.slowest_story < 0.3 * 4 + 10
