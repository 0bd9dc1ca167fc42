"""Showing, listing, exporting, sharing and deleting stories, and who may do it."""

from __future__ import annotations

from io import BytesIO
from itertools import product
from pathlib import Path
from zipfile import ZipFile

import pytest

from bot.chat import Button
from bot.commands import FORMS, PRESSES
from tests.bot.talks import SCRIPT, Talker, picture, talk

OF_STORIES = sorted(
    {*PRESSES} - {"speak", "forget", "oblivion", "mydata", "queue", "cancel", "again", "send"}
    - {"sheet", "unperson", "gone", "star"}
)  # fmt: skip


async def drawn(ann: Talker) -> str:
    await ann.asks("story new", title="Tabs", script=SCRIPT)
    await ann.asks("story draw")
    await ann.stage.draw_all()
    return (await ann.story()).id


def test_show_shows_card_and_pages_to_the_owner(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        await ann.asks("story show")
        assert ann.replies[0].card
        assert len(ann.files) == 1
        alt = ann.replies[1].files[0].alt
        assert "Tabs" in alt
        assert "Panel 1: Tom in the office, typing. Tom says: Tabs!" in alt

    talk(tmp_path, scene)


def test_a_story_is_found_by_a_part_of_its_title_or_by_its_id(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        for title in ("Tabs", "Spaces"):
            await ann.asks("story new", title=title)
        assert "Tabs" in await ann.asks("story show", story="tab")
        first = (await ann.stage.stories.of_owner("test:ann", like="tabs"))[0]
        assert "Tabs" in await ann.asks("story show", story=first.id)
        assert "no such story" in await ann.asks("story show", story="nothing")
        assert "no story yet" in await bob.asks("story show")

    talk(tmp_path, scene)


def test_a_story_without_a_title_is_found_by_who_is_in_it(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", title="Tom's day")
        await ann.asks("story new", script=SCRIPT)
        nameless = await ann.story()
        await ann.asks("story new", title="Spaces")
        for typed in ("Tom, Lisa", "tom、lisa", "lis"):
            [found] = await ann.stage.stories.of_owner("test:ann", like=typed)
            assert found.id == nameless.id
        assert "1. [Tom] in the office" in await ann.asks("story show", story="Tom, Lisa")
        assert "Tom's day" in await ann.asks("story show", story="Tom")  # a title comes first
        assert "no such story" in await ann.asks("story show", story="Tom, Tom")

    talk(tmp_path, scene)


def test_a_story_with_neither_a_title_nor_anybody_in_it_is_no_hindrance(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new")
        await ann.asks("story new", title="Spaces")
        assert "Spaces" in await ann.asks("story show", story="spac")
        assert "no such story" in await ann.asks("story show", story="Tom")

    talk(tmp_path, scene)


def test_in_a_direct_message_the_story_that_is_shown_is_the_one_that_is_typed_on(
    tmp_path: Path,
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", title="Tabs")
        await ann.asks("story new", title="Spaces")
        await ann.asks("story show", story="Tabs")
        await ann.types("[Tom] a boy")
        assert (await ann.story()).title == "Tabs"

    talk(tmp_path, scene)


def test_the_list_has_a_button_for_each_story(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert "no stories yet" in await ann.asks("story list")
        await drawn(ann)
        await ann.asks("story new", title="Spaces")
        text = await ann.asks("story list")
        assert "1. Spaces, 0 panels, not drawn yet" in text
        assert "2. Tabs, 3 panels, drawn" in text
        await ann.presses("2")
        assert len(ann.files) == 1
        assert "None of your stories" in await ann.asks("story list", title="zzz")

    talk(tmp_path, scene)


@pytest.mark.parametrize(
    ("wanted", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("cbz", b"PK"), ("zip", b"PK")]
)
def test_export_gives_files(tmp_path: Path, wanted: str, start: bytes) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        await ann.asks("story export", format=wanted)
        assert ann.files[0].startswith(start)
        assert ann.replies[0].files[0].name.endswith(f".{wanted}")

    talk(tmp_path, scene)


def test_the_zip_holds_the_script_as_it_can_be_typed_again(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        await ann.asks("story export", format="zip")
        with ZipFile(BytesIO(ann.files[0])) as archive:
            (name,) = [one for one in archive.namelist() if one.endswith((".txt", ".story"))]
            script = archive.read(name).decode()
        await bob.types(script)
        assert await bob.lines() == await ann.lines()

    talk(tmp_path, scene)


def test_what_is_not_drawn_cannot_be_exported(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        assert "panel 1 is not drawn yet" in (await ann.asks("story export")).lower()

    talk(tmp_path, scene)


def test_nobody_sees_a_story_until_it_is_shared_and_then_only_reads(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        story = await drawn(ann)
        hidden = await bob.asks("story show", story=story)
        assert hidden == await bob.asks("story show", story="aaaaaaaaaa")
        await ann.asks("story share", with_="server")
        assert story in ann.text
        await bob.asks("story show", story=story)
        assert (len(bob.files), set(bob.buttons)) == (1, {"Remix"})
        await bob.asks("story export", story=story, format="png")
        assert len(bob.files) == 1
        assert "only its owner" in (await bob.asks("story draw", story=story)).lower()
        await ann.asks("story share", with_="nobody")
        assert await bob.asks("story show", story=story) == hidden

    talk(tmp_path, scene, server="guild")


def test_sharing_with_a_server_needs_one(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        story = await drawn(ann)
        assert "not a server" in await ann.asks("story share", with_="server")
        await ann.asks("story show")
        await ann.presses("Share")
        assert set(ann.buttons) == {"Everyone", "Nobody"}
        await ann.presses("Everyone")
        await bob.asks("story show", story=story)
        assert len(bob.files) == 1

    talk(tmp_path, scene)


@pytest.mark.parametrize("shared", [False, True])
def test_only_the_owner_can_press_what_changes_a_story(tmp_path: Path, shared: bool) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        story_id = await drawn(ann)
        if shared:
            await ann.asks("story share", with_="everyone")
        story = await ann.story()
        panel = story.panels[0].id
        arguments = ("", panel, f"{panel}-0", "noir", "webtoon", "everyone")
        for action, argument in product(OF_STORIES, arguments):
            data = f"{action}:{story_id}:{argument}"
            await bob._call("(press)", {"data": data}, {})
            if not shared or action not in ("show", "memes", "meme", "remix"):
                assert (bob.files, bob.buttons) == ([], {}), data
                assert all(reply.private and not reply.form for reply in bob.replies), data
            if action in FORMS:
                fields = {"characters": "[X] y", "panels": "[X]", "line": "[X]", "words": "x"}
                await bob._call("(form)", {"data": data, **fields}, {})
                assert all(reply.private for reply in bob.replies), data
            assert await ann.story() == story, data
        assert await ann.stage.ledger.of_person("test:bob") == []

    talk(tmp_path, scene)


def test_delete_asks_first_and_takes_what_waits_along(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", title="Tabs", script=SCRIPT)
        await ann.asks("story draw")
        job = await ann.job()
        await ann.asks("story delete")
        assert await ann.stage.stories.of_owner("test:ann")
        erase = ann.buttons["Delete for ever"]
        await bob.presses(erase)
        assert await ann.stage.stories.of_owner("test:ann")
        await ann.presses(erase)
        assert "deleted" in ann.text
        assert ann.replies[0].buttons == ()
        assert await ann.stage.stories.of_owner("test:ann") == []
        assert (await ann.stage.ledger.get(job.id)).state == "cancelled"
        assert ann.replies[0].gone

    talk(tmp_path, scene)


def test_a_deletion_that_breaks_leaves_story_and_jobs_as_they_were(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", title="Tabs", script=SCRIPT)
        await ann.asks("story draw")
        job, story = await ann.job(), await ann.story()
        await ann.asks("story delete")
        erase = ann.buttons["Delete for ever"]
        await broken(ann, "UPDATE ON jobs")
        await ann.presses(erase)
        assert not any(reply.gone for reply in ann.replies)
        assert await ann.story() == story
        assert await ann.stage.ledger.get(job.id) == job
        await mended(ann)
        await ann.presses(erase)
        assert [reply.gone for reply in ann.replies] == [(f"story {story.id}",)]
        dropped = await ann.stage.ledger.get(job.id)
        assert (dropped.state, dropped.request, dropped.about) == ("cancelled", "{}", "{}")

    talk(tmp_path, scene)


def test_a_second_press_tells_the_chat_of_a_deletion_that_it_never_heard_of(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        story_id = await drawn(ann)
        await ann.asks("story delete")
        erase = ann.buttons["Delete for ever"]
        await broken(ann, "DELETE ON pictures")  # after the story was deleted
        await ann.presses(erase)
        assert not any(reply.gone for reply in ann.replies)
        assert await ann.stage.stories.of_owner("test:ann") == []
        await mended(ann)
        for _ in range(2):
            await ann.presses(erase)
            assert [reply.gone for reply in ann.replies] == [(f"story {story_id}",)]
            assert ann.text == "This story is deleted."
        await bob.presses(erase)
        assert not any(reply.gone for reply in bob.replies)
        assert "no such story" in bob.text

    talk(tmp_path, scene)


async def broken(ann: Talker, where: str) -> None:
    """From now on the database refuses this."""
    async with ann.stage.database.tx() as db:
        await db.execute(f"CREATE TRIGGER broken BEFORE {where} BEGIN SELECT RAISE(ABORT, ''); END")


async def mended(ann: Talker) -> None:
    async with ann.stage.database.tx() as db:
        await db.execute("DROP TRIGGER broken")


def test_the_pictures_of_a_deleted_story_go_at_once(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn(ann)
        await ann.asks("story redraw", panel=1)
        await ann.stage.draw_all()
        await bob.asks("character new", name="Bob", description="old", picture=picture())
        files = [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()]
        await ann.asks("story delete")
        await ann.presses("Delete for ever")
        left = [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()]
        assert len(files) > len(left) == 1
        for path in tmp_path.glob("inkwell.sqlite3*"):
            assert b"Spaces." not in path.read_bytes(), path
        [job, redraw] = [await ann.stage.ledger.get(number) for number in (1, 2)]
        assert (job.state, redraw.state) == ("delivered", "delivered")
        for number in (1, 2):
            for press in ("send", "again"):
                await ann.presses(Button("", f"{press}:{number}"))
                assert (ann.files, ann.replies[0].private) == ([], True)
                assert "broken" not in ann.text

    talk(tmp_path, scene)
