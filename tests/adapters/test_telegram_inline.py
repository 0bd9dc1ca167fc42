"""Inline mode: one's own pages and memes in any chat; and being forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram_chat import TelegramChat
from adapters.telegram_inline import MOST_KEPT
from adapters.telegram_storage import SCHEMA, Storage
from bot.chat import Button, Call, File, Person, Place, Post, Reply
from tests.adapters.small_bot import picture
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot, play
from tests.adapters.telegram_user import User


class ForgettingBot(TalkingBot):
    async def answer(self, call: Call) -> Sequence[Reply]:
        if call.options.get("data") == "forget":
            return (Reply("Forgotten", private=True, forget=True),)
        return await super().answer(call)


async def found(peer: Peer, user: User, words: str = "") -> list[dict[str, Any]]:
    query = user.asks_inline(words)
    asked = await peer.until(lambda: peer.inline_answers.get(query))
    assert asked.given["is_personal"] == "true"
    results: list[dict[str, Any]] = asked.json("results")
    return results


def test_ones_own_pictures_are_found_by_their_words_and_nobody_elses(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob = peer.person("Ann"), peer.person("Bob")
        place, owner = Place("telegram", str(ann.id)), Person("telegram", str(ann.id), "")
        for title in ("Tabs or spaces", "The last cup"):
            file = File(f"{title}.png", picture(title), f"{title}: two programmers")
            await chat.post(Post(place, title, (file,), mention=owner))
        preview = File("preview.jpg", picture("preview"), "Preview")
        await chat.post(Post(place, "Drawing", (preview,), progress=0.5))
        titles = [result["title"] for result in await found(peer, ann)]
        assert titles == ["The last cup", "Tabs or spaces"]
        (result,) = await found(peer, ann, "TABS programmers")
        assert result["type"] == "photo"
        assert peer.stored[result["photo_file_id"]] == picture("Tabs or spaces")
        assert await found(peer, ann, "cats") == []
        assert await found(peer, bob) == []
        button = peer.requests("answerInlineQuery")[-1].json("button")
        assert button["start_parameter"] == "inline"

    play(tmp_path, scene)


def test_a_page_in_a_group_is_its_owners_and_the_newest_stay(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        ann.says("/story_show Tabs or spaces", room=room)
        await peer.until_says(room.id, "Tabs or spaces")
        (result,) = await found(peer, ann)
        assert result["title"] == "Tabs or spaces"
        with closing(sqlite3.connect(tmp_path / "telegram.sqlite3")) as file:
            for number in range(MOST_KEPT + 5):
                row = (str(ann.id), str(number), "photo", result["photo_file_id"], f"old {number}")
                file.execute(
                    "INSERT INTO pictures (owner, sha, kind, file, words, at)"
                    " VALUES (?, ?, ?, ?, ?, 0)",
                    row,
                )
            file.commit()
        ann.says("/story_show The last cup", room=room)
        await peer.until_says(room.id, "The last cup")
        ann.says("/help")  # after it the one before is kept
        await peer.until_says(ann.id, "Type a line.")
        titles = [one["title"] for one in await found(peer, ann)]
        assert len(titles) == MOST_KEPT
        assert (titles[0], titles[-1]) == ("The last cup", "old 6")

    play(tmp_path, scene)


def test_what_an_older_inkwell_kept_without_its_story_is_not_kept_on(tmp_path: Path) -> None:
    path = tmp_path / "telegram.sqlite3"
    with closing(sqlite3.connect(path)) as older:
        older.executescript(f"{SCHEMA} PRAGMA user_version = 1;")
        older.execute("INSERT INTO people VALUES ('7', 'Ann', NULL, 1)")
        older.execute("INSERT INTO pictures VALUES (1, '7', 'sha', 'photo', 'file', 'Tabs', 0)")
        older.commit()

    async def run() -> None:
        for _ in range(2):
            storage = await Storage.open(path)
            assert await storage.rows("SELECT * FROM pictures") == []
            assert len(await storage.rows("SELECT * FROM people")) == 1
            await storage.close()
        with closing(sqlite3.connect(path)) as newer:
            newer.execute("PRAGMA user_version = 99")
        with pytest.raises(OSError, match="a newer Inkwell"):
            await Storage.open(path)

    asyncio.run(run())


def test_who_is_forgotten_leaves_no_row(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/story_new Tabs")
        await peer.until_says(ann.id, "0 lines")
        ann.says("/story_show Tabs or spaces")
        await peer.until_says(ann.id, "Tabs or spaces")
        ann.says("/echo")
        await peer.until_says(ann.id, "What to say")
        place = Place("telegram", str(ann.id))
        await chat.post(Post(place, "Sure?", buttons=((Button("Yes, all", "forget"),),)))
        ann.presses("Yes, all")
        await peer.until_says(ann.id, "Forgotten")
        with closing(sqlite3.connect(tmp_path / "telegram.sqlite3")) as file:
            for table in ("people", "dialogs", "cards", "replies", "elsewhere", "pictures"):
                assert file.execute(f"SELECT * FROM {table}").fetchall() == [], table

    play(tmp_path, scene, ForgettingBot())
