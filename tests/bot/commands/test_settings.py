"""What the managers of a server decide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bot.talks import SCRIPT, Talker, talk


def test_only_managers_see_and_change_the_settings(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert "only managers" in (await ann.asks("settings", who="managers")).lower()
        ann.manager = True
        assert "Who may draw here: everyone" in await ann.asks("settings")
        assert "only managers" in await ann.asks("settings", who="managers")
        assert "only the managers" in (await bob.asks("story new")).lower()
        await bob.types(SCRIPT)
        assert bob.replies == []
        assert "I draw comics" in await bob.asks("help")
        await ann.asks("story new")
        assert ann.replies[0].card

    talk(tmp_path, scene, server="guild")


def test_there_are_no_settings_without_a_server(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert "settings of a server" in await ann.asks("settings")

    talk(tmp_path, scene)


def test_channels_are_added_and_taken_away(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        assert "Where: lobby" in await ann.asks("settings", where="here")
        bob.place = replace(bob.place, channel="attic")
        assert "may not be used in this channel" in await bob.asks("story new")
        bob.place = replace(bob.place, channel="lobby", thread="t")
        await bob.asks("story new")
        assert bob.replies[0].card
        assert "no channel would be left" in await ann.asks("settings", where="not-here")
        assert "in all channels" in await ann.asks("settings", where="everywhere")

    talk(tmp_path, scene, server="guild")


def test_caps_and_style_hold_for_what_comes_then(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        await ann.asks("settings", daily_cap=2, waiting_cap=1, style="noir")
        await bob.types(SCRIPT)
        assert (await bob.story()).style == "noir"
        await bob.asks("story draw")
        await bob.types(SCRIPT)
        assert "only 1 of your drawings" in (await bob.asks("story draw")).lower()
        for _ in range(2):
            await bob.stage.draw_all()
            await bob.types(SCRIPT)
            said = await bob.asks("story draw")
        assert "2 drawings of this server" in said
        text = await ann.asks("settings", daily_cap=-1, waiting_cap=-1, style="default")
        assert text.count("the usual") == 2
        assert "no limit" in text

    talk(tmp_path, scene, server="guild")


@pytest.mark.parametrize("whom", ["8", "<@8>", "<@!8>"])
def test_somebody_can_be_blocked_and_unblocked(tmp_path: Path, whom: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        ann.person, bob.person = replace(ann.person, id="7"), replace(bob.person, id="8")
        await ann.asks("settings", block=whom)
        assert "do not let you" in await bob.asks("story new")
        assert "What I keep" in await bob.asks("privacy")
        await ann.asks("settings", unblock=whom)
        await bob.asks("story new")
        assert bob.replies[0].card
        assert "block yourself" in await ann.asks("settings", block="7")

    talk(tmp_path, scene, server="guild")


@pytest.mark.parametrize("whom", ["bob", "@bob", "a b c", "<@bob>"])
def test_nobody_is_blocked_by_a_name_that_means_nobody(tmp_path: Path, whom: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        assert "no id" in await ann.asks("settings", block=whom)
        ann.place = replace(ann.place, chat="telegram")
        assert "@name" in await ann.asks("settings", block=whom)

    talk(tmp_path, scene, server="guild")


def test_who_is_blocked_is_called_by_name(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        bob.person = replace(bob.person, id="8")
        await bob.asks("help")
        assert "Bob may not use me here" in await ann.asks("settings", block="8")
        assert "9 may not use me here" in await ann.asks("settings", block="9")

    talk(tmp_path, scene, server="guild")


@pytest.mark.parametrize("role", ["artists", "@artists", "<@42>", "<#42>"])
def test_a_role_that_is_none_does_not_lock_everybody_out(tmp_path: Path, role: str) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        assert "no mention of a role" in await ann.asks("settings", role=role)
        await bob.asks("story new")
        assert bob.replies[0].card

    talk(tmp_path, scene, server="guild")


def test_telegram_has_no_roles_and_one_from_before_can_be_taken_away(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        for person in (ann, bob):
            person.place = replace(person.place, chat="telegram")
        ann.manager = True
        assert "no roles" in await ann.asks("settings", role="42")
        await bob.asks("story new")
        assert bob.replies[0].card
        people = ann.stage.bot.stores.people
        await people.change_server("telegram:guild", roles=("artists",))
        assert "only some roles" in await bob.asks("story new")
        assert "Roles that may use me: all" in await ann.asks("settings", unrole="artists")

    talk(tmp_path, scene, server="guild")


def test_on_discord_channels_and_roles_are_shown_by_name(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        ann.manager = True
        ann.place = replace(ann.place, chat="discord", channel="5", thread="6")
        await ann.asks("settings", where="here", gallery="here")
        text = await ann.asks("settings", role="<@&42>")
        assert "Where: <#5>" in text
        assert "Gallery: <#6>" in text
        assert "Roles that may use me: <@&42>" in text

    talk(tmp_path, scene, server="guild")
