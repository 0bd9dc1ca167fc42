"""Saved characters."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from bot.chat import Button
from bot.requests import REFERENCE_PIXELS, AboutSheet, small
from bot.uploads import accept_upload
from engine.request import DrawRequest
from tests.bot.talks import Talker, picture, talk
from tests.traces import noise, traces


async def tom(ann: Talker) -> None:
    await ann.asks("character new", name="Tom", description="a boy with red hair")


def test_a_character_is_saved_listed_changed_and_deleted(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert "no characters yet" in await ann.asks("character list")
        await tom(ann)
        assert "[Tom] a boy with red hair" in await ann.asks("character list")
        await ann.asks("character edit", character="tom", name="Thomas", description="a man")
        assert "[Thomas] a man" in await ann.asks("character list")
        assert "what to change" in await ann.asks("character edit", character="Thomas")
        await ann.asks("character delete", character="Thomas")
        await ann.presses("Delete for ever")
        assert "no characters yet" in await ann.asks("character list")

    talk(tmp_path, scene)


def test_show_queues_four_poses_once_and_shows_the_sheet_afterwards(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await tom(ann)
        await ann.presses("Show in four poses")
        job = await ann.job()
        assert (job.kind, job.panels, job.story) == ("sheet", 4, None)
        assert AboutSheet.from_json(job.about).name == "Tom"
        request = DrawRequest.from_json(job.request)
        assert len({panel.text for panel in request.panels}) == 4
        assert request.characters[0].seed is not None
        assert "already" in await ann.asks("character show", character="Tom")
        await ann.stage.draw_all()
        await ann.asks("character show", character="[Tom]")
        assert len(ann.files) == 1
        await ann.asks("character edit", character="Tom", picture=picture())
        await ann.asks("character show", character="Tom")
        assert (await ann.job()).id != job.id
        await ann.presses(Button("Send again", f"send:{job.id}"))
        assert len(ann.files) == 1
        assert "red hair" in ann.replies[0].files[0].alt

    talk(tmp_path, scene)


def test_a_chinese_character_poses_in_chinese(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="汤姆", description="一个男孩")
        await ann.asks("character show", character="汤姆")
        request = DrawRequest.from_json((await ann.job()).request)
        assert request.panels[0].text == "[汤姆] 站着"

    talk(tmp_path, scene)


def test_a_character_looks_the_same_in_every_story(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await tom(ann)
        seeds = set()
        for script in ("[Tom]\n\n[Tom] waves", "[Tom] sits #Hi!\n[Tom] runs",
                       "[Tom] a boy with red hair\n\n[Tom] reads"):  # fmt: skip
            await ann.asks("story new", script=script)
            await ann.asks("story draw")
            request = DrawRequest.from_json((await ann.job()).request)
            assert request.characters[0].description == "a boy with red hair"
            seeds.add(request.characters[0].seed)
        assert len(seeds) == 1
        assert None not in seeds

    talk(tmp_path, scene)


def test_somebody_described_otherwise_is_somebody_else_and_that_is_said(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await tom(ann)
        assert "write only the name" in await ann.types("[Tom] a fat cat\n\n[Tom] sleeps")
        assert (await ann.story()).cast[0].character is None

    talk(tmp_path, scene)


def test_a_character_can_be_used_by_others_only_where_it_is_shared(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await tom(ann)
        script = "[Tom]\n\n[Tom] waves"
        await bob.asks("story new", script=script)
        assert (await bob.story()).cast[0].character is None
        assert bob.replies[0].private is False
        for command in ("show", "edit", "share", "delete"):
            assert (
                "no such character"
                in (await bob.asks(f"character {command}", character="Tom")).lower()
            )
        await ann.asks("character share", character="Tom")
        await bob.asks("story new", script=script)
        assert (await bob.story()).cast[0].character is not None
        assert "Shared with you" in await bob.asks("character list")
        for command in ("edit", "share", "delete"):
            assert (
                "only its owner"
                in (await bob.asks(f"character {command}", character="Tom")).lower()
            )
        await ann.asks("character share", character="Tom", with_="nobody")
        assert "no characters yet" in await bob.asks("character list")

    talk(tmp_path, scene, server="guild")


@pytest.mark.parametrize(
    "name",
    ["", " ", "NC", "a" * 41, "T[o]m", "T#m", "a\0b", "\u202egnp.exe", "😀" * 10_000, "\u200b"],
)
def test_a_name_that_no_script_could_hold_is_refused(tmp_path: Path, name: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name=name, description="a boy")
        assert ann.replies[0].private
        assert not ann.buttons
        assert "no characters yet" in await ann.asks("character list")

    talk(tmp_path, scene)


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE people; --", "<script>alert(1)</script>", "汤姆", "José", "{0}", "%s"]
)
def test_a_strange_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name=name, description="a boy")
        assert f"[{name}] a boy" in await ann.asks("character list")
        await ann.types(f"[{name}]\n[{name}] waves #{name}: hello {name}")
        assert (await ann.story()).cast[0].character is not None
        await ann.asks("story draw")
        await ann.stage.draw_all()
        await ann.asks("story show")
        assert len(ann.files) == 1

    talk(tmp_path, scene)


async def drawn_and_waiting(ann: Talker, bob: Talker, photo: bytes) -> str:
    """Ann's Tom has a photo, a sheet, a meme and a story; both wait for more. Returns Tom's id."""
    await ann.asks("character new", name="Tom", description="a man", picture=photo)
    await ann.presses("Show in four poses")
    await ann.asks("character share", character="Tom", with_="everyone")
    await ann.asks("meme", words="Tom: drawn")
    for script in ("[Tom]\n\n[Tom] waves", "[Tom]\n\n[Tom] waits"):
        await ann.stage.draw_all()
        await ann.asks("story new", script=script)
        await ann.asks("story draw")
    for who in (ann, bob):
        await who.asks("meme", words="Tom: waits", character="Tom")
    [character] = await ann.stage.bot.stores.characters.of_owner("test:ann")
    return character.id


@pytest.mark.parametrize("how", ["deleted", "forgotten"])
def test_nothing_of_an_uploaded_picture_outlives_its_character(tmp_path: Path, how: str) -> None:
    photo = noise("Tom")
    kept = accept_upload(photo)
    sent = small(kept, REFERENCE_PIXELS).encode()

    async def scene(ann: Talker, bob: Talker) -> None:
        tom_id = await drawn_and_waiting(ann, bob, photo)
        stage = ann.stage
        [meme] = await stage.ledger.of_person("test:bob")
        assert traces(tmp_path, kept)
        assert traces(tmp_path, sent)
        [tom] = await stage.bot.stores.characters.of_owner("test:ann")
        assert tom.sheet is not None
        poses = [*(await stage.ledger.pictures(1)).values()]
        drawn = [tom.sheet, *poses]
        assert len(poses) == 4
        assert all(any(tmp_path.rglob(sha)) for sha in drawn)
        if how == "deleted":
            await ann.asks("character delete", character="Tom")
            await ann.presses("Delete for ever")
            assert [reply.gone for reply in ann.replies] == [(f"character {tom_id}",)]
        else:
            await ann.asks("forget")
            await ann.presses("Delete everything")
            assert f"character {tom_id}" in ann.replies[0].gone
        assert traces(tmp_path, kept) == []
        assert traces(tmp_path, sent) == []
        assert not any(any(tmp_path.rglob(sha)) for sha in drawn)
        assert (await stage.ledger.get(meme.id)).state == "cancelled"
        await bob.presses(Button("Try again", f"again:{meme.id}"))
        assert "no such character" in bob.text
        assert await stage.ledger.of_person("test:bob") == []

    talk(tmp_path, scene)


def test_stories_are_still_drawn_after_their_character_is_deleted_from_its_words(
    tmp_path: Path,
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await drawn_and_waiting(ann, bob, noise("Tom"))
        await ann.asks("character delete", character="Tom")
        erase = ann.buttons["Delete for ever"]
        await ann.presses(erase)
        first = ann.replies
        [job] = await ann.stage.ledger.of_person("test:ann")
        [member] = DrawRequest.from_json(job.request).characters
        assert (job.kind, member.description, member.picture) == ("draw", "a man", None)
        for number in range(1, job.id + 2):  # nothing breaks of what is empty now
            for press in ("send", "again"):
                await ann.presses(Button("", f"{press}:{number}"))
                assert "broken" not in ann.text
        await ann.presses(Button("Give me everything", "mydata"))
        with ZipFile(BytesIO(ann.files[0])) as archive:
            assert not any(name.startswith("memes/") for name in archive.namelist())
        assert len(await ann.stage.draw_all()) == 1
        await ann.presses(erase)
        assert ann.replies == first
        await bob.presses(erase)
        assert not bob.replies[0].gone

    talk(tmp_path, scene)


@pytest.mark.parametrize(
    ("state", "cast"),
    [
        ("waiting", "[Lisa] a girl"),
        ("cancelled", "[Lisa] a girl"),
        ("failed", "[Tom] an old man"),
    ],
)
def test_no_drawing_keeps_the_picture_of_a_character_that_has_left_its_story_before(
    tmp_path: Path, state: str, cast: str
) -> None:
    photo = noise("Tom")
    sent = small(accept_upload(photo), REFERENCE_PIXELS).encode()

    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("character new", name="Tom", description="a man", picture=photo)
        await ann.asks("story new", script="[Tom]\n\n[Tom] waves")
        await ann.asks("story draw")
        job = await ann.job()
        if state == "cancelled":
            await ann.asks("story cancel")
        elif state == "failed":
            await ann.stage.ledger.fail(job.id, "queue.no_job", number=1)
        await ann.asks("story edit")
        await ann.fills(characters=cast, panels=f"{cast.partition(']')[0]}] waves")
        assert (await ann.story()).cast[0].character is None
        assert traces(tmp_path, sent)
        await ann.asks("character delete", character="Tom")
        await ann.presses("Delete for ever")
        assert traces(tmp_path, sent) == []
        assert (await ann.stage.ledger.get(job.id)).state == state
        if state != "waiting":
            await ann.presses(Button("Try again", f"again:{job.id}"))
        [member] = DrawRequest.from_json((await ann.job()).request).characters
        assert (member.name, member.description, member.picture) == ("Tom", "a man", None)

    talk(tmp_path, scene)


@pytest.mark.parametrize("command", ["draw", "animate"])
def test_a_picture_that_was_sent_for_a_story_stays_there_when_its_saved_character_goes(
    tmp_path: Path, command: str
) -> None:
    script = "[Tom]\n[Lisa]\n\n[Tom] waves\n[Lisa] runs"

    async def scene(ann: Talker, bob: Talker) -> None:
        for name in ("Tom", "Lisa"):
            await ann.asks("character new", name=name, description="tall", picture=noise(name))
        await ann.asks("story new", script=script, picture=noise("another"), character="Lisa")
        await ann.asks("story draw")
        if command == "animate":
            await ann.stage.draw_all()
            await ann.asks("story animate")
        job = await ann.job()
        before = json.loads(job.request)["characters"]
        await ann.asks("story cancel", number=job.id)
        for name in ("Tom", "Lisa"):
            await ann.asks("character delete", character=name)
            await ann.presses("Delete for ever")
        await ann.presses(Button("Try again", f"again:{job.id}"))
        after = json.loads((await ann.job()).request)["characters"]
        assert before[0]["picture"]
        assert after == [{**before[0], "picture": None}, before[1]]

    talk(tmp_path, scene)
