"""Pictures that characters look like: what is taken, how firmly it leads, what is said once."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.requests import REFERENCE_PIXELS, AboutSheet, small
from bot.uploads import accept_upload
from bot.words import say
from engine.request import PICTURE_STRENGTH, CharacterRequest, DrawRequest
from tests.bot.talks import Talker, picture, talk
from tests.traces import noise, traces

CONSENT = say("en", "character.consent")


async def asked(who: Talker) -> CharacterRequest:
    """The character of the newest job, as it was frozen."""
    [character] = DrawRequest.from_json((await who.job()).request).characters
    return character


def test_the_consent_line_is_said_once_with_the_first_picture(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert CONSENT not in await ann.asks("character new", name="Al", description="a boy")
        assert CONSENT in await ann.asks(
            "character new", name="Tom", description="a boy", picture=picture()
        )
        assert CONSENT not in await ann.asks("character edit", character="Al", picture=picture())
        assert CONSENT not in await ann.types("[Lisa] a girl", file=picture("blue"))
        assert CONSENT in await bob.asks("story new", picture=picture(), character="Kim")
        assert CONSENT not in await bob.types("[Lisa] a girl", file=picture("blue"))
        assert (await bob.story()).cast[-1].reference is not None

    talk(tmp_path, scene)


def test_it_is_said_in_a_storys_room_and_for_an_edited_character_too(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a boy")
        assert CONSENT in await ann.asks("character edit", character="Tom", picture=picture())
        await bob.asks("story new")
        assert CONSENT in await bob.types("[Lisa] a girl", file=picture())

    talk(tmp_path, scene)


def test_a_picture_that_is_refused_leaves_the_line_to_be_said(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a boy", picture=b"no picture")
        assert CONSENT in await ann.asks(
            "character new", name="Tom", description="a boy", picture=picture()
        )

    talk(tmp_path, scene)


def test_who_is_forgotten_hears_it_again_and_in_the_own_language(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a boy", picture=picture())
        await ann.asks("forget")
        await ann.presses("Delete everything")
        await ann.asks("language", to="zh")
        assert say("zh", "character.consent") in await ann.asks(
            "character new", name="汤姆", description="男孩", picture=picture()
        )

    talk(tmp_path, scene)


@pytest.mark.parametrize("command", ["story continue", "story remix"])
def test_a_picture_goes_with_the_last_story_that_has_it(tmp_path: Path, command: str) -> None:
    photo = noise("Tom")
    kept = accept_upload(photo)
    sent = small(kept, REFERENCE_PIXELS).encode()

    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", script="[Tom] a man\n\n[Tom] waves", picture=photo)
        first = await ann.story()
        await ann.asks("story draw")
        await ann.asks("story cancel")
        await ann.asks(command)
        second = await ann.story()
        assert second.id != first.id
        for story, remains in ((first, True), (second, False)):
            await ann.asks("story delete", story=story.id)
            await ann.presses("Delete for ever")
            assert bool(traces(tmp_path, kept)) == remains
            assert traces(tmp_path, sent) == []

    talk(tmp_path, scene)


def encoded(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


WRONG = {
    "empty paper": (encoded(Image.new("RGB", (300, 400), "white")), "nobody is to be seen"),
    "black": (encoded(Image.new("L", (300, 400))), "nobody is to be seen"),
    "transparent": (encoded(Image.new("RGBA", (300, 400))), "nobody is to be seen"),
    "small": (picture(size=(40, 40)), "too small"),
    "narrow": (picture(size=(1000, 50)), "too narrow"),
    "narrow once it is smaller": (picture(size=(4000, 200)), "too narrow"),
    "broken": (picture()[:-40], "damaged"),
    "no picture": (b"hello", "no picture"),
    "nothing": (b"", "empty"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_picture_without_anybody_is_refused_in_a_sentence(tmp_path: Path, what: str) -> None:
    content, said = WRONG[what]

    async def scene(ann: Talker, bob: Talker) -> None:
        for command, options in (
            ("character new", {"name": "Tom", "description": "a boy"}),
            ("story new", {"character": "Tom"}),
        ):
            assert said in (await ann.asks(command, picture=content, **options)).lower()
            assert len(ann.replies) == 1
        assert "no characters yet" in await ann.asks("character list")
        assert await ann.stage.stories.of_owner("test:ann") == []
        await ann.asks("character new", name="Tom", description="a boy")
        assert said in (await ann.asks("character edit", character="Tom", picture=content)).lower()

    talk(tmp_path, scene)


def test_a_faint_line_drawing_is_somebody(tmp_path: Path) -> None:
    drawing = Image.new("RGB", (500, 500), "white")
    drawing.paste("black", (240, 100, 244, 400))

    async def scene(ann: Talker, bob: Talker) -> None:
        assert "is saved" in await ann.asks(
            "character new", name="Tom", description="a boy", picture=encoded(drawing)
        )

    talk(tmp_path, scene)


def test_the_strength_goes_into_every_request_and_stays_frozen_there(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks(
            "character new", name="Tom", description="a boy", picture=picture(), strength=80
        )
        await ann.presses("Show in four poses")
        assert (await asked(ann)).strength == 0.8
        assert AboutSheet.from_json((await ann.job()).about).strength == 80
        await ann.asks("meme", words="Tom: tabs")
        assert (await asked(ann)).strength == 0.8
        await ann.asks("story new", script="[Tom]\n\n[Tom] waves")
        await ann.asks("story draw")
        assert (await asked(ann)).strength == 0.8
        await ann.asks("character edit", character="Tom", strength=30)
        assert (await asked(ann)).strength == 0.8
        await ann.stage.draw_all()
        await ann.asks("story redraw", panel=1)
        assert (await asked(ann)).strength == 0.3

    talk(tmp_path, scene)


def test_without_a_word_about_it_all_of_a_picture_leads(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a boy", picture=picture())
        await ann.asks("character show", character="Tom")
        assert (await asked(ann)).strength == PICTURE_STRENGTH == 1
        await bob.asks("story new", script="[Al]\n\n[Al] waves", picture=picture())
        await bob.asks("story draw")
        assert (await asked(bob)).strength == PICTURE_STRENGTH

    talk(tmp_path, scene)


def test_a_strength_needs_a_picture_and_lies_between_0_and_100(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        new = {"name": "Tom", "description": "a boy"}
        assert "attach a picture" in await ann.asks("character new", strength=80, **new)
        assert "from 0 to 100" in await ann.asks(
            "character new", strength=101, picture=picture(), **new
        )
        await ann.asks("character new", **new)
        assert "attach a picture" in await ann.asks("character edit", character="Tom", strength=80)
        await ann.asks("character edit", character="Tom", picture=picture(), strength=0)
        [tom] = await ann.stage.bot.stores.characters.of_owner("test:ann")
        assert tom.strength == 0
        await ann.asks("character edit", character="Tom", strength=100)
        [tom] = await ann.stage.bot.stores.characters.of_owner("test:ann")
        assert tom.strength == 100

    talk(tmp_path, scene)
