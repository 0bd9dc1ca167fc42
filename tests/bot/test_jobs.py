"""The ledger: every transition checks the state it leaves, and nothing is lost in a crash."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.deleting import drop_jobs
from bot.errors import Refusal
from bot.jobs import BACK_OFF_SECONDS, KEPT_DAYS, MOST_ATTEMPTS, Job, Ledger, Reason
from tests.bot.ledgers import NO_LIMITS, Scene, new_job, play

Move = Callable[[Ledger, int], Awaitable[bool]]
MOVES: dict[str, Move] = {
    "drawn": lambda ledger, job: ledger.drawn(job, 2.0),
    "delivered": lambda ledger, job: ledger.delivered(job),
    "fail": lambda ledger, job: ledger.fail(job, "queue.no_job", number=job),
    "told": lambda ledger, job: ledger.told(job),
    "try_later": lambda ledger, job: ledger.try_later(job, "queue.no_job", number=job),
    "give_back": lambda ledger, job: ledger.give_back(job),
    "cancel": lambda ledger, job: ledger.cancel(job, "web:ann"),
    "keep_pictures": lambda ledger, job: ledger.keep_pictures(job, {}),
}
WAY_TO = {  # the moves, after the claim, that bring a job there
    "waiting": None,
    "drawing": (),
    "drawn": ("drawn",),
    "delivered": ("drawn", "delivered"),
    "failed": ("fail",),
    "cancelled": ("cancel",),
}
LEADS_TO = {  # from a state, by a move: to which state
    "waiting": {"fail": "failed", "cancel": "cancelled"},
    "drawing": {
        "drawn": "drawn",
        "fail": "failed",
        "try_later": "waiting",
        "give_back": "waiting",
        "cancel": "cancelled",
        "keep_pictures": "drawing",
    },
    "drawn": {"delivered": "delivered", "fail": "failed"},
    "delivered": {},
    "failed": {"told": "failed"},
    "cancelled": {"told": "cancelled"},
}


async def job_that_is(state: str, scene: Scene) -> Job:
    [job] = await scene.ask("ann")
    way = WAY_TO[state]
    if way is not None:
        await scene.claimed()
        for move in way:
            assert await MOVES[move](scene.ledger, job.id)
    return await scene.ledger.get(job.id)


@pytest.mark.parametrize("state", WAY_TO)
@pytest.mark.parametrize("move", MOVES)
def test_a_job_moves_only_along_the_arrows(state: str, move: str, tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        before = await job_that_is(state, scene)
        assert before.state == state
        moved = await MOVES[move](scene.ledger, before.id)
        after = await scene.ledger.get(before.id)
        assert moved == (move in LEADS_TO[state])
        assert after.state == LEADS_TO[state].get(move, state)
        if not moved:
            assert after == before

    play(tmp_path, story)


def test_a_job_keeps_what_was_asked(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        asked = new_job("ann", panels=7, server="web:home", story="abc", request='{"seed": 3}')
        job = await scene.ledger.enqueue(asked, NO_LIMITS)
        assert all(getattr(job, name) == value for name, value in vars(asked).items())
        assert (job.state, job.attempts, job.started) == ("waiting", 0, None)
        await scene.ledger.set_message(job.id, "m1")
        assert (await scene.ledger.get(job.id)).message == "m1"

    play(tmp_path, story)


def test_a_failed_attempt_is_tried_again_ever_later_and_at_last_fails(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job] = await scene.ask("ann")
        for attempt in range(MOST_ATTEMPTS - 1):
            await scene.claimed()
            assert await scene.ledger.try_later(job.id, "queue.no_job", number=attempt)
            wait = BACK_OFF_SECONDS * 2**attempt
            scene.clock.now += wait - 0.1
            assert await scene.ledger.claim() is None
            scene.clock.now += 0.2
        await scene.claimed()
        assert not await scene.ledger.try_later(job.id, "queue.no_job", number="last")
        failed = await scene.ledger.get(job.id)
        assert (failed.state, failed.attempts) == ("failed", MOST_ATTEMPTS)
        assert failed.reason == Reason("queue.no_job", {"number": "last"})
        assert "last" in failed.reason.say("zh")
        assert await scene.ledger.undelivered() == [replace(failed, request="")]

    play(tmp_path, story)


def test_an_engine_that_is_down_uses_up_no_attempt_and_no_turn(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job, _] = await scene.ask("ann bob")
        for _ in range(2 * MOST_ATTEMPTS):
            assert (await scene.claimed()).id == job.id
            assert await scene.ledger.give_back(job.id)
        assert (await scene.ledger.get(job.id)).attempts == 0
        await scene.claimed()
        await scene.ledger.give_back(job.id, wait_seconds=30)
        assert await scene.served(1) == "bob"
        assert await scene.ledger.claim() is None
        scene.clock.now += 30
        assert await scene.served(1) == "ann"

    play(tmp_path, story)


def test_what_is_to_be_told_comes_without_its_request_but_says_if_that_is_gone(
    tmp_path: Path,
) -> None:
    async def story(scene: Scene) -> None:
        large = new_job("ann", story="s", request=f'{{"pictures": "{"x" * 100_000}"}}')
        drawn = await scene.ledger.enqueue(large, NO_LIMITS)
        await scene.claimed()
        await scene.ledger.drawn(drawn.id, 1.0)
        [failed, cancelled] = await scene.ask("bob bob")
        await scene.ledger.fail(failed.id, "queue.no_job", number=1)
        await scene.ledger.cancel(cancelled.id, "web:bob")
        whole = [await scene.ledger.get(job.id) for job in (drawn, failed, cancelled)]
        lean = [replace(job, request="") for job in whole]
        assert await scene.ledger.undelivered() == lean
        async with scene.database.tx() as db:
            await drop_jobs(db, "story = ?", "s")
        assert [job.request for job in await scene.ledger.undelivered()] == ["{}", "", ""]

    play(tmp_path, story)


def test_nobody_cancels_or_sees_the_job_of_another(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job] = await scene.ask("ann")
        refusals = []
        for number in (job.id, job.id + 1):
            with pytest.raises(Refusal) as caught:
                await scene.ledger.cancel(number, "web:bob")
            refusals.append(str(caught.value).replace(str(number), "N"))
            with pytest.raises(Refusal):
                await scene.ledger.get(number, "web:bob")
        assert len(set(refusals)) == 1  # nothing tells whether there is such a job
        assert (await scene.ledger.get(job.id, "web:ann")).state == "waiting"
        assert await scene.ledger.of_person("web:bob") == []

    play(tmp_path, story)


def test_whoever_draws_hears_of_a_cancellation_and_cannot_finish(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job] = await scene.ask("ann")
        await scene.claimed()
        stop = scene.ledger.stop_event(job.id)
        assert not stop.is_set()
        assert await scene.ledger.cancel(job.id, "web:ann")
        assert stop.is_set()
        assert scene.ledger.stop_event(job.id).is_set()  # also for who asks only now
        assert not await scene.ledger.keep_pictures(job.id, {})
        assert not await scene.ledger.drawn(job.id, 2.0)
        assert [j.state for j in await scene.ledger.undelivered()] == ["cancelled"]
        assert await scene.ledger.told(job.id)
        assert await scene.ledger.undelivered() == []

    play(tmp_path, story)


def test_take_waits_for_a_new_job_and_for_a_back_off_to_end(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        ledger = Ledger(scene.database)  # by the real clock
        waiting = asyncio.create_task(ledger.take(asyncio.Event()))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        job = await ledger.enqueue(new_job("ann"), NO_LIMITS)
        async with asyncio.timeout(5):
            assert (await waiting) is not None
            await ledger.give_back(job.id, wait_seconds=0.2)
            again = await ledger.take(asyncio.Event())
            assert again is not None
            assert again.id == job.id

    play(tmp_path, story)


def test_a_claim_that_is_cut_off_leaves_the_job_waiting(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job] = await scene.ask("ann")
        for steps in range(40):  # cut off ever later
            claim = asyncio.create_task(scene.ledger.claim())
            for _ in range(steps):
                await asyncio.sleep(0.0005)
            claim.cancel()
            [result] = await asyncio.gather(claim, return_exceptions=True)
            state = (await scene.ledger.get(job.id)).state
            assert state == ("drawing" if isinstance(result, Job) else "waiting")
            await scene.ledger.give_back(job.id)

    play(tmp_path, story)


def test_two_hundred_at_once_get_in_and_every_job_is_drawn_once(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(200)]
    drawn: list[int] = []

    async def story(scene: Scene) -> None:
        async def worker() -> None:
            while True:
                job = await scene.ledger.take(asyncio.Event())
                assert job is not None
                assert await scene.ledger.drawn(job.id, 1.0)
                assert await scene.ledger.delivered(job.id)
                drawn.append(job.id)

        workers = [asyncio.create_task(worker()) for _ in range(8)]
        jobs = await asyncio.gather(
            *(scene.ledger.enqueue(new_job(name), NO_LIMITS) for name in names)
        )
        async with asyncio.timeout(120):
            while len(drawn) < len(jobs):
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        assert sorted(drawn) == sorted(job.id for job in jobs)
        assert await scene.ledger.undelivered() == []

    play(tmp_path, story, names)


CRASH = """
import asyncio, os, sys
from pathlib import Path
from bot.database import Database
from bot.jobs import Ledger

async def main():
    ledger = Ledger(await Database.open(Path(sys.argv[1])), clock=lambda: float(sys.argv[2]))
    for _ in range(3):
        job = await ledger.claim()
    assert await ledger.drawn(job.id, 1.0)
    assert await ledger.posts.begin(job.id, "page 1")
    os._exit(9)

asyncio.run(main())
"""


def test_after_a_crash_what_was_being_drawn_waits_again_and_what_was_drawn_stays(
    tmp_path: Path,
) -> None:
    async def before(scene: Scene) -> None:
        [first, *_] = await scene.ask("ann bob cid dot")
        await scene.claimed()
        await scene.ledger.try_later(first.id, "queue.no_job", number=0)
        scene.clock.now += 2 * BACK_OFF_SECONDS
        sha = await scene.pictures.add(b"picture")
        await scene.claimed()
        await scene.ledger.keep_pictures(2, {1: sha})
        await scene.ledger.give_back(2)

    async def after(scene: Scene) -> None:
        scene.clock.now += 100
        await scene.ledger.recover()
        [drawn] = await scene.ledger.undelivered()
        assert (drawn.person, drawn.state) == ("web:dot", "drawn")
        mark = await scene.ledger.posts.begin(drawn.id, "page 1")
        assert mark is not None
        assert mark.unsure
        assert list(await scene.ledger.pictures(2)) == [1]
        assert [(await scene.ledger.get(id)).attempts for id in (1, 2, 3, 4)] == [1, 0, 0, 0]
        assert await scene.served(3) == "bob cid ann"  # ann has had an attempt
        assert await scene.ledger.claim() is None

    play(tmp_path, before)
    path, now = tmp_path / "inkwell.sqlite3", "1728043250.0"
    crash = subprocess.run(
        [sys.executable, "-c", CRASH, str(path), now], capture_output=True, text=True, check=False
    )
    assert (crash.returncode, crash.stderr) == (9, "")
    play(tmp_path, after)


def test_a_deleted_story_takes_its_jobs_and_their_words_along(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        jobs = [
            await scene.ledger.enqueue(
                new_job("ann", story="s", request=f'{{"seed": {n}}}'), NO_LIMITS
            )
            for n in range(3)
        ]
        [other] = await scene.ask("ann")
        await scene.claimed()
        await scene.ledger.drawn(jobs[0].id, 1.0)
        await scene.claimed()
        stop = scene.ledger.stop_event(jobs[1].id)
        await scene.ledger.notes.add(jobs[1].id, "of the story")
        await scene.ledger.notes.add(other.id, "of another")
        async with scene.database.tx() as db:
            scene.ledger.stop(await drop_jobs(db, "story = ?", "s"))
        assert stop.is_set()
        left = [await scene.ledger.get(job.id) for job in jobs]
        assert {(job.state, job.request) for job in left} == {("cancelled", "{}")}
        assert await scene.ledger.get(other.id) == other
        notes = [await scene.ledger.notes.of(job.id) for job in (jobs[1], other)]
        assert notes == [[], ["of another"]]

    play(tmp_path, story)


def test_a_forgotten_person_leaves_no_job_and_no_picture(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job, *_] = await scene.ask("ann ann bob")
        await scene.claimed()
        sha = await scene.pictures.add(b"picture")
        await scene.ledger.keep_pictures(job.id, {0: sha})
        await scene.ledger.posts.begin(job.id, "page 1")
        await scene.ledger.notes.add(job.id, "too long")
        stop = scene.ledger.stop_event(job.id)
        await scene.ledger.cancel_all("web:ann")
        await scene.people.forget("web:ann")
        assert stop.is_set()
        assert not await scene.ledger.drawn(job.id, 1.0)
        assert not await scene.ledger.keep_pictures(job.id, {1: sha})
        assert await scene.served(1) == "bob"
        assert await scene.ledger.claim() is None
        await scene.ledger.notes.add(job.id, "said a moment too late")
        for table in ("posts", "job_notes", "job_pictures", "pictures"):
            assert await scene.database.rows(f"SELECT * FROM {table}") == []

    play(tmp_path, story)


def test_old_jobs_go_once_their_people_have_heard_the_end(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [told, untold, _] = await scene.ask("ann bob cid")
        await scene.served(2)
        await scene.ledger.delivered(told.id)
        await scene.ledger.prune()
        assert (await scene.ledger.get(told.id)).state == "delivered"
        scene.clock.now += (KEPT_DAYS + 1) * 86400
        await scene.ledger.prune()
        rows = await scene.database.rows("SELECT id, state FROM jobs")
        assert [tuple(row) for row in rows] == [(untold.id, "drawn"), (3, "waiting")]

    play(tmp_path, story)


def test_what_is_delivered_keeps_no_request_and_what_failed_keeps_it(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        delivered, failed = await scene.ask("ann bob")
        for job in (delivered, failed):
            await scene.claimed()
            await scene.ledger.drawn(job.id, 1.0)
        assert await scene.ledger.delivered(delivered.id)
        assert await scene.ledger.fail(failed.id, "queue.no_job", number=1)
        assert (await scene.ledger.get(delivered.id)).request == "{}"
        assert (await scene.ledger.get(failed.id)).request == failed.request

    play(tmp_path, story)
