"""The messages that say how far jobs are: which are changed, when, and who waits for whom."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

import bot.progress
from bot.chat import CannotPost
from bot.requests import AboutSheet, character_job
from bot.studio import Studio
from engine.request import DrawRequest, EngineError, FrameDrawn, PanelDrawn, PanelRequest
from tests.bot.stage import ANN, HERE, NO_LIMITS, Stage, perform, picture, refusing

SLOW = replace(HERE, channel="slow")


def test_a_slow_channel_holds_up_the_messages_of_no_other(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.chat.stuck = {SLOW.channel}
        running = asyncio.create_task(stage.progress.run())
        for _ in range(2 * bot.progress.MOST_A_ROUND):
            await stage.ask(1, place=SLOW)
        job = await stage.ask(1)
        async with asyncio.timeout(10):
            while not stage.chat.shown:
                await asyncio.sleep(0.01)
        [text] = stage.chat.texts
        assert text.startswith(f"Number {job.id}: ")
        assert stage.chat.tries == 2  # one of the slow channel's at a time
        running.cancel()
        await asyncio.wait((running,))
        assert stage.progress._under_way == {}

    perform(tmp_path, act)


def test_a_round_that_stumbles_is_logged_and_the_next_ones_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(stage: Stage) -> None:
        await stage.ask(1)
        async with stage.database.tx() as db:
            await db.execute("ALTER TABLE measured_paces RENAME TO elsewhere")
        running = asyncio.create_task(stage.progress.run())
        async with asyncio.timeout(10):
            while "no such table: measured_paces" not in caplog.text:
                await asyncio.sleep(0.01)
        assert stage.chat.shown == {}
        async with stage.database.tx() as db:
            await db.execute("ALTER TABLE elsewhere RENAME TO measured_paces")
        async with asyncio.timeout(10):
            while not stage.chat.shown:
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait((running,), timeout=5)
        assert running.cancelled()

    perform(tmp_path, act)


def test_who_had_to_wait_for_the_channel_says_what_is_true_by_then(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        first, second, third = [await stage.ask(1) for _ in range(3)]
        turn = stage.progress._turns[bot.progress.channel_of(first)] = asyncio.Lock()
        async with turn:
            await stage.progress.round()
            await stage.ledger.cancel(second.id, ANN.key)
            await stage.progress.round()
        await stage.show_progress()
        assert len(stage.chat.shown) == 2
        assert f"Number {third.id}" in stage.chat.texts[1]
        assert "1 drawing comes before it" in stage.chat.texts[1]
        assert [len(posts) for posts in stage.chat.shown.values()] == [1, 1]

    perform(tmp_path, act)


def test_a_message_that_somebody_removes_gets_one_successor(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        before = await stage.ask(1)
        job = await stage.ask(1)
        await stage.show_progress()
        await stage.chat.remove(HERE, "m2")
        await stage.ledger.cancel(before.id, ANN.key)
        await stage.show_progress(later=True)
        assert list(stage.chat.shown) == ["m1", "m3"]
        assert (await stage.ledger.get(job.id)).message == "m3"
        with stage.studio.drawing(job.id):
            await stage.show_progress(later=True)
        assert len(stage.chat.shown["m3"]) == 2
        await stage.ledger.fail(job.id, "engine.refused", reason="nobody is called Bo")
        await stage.chat.remove(HERE, "m3")
        await stage.tell()
        assert list(stage.chat.shown) == ["m1", "m4", "m5"]  # the reason and the last words
        assert ["nobody is called Bo" in text for text in stage.chat.texts] == [False, True, True]

    perform(tmp_path, act)


def test_what_was_too_early_is_said_when_the_chat_wants_it(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        first, second = await stage.ask(1), await stage.ask(1)
        await stage.show_progress()
        await stage.ledger.cancel(first.id, ANN.key)
        stage.chat.trouble = list(refusing(1, again=True, wait=9.0))
        await stage.show_progress(later=True)
        assert "1 drawing comes before it" in stage.chat.texts[1]
        left = stage.progress._told[second.id].due - time.monotonic()
        assert 0 < left <= 9
        await stage.show_progress(later=True)
        assert "your turn next" in stage.chat.texts[1]

    perform(tmp_path, act)


def test_a_refused_message_is_left_alone_for_a_while_and_then_tried_again(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask(1)
        stage.chat.trouble = [CannotPost("no"), ValueError("a bug")]
        for _ in range(2):
            await stage.show_progress(later=True)
            left = stage.progress._told[job.id].due - time.monotonic()
            assert bot.progress.REFUSED_SECONDS - 20 < left <= bot.progress.REFUSED_SECONDS
        await stage.show_progress(later=True)
        assert len(stage.chat.shown) == 1

    perform(tmp_path, act)


def test_what_waits_is_not_held_in_memory_with_its_pictures(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask(1)
        assert len(job.request) > 2
        await stage.show_progress()
        assert [(t.job.request, t.job.about) for t in stage.progress._told.values()] == [("", "")]

    perform(tmp_path, act)


def test_a_drawing_outside_of_any_story_says_how_far_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(stage: Stage) -> None:
        about = AboutSheet("c1", "Ben", "a man").to_json()
        request = DrawRequest((), (PanelRequest("[Ben] waves", ()),))
        wanted = character_job(
            "sheet", about, request,
            person=ANN.key, place=HERE, server=None, language="en",
        )  # fmt: skip
        job = await stage.ledger.enqueue(wanted, NO_LIMITS)
        await stage.show_progress()
        [[post]] = stage.chat.shown.values()
        assert post.text.startswith(f"Number {job.id}: ")
        assert post.about == ("character c1",)  # it goes when the character is deleted
        assert not caplog.records

    perform(tmp_path, act)


def test_of_what_a_safety_checker_refuses_no_message_has_ever_shown_a_preview(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        stage = replace(stage, studio=Studio(previews=False))
        artist, held = stage.artist, asyncio.Event()
        artist.hold, artist.previews, artist.after = held, True, 1
        artist.trouble = [EngineError("no", "unsafe", (1,))]
        job = await stage.ask(2)
        drawing = asyncio.create_task(stage.draw())
        async with asyncio.timeout(10):
            while not (seen := stage.studio.get(job.id)) or seen.stage != "steps":
                await asyncio.sleep(0.01)
            for _ in range(10):  # the preview comes next
                await asyncio.sleep(0.01)
        await stage.show_progress(later=True)
        assert [posts[-1].progress for posts in stage.chat.shown.values()] == [0.45]
        seen.see(PanelDrawn(0, picture(0)))
        seen.see(FrameDrawn(0, picture(0)))
        assert seen.panels == 1
        await stage.show_progress(later=True)
        held.set()
        assert (await drawing).state == "failed"
        await stage.tell()
        assert any("nothing is shown" in text for text in stage.chat.texts)
        assert not [p for posts in stage.chat.shown.values() for p in posts if p.files]

    perform(tmp_path, act)


def test_only_a_chat_that_counts_posts_gets_them_little_by_little(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        for _ in range(2 * bot.progress.MOST_A_ROUND + 1):
            await stage.ask(1)
        await stage.show_progress()
        assert len(stage.chat.shown) == bot.progress.MOST_A_ROUND
        stage.chat.counts_posts = False
        await stage.show_progress()
        assert len(stage.chat.shown) == 2 * bot.progress.MOST_A_ROUND + 1

    perform(tmp_path, act)
