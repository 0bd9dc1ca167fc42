"""The worker: whatever happens while a job is drawn, the ledger and its person hear of it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.artist import EngineDied, EngineDown
from bot.jobs import MOST_ATTEMPTS
from bot.stories import CastMember
from engine.request import EngineError, Note, Translated
from tests.bot.stage import ANN, Stage, perform, picture


def test_pictures_and_pages_are_kept_as_the_story_s(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        asked = await stage.ask(3)
        job = await stage.draw()
        assert job.state == "drawn"
        assert job.seconds is not None
        assert asked.story is not None
        story = await stage.stories.get(asked.story, ANN.key)
        drawn = [await stage.pictures.read(panel.picture or "") for panel in story.panels]
        assert drawn == [picture(0), picture(40), picture(80)]
        assert len(await stage.stories.pages(story.id)) == 1

    perform(tmp_path, act)


def test_only_the_panels_that_are_missing_are_drawn_after_the_engine_died(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.trouble, stage.artist.after = [EngineDied("killed")], 2
        await stage.ask(3)
        job = await stage.draw()
        assert (job.state, job.attempts) == ("waiting", 0)  # it got further than before
        assert sorted(await stage.ledger.pictures(job.id)) == [0, 1]
        await stage.skip_waiting()
        await stage.draw()
        assert [request.only for request in stage.artist.asked] == [None, (2,)]

    perform(tmp_path, act)


def test_an_engine_that_dies_at_once_costs_an_attempt_and_is_given_time(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.trouble = [EngineDied("killed")]
        await stage.ask()
        job = await stage.draw()
        assert (job.state, job.attempts) == ("waiting", 1)
        assert job.not_before > job.created
        assert await stage.ledger.claim() is None

    perform(tmp_path, act)


def test_an_engine_that_dies_every_time_ends_the_job_with_a_reason(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.trouble = [EngineDied("killed")] * MOST_ATTEMPTS
        job = await stage.ask()
        for _ in range(MOST_ATTEMPTS):
            await stage.skip_waiting()
            await stage.draw()
        job = await stage.ledger.get(job.id)
        assert job.state == "failed"
        assert job.reason is not None
        assert "engine" in job.reason.say("en")

    perform(tmp_path, act)


def test_an_engine_that_is_down_costs_the_job_nothing_and_is_waited_for(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.trouble = [EngineDown("no socket")] * 3
        await stage.ask()
        waits = []
        for _ in range(3):
            job = await stage.ledger.claim()
            assert job is not None
            waits.append(await stage.worker.work(job))
            job = await stage.ledger.get(job.id)
            assert (job.state, job.attempts) == ("waiting", 0)
        assert waits == [1.0, 2.0, 4.0]
        assert (await stage.draw()).state == "drawn"

    perform(tmp_path, act)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("refused", "failed"), ("memory", "failed"), ("unsafe", "failed"), ("broken", "waiting")],
)
def test_what_the_engine_refuses_is_not_tried_again(kind: str, state: str, tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.trouble = [EngineError("a stranger is named", kind)]  # type: ignore[arg-type]
        await stage.ask()
        job = await stage.draw()
        assert job.state == state
        assert job.reason is not None

    perform(tmp_path, act)


def test_a_picture_that_must_not_be_shown_costs_nothing_and_is_told_by_its_number(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.trouble, stage.artist.after = [EngineError("no", "unsafe", (1,))], 1
        await stage.ask()
        await stage.draw()
        assert await stage.ledger.used_today(ANN.key) == 0
        await stage.tell()
        [text] = [text for text in stage.chat.texts if "safety check" in text]
        assert "panel 2 out" in text
        assert stage.chat.pages == []

    perform(tmp_path, act)


@pytest.mark.parametrize(
    ("strictness", "english", "words"),
    [
        (None, "[Tom] watches pornography", "I do not draw “porn"),
        ("strict", "[Tom] is naked", "I do not draw “naked” here"),
        ("off", "[Tom] is naked, beside a schoolgirl", "are never drawn"),
        ("off", "[Tom] types a semicolon", "“semicolon” is blocked"),
    ],
)
def test_what_is_translated_into_what_is_not_drawn_there_is_refused_and_costs_nothing(
    strictness: str | None, english: str, words: str, tmp_path: Path
) -> None:
    async def act(stage: Stage) -> None:
        blocked = ("semicolon",)
        await stage.people.change_server("test:1", strictness=strictness, blocked_words=blocked)
        stage.artist.opening = [Translated(("a man", english)), Note(english, "understood")]
        await stage.ask(server="test:1")
        job = await stage.draw()
        assert job.state == "failed"
        assert stage.artist.dropped == 1, "and the engine stops"
        assert await stage.ledger.used_today(ANN.key) == 0
        await stage.tell()
        assert any(words in text for text in stage.chat.texts)
        assert stage.chat.pages == []

    perform(tmp_path, act)


def test_what_is_typed_and_what_is_translated_count_together(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await stage.people.change_server("test:1", strictness="off")
        stage.artist.opening = [Translated(("[Tom] is naked",))]
        story = await stage.story(1)
        await stage.ask(story=story, server="test:1")
        assert (await stage.draw()).state == "drawn"
        cast = (CastMember("Tom", "a schoolboy"),)
        await stage.ask(story=replace(story, cast=cast), server="test:1")
        job = await stage.draw()
        assert job.reason is not None
        assert (job.state, job.reason.key) == ("failed", "safety.minors")

    perform(tmp_path, act)


def test_a_job_that_is_cancelled_while_it_is_drawn_stops_at_once(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.hold = asyncio.Event()
        job = await stage.ask()
        drawing = asyncio.create_task(stage.draw())
        while not stage.artist.asked:
            await asyncio.sleep(0.01)
        assert await stage.ledger.cancel(job.id, ANN.key)
        async with asyncio.timeout(2):
            assert (await drawing).state == "cancelled"
        assert len(stage.studio) == 0

    perform(tmp_path, act)


@pytest.mark.parametrize("told", [True, False])
def test_a_story_deleted_while_it_is_drawn_harms_nobody(tmp_path: Path, told: bool) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.hold = asyncio.Event()
        job = await stage.ask()
        assert job.story is not None
        drawing = asyncio.create_task(stage.draw())
        while not stage.artist.asked:
            await asyncio.sleep(0.01)
        dropped = await stage.stories.delete(job.story, ANN.key)
        if told:
            stage.ledger.stop(dropped)
        stage.artist.hold.set()
        assert (await drawing).state == "cancelled"
        await stage.tell()
        assert stage.chat.pages == []
        assert await stage.database.rows("SELECT * FROM job_pictures") == []

    perform(tmp_path, act)


def test_a_panel_rewritten_while_it_is_drawn_does_not_get_the_old_picture(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.hold = asyncio.Event()
        story = await stage.story(2)
        await stage.ask(story=story)
        drawing = asyncio.create_task(stage.draw())
        while not stage.artist.asked:
            await asyncio.sleep(0.01)
        new = replace(story.panels[0], text="[Tom] runs")
        await stage.stories.save(replace(story, panels=(new, story.panels[1])), owner=ANN.key)
        stage.artist.hold.set()
        await drawing
        first, second = (await stage.stories.get(story.id, ANN.key)).panels
        assert first.picture is None
        assert second.picture is not None

    perform(tmp_path, act)


def test_a_picture_in_a_style_that_the_story_no_longer_has_stays_with_its_page(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.hold = asyncio.Event()
        asked = await stage.ask(1)
        assert asked.story is not None
        drawing = asyncio.create_task(stage.draw())
        while not stage.artist.asked:
            await asyncio.sleep(0.01)
        story = await stage.stories.get(asked.story, ANN.key)
        await stage.stories.save(replace(story, style="noir"), owner=ANN.key)
        stage.artist.hold.set()
        assert (await drawing).state == "drawn"
        story = await stage.stories.get(asked.story, ANN.key)
        assert [panel.picture for panel in story.panels] == [None]
        assert len(await stage.stories.pages(story.id)) == 1

    perform(tmp_path, act)


def test_a_stop_gives_the_drawing_back_when_it_takes_too_long(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.hold = asyncio.Event()
        job = await stage.ask()
        stage.worker.start()
        while not stage.artist.asked:
            await asyncio.sleep(0.01)
        await stage.worker.stop(0.05)
        job = await stage.ledger.get(job.id)
        assert (job.state, job.attempts) == ("waiting", 0)

    async def next_start(stage: Stage) -> None:
        stage.artist.hold = None
        assert (await stage.draw()).state == "drawn"

    perform(tmp_path, act, next_start)


def test_a_stop_lets_the_drawing_be_finished(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.hold = asyncio.Event()
        first, second = await stage.ask(), await stage.ask()
        stage.worker.start()
        while not stage.artist.asked:
            await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_later(0.05, stage.artist.hold.set)
        await stage.worker.stop(10)
        assert await stage.state(first) == "drawn"
        assert await stage.state(second) == "waiting"

    perform(tmp_path, act)


def test_a_job_that_is_claimed_just_as_the_worker_is_stopped_is_finished(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask()
        seen = stage.ledger.changed.count
        stage.worker.start()
        await stage.ledger.changed.after(seen, 10)  # claimed, and the worker has not heard of it
        assert not stage.artist.asked
        await stage.worker.stop(10)
        assert await stage.state(job) == "drawn"

    perform(tmp_path, act)


@pytest.mark.parametrize("seconds", [0, 10])
def test_a_job_is_given_back_however_often_the_worker_is_stopped(
    tmp_path: Path, seconds: float
) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.hold = asyncio.Event()
        job = await stage.ask()
        seen = stage.ledger.changed.count
        stage.worker.start()
        await stage.ledger.changed.after(seen, 10)
        stops = [asyncio.create_task(stage.worker.stop(seconds))]
        while len(stops) < 20:
            await asyncio.sleep(0)
            stops.append(asyncio.create_task(stage.worker.stop(0)))
        await asyncio.gather(*stops)
        assert await stage.state(job) == "waiting"

    perform(tmp_path, act)


def test_a_worker_that_has_nothing_to_do_or_waits_for_the_engine_stops_at_once(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        for trouble in ([], [EngineDown("no socket")]):
            stage.artist.trouble = [*trouble]
            worker = stage.new_worker()
            worker.start()
            if trouble:
                await stage.ask()
            while stage.artist.trouble:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(10):
                await worker.stop(3600)

    perform(tmp_path, act)


def test_an_unexpected_error_ends_one_job_and_the_worker_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.trouble = [RuntimeError("a bug")]
        first, second = await stage.ask(), await stage.ask()
        stage.worker.start()
        while await stage.state(second) != "drawn":
            await asyncio.sleep(0.01)
        await stage.worker.stop(1)
        job = await stage.ledger.get(first.id)
        assert job.state == "failed"
        assert job.reason is not None
        assert str(first.id) in job.reason.say("en")
        assert "a bug" in caplog.text

    perform(tmp_path, act)


def test_a_job_whose_end_could_not_be_written_is_drawn_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.database.BUSY_SECONDS", 0.01)
    monkeypatch.setattr("bot.worker.TROUBLE_SECONDS", 0.01)

    async def act(stage: Stage) -> None:
        stage.artist.hold = asyncio.Event()
        job = await stage.ask()
        stage.worker.start()
        while not stage.artist.asked:
            await asyncio.sleep(0.01)
        path = tmp_path / "inkwell.sqlite3"
        with closing(sqlite3.connect(path, isolation_level=None)) as another_program:
            another_program.execute("BEGIN IMMEDIATE")
            stage.artist.hold.set()
            while "cannot be read or written" not in caplog.text:
                await asyncio.sleep(0.01)
        async with asyncio.timeout(60):
            while await stage.state(job) != "drawn":
                await asyncio.sleep(0.01)
        await stage.worker.stop(1)
        assert (await stage.ledger.get(job.id)).attempts == 0

    perform(tmp_path, act)


def test_an_engine_that_is_stopped_together_with_the_bot_costs_no_attempt(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.hold, stage.artist.trouble = asyncio.Event(), [EngineDied("killed")]
        job = await stage.ask()
        stage.worker.start()
        while not stage.artist.asked:
            await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_later(0.05, stage.artist.hold.set)
        await stage.worker.stop(10)
        job = await stage.ledger.get(job.id)
        assert (job.state, job.attempts) == ("waiting", 0)

    perform(tmp_path, act)


def test_a_bot_that_is_killed_while_it_draws_costs_no_attempt(tmp_path: Path) -> None:
    async def killed(stage: Stage) -> None:
        await stage.ask()
        assert await stage.ledger.claim() is not None  # and then: kill -9

    async def last_start(stage: Stage) -> None:
        stage.artist.trouble = [EngineDied("killed")]
        job = await stage.draw()
        assert (job.state, job.attempts) == ("waiting", 1)

    async def again(stage: Stage) -> None:
        assert await stage.ledger.claim() is not None

    times = 2 * MOST_ATTEMPTS
    perform(tmp_path, killed, *[again] * times, last_start)


def test_a_remark_of_the_engine_reaches_the_person_once_although_the_bot_was_killed(
    tmp_path: Path,
) -> None:
    remark = Note("too long", "too_long", (1,))

    async def cut_short(stage: Stage) -> None:
        stage.artist.opening = stage.artist.closing = [remark]
        stage.artist.trouble = [EngineError("a bug", "broken")]
        await stage.ask()
        assert (await stage.draw()).state == "waiting"

    async def drawn(stage: Stage) -> None:
        await stage.skip_waiting()
        assert (await stage.draw()).state == "drawn"

    async def told(stage: Stage) -> None:
        await stage.tell()
        [page] = stage.chat.pages
        assert page.text.count("panel 2") == 1

    perform(tmp_path, cut_short, drawn, told)
