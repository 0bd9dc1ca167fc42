"""Saved characters."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.requests import AboutSheet
from engine.request import DrawRequest
from tests.bot.talks import Talker, picture, talk


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
