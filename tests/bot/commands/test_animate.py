"""Animations by commands and buttons: what is queued, and what is said where it cannot be."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from bot.animating import AboutAnimation
from bot.commands import animate
from engine.request import AnimateRequest
from tests.bot.talks import SCRIPT, Talker, talk

ONE = "[Tom] a man\n\n[Tom] waves #Tom: Hi!"


async def drawn(ann: Talker, script: str = SCRIPT) -> None:
    await ann.types(script)
    await ann.asks("story draw")
    await ann.stage.draw_all()


async def queued(ann: Talker) -> tuple[AnimateRequest, AboutAnimation]:
    """What waits, which is then cancelled."""
    job = await ann.job()
    await ann.asks("story cancel", number=job.id)
    return AnimateRequest.from_json(job.request), AboutAnimation.from_json(job.about)


def test_animate_freezes_the_story_with_its_pictures(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        story = await ann.story()
        await ann.asks("story animate")
        assert ann.replies == []
        job = await ann.job()
        assert (job.kind, job.story, job.panels) == ("animate", story.id, 4)  # 15 frames
        request, about = await queued(ann)
        assert request.pictures == tuple(panel.picture for panel in story.panels)
        assert [c.name for c in request.characters] == ["Tom", "Lisa"]
        assert (about.what, about.kind, about.numbers) == ("panels", "gif", (1, 2, 3))
        assert about.panels == story.panels

    talk(tmp_path, scene)


@pytest.mark.parametrize(
    ("options", "numbers", "what"),
    [
        ({"from_": 2}, (2, 3), "panels"),
        ({"to": 2}, (1, 2), "panels"),
        ({"from_": 3, "to": 1}, (3, 2, 1), "panels"),
        ({"what": "page"}, (1, 2, 3), "page"),
        ({"what": "page", "from_": 3, "to": 2}, (2, 3), "page"),
    ],
)
def test_a_part_of_the_story_can_be_animated(
    tmp_path: Path, options: dict[str, str | int], numbers: tuple[int, ...], what: str
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        await ann.asks("story animate", **options)
        request, about = await queued(ann)
        assert (about.numbers, about.what) == (numbers, what)
        assert len(request.pictures) == len(request.panels) == len(numbers)
        assert len(about.panels) == (3 if what == "page" else len(numbers))

    talk(tmp_path, scene)


def test_what_cannot_be_animated_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        assert "not drawn yet" in await ann.asks("story animate")
        await ann.asks("story draw")
        assert "being drawn at the moment, as number 1" in await ann.asks("story animate")
        await ann.stage.draw_all()
        assert "no panel 4" in await ann.asks("story animate", to=4)
        assert "no panel 9" in await ann.asks("story animate", from_=9, to=2)
        await ann.types("[NC] later")
        assert "Panel 4 is not drawn yet" in await ann.asks("story animate")
        assert await ann.asks("story animate", to=3) == ""

    talk(tmp_path, scene)


def test_one_panel_alone_becomes_a_living_panel_and_that_is_said(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        assert "From panel 2 to itself" in await ann.asks("story animate", from_=2, to=2)
        request, about = await queued(ann)
        assert (len(request.pictures), about.numbers) == (1, (2,))
        await ann.asks("story new", script=ONE)
        await ann.asks("story draw")
        await ann.stage.draw_all()
        assert "one panel only" in await ann.asks("story animate")
        request, _ = await queued(ann)
        assert len(request.pictures) == 1

    talk(tmp_path, scene)


def test_a_layout_without_pages_moves_from_panel_to_panel(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story edit", layout="pictures")
        await ann.asks("story draw")
        await ann.stage.draw_all()
        assert "no page that could come alive" in await ann.asks("story animate", what="page")
        _, about = await queued(ann)
        assert about.what == "panels"

    talk(tmp_path, scene)


@pytest.mark.parametrize("there", [True, False])
def test_mp4_becomes_a_gif_where_it_cannot_be_made_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr(animate, "has_video", lambda: there)

    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        said = await ann.asks("story animate", format="mp4")
        _, about = await queued(ann)
        assert (about.kind, said == "") == (("mp4", True) if there else ("gif", False))
        telegram = replace(ann, place=replace(ann.place, chat="telegram"))
        assert await telegram.asks("story animate", story="") == ""
        _, about = await queued(ann)
        assert about.kind == ("mp4" if there else "gif")

    talk(tmp_path, scene)


def test_the_same_panels_may_wait_as_another_animation(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        for options in ({}, {"what": "page"}, {"format": "webp"}):
            assert await ann.asks("story animate", **options) == ""
        said = await ann.asks("story animate", what="page")
        assert "already in the queue, as number 3" in said

    talk(tmp_path, scene)


def test_buttons_animate_and_only_for_the_owner(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        await ann.asks("story show")
        button, living = ann.buttons["Animate"], ann.buttons["Living panel"]
        await ann.asks("story share", with_="everyone")
        assert "Only its owner" in await bob.presses(button)
        assert "Only its owner" in await bob.presses(living)
        await ann.presses(button)
        page = ann.buttons["The page"]
        await ann.presses(page)
        assert "already in the queue" in await ann.presses(page)
        _, about = await queued(ann)
        assert about.what == "page"
        await ann.presses(living)
        await ann.presses("2")
        request, about = await queued(ann)
        assert (about.numbers, len(request.pictures)) == ((2,), 1)
        assert ann.replies[-1].text.startswith("Cancelled")

    talk(tmp_path, scene)


def test_an_animation_is_kept_shown_again_given_away_and_deleted_with_its_story(
    tmp_path: Path,
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        story = await ann.story()
        await ann.asks("story animate")
        assert "moving" in await ann.asks("queue")
        (job,) = await ann.stage.draw_all()
        data = f"send:{job.id}"
        stores = ann.stage.bot.stores
        (kept,) = await stores.stories.animations.of(story.id)
        content = await stores.pictures.read(kept.sha)
        with Image.open(BytesIO(content)) as image:
            assert (image.format, image.n_frames) == ("GIF", 15)  # type: ignore[attr-defined]
        await ann._call("(press)", {"data": data}, {})
        (file,) = ann.replies[0].files
        assert (file.content, file.name.endswith(".gif")) == (content, True)
        assert "Panel 1" in file.alt
        await ann.asks("privacy")
        await ann.presses("Give me everything")
        names = ZipFile(BytesIO(ann.files[0])).namelist()
        assert f"stories/comic-{story.id}/animation-{job.id}-1.gif" in names
        await ann.asks("story delete")
        await ann.presses("Delete for ever")
        assert await stores.stories.animations.of(story.id) == []
        held = await ann.stage.database.rows("SELECT * FROM job_sources")
        assert held == []

    talk(tmp_path, scene)


def test_the_pictures_of_a_waiting_animation_outlive_a_redraw(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        story = await ann.story()
        await ann.asks("story animate")
        held = await ann.stage.database.rows("SELECT picture FROM job_sources")
        assert {row["picture"] for row in held} == {panel.picture for panel in story.panels}

    talk(tmp_path, scene)


def test_blocked_words_hold_for_animations_too(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        ann.manager = True
        ann.place = replace(ann.place, server="s")
        story = await ann.story()
        await ann.asks("settings", block_word="silence")
        ann.manager = False
        said = await ann.asks("story animate", story=story.id)
        assert "silence" in said.lower()

    talk(tmp_path, scene)
