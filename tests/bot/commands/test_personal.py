"""Privacy, being forgotten, the language; the queue, the quota and help."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from bot.commands import COMMANDS
from bot.commands.personal import archived
from bot.words import languages
from tests.bot.talks import SCRIPT, Talker, picture, talk


async def everything(ann: Talker) -> None:
    await ann.asks("character new", name="Bob", description="old", picture=picture("blue"))
    await ann.asks("story new", title="Tabs", script=SCRIPT)
    await ann.asks("story draw")
    await ann.stage.draw_all()


def test_privacy_says_what_is_kept_and_gives_it_back(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await everything(ann)
        text = await ann.asks("privacy")
        assert "stories (1)" in text
        assert "characters (1)" in text
        assert len(text) <= 2000
        await ann.presses("Give me everything")
        with ZipFile(BytesIO(ann.files[0])) as archive:
            names = archive.namelist()
            assert archive.testzip() is None
        assert "characters.txt" in names
        assert sum(name.endswith(".png") for name in names) == 5

    talk(tmp_path, scene)


def test_drawn_memes_are_given_back_with_their_words_and_nobody_elses(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        for who in (ann, bob):
            await who.asks("character new", name="Bob", description="old")
            await who.asks("meme", words="Bob: it works", character="Bob")
        await ann.stage.draw_all()
        await ann.asks("meme", words="Bob: it waits", character="Bob")  # not drawn yet
        await ann.asks("privacy")
        await ann.presses("Give me everything")
        with ZipFile(BytesIO(ann.files[0])) as archive:
            memes = [name for name in archive.namelist() if name.startswith("memes/")]
            assert len(memes) == 1
            with Image.open(BytesIO(archive.read(memes[0]))) as meme:
                assert meme.height > 64, "the words stand in a bar above the picture"

    talk(tmp_path, scene)


def test_forget_deletes_everything_after_a_question(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await everything(ann)
        await ann.asks("story redraw", panel=1)
        await bob.types(SCRIPT)
        await ann.asks("forget")
        assert await ann.stage.stories.of_owner("test:ann")
        assert not any(reply.forget for reply in ann.replies)
        await ann.presses("Delete everything")
        assert "Everything is deleted" in ann.text
        assert [reply.forget for reply in ann.replies] == [True]
        assert await ann.stage.stories.of_owner("test:ann") == []
        assert await ann.stage.ledger.of_person("test:ann") == []
        assert [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()] == []
        assert len(await bob.lines()) == 3

    talk(tmp_path, scene)


def test_data_too_large_for_one_file_comes_in_several() -> None:
    parts = [(f"{number}.bin", bytes(10_000_000)) for number in range(5)]
    archives = archived(parts)
    assert [len(ZipFile(BytesIO(one)).namelist()) for one in archives] == [2, 2, 1]


def test_the_bot_speaks_the_language_of_the_platform_until_another_is_chosen(
    tmp_path: Path,
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("language")
        assert set(ann.buttons) == {"English", "简体中文"}
        await ann.presses("简体中文")
        assert "中文" in ann.text
        await ann.types(SCRIPT)
        assert "角色" in ann.text
        assert "第1行" in await ann.types("[Tim")
        await ann.asks("story draw")
        assert (await ann.stage.ledger.of_person("test:ann"))[0].language == "zh"
        await ann.asks("language", to="en")
        assert "Number" in await ann.asks("queue")

    talk(tmp_path, scene)


def test_queue_shows_ones_own_and_cancels(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert await ann.asks("queue") == (
            "You are not waiting for anything. All in all 0 drawings are in the queue."
        )
        await bob.types(SCRIPT)
        await bob.asks("story draw")
        await everything(ann)
        await ann.asks("story redraw", panel=1)
        await ann.asks("character show", character="Bob")
        text = await ann.asks("queue")
        assert "Tabs, panel 1 anew: " in text
        assert "Bob in four poses: 1 before it" in text
        number = (await ann.stage.ledger.of_person("test:ann"))[0].id
        await ann.presses(f"Cancel {number}")
        assert "anew" not in await ann.asks("queue")

    talk(tmp_path, scene)


def test_quota_counts_panels(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await everything(ann)
        assert "used 3 of 50 panels and have 47 left" in await ann.asks("quota")

    talk(tmp_path, scene)


@pytest.mark.parametrize("language", languages())
def test_help_names_every_command_in_one_message(tmp_path: Path, language: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("language", to=language)
        text = await ann.asks("help")
        assert len(text) <= 4096
        for command in COMMANDS:
            assert f"/{command.info.name}" in text
            full = await ann.asks("help", command=command.info.name)
            for option in command.info.options:
                assert f"• {option.name}: " in full
        assert "story" in await ann.asks("help", command="storry")

    talk(tmp_path, scene)
