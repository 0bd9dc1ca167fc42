"""Requests: the reference pictures that travel with them."""

from __future__ import annotations

import time
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Thread, current_thread

import pytest
from PIL import Image

from bot import requests
from bot.config import EngineConfig
from bot.errors import Refusal
from bot.requests import REFERENCE_PIXELS, Requests
from bot.stories import CastMember
from tests.bot.stage import ANN, Stage, perform
from tests.bot.talks import Talker, picture, talk


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[Thread]:
    """Where each reference was made small."""
    found, small = [], requests.small

    def noted(content: bytes, side: int) -> str:
        found.append(current_thread())
        return small(content, side)

    monkeypatch.setattr(requests, "small", noted)
    return found


def requests_of(stage: Stage) -> Requests:
    return Requests(stage.characters, stage.pictures, EngineConfig())


async def reference(stage: Stage, number: int) -> str:
    return await stage.pictures.add(picture(f"hsl({30 * number},90%,50%)", (1024, 1024)))


def test_large_references_leave_the_event_loop_alone_and_are_made_small_once(
    tmp_path: Path, threads: list[Thread]
) -> None:
    async def act(stage: Stage) -> None:
        cast = tuple(
            [CastMember(f"T{n}", "", reference=await reference(stage, n)) for n in range(12)]
        )
        story = replace(await stage.story(1), cast=cast)
        asked = requests_of(stage)
        first = await asked.of_story(story, None, (0,))
        assert len(threads) == 12
        assert current_thread() not in threads
        assert await asked.of_story(story, None, (0,)) == first
        assert len(threads) == 12
        contents = [b64decode(member.picture or "") for member in first.characters]
        assert len(set(contents)) == 12
        with Image.open(BytesIO(contents[0])) as small:
            assert small.size == (REFERENCE_PIXELS, REFERENCE_PIXELS)

    perform(tmp_path, act)


def test_a_model_that_draws_larger_gets_a_larger_reference(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        story, asked = await stage.story(1), requests_of(stage)
        asked = replace(asked, engine=EngineConfig(model="sdxl"))
        member = CastMember("Tom", "", reference=await reference(stage, 0))
        sent = await asked.of_story(replace(story, cast=(member,)), None, (0,))
        with Image.open(BytesIO(b64decode(sent.characters[0].picture or ""))) as large:
            assert large.size == (1024, 1024)

    perform(tmp_path, act)


def test_only_the_references_that_were_used_last_stay_in_memory(
    tmp_path: Path, threads: list[Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "KEPT_REFERENCES", 2)

    async def act(stage: Stage) -> None:
        story, asked = await stage.story(1), requests_of(stage)
        made = []
        for number in (0, 1, 0, 2, 0, 1):
            member = CastMember("Tom", "", reference=await reference(stage, number))
            await asked.of_story(replace(story, cast=(member,)), None, (0,))
            made.append(len(threads))
        assert made == [1, 2, 2, 3, 3, 4]

    perform(tmp_path, act)


def test_a_reference_that_was_deleted_is_not_sent_from_memory(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        sha = await reference(stage, 0)
        story = replace(await stage.story(1), cast=(CastMember("Tom", "", reference=sha),))
        asked = requests_of(stage)
        await asked.of_story(story, None, (0,))
        assert await stage.pictures.discard([sha], time.time() + 1)
        with pytest.raises(Refusal):
            await asked.of_story(story, None, (0,))

    perform(tmp_path, act)


@pytest.mark.parametrize(("checker", "previews"), [("", 4), ("some/checker", 0)])
def test_an_engine_with_a_safety_checker_is_asked_for_no_previews(
    tmp_path: Path, checker: str, previews: int
) -> None:
    async def act(stage: Stage) -> None:
        engine = EngineConfig(safety_checker=checker)
        asked = Requests(stage.characters, stage.pictures, engine)
        tom = await stage.characters.new(ANN.key, name="Tom", description="a man", seed=1)
        story = await asked.of_story(await stage.story(1), None, (0,))
        sheet = await asked.of_sheet(tom, "comic")
        assert (story.previews, sheet.previews) == (previews, previews)

    perform(tmp_path, act)


def test_what_one_command_made_small_serves_the_next(tmp_path: Path, threads: list[Thread]) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a man", picture=picture())
        for words in ("Tom: green", "Tom: red"):
            await ann.asks("meme", words=words)
        assert len(await ann.stage.ledger.of_person("test:ann")) == 2
        assert len(threads) == 1

    talk(tmp_path, scene)
