"""Fair order between people, and positions that foretell it."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from bot.jobs import Ledger, Position
from bot.pace import MEASURES, UNMEASURED_SECONDS
from bot.queue_order import REMEMBERED_SECONDS
from tests.bot.ledgers import NO_LIMITS, Scene, new_job, play


def test_fifty_jobs_of_one_do_not_delay_the_first_of_another(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.ask("ann " * 50 + "bob")
        assert await scene.served(3) == "ann bob ann"

    play(tmp_path, story)


@pytest.mark.parametrize("finish", [True, False])
@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("ann ann ann bob bob cid", "ann bob cid ann bob ann"),
        ("ann bob bob ann", "ann bob ann bob"),
        ("cid bob ann ann bob", "cid bob ann bob ann"),
    ],
)
def test_people_take_turns(asked: str, served: str, finish: bool, tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.ask(asked)
        assert await scene.served(len(served.split()), finish=finish) == served

    play(tmp_path, story)


def test_a_job_being_drawn_counts_as_a_turn(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.ask("ann")
        await scene.claimed()
        await scene.ask("ann bob bob")
        assert await scene.served(3, finish=False) == "bob ann bob"

    play(tmp_path, story)


def test_a_tie_goes_to_who_was_served_longest_ago_until_that_is_forgotten(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.ask("ann bob")
        assert await scene.served(2) == "ann bob"
        await scene.ask("bob ann cid")
        assert await scene.served(3) == "cid ann bob"
        await scene.ask("bob ann dot")
        scene.clock.now += REMEMBERED_SECONDS
        assert await scene.served(3) == "bob ann dot"

    play(tmp_path, story)


def test_an_older_job_that_backs_off_does_not_hold_up_its_owner(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [first, second] = await scene.ask("ann ann")
        await scene.claimed()
        await scene.ledger.try_later(first.id, "queue.no_job", number=1)
        assert (await scene.claimed()).id == second.id

    play(tmp_path, story)


@pytest.mark.parametrize("finish", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_positions_foretell_the_claims(seed: int, finish: bool, tmp_path: Path) -> None:
    dice = random.Random(seed)
    names = [f"p{number}" for number in range(6)]

    async def story(scene: Scene) -> None:
        await scene.ask(" ".join(dice.choices(names, k=15)))
        await scene.served(4)  # so that some have been served
        await scene.ask(" ".join(dice.choices(names, k=15)))
        drawing = [(await scene.claimed()).id for _ in range(dice.randrange(2))]
        positions = await scene.ledger.positions()
        assert [position.ahead for position in list(positions.values())[len(drawing) :]] == [
            *range(len(drawing), len(positions))
        ]
        if finish:
            for job in drawing:
                await scene.ledger.drawn(job, 1.0)
        for job in list(positions)[len(drawing) :]:
            assert (await scene.claimed()).id == job
            if finish:
                await scene.ledger.drawn(job, 1.0)

    play(tmp_path, story, names)


def test_the_estimate_adds_up_what_comes_before(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        first, second = await scene.ask("ann bob")
        unmeasured = 4 * UNMEASURED_SECONDS
        assert await scene.ledger.position(first.id) == Position(0, unmeasured)
        assert await scene.ledger.position(second.id) == Position(1, 2 * unmeasured)
        await scene.claimed()
        scene.clock.now += 5
        drawing, waiting = (await scene.ledger.positions()).values()
        assert drawing == Position(0, pytest.approx(unmeasured - 5, abs=0.1))
        assert waiting == Position(1, pytest.approx(2 * unmeasured - 5, abs=0.1))
        scene.clock.now += 1000  # slower than foretold: it must be done any moment
        assert await scene.ledger.position(second.id) == Position(1, unmeasured)
        await scene.ledger.drawn(first.id, 1.0)
        assert await scene.ledger.position(first.id) == Position(0, 0.0)

    play(tmp_path, story)


def test_the_estimate_is_the_median_of_what_was_measured_at_that_pace(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        fast, slow, unknown = (f'{{"model": "house", "steps": {n}}}' for n in (8, 24, 50))
        for seconds, request in [(8, fast), (40, slow), (48, slow), (4000, slow), (8, fast)]:
            job = await scene.ledger.enqueue(new_job("ann", request=request), NO_LIMITS)
            await scene.claimed()
            await scene.ledger.drawn(job.id, seconds)
        for name, panels, request in [("ann", 1, fast), ("bob", 2, slow), ("cid", 1, unknown)]:
            await scene.ledger.enqueue(new_job(name, panels=panels, request=request), NO_LIMITS)
        # A panel takes 2, 12 or, as the middle of all, 10 seconds; ann comes last: she was served.
        positions = await scene.ledger.positions()
        assert [position.seconds for position in positions.values()] == [24.0, 34.0, 36.0]

    play(tmp_path, story)


def test_only_the_newest_measures_of_each_pace_are_kept(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.ask("ann " * (MEASURES + 5))
        await scene.served(MEASURES + 5)
        rows = await scene.database.rows("SELECT id FROM measured_paces ORDER BY id")
        assert [row["id"] for row in rows] == [*range(6, MEASURES + 6)]

    play(tmp_path, story)


def test_more_engines_draw_sooner_and_a_back_off_is_waited_for(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        ledger = Ledger(scene.database, engines=2, clock=scene.clock)
        *_, last = await scene.ask("ann bob cid")
        one = 4 * UNMEASURED_SECONDS
        assert await ledger.position(last.id) == Position(2, 2 * one)
        first = await scene.claimed()
        await ledger.give_back(first.id, wait_seconds=500)
        assert (await ledger.position(first.id)).seconds == pytest.approx(500 + one, abs=0.1)

    play(tmp_path, story)


def test_many_who_ask_at_once_each_see_their_own_newest_job(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(50)]

    async def story(scene: Scene) -> None:
        async def ask(name: str) -> Position:
            [job] = await scene.ask(name)
            return await scene.ledger.position(job.id)

        positions = await asyncio.gather(*map(ask, names))
        assert sorted(position.ahead for position in positions) == [*range(50)]

    play(tmp_path, story, names)
