"""Delivery: everybody hears how their job ended, once, also after a crash in the middle of it."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

import bot.delivery
import bot.progress
from bot.chat import CannotPost
from bot.delivery import MOST_AT_ONCE, Delivery
from bot.posting import Poster
from tests.bot.stage import ANN, HERE, ListeningChat, Stage, perform, refusing


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.delivery, "AGAIN_SECONDS", (0.01, 0.05))


def test_a_page_comes_with_words_and_buttons_and_is_delivered(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask()
        await stage.draw()
        await stage.tell()
        assert await stage.state(job) == "delivered"
        [post] = stage.chat.pages
        assert "Panel 1: Tom walks 0. Caption: Step 0." in post.files[0].alt
        assert post.buttons
        assert post.mention is not None
        assert post.mention.key == ANN.key

    perform(tmp_path, act)


def test_pictures_beyond_what_a_post_holds_come_in_several(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await stage.ask(12, layout="pictures")
        await stage.draw()
        await stage.tell()
        assert [len(post.files) for post in stage.chat.pages] == [10, 2]
        assert [bool(post.buttons) for post in stage.chat.pages] == [False, True]

    perform(tmp_path, act)


def test_a_refused_post_is_tried_again_until_it_is_taken(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask()
        await stage.draw()
        stage.chat.trouble = [*refusing(3, again=True), *refusing(1, again=True, wait=0.02)]
        await stage.tell()
        assert await stage.state(job) == "delivered"
        assert len(stage.chat.pages) == 1
        assert stage.chat.tries == 5

    perform(tmp_path, act)


@pytest.mark.parametrize("is_shown", [False, True])
@pytest.mark.parametrize(
    "trouble",
    [sqlite3.OperationalError("database is locked"), OSError(errno.ENOSPC, "no space left")],
)
def test_a_chat_whose_own_file_is_locked_or_full_gets_the_page_later_and_once(
    tmp_path: Path, trouble: Exception, is_shown: bool
) -> None:
    """`is_shown`: the chat has shown it, and then could not note so."""

    async def act(stage: Stage) -> None:
        job = await stage.ask()
        await stage.draw()
        stage.chat.trouble, stage.chat.deaf = [trouble, trouble], is_shown
        await stage.tell()
        assert await stage.state(job) == "delivered"
        assert len(stage.chat.pages) == 1
        assert stage.chat.tries == 3
        assert stage.chat.texts == [stage.chat.pages[0].text]

    perform(tmp_path, act)


def test_a_place_that_is_closed_to_us_ends_the_job_and_nothing_is_lost(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask()
        await stage.draw()
        stage.chat.trouble = list(refusing(10))
        await stage.tell()
        assert await stage.state(job) == "failed"
        assert job.story is not None
        assert await stage.stories.pages(job.story)
        assert await stage.ledger.undelivered() == []

    perform(tmp_path, act)


def test_a_kill_between_posting_and_noting_it_posts_nothing_twice(tmp_path: Path) -> None:
    async def killed(stage: Stage) -> None:
        await stage.ask()
        await stage.draw()
        stage.chat.deaf = True  # it arrives, and we never hear so
        stage.chat.trouble = [CutOff()]
        with pytest.raises(TimeoutError):
            await stage.tell(0.3)

    async def next_start(stage: Stage) -> None:
        stage.chat.deaf = False
        async with stage.database.tx() as db:
            await db.execute("UPDATE jobs SET state = 'drawn', told = 0")
        await stage.tell()
        assert len(stage.chat.pages) == 1
        assert stage.chat.tries == 2

    perform(tmp_path, killed, next_start)


def test_a_page_that_a_forgetful_platform_may_have_is_offered_again(tmp_path: Path) -> None:
    async def killed(stage: Stage) -> None:
        job = await stage.ask()
        await stage.draw()
        stage.chat.deaf, stage.chat.trouble = True, list(refusing(1, unknown=True))
        with pytest.raises(CannotPost):
            await stage.delivery._end(await stage.ledger.get(job.id))

    async def an_hour_later(stage: Stage) -> None:
        stage.chat.deaf = False
        stage.chat.forget_nonces()
        await stage.age_marks()
        await stage.tell()
        assert len(stage.chat.pages) == 1
        assert "ask for it again" in stage.chat.texts[-1]
        assert await stage.ledger.undelivered() == []

    perform(tmp_path, killed, an_hour_later)


def test_words_are_told_however_long_a_platform_was_in_trouble(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.chat.forget_nonces()
        job = await stage.ask()
        stage.chat.trouble = list(refusing(1, again=True, unknown=True))
        await stage.show_progress()
        await stage.ledger.fail(job.id, "engine.refused", reason="nobody is called Bo")
        stage.chat.trouble = list(refusing(1, again=True, unknown=True))
        with pytest.raises(CannotPost):
            await stage.delivery._end(await stage.ledger.get(job.id))
        await stage.age_marks()
        await stage.tell()
        [text] = stage.chat.texts
        assert "nobody is called Bo" in text

    perform(tmp_path, act)


class CutOff(CannotPost):
    """The connection is gone at the worst moment, and no later try helps in this life."""

    def __init__(self) -> None:
        super().__init__("gone", unknown=True, wait=1000)


def test_a_chat_that_forgets_nonces_asks_before_it_sends_again(tmp_path: Path) -> None:
    chat = ListeningChat(knows_nonces=False)

    async def killed(stage: Stage) -> None:
        job = await stage.ask()
        await stage.draw()
        mark = await stage.ledger.posts.begin(job.id, "page 1")  # and then: kill -9
        assert mark is not None

    async def next_start(stage: Stage) -> None:
        await stage.tell()
        assert stage.chat.pages == []
        [text] = stage.chat.texts
        assert "ask for it again" in text
        [[button]] = next(iter(stage.chat.shown.values()))[0].buttons
        assert button.data == "send:1"
        assert await stage.ledger.undelivered() == []

    perform(tmp_path, killed, next_start, chat=chat)


def test_an_unknown_end_is_asked_about_too(tmp_path: Path) -> None:
    chat = ListeningChat(knows_nonces=False)

    async def act(stage: Stage) -> None:
        job = await stage.ask()
        await stage.draw()
        stage.chat.trouble = list(refusing(1, unknown=True))
        await stage.tell()
        assert await stage.state(job) == "delivered"
        assert stage.chat.pages == []
        assert len(stage.chat.texts) == 1

    perform(tmp_path, act, chat=chat)


def test_who_is_forgotten_meanwhile_hears_nothing_more(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        await stage.ask()
        await stage.draw()
        [job] = await stage.ledger.undelivered()
        await stage.people.forget(ANN.key)
        await stage.delivery._tell(job)
        assert stage.chat.shown == {}

    perform(tmp_path, act)


def test_a_failure_is_told_with_its_reason_once(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask()
        await stage.ledger.fail(job.id, "engine.refused", reason="nobody is called Bo")
        await stage.tell()
        await stage.tell()
        [text] = stage.chat.texts
        assert "nobody is called Bo" in text

    perform(tmp_path, act)


def test_one_message_says_the_place_then_the_progress_then_the_end(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        first, job = await stage.ask(), await stage.ask()
        await stage.show_progress()
        assert ["your turn next" in text for text in stage.chat.texts] == [True, False]
        assert await stage.ledger.cancel(first.id, ANN.key)
        stage.artist.hold, stage.artist.previews = asyncio.Event(), True
        drawing = asyncio.create_task(stage.draw())
        while not (shown := stage.studio.get(job.id)) or not shown.thumbnails:
            await asyncio.sleep(0.01)
        await stage.show_progress(later=True)
        post = stage.chat.shown["m2"][-1]
        assert post.progress == 0.45
        assert [file.name for file in post.files] == ["preview.jpg"]
        assert post.buttons[0][0].data == f"cancel:{job.id}"
        stage.artist.hold.set()
        await drawing
        await stage.tell()
        assert "cancelled" in stage.chat.texts[0]
        assert "is drawn" in stage.chat.texts[1]
        assert stage.chat.shown["m2"][-1].buttons == ()
        assert len(stage.chat.shown) == 3
        assert len(stage.chat.pages) == 1

    perform(tmp_path, act)


def test_a_message_is_edited_only_when_it_changes_and_not_too_often(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        first = await stage.ask()
        await stage.ask()
        await stage.show_progress()
        await stage.show_progress()
        assert stage.chat.tries == 2
        await stage.ledger.cancel(first.id, ANN.key)
        await stage.show_progress()
        assert stage.chat.tries == 2  # not within five seconds
        await stage.show_progress(later=True)
        assert stage.chat.tries == 3

    perform(tmp_path, act)


def test_a_new_job_is_answered_with_its_place_without_waiting_for_a_round(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        running = asyncio.create_task(stage.progress.run(round_seconds=1000))
        await asyncio.sleep(0.1)  # it has looked once, in vain
        jobs = [await stage.ask() for _ in range(2 * bot.progress.MOST_A_ROUND)]
        async with asyncio.timeout(20):
            while len(stage.chat.shown) < len(jobs):
                await asyncio.sleep(0.01)
        running.cancel()
        first = stage.chat.shown["m1"][0]
        assert first.text.startswith(f"Number {jobs[0].id}: it is your turn next, ready in about ")
        assert first.buttons[0][0].data == f"cancel:{jobs[0].id}"
        assert "1 drawing comes before it" in stage.chat.texts[1]

    perform(tmp_path, act)


def test_progress_that_cannot_be_posted_does_not_hold_up_the_page(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask()
        stage.chat.trouble = list(refusing(1))
        await stage.show_progress()
        await stage.draw()
        await stage.tell()
        assert await stage.state(job) == "delivered"

    perform(tmp_path, act)


def test_the_messages_of_before_a_restart_are_edited_on(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        await stage.ask()
        await stage.show_progress()

    async def after(stage: Stage) -> None:
        await stage.show_progress()
        await stage.draw()
        await stage.tell()
        assert len(stage.chat.shown) == 2
        assert "is drawn" in stage.chat.texts[0]

    perform(tmp_path, before, after)


@pytest.mark.parametrize("how", [{}, {"unknown": True}, {"again": True}])
def test_a_page_that_came_has_come_whatever_its_last_words_meet(
    tmp_path: Path, how: dict[str, bool]
) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask()
        await stage.show_progress()
        await stage.draw()
        stage.chat.trouble = [None, *refusing(5, **how)]
        await stage.tell()
        assert await stage.state(job) == "delivered"
        assert len(stage.chat.pages) == 1
        assert len(stage.chat.texts) == 2
        assert ("is drawn" in stage.chat.texts[0]) == ("again" in how)

    perform(tmp_path, act)


def test_last_words_that_may_not_have_arrived_are_said_once_more(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await stage.ask()
        await stage.show_progress()
        await stage.draw()
        stage.chat.trouble = [None, *refusing(1, unknown=True)]
        await stage.tell()
        assert await stage.state(job) == "delivered"
        assert "is drawn" in stage.chat.texts[0]

    perform(tmp_path, act)


@pytest.mark.parametrize("other", [False, True])
def test_a_channel_or_a_chat_that_is_slow_holds_up_no_other(tmp_path: Path, other: bool) -> None:
    """`other`: in the slow chat every delivery is stuck, and the next one is for another chat."""
    quick = ListeningChat()
    quick.name = "quick"

    async def act(stage: Stage) -> None:
        poster = Poster({"test": stage.chat, "quick": quick}, stage.ledger.posts)
        stage.delivery = Delivery(stage.ledger, poster, stage.progress, stage.results)
        slow = [replace(HERE, channel=f"{n if other else 0}") for n in range(MOST_AT_ONCE + 1)]
        stage.chat.stuck = {place.channel for place in slow}
        for place in (*slow, replace(HERE, chat="quick" if other else "test")):
            job = await stage.ask(1, place=place)
            await stage.draw()
        running = asyncio.create_task(stage.delivery.run())
        async with asyncio.timeout(10):
            while await stage.state(job) != "delivered":
                await asyncio.sleep(0.01)
        running.cancel()
        assert len((quick if other else stage.chat).pages) == 1

    perform(tmp_path, act)
