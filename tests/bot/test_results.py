"""What becomes of a job's pictures when something changed while it waited."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.characters import SavedCharacter
from bot.chat import Person
from bot.config import EngineConfig
from bot.drawn import lettered
from bot.editing import another_take
from bot.jobs import Job
from bot.requests import AboutSheet, Requests, character_job, page_job
from bot.stories import Story
from tests.bot.stage import ANN, HERE, NO_LIMITS, Stage, perform, picture


def requests_of(stage: Stage) -> Requests:
    return Requests(stage.characters, stage.pictures, EngineConfig())


async def drawn_story(stage: Stage) -> Story:
    """A story of two panels whose page is there."""
    story = await stage.story(2)
    await stage.ask(story=story)
    await stage.draw()
    return await stage.stories.get(story.id, ANN.key)


async def redraw(stage: Stage, story: Story, number: int) -> Story:
    """Asks for another picture of a panel, as `/story redraw` does."""
    story = await stage.stories.save(another_take(story, number), owner=ANN.key)
    request = await requests_of(stage).of_story(story, None, (number - 1,))
    job = page_job(story, request, place=HERE, server=None, language="en", number=number)
    await stage.ledger.enqueue(job, NO_LIMITS)
    return story


async def pages_of(stage: Stage, story: Story) -> list[bytes]:
    return [await stage.pictures.read(sha) for sha in await stage.stories.pages(story.id)]


async def page_like(stage: Stage, story: Story) -> list[bytes]:
    return await lettered(stage.pictures, story.panels, story.layout, story.title)


def test_a_redraw_shows_what_another_one_has_drawn_while_it_waited(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        story = await drawn_story(stage)
        for number in (1, 2):
            story = await redraw(stage, story, number)
        for shade in (10, 20):
            stage.artist.shade = shade
            assert (await stage.draw()).state == "drawn"
        story = await stage.stories.get(story.id, ANN.key)
        shown = [await stage.pictures.read(panel.picture or "") for panel in story.panels]
        assert shown == [picture(0 + 10), picture(40 + 20)]
        assert await pages_of(stage, story) == await page_like(stage, story)

    perform(tmp_path, act)


def test_a_panel_rewritten_while_another_is_redrawn_stays_on_that_page_as_it_was(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        story = await redraw(stage, await drawn_story(stage), 2)
        sha = await stage.pictures.add(picture(200))
        new = replace(story.panels[0], text="[Tom] runs", caption="Fast!", picture=sha)
        await stage.stories.save(replace(story, panels=(new, story.panels[1])), owner=ANN.key)
        stage.artist.shade = 10
        await stage.draw()
        today = await stage.stories.get(story.id, ANN.key)
        frozen = replace(story, panels=(story.panels[0], today.panels[1]))
        assert await pages_of(stage, story) == await page_like(stage, frozen)

    perform(tmp_path, act)


@pytest.mark.parametrize("quality", ["", "draft", "fine"])
def test_a_page_is_delivered_and_a_draft_can_be_finished(quality: str, tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        story = replace(await stage.story(2), quality=quality)
        request = await requests_of(stage).of_story(story, None, (0, 1))
        new = page_job(story, request, place=HERE, server=None, language="en")
        job = await stage.ledger.enqueue(new, NO_LIMITS)
        await stage.draw()
        await stage.tell(60)
        assert await stage.state(job) == "delivered"
        (post,) = stage.chat.pages
        labels = [button.label for row in post.buttons for button in row]
        assert ("Finish it" in labels) == (quality == "draft")

    perform(tmp_path, act)


async def sheet(stage: Stage, owner: str = ANN.key) -> tuple[SavedCharacter, Job]:
    """Ann asks for the sheet of a character, as `/character show` does."""
    tom = await stage.characters.new(owner, name="Tom", description="a man", seed=1)
    request = await requests_of(stage).of_sheet(tom, "comic")
    new = character_job(
        "sheet", AboutSheet.of(tom).to_json(), request,
        person=ANN.key, place=HERE, server=None, language="en",
    )  # fmt: skip
    return tom, await stage.ledger.enqueue(new, NO_LIMITS)


async def delivered(stage: Stage, job: Job) -> bytes:
    """The sheet that its person gets."""
    await stage.tell(60)
    assert await stage.state(job) == "delivered"
    (post,) = stage.chat.pages
    (file,) = post.files
    assert "Tom" in file.alt
    assert "a man" in file.alt
    return file.content


def test_a_sheet_is_kept_and_delivered(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        tom, job = await sheet(stage)
        assert (await stage.draw()).state == "drawn"
        kept = (await stage.characters.get(tom.id, ANN.key)).sheet
        assert await stage.pictures.read(kept or "") == await delivered(stage, job)

    perform(tmp_path, act)


@pytest.mark.parametrize("fields", [{"name": "Tim"}, {"description": "a boy"}, {"seed": 2}])
def test_a_character_edited_while_its_sheet_is_drawn_does_not_keep_the_old_look(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    async def act(stage: Stage) -> None:
        stage.artist.hold = asyncio.Event()
        tom, job = await sheet(stage)
        drawing = asyncio.create_task(stage.draw())
        while not stage.artist.asked:
            await asyncio.sleep(0.01)
        await stage.characters.change(tom.id, ANN.key, **fields)
        stage.artist.hold.set()
        assert (await drawing).state == "drawn"
        assert (await stage.characters.get(tom.id, ANN.key)).sheet is None
        await delivered(stage, job)

    perform(tmp_path, act)


def test_a_sheet_that_an_older_version_has_queued_is_delivered_and_not_kept(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        tom, job = await sheet(stage)
        about = {"character": tom.id, "name": "Tom", "description": "a man"}
        async with stage.database.tx() as db:
            await db.execute("UPDATE jobs SET about = ?", (json.dumps(about),))
        assert (await stage.draw()).state == "drawn"
        assert (await stage.characters.get(tom.id, ANN.key)).sheet is None
        await delivered(stage, job)

    perform(tmp_path, act)


def test_a_sheet_is_for_those_whom_the_character_is_shared_with_when_it_is_done(
    tmp_path: Path,
) -> None:
    async def act(stage: Stage) -> None:
        bob = await stage.people.meet(Person("test", "bob", "Bob"))
        _, job = await sheet(stage, bob.key)
        assert (await stage.draw()).state == "drawn"
        await stage.tell(60)
        assert await stage.state(job) == "failed"
        assert stage.chat.pages == []

    perform(tmp_path, act)
