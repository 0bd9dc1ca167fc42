"""Where the bot is no member: answers go with the interaction, results wait for a button."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from adapters.discord_mailbox import Mailbox
from adapters.discord_store import SCHEMA, Store
from bot.chat import File, Place, Post
from tests.adapters.discord_peer import until
from tests.adapters.discord_people import labels
from tests.adapters.discord_stage import Stage, play
from tests.adapters.small_bot import picture

AWAY = Place("discord", "7", "300", "away")
PAGE = (File("page.png", picture("x"), "A page"),)


def test_a_drawing_is_told_while_discord_allows_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.ann.at("group")
        answer = await ann.uses("story draw")
        assert stage.bot.calls[0].place == AWAY
        assert stage.bot.calls[0].lacks == ()
        await until(lambda: len(answer.messages) == 3)
        assert answer.private == [False, True, False]
        assert labels(answer.messages[1]) == ["Get result"]
        assert answer.messages[2]["attachments"][0]["filename"] == "page.png"
        assert stage.peer.in_channel("300") == [answer.messages[0], answer.messages[2]]

    play(tmp_path, scene)


def test_later_the_result_waits_for_the_button_also_over_a_restart(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        ann = stage.ann.at("group")
        answer = await ann.uses("echo", text="hello")
        progress = await stage.chat.post(Post(AWAY, "Waiting", progress=0.0, nonce="1"))
        await stage.chat.post(Post(AWAY, "Half", PAGE, progress=0.5, edit=progress))
        notice = answer.messages[1]
        shown = await ann.presses(notice, "Get result")
        assert (shown.text, shown.private) == ("Half", [True])
        answer.fresh = shown.fresh = False
        assert await stage.chat.post(Post(AWAY, "The page", PAGE, nonce="2")) == "mail-2"
        assert await stage.chat.post(Post(AWAY, "The page", PAGE, nonce="2")) == "mail-2"
        stage.bot.lines["notice"] = [notice["id"]]

    async def after(stage: Stage) -> None:
        ann = stage.ann.at("group")
        notice = stage.peer.world.messages["300"][stage.bot.lines["notice"][0]]
        shown = await ann.presses(notice, "Get result")
        assert (shown.text, shown.private) == ("The page", [False])
        assert len(shown.messages[0]["attachments"]) == 1
        again = await ann.presses(notice, "Get result")
        assert again.private == [True]
        assert not again.messages[0]["attachments"]

    play(tmp_path, before, after)


def test_only_the_result_is_shown_to_everybody(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.ann.at("group")
        answer = await ann.uses("echo", text="hello")
        progress = await stage.chat.post(Post(AWAY, "Waiting", progress=0.0, nonce="1"))
        answer.fresh = False
        await stage.chat.post(Post(AWAY, "The page", PAGE, nonce="2"))
        await stage.chat.post(Post(AWAY, "Number 5 is drawn.", edit=progress))
        shown = await ann.presses(answer.messages[1], "Get result")
        assert (shown.text, shown.private) == ("The page", [False])
        again = await ann.presses(answer.messages[1], "Get result")
        assert (again.text, again.private) == ("Number 5 is drawn.", [True])

    play(tmp_path, scene)


def test_a_file_of_an_older_inkwell_goes_on_and_one_of_a_newer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "discord.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as older:
        older.executescript(SCHEMA)
        post = json.dumps({"text": "The page", "buttons": [], "progress": False})
        row = (AWAY.key, "7", "2", post, time.time())
        older.execute(
            "INSERT INTO mail (place, owner, nonce, post, at) VALUES (?, ?, ?, ?, ?)", row
        )

    async def run() -> None:
        for _ in range(2):
            store = await Store.open(path)
            assert [mail.text for mail in await Mailbox(store).waiting(AWAY)] == ["The page"]
            await store.close()
        with closing(sqlite3.connect(path)) as newer:
            newer.execute("PRAGMA user_version = 99")
        with pytest.raises(OSError, match="a newer Inkwell"):
            await Store.open(path)

    asyncio.run(run())


def test_a_card_is_edited_where_its_button_was_pressed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.ann.at("group")
        answer = await ann.uses("story new", title="Tabs")
        (card,) = answer.messages
        asked = await ann.presses(card, "Edit all")
        assert asked.kind == 9
        assert (await ann.fills(asked, panels="x")).text.endswith("/ x")

    play(tmp_path, scene)
