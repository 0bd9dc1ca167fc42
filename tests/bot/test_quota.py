"""What one person and one server may have drawn, and what costs nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat import Person
from bot.errors import Refusal
from bot.jobs import BACK_OFF_SECONDS, MOST_ATTEMPTS, Limits
from tests.bot.ledgers import NO_LIMITS, Scene, new_job, play


def refused(caught: pytest.ExceptionInfo[Refusal], key: str, **values: object) -> bool:
    return (caught.value.key, caught.value.values) == (f"queue.{key}", values)


def test_only_so_many_of_a_person_wait_and_one_more_gets_in_when_one_is_taken(
    tmp_path: Path,
) -> None:
    async def story(scene: Scene) -> None:
        limits = Limits(waiting_cap=3)
        await scene.ask("ann ann ann", limits)
        with pytest.raises(Refusal) as caught:
            await scene.ask("ann", limits)
        assert refused(caught, "too_many", limit=3)
        await scene.ask("bob", limits)
        await scene.claimed()
        await scene.ask("ann", limits)

    play(tmp_path, story)


def test_the_day_has_so_many_panels_and_begins_anew_at_midnight_utc(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        limits = Limits(daily_quota=10)
        await scene.ask("ann ann", limits)
        assert await scene.ledger.used_today("web:ann") == 8
        with pytest.raises(Refusal) as caught:
            await scene.ask("ann", limits)
        assert refused(caught, "quota", limit=10, hours=12, panels=4, left=2)
        await scene.ledger.enqueue(new_job("ann", panels=2), limits)
        await scene.ask("bob", limits)
        scene.clock.now += 12 * 3600
        assert await scene.ledger.used_today("web:ann") == 0

    play(tmp_path, story)


def test_what_can_never_fit_is_told_so(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(Refusal) as caught:
            await scene.ledger.enqueue(new_job("ann", panels=11), Limits(daily_quota=10))
        assert refused(caught, "over_quota", limit=10, panels=11)

    play(tmp_path, story)


def test_failed_and_unbegun_jobs_cost_nothing_and_begun_ones_do(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        ledger = scene.ledger
        begun, failed, given_back, unbegun = await scene.ask("ann ann ann ann")
        assert await ledger.used_today("web:ann") == 16
        await scene.claimed()
        await ledger.cancel(begun.id, "web:ann")
        assert await ledger.used_today("web:ann") == 16
        await scene.claimed()
        await ledger.fail(failed.id, "queue.no_job", number=1)
        assert await ledger.used_today("web:ann") == 12
        await scene.claimed()
        await ledger.give_back(given_back.id)
        await ledger.cancel(given_back.id, "web:ann")
        await ledger.cancel(unbegun.id, "web:ann")
        assert await ledger.used_today("web:ann") == 4

    play(tmp_path, story)


def test_the_last_failed_attempt_costs_nothing(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job] = await scene.ask("ann")
        again = True
        while again:
            await scene.claimed()
            again = await scene.ledger.try_later(job.id, "queue.no_job", number=1)
            assert await scene.ledger.used_today("web:ann") == (4 if again else 0)
            scene.clock.now += BACK_OFF_SECONDS * 2**MOST_ATTEMPTS

    play(tmp_path, story)


def test_a_server_has_its_own_number_of_drawings_a_day(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        limits = Limits(server_cap=2)
        for name in ("ann", "bob"):
            await scene.ledger.enqueue(new_job(name, server="web:home"), limits)
        with pytest.raises(Refusal) as caught:
            await scene.ledger.enqueue(new_job("cid", server="web:home"), limits)
        assert refused(caught, "server_quota", limit=2, hours=12)
        await scene.ledger.enqueue(new_job("cid", server="web:away"), limits)
        await scene.ledger.enqueue(new_job("cid"), limits)

    play(tmp_path, story)


@pytest.mark.parametrize("of", ["s", None])
def test_two_presses_of_one_button_draw_once(tmp_path: Path, of: str | None) -> None:
    async def story(scene: Scene) -> None:
        same = new_job("ann", story=of)
        first, second = await asyncio.gather(
            *(scene.ledger.enqueue(same, NO_LIMITS) for _ in range(2)), return_exceptions=True
        )
        assert not isinstance(first, BaseException)
        assert isinstance(second, Refusal)
        assert (second.key, second.values) == ("queue.already", {"number": first.id})
        await scene.ledger.enqueue(new_job("ann", story=of), NO_LIMITS)
        await scene.ledger.enqueue(replace(same, person="web:bob"), NO_LIMITS)
        await scene.claimed()
        with pytest.raises(Refusal):
            await scene.ledger.enqueue(same, NO_LIMITS)
        await scene.ledger.drawn(first.id, 1.0)
        await scene.ledger.enqueue(same, NO_LIMITS)

    play(tmp_path, story)


async def forget(scene: Scene, name: str) -> None:
    """As `/forget` does; the person comes back at once."""
    await scene.ledger.cancel_all(f"web:{name}")
    await scene.people.forget(f"web:{name}")
    await scene.people.meet(Person("web", name, name))


async def spent(scene: Scene) -> list[tuple[object, ...]]:
    names = ("spent_days", "spent")
    return [
        tuple(row) for name in names for row in await scene.database.rows(f"SELECT * FROM {name}")
    ]


def test_being_forgotten_does_not_begin_the_day_anew(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        limits = Limits(daily_quota=10)
        await scene.ask("ann ann", limits)
        await scene.served(1)
        for _ in range(2):  # what has waited costs nothing
            await forget(scene, "ann")
            assert await scene.ledger.used_today("web:ann") == 4
        await scene.ask("ann", limits)
        await scene.served(1)
        await forget(scene, "ann")
        with pytest.raises(Refusal) as caught:
            await scene.ask("ann", limits)
        assert refused(caught, "quota", limit=10, hours=12, panels=4, left=2)
        assert await scene.ledger.used_today("web:bob") == 0
        assert "ann" not in str(await spent(scene))
        scene.clock.now += 12 * 3600
        assert await scene.ledger.used_today("web:ann") == 0
        await scene.ask("ann", limits)
        await scene.ledger.prune()
        assert await spent(scene) == []

    play(tmp_path, story)


def test_what_somebody_who_was_forgotten_has_drawn_counts_for_the_server(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        limits = Limits(server_cap=2)
        for server in ("web:home", "web:home", "web:away"):
            await scene.ledger.enqueue(new_job("ann", server=server), limits)
        await scene.served(3)
        await forget(scene, "ann")
        with pytest.raises(Refusal) as caught:
            await scene.ledger.enqueue(new_job("bob", server="web:home"), limits)
        assert refused(caught, "server_quota", limit=2, hours=12)
        await scene.ledger.enqueue(new_job("bob", server="web:away"), limits)
        scene.clock.now += 12 * 3600
        await scene.ledger.enqueue(new_job("bob", server="web:home"), limits)

    play(tmp_path, story)


def test_a_crowd_at_once_cannot_slip_past_a_limit(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        results = await asyncio.gather(
            *(scene.ask("ann", Limits(waiting_cap=3)) for _ in range(50)), return_exceptions=True
        )
        assert sum(not isinstance(result, BaseException) for result in results) == 3

    play(tmp_path, story)
