"""Roles, blocked words, the gallery's settings, and rights that are looked at before queueing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat import Place, Right
from tests.bot.talks import SCRIPT, Talker, talk


@pytest.mark.parametrize("role", ["42", "<@&42>"])
def test_only_people_with_a_role_may_use_the_bot_and_managers_always_may(
    tmp_path: Path, role: str
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        assert "Roles that may use me: 42" in await ann.asks("settings", role=role)
        await ann.asks("settings", role="7")
        assert "only some roles" in await bob.asks("story new")
        assert "I draw comics" in await bob.asks("help")
        bob.roles = ("1", "42")
        await bob.asks("story new")
        assert bob.replies[0].card
        await ann.asks("story new")
        assert ann.replies[0].card
        await ann.asks("settings", unrole=role)
        assert "only some roles" in await bob.asks("story new")
        assert "Roles that may use me: all" in await ann.asks("settings", unrole="7")
        assert "no mention of a role" in await ann.asks("settings", role="a b")

    talk(tmp_path, scene, server="guild")


def test_a_blocked_word_is_refused_wherever_it_is_written(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        await ann.asks("settings", block_word="Ｔabs")
        await ann.asks("settings", block_word="傻瓜")
        assert "Blocked words: tabs, 傻瓜" in await ann.asks("settings")

        async def refused(command: str, **options: str | int) -> None:
            text = await bob.asks(command, **options)
            assert "blocked on this server" in text, (command, options, text)
            assert bob.replies[0].private

        await refused("story new", title="TABS")
        await refused("story new", script=SCRIPT)  # a caption
        await bob.types(SCRIPT)
        assert "“tabs”" in bob.text or '"tabs"' in bob.text
        await refused("story new", script="[Tabs] a man\n\n[Tabs] walks")
        await refused("story new", script="[Tom] likes tabs\n\n[Tom] walks")
        await refused("character new", name="Tabs", description="a man")
        await refused("character new", name="Tom", description="你是傻瓜吗")
        assert await bob.stage.stories.of_owner("test:bob") == []

        await bob.asks("character new", name="Tom", description="a man")
        await refused("character edit", character="Tom", description="tabs")
        await bob.types("[Tim] a boy\n\n[Tim] walks")
        await refused("story add", line="[Tim] types tabs")
        await refused("story caption", panel=1, words="tabs")
        await refused("story edit", title="tabs")
        await refused("meme", character="Tom", words="tabs")
        await refused("meme", top="tabs", panel=1)
        assert (await bob.story()).panels[0].caption is None
        assert await bob.stage.ledger.of_person("test:bob") == []

        await ann.asks("settings", unblock_word="TABS")
        await bob.asks("story caption", panel=1, words="stabs and tabs")
        assert (await bob.story()).panels[0].caption == "stabs and tabs"
        assert "one letter" in await ann.asks("settings", block_word="!?")

    talk(tmp_path, scene, server="guild")


def test_a_server_chooses_its_strictness_and_what_it_refuses_costs_nothing(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        assert "Strictness: standard" in await ann.asks("settings")
        story = "[Tom] a man\n\n[Tom] {}"
        assert "I do not draw “porn” here" in await bob.types(story.format("watches p0rn"))
        await bob.types(story.format("naked --no porn"))
        assert (await bob.lines())[0] == "[Tom] naked --no porn"
        assert "Strictness: strict" in await ann.asks("settings", strictness="strict")
        assert "I do not draw “naked” here" in await bob.asks("story draw")
        assert await bob.stage.ledger.used_today("test:bob") == 0
        assert "Strictness: off" in await ann.asks("settings", strictness="off")
        await bob.asks("story add", line="[Tom] watches porn")
        assert len(await bob.lines()) == 2
        words = await bob.asks("character new", name="Mia", description="14 years old, naked")
        assert "are never drawn" in words
        assert "Strictness: standard" in await ann.asks("settings", strictness="default")

    talk(tmp_path, scene, server="guild")


def test_what_was_written_elsewhere_is_not_drawn_or_shown_with_a_blocked_word(
    tmp_path: Path,
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        here, alone = bob.place, Place("test", "dm-bob")
        bob.place = alone
        await bob.types(SCRIPT)
        await ann.asks("settings", block_word="tabs")
        bob.place = here
        assert "blocked" in await bob.asks("story draw")
        assert await bob.stage.ledger.of_person("test:bob") == []
        bob.place = alone
        await bob.asks("story draw")
        await bob.stage.draw_all()
        bob.place = here
        for command in ("story show", "story export"):
            assert "blocked" in await bob.asks(command)
            assert bob.files == []
        bob.place = alone
        await bob.asks("story show")
        assert len(bob.files) == 1

    talk(tmp_path, scene, server="guild")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "need to send messages, attach files to"), ("zh", "发送消息、添加附件")],
)
def test_what_could_not_be_delivered_is_not_queued(
    tmp_path: Path, language: str, words: str
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("language", to=language)
        await ann.asks("character new", name="Eve", description="old")
        await ann.types(SCRIPT)
        lacks: tuple[Right, ...] = ("files", "send", "threads", "history")
        for command, options in (
            ("story draw", {}),
            ("character show", {"character": "Eve"}),
            ("meme", {"words": "Eve: hm"}),
        ):
            ann.lacks = lacks
            assert words in await ann.asks(command, **options)
        assert await ann.stage.ledger.of_person("test:ann") == []
        ann.lacks = ("threads", "history")
        await ann.asks("story draw")
        await ann.stage.draw_all()
        story = await ann.story()
        ann.lacks = lacks
        assert words in await ann.asks("story redraw", panel=1)
        assert (await ann.story()).panels == story.panels
        assert await ann.stage.ledger.of_person("test:ann") == []

    talk(tmp_path, scene, server="guild")


def test_without_the_right_to_open_threads_the_channel_does(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.lacks = ("threads",)
        text = await ann.types(SCRIPT)
        assert "may not open a thread" in text
        assert ann.replies[0].card
        assert ann.replies[0].room is None

    talk(tmp_path, scene, server="guild")


def test_the_gallery_is_this_channel_or_none(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        ann.place = replace(ann.place, channel="wall")
        text = await ann.asks("settings", gallery="here", stars=2)
        assert "Gallery: wall\nStars for the gallery: 2" in text
        ann.lacks = ("files",)
        assert "attach files" in await ann.asks("settings", gallery="here")
        assert "Gallery: none" in await ann.asks("settings", gallery="off")
        assert "from 1 to" in await ann.asks("settings", stars=0)

    talk(tmp_path, scene, server="guild")
