"""Memes: on one's panels and on pictures that come along."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.chat import Button, Place
from bot.results import Results
from engine.request import DrawRequest
from tests.bot.talks import SCRIPT, Talker, picture, talk


def exploding() -> bytes:
    """A small file that is a picture of 90 megapixels."""
    file = BytesIO()
    Image.new("1", (9000, 10_000)).save(file, "PNG")
    return file.getvalue()


def test_a_meme_of_a_picture_is_made_at_once(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("meme", picture=picture(size=(300, 200)), top="TABS", bottom="空格")
        (file,) = ann.files
        assert file.startswith(b"\x89PNG")
        assert ann.replies[0].files[0].alt == "TABS / 空格"

    talk(tmp_path, scene)


def test_a_meme_of_a_panel(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        assert "not drawn yet" in await ann.asks("meme", panel=1, top="x")
        await ann.asks("story draw")
        await ann.stage.draw_all()
        await ann.asks("meme", panel=2, caption="when tabs")
        assert len(ann.files) == 1
        await ann.asks("meme", top="kept")
        await ann.presses("3")
        assert [field.value for field in ann.form.fields] == ["kept", "", ""]
        await ann.fills(bottom="below")
        assert ann.replies[0].files[0].alt == "kept / below"
        await ann.asks("story show")
        await ann.presses("Meme")
        await ann.presses("1")
        form = ann.form
        assert "needs words" in await ann.fills(form)

    talk(tmp_path, scene)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"not a picture", "picture"), (exploding(), "60"), (b"GIF89a", "picture")],
    ids=["empty", "text", "bomb", "cut off"],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert words in await ann.asks("meme", picture=content, top="x")
        assert ann.files == []

    talk(tmp_path, scene)


def test_words_of_a_meme_have_a_limit(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert "200" in await ann.asks("meme", picture=picture(), top="x" * 201)

    talk(tmp_path, scene)


@pytest.mark.parametrize(
    "options",
    [
        {"words": "Tom: when the build is green"},
        {"words": "【tom】：“when the build is green”"},
        {"character": "TOM", "words": "when the build is green"},
        {"character": "[Tom]", "caption": "when the build is green"},
    ],
)
def test_a_meme_of_a_character_is_drawn_and_lettered(
    tmp_path: Path, options: dict[str, str]
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a man", picture=picture("blue"))
        await ann.asks("meme", **options)
        job = await ann.job()
        assert (job.kind, job.panels, job.story) == ("meme-draw", 1, None)
        request = DrawRequest.from_json(job.request)
        assert request.panels[0].text == "[Tom] when the build is green"
        assert (request.panels[0].characters, len(request.panels)) == (("Tom",), 1)
        assert request.characters[0].picture
        assert "meme with Tom" in await ann.asks("queue")
        await ann.stage.draw_all()
        stores = ann.stage.bot.stores
        results = Results(stores.ledger, stores.pictures, stores.stories, stores.characters)
        (file,) = await results.files(job)
        assert file.alt == "Meme with Tom: when the build is green"
        with Image.open(BytesIO(file.content)) as meme:
            assert meme.height > meme.width  # the bar is above the square picture
        assert (await results.announcement(job)).text == "Your meme with Tom."
        assert await ann.stage.stories.of_owner("test:ann") == []
        await ann.presses(Button("Send again", f"send:{job.id}"))
        assert ann.files == [file.content]
        await bob.presses(Button("Send again", f"send:{job.id}"))
        assert bob.files == []

    talk(tmp_path, scene)


def test_a_meme_of_the_servers_cast_is_for_those_it_is_shared_with(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a man")
        assert "no character called Tom" in await bob.asks("meme", character="Tom", words="x")
        await ann.asks("character share", character="Tom", with_="server")
        await bob.asks("meme", words="Tom: when the build is green")
        assert (await bob.job()).person == "test:bob"
        bob.place = Place("test", "dm-bob")
        assert "no character called Tom" in await bob.asks("meme", character="Tom", words="x")

    talk(tmp_path, scene, server="guild")


def test_words_without_a_character_are_a_caption_as_before(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a man")
        await ann.asks("meme", words="Tom: tabs", picture=picture())
        assert ann.replies[0].files[0].alt == "Tom: tabs"
        await ann.asks("meme", words="Monday: tabs", picture=picture())
        assert ann.replies[0].files[0].alt == "Monday: tabs"
        assert "only once" in await ann.asks("meme", words="a", caption="b", picture=picture())
        assert "no story yet" in await ann.asks("meme", words="Monday: tabs")
        assert await ann.stage.ledger.of_person("test:ann") == []

    talk(tmp_path, scene)


def test_a_drawn_meme_needs_words_that_fit(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a man")
        assert "needs words" in await ann.asks("meme", character="Tom")
        assert "200" in await ann.asks("meme", words="Tom: " + "x" * 201)
        assert await ann.stage.ledger.of_person("test:ann") == []

    talk(tmp_path, scene)


def test_a_drawn_meme_can_be_cancelled_and_tried_again(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a man")
        await ann.asks("meme", words="Tom: when the build is green")
        job = await ann.job()
        await ann.asks("story cancel", number=job.id)
        await bob.presses(Button("Try again", f"again:{job.id}"))
        assert await ann.stage.ledger.of_person("test:bob") == []
        await ann.presses(Button("Try again", f"again:{job.id}"))
        new = await ann.job()
        assert (new.kind, new.request) == ("meme-draw", job.request)

    talk(tmp_path, scene)


def test_two_presses_of_try_again_draw_one_meme_and_two_memes_wait_at_once(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a man")
        await ann.asks("meme", words="Tom: when the build is green")
        job = await ann.job()
        await ann.asks("story cancel", number=job.id)
        again = Button("Try again", f"again:{job.id}")
        await ann.presses(again)
        assert "already in the queue" in await ann.presses(again)
        assert len(await ann.stage.ledger.of_person("test:ann")) == 1
        for words in ("Tom: when the build is green", "Tom: when it is red"):
            await ann.asks("meme", words=words)
        assert len(await ann.stage.ledger.of_person("test:ann")) == 3

    talk(tmp_path, scene)
