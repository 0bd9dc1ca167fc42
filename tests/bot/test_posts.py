"""Marks around posts: nothing is posted twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.posts import age_of
from tests.bot.ledgers import Scene, play


def test_what_was_sent_is_never_sent_again(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job] = await scene.ask("ann")
        posts = scene.ledger.posts
        mark = await posts.begin(job.id, "page 1")
        assert mark is not None
        assert not mark.unsure
        assert len(mark.nonce) <= 25  # Discord's limit
        assert await posts.message(job.id, "page 1") is None
        await posts.sent(mark.nonce, "m7")
        assert await posts.begin(job.id, "page 1") is None
        assert await posts.message(job.id, "page 1") == "m7"
        await posts.not_sent(mark.nonce)  # too late: it stays sent
        assert await posts.begin(job.id, "page 1") is None

    play(tmp_path, story)


def test_a_try_whose_end_was_not_heard_is_tried_with_the_same_nonce(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job] = await scene.ask("ann")
        posts = scene.ledger.posts
        first = await posts.begin(job.id, "page 1")
        again = await posts.begin(job.id, "page 1")
        assert first is not None
        assert again is not None
        assert again.nonce == first.nonce
        assert again.unsure
        await posts.not_sent(first.nonce)
        anew = await posts.begin(job.id, "page 1")
        assert anew is not None
        assert not anew.unsure

    play(tmp_path, story)


def test_a_post_that_was_made_anew_goes_by_its_new_id(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job] = await scene.ask("ann")
        posts = scene.ledger.posts
        mark = await posts.begin(job.id, "progress")
        assert mark is not None
        assert age_of(mark.nonce) < 60
        await posts.sent(mark.nonce, "m7")
        await posts.moved(job.id, "progress", "m8")
        assert await posts.message(job.id, "progress") == "m8"
        assert await posts.begin(job.id, "progress") is None

    play(tmp_path, story)


def test_of_many_who_begin_at_once_one_is_the_first(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        [job] = await scene.ask("ann")
        marks = await asyncio.gather(
            *(scene.ledger.posts.begin(job.id, "page 1") for _ in range(20))
        )
        assert sorted(mark.unsure for mark in marks if mark) == [False] + [True] * 19
        other = await scene.ledger.posts.begin(job.id, "page 2")
        assert other is not None
        assert not other.unsure

    play(tmp_path, story)


def test_a_job_that_is_gone_has_nothing_to_post(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        assert await scene.ledger.posts.begin(99, "page 1") is None

    play(tmp_path, story)


def test_marks_of_many_jobs_at_once_share_few_commits(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        jobs = await scene.ask("ann " * 30)
        asked: list[str] = []
        writer = scene.database._writer._conn
        writer.set_trace_callback(asked.append)
        marks = await asyncio.gather(
            *(scene.ledger.posts.begin(job.id, "progress") for job in jobs)
        )
        writer.set_trace_callback(None)
        assert len({mark.nonce for mark in marks if mark is not None}) == 30
        assert asked.count("COMMIT") <= 3

    play(tmp_path, story)
