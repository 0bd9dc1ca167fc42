"""A drawn meme from the queue to the post."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.config import EngineConfig
from bot.jobs import Job
from bot.memes import AboutMeme, meme_request
from bot.requests import Requests, character_job
from tests.bot.stage import ANN, HERE, NO_LIMITS, Stage, perform


async def asked(stage: Stage, language: str, **words: str) -> Job:
    tom = await stage.characters.new(ANN.key, name="Tom", description="a man", seed=1)
    about = AboutMeme(tom.name, words)
    requests = Requests(stage.characters, stage.pictures, EngineConfig())
    request = await meme_request(requests, tom, about, "comic")
    new = character_job(
        "meme-draw", about.to_json(), request,
        person=ANN.key, place=HERE, server=None, language=language,
    )  # fmt: skip
    return await stage.ledger.enqueue(new, NO_LIMITS)


@pytest.mark.parametrize(("language", "text"), [("en", "Your meme"), ("zh", "你的表情包")])
def test_a_meme_is_drawn_lettered_and_posted_once(tmp_path: Path, language: str, text: str) -> None:
    async def act(stage: Stage) -> None:
        job = await asked(stage, language, top="when", bottom="构建通过")
        await stage.draw()
        for _ in range(2):
            await stage.tell()
        assert await stage.state(job) == "delivered"
        (post,) = stage.chat.pages
        assert post.text.startswith(text)
        (file,) = post.files
        assert "when 构建通过" in file.alt
        with Image.open(BytesIO(file.content)) as picture:
            assert picture.width >= 1080  # lettered: what the artist drew is 64 pixels wide
        assert [panel.text for panel in stage.artist.asked[0].panels] == ["[Tom] when 构建通过"]

    perform(tmp_path, act)


def test_a_restart_between_drawing_and_posting_loses_nothing(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        await asked(stage, "en", caption="when the build is green")
        await stage.draw()

    async def after(stage: Stage) -> None:
        await stage.tell()
        assert len(stage.chat.pages) == 1
        assert len(stage.artist.asked) == 1

    perform(tmp_path, before, after)


def test_a_meme_that_cannot_be_lettered_fails_with_a_reason(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        job = await asked(stage, "en", caption="\u200b")
        await stage.draw()
        await stage.tell()
        assert await stage.state(job) == "failed"
        assert "needs words" in stage.chat.texts[-1]

    perform(tmp_path, act)
