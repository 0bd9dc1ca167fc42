"""Drawing by commands and buttons."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot import announce
from bot.characters import Characters
from bot.chat import Button, Call, Right
from bot.requests import AboutPage, place_from_json
from engine.request import DrawRequest
from tests.bot.talks import SCRIPT, Talker, picture, talk


def test_draw_freezes_the_story_and_leaves_the_answer_to_the_progress_post(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.presses("Draw")
        assert ann.replies == []
        job = await ann.job()
        request, about = DrawRequest.from_json(job.request), AboutPage.from_json(job.about)
        assert (job.kind, job.panels, job.person, job.language) == ("draw", 3, "test:ann", "en")
        assert place_from_json(job.place) == ann.place
        assert [panel.text for panel in request.panels] == await ann.lines()
        assert [c.name for c in request.characters] == ["Tom", "Lisa"]
        assert (request.only, about.drawn) == (None, (0, 1, 2))
        await ann.types("[NC] later")
        assert AboutPage.from_json((await ann.stage.ledger.get(job.id)).about) == about
        await bob.types(SCRIPT)
        await bob.asks("story draw")
        assert "1 before it, about " in await bob.asks("queue")

    talk(tmp_path, scene)


@pytest.mark.parametrize("right", ["send", "view"])
def test_where_no_progress_can_be_posted_the_answer_is_a_refusal(
    tmp_path: Path, right: Right
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        call = Call(ann.person, ann.place, "story draw", lacks=(right,))
        [reply] = await ann.stage.bot.answer(call)
        assert reply.private
        assert reply.text
        assert await ann.stage.ledger.of_person("test:ann") == []

    talk(tmp_path, scene)


def test_two_presses_of_draw_at_once_draw_once(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        draw = ann.buttons["Draw"]
        await asyncio.gather(ann.presses(draw), ann.presses(draw))
        assert len(await ann.stage.ledger.of_person("test:ann")) == 1

    talk(tmp_path, scene)


def test_only_what_is_missing_is_drawn(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story draw")
        await ann.stage.draw_all()
        before = [panel.picture for panel in (await ann.story()).panels]
        await ann.types("[NC] later")
        await ann.asks("story draw")
        job = await ann.job()
        assert (DrawRequest.from_json(job.request).only, job.panels) == ((3,), 1)
        await ann.stage.draw_all()
        after = [panel.picture for panel in (await ann.story()).panels]
        assert after[:3] == before
        assert after[3] is not None

    talk(tmp_path, scene)


def test_a_drawn_story_is_shown_and_drawn_anew_only_if_that_is_wanted(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story draw")
        await ann.stage.draw_all()
        await ann.asks("story draw")
        assert len(ann.files) == 1
        anew = ann.buttons["Draw all anew"]
        await ann.presses(anew)
        seeds = [panel.seed for panel in (await ann.story()).panels]
        request = DrawRequest.from_json((await ann.job()).request)
        assert [panel.seed for panel in request.panels] == seeds
        assert "has changed" in await ann.presses(anew)

    talk(tmp_path, scene)


def test_redraw_changes_one_picture_and_leaves_the_others(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        assert "not drawn yet" in await ann.asks("story redraw", panel=2)
        await ann.asks("story draw")
        await ann.stage.draw_all()
        before = await ann.story()
        await ann.asks("story show")
        await ann.presses("Redraw")
        two = ann.buttons["2"]
        await asyncio.gather(ann.presses(two), ann.presses(two))
        (job,) = await ann.stage.ledger.of_person("test:ann")
        assert (job.kind, job.panels) == ("redraw", 1)
        assert AboutPage.from_json(job.about).number == 2
        request = DrawRequest.from_json(job.request)
        assert request.only == (1,)
        assert [p.seed for p in request.panels][::2] == [p.seed for p in before.panels][::2]
        assert request.panels[1].seed != before.panels[1].seed
        await ann.stage.draw_all()
        after = await ann.story()
        assert after.panels[::2] == before.panels[::2]
        assert after.panels[1].picture not in (None, before.panels[1].picture)
        await ann.asks("story undo")
        assert (await ann.story()).panels == before.panels

    talk(tmp_path, scene)


def test_a_redraw_beyond_the_quota_changes_nothing(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story draw")
        await ann.stage.draw_all()
        before = await ann.story()
        for _ in range(3):
            await ann.asks("story redraw", panel=1)
        now = await ann.story()
        assert "only 3 of your drawings" in (await ann.asks("story redraw", panel=1)).lower()
        assert (await ann.story()).panels == now.panels != before.panels

    talk(tmp_path, scene)


@pytest.mark.parametrize(("script", "words"), [("", "nothing to draw"), ("[Tom] a boy", "nothing")])
def test_a_story_without_panels_cannot_be_drawn(tmp_path: Path, script: str, words: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new")
        if script:
            await ann.types(script)
        assert words in await ann.asks("story draw")

    talk(tmp_path, scene)


def test_cancel_by_button_by_number_and_for_the_story(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        for cancel in ("button", "number", "story"):
            await ann.asks("story draw")
            job = await ann.job()
            stop: Button = announce.cancel_buttons(job)[0][0]
            assert "no drawing" in await bob.presses(stop)
            if cancel == "button":
                await ann.presses(stop)
            elif cancel == "number":
                await ann.asks("story cancel", number=job.id)
            else:
                await ann.asks("story cancel")
            assert ann.text == f"Cancelled: {job.id}."
            assert (await ann.stage.ledger.get(job.id)).state == "cancelled"
        assert "over already" in await ann.presses(stop)
        assert "nothing waits" in (await ann.asks("story cancel")).lower()

    talk(tmp_path, scene)


def test_try_again_queues_the_same_request(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story draw")
        job = await ann.job()
        again = {"data": f"again:{job.id}"}
        assert "need not be tried" in await ann._call("(press)", again, {})
        await ann.stage.ledger.fail(job.id, "queue.no_job", number=1)
        assert "no drawing" in await bob._call("(press)", again, {})
        await ann._call("(press)", again, {})
        new = await ann.job()
        assert (new.id != job.id, new.request) == (True, job.request)
        await ann.asks("story cancel", number=new.id)
        await ann.asks("story delete")
        await ann.presses("Delete for ever")
        assert "story" in (await ann._call("(press)", again, {})).lower()
        assert await ann.stage.ledger.of_person("test:ann") == []

    talk(tmp_path, scene)


def test_saved_characters_and_pictures_go_into_the_request(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a boy", picture=picture())
        saved = await Characters(ann.stage.database).named("test:ann", "tom")
        assert saved is not None
        await ann.types("[Lisa] a girl\n[Lisa] and [tom] wave")
        await ann.asks("story draw")
        tom, lisa = DrawRequest.from_json((await ann.job()).request).characters
        assert (lisa.seed, lisa.picture) == (None, None)
        assert (tom.name, tom.description, tom.seed) == ("Tom", "a boy", saved.seed)
        assert tom.picture
        await ann.asks("story cancel")
        await ann.asks("character delete", character="Tom")
        await ann.presses("Delete for ever")
        await ann.asks("story draw")
        tom, _ = DrawRequest.from_json((await ann.job()).request).characters
        assert (tom.description, tom.seed) == ("a boy", None)

    talk(tmp_path, scene)


def test_send_again_shows_what_was_drawn_to_its_owner_alone(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story draw")
        send = {"data": f"send:{(await ann.job()).id}"}
        assert "nothing to send" in await ann._call("(press)", send, {})
        await ann.stage.draw_all()
        await ann._call("(press)", send, {})
        assert len(ann.files) == 1
        await bob._call("(press)", send, {})
        assert bob.files == []

    talk(tmp_path, scene)
