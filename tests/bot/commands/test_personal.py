"""Privacy, being forgotten, the language; the queue, the quota and help."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from zipfile import ZipFile

import pytest
from PIL import Image

from bot.commands import COMMANDS, belongings
from bot.commands.belongings import MOST_BYTES
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


async def story_with_pages(ann: Talker, title: str, pages: int, size: int) -> list[str]:
    """A story with so many pages of so many bytes; returns their SHA-256."""
    await ann.asks("story new", title=title)
    stores, story = ann.stage.bot.stores, await ann.story()
    contents = (Random(f"{title} {number}").randbytes(size) for number in range(pages))
    shas = [await stores.pictures.add(content) for content in contents]
    await stores.stories.set_pages(story.id, 1, shas)
    return shas


def unpacked(ann: Talker) -> dict[str, str]:
    """The names in the last ZIP file, and the SHA-256 of each content."""
    [content] = ann.files
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def test_data_too_large_for_one_file_comes_in_parts_that_are_never_in_memory_together(
    tmp_path: Path,
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        shas = [
            sha
            for title in ("Tabs", "Spaces")
            for sha in await story_with_pages(ann, title, pages=18, size=1_000_000)
        ]
        await ann.asks("privacy")
        names, found, number = Counter[str](), Counter[str](), 0
        tracemalloc.start()
        try:
            while next_part := (
                ann.buttons.get("Give me everything") or ann.buttons.get("Next part")
            ):
                ann.replies, number = [], number + 1
                tracemalloc.reset_peak()
                before, _ = tracemalloc.get_traced_memory()
                await ann.presses(next_part)
                _, peak = tracemalloc.get_traced_memory()
                assert peak - before < 2 * MOST_BYTES
                assert len(ann.files[0]) < 10 * 2**20, "what Discord takes"
                assert ann.replies[0].files[0].name == f"inkwell-{number}.zip"
                names.update(unpacked(ann).keys())
                found.update(unpacked(ann).values())
        finally:
            tracemalloc.stop()
        assert number == 4
        assert "the last" in ann.text
        assert set(names.values()) == {1}
        assert [found[sha] for sha in shas] == [1] * len(shas)
        assert len(names) == len(shas) + 3  # the characters, two scripts

    talk(tmp_path, scene)


def test_nothing_is_left_out_when_a_story_is_deleted_between_two_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belongings, "MOST_BYTES", 10_000)

    async def scene(ann: Talker, bob: Talker) -> None:
        pages = {
            title: await story_with_pages(ann, title, pages=5, size=3_000)
            for title in ("Tabs", "Spaces", "Both")
        }
        await ann.asks("privacy")
        await ann.presses("Give me everything")
        first, following = unpacked(ann), ann.buttons["Next part"]
        [given] = {name.split("/")[1].partition("-")[0] for name in first if "/" in name}
        await ann.asks("story delete", story=given)
        await ann.presses("Delete for ever")
        await ann.presses(following)
        found = [*unpacked(ann).values()]
        while "Next part" in ann.buttons:
            await ann.presses("Next part")
            found += unpacked(ann).values()
        others = [sha for title in pages if title != given for sha in pages[title]]
        assert sorted(set(found) & set(others)) == sorted(others)
        assert len(found) == len(others) + 2

    talk(tmp_path, scene)


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
