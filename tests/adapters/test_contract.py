"""One contract for all chats: the same conversation gives the same story, and nobody else sees it.

The real bot with the toy engine stands behind each chat; the conversation is written once.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from bot.config import Config, LimitsConfig, StoreConfig
from bot.serve import running
from bot.words import catalogue, say
from tests.adapters.contract_discord import discord
from tests.adapters.contract_talk import SECONDS, Seen, Stage, Talk
from tests.adapters.contract_telegram import telegram
from tests.adapters.contract_web import web

PROGRAM = ("-m", "bench.toy_engine")
CHATS: dict[str, Callable[[Path], AbstractAsyncContextManager[Stage]]] = {
    "web": web,
    "discord": discord,
    "telegram": telegram,
}
ANN, BOB = "zh", "en"  # who speaks what
TITLE = "空格还是tab"
TOM, LISA = "[汤姆] 戴眼镜的程序员", "[丽莎] 短头发的女人"
FIRST = "[汤姆] 在办公室里打字 #汤姆：用tab！"
SECOND = "[丽莎] 看着汤姆 #(丽莎：用空格。)"
THIRD = "[NC] 夜里的办公室 #一片安静。"
TOO_MUCH = "[汤姆] 睡觉 #呼噜噜。"
EDITED_CAST = f"{TOM}\n[丽莎] 长头发的女人"
EDITED = f"{FIRST}\n[丽莎] 指着汤姆 #(丽莎：用空格。)\n{THIRD}"
NEW_WORDS = "丽莎：两个都用！"

# Title, layout, cast, panels (text, caption, kind, speaker, who is in it), whom it is shared with.
CAST = [("汤姆", "戴眼镜的程序员"), ("丽莎", "长头发的女人")]
STORY = (
    TITLE,
    "classic",
    CAST,
    [
        ("[汤姆] 在办公室里打字", "两个都用！", "speech", "丽莎", ["汤姆"]),
        ("[丽莎] 指着汤姆", "用空格。", "thought", "丽莎", ["丽莎"]),
        ("夜里的办公室", "一片安静。", "box", None, []),
    ],
    ["everyone"],
)


class Store:
    """What the bot keeps, read from outside."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def rows(self, sql: str) -> list[Any]:
        uri = f"{self._file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as reader:
            return reader.execute(sql).fetchall()

    def story(self) -> tuple[Any, ...]:
        """The only one."""
        [(title, layout)] = self.rows("SELECT title, layout FROM stories")
        return (
            title,
            layout,
            self.rows("SELECT name, description FROM cast_members ORDER BY position"),
            self.panels(),
            [audience for (audience,) in self.rows("SELECT audience FROM story_shares")],
        )

    def panels(self) -> list[tuple[Any, ...]]:
        rows = self.rows(
            "SELECT text, caption, kind, speaker, characters FROM panels ORDER BY position"
        )
        return [(*words, json.loads(names)) for *words, names in rows]

    def id(self) -> str:
        [(story,)] = self.rows("SELECT id FROM stories")
        return str(story)

    def pictures(self) -> list[str]:
        """Of each panel."""
        return [sha for (sha,) in self.rows("SELECT picture FROM panels ORDER BY position")]

    def jobs(self) -> list[tuple[str, str]]:
        return self.rows("SELECT kind, state FROM jobs ORDER BY id")

    def texts(self) -> list[str]:
        return [text for (text,) in self.rows("SELECT text FROM panels ORDER BY position")]


@asynccontextmanager
async def talking(chat: str, folder: Path) -> AsyncIterator[tuple[Stage, Store]]:
    """The whole bot behind a chat."""
    store = StoreConfig(folder=folder / "store")
    limits = LimitsConfig(stop_seconds=1)
    async with (
        asyncio.timeout(100),
        CHATS[chat](folder / chat) as stage,
        running(Config(store=store, limits=limits), [stage.chat], program=PROGRAM),
    ):
        yield stage, Store(store.database)
        assert not stage.problems(), "\n".join(stage.problems())


async def until(true: Callable[[], object]) -> None:
    """Waits until something is so in the store."""
    async with asyncio.timeout(SECONDS):
        while not true():
            await asyncio.sleep(0.03)


async def has_pages(talk: Talk, count: int) -> list[Seen]:
    async with asyncio.timeout(SECONDS):
        while len(found := await talk.pages()) < count:
            await asyncio.sleep(0.05)
    return found


@pytest.mark.parametrize("chat", CHATS)
def test_the_same_conversation_gives_the_same_story(chat: str, tmp_path: Path) -> None:
    async def run() -> None:
        async with talking(chat, tmp_path) as (stage, store):
            ann, bob = await stage.person("Ann", ANN), await stage.person("Bob", BOB)
            await types_and_edits(ann, store)
            await draws_and_redraws(ann, store)
            await changes_words_and_makes_a_meme(ann)
            await sees_nothing(bob, ann, store)
            await is_shared(ann, bob, store)
            assert store.story() == STORY
            assert store.jobs() == [("draw", "delivered"), ("redraw", "delivered")]
            assert len(await ann.pages()) == 3
            assert in_language(ann.heard, "en", than=ANN) == set()
            assert in_language(bob.heard, "zh", than=BOB) == set()

    asyncio.run(run())


async def types_and_edits(ann: Talk, store: Store) -> None:
    await ann.new(TITLE)
    await ann.sees(say(ANN, "story.card_empty"))
    for line in (TOM, LISA, FIRST, SECOND, THIRD):
        await ann.say(line)
        await ann.sees(line.replace("：", ":").partition("#")[0].strip())
    await ann.press("button.edit")
    await ann.fill(characters=EDITED_CAST, panels=EDITED)
    await ann.sees("2. [丽莎] 指着汤姆")
    assert store.story()[2] == CAST
    assert store.texts()[1] == "[丽莎] 指着汤姆"
    await ann.say(TOO_MUCH)
    await ann.sees("[汤姆] 睡觉")
    assert len(store.texts()) == 4
    await ann.press("button.undo")
    await ann.sees(say(ANN, "story.undone"))
    assert len(store.texts()) == 3


async def draws_and_redraws(ann: Talk, store: Store) -> None:
    assert await ann.pages() == []
    await ann.press("button.draw")
    await has_pages(ann, 1)
    await until(lambda: store.jobs() == [("draw", "delivered")])
    before = store.pictures()
    await ann.press("button.redraw")
    await ann.press("2", say(ANN, "story.which_redraw"))
    await has_pages(ann, 2)
    await until(lambda: store.jobs()[1:] == [("redraw", "delivered")])
    same = [old == new for old, new in zip(before, store.pictures(), strict=True)]
    assert same == [True, False, True]


async def changes_words_and_makes_a_meme(ann: Talk) -> None:
    await ann.command("story caption", panel=1, words=NEW_WORDS)
    await has_pages(ann, 3)
    await ann.press("button.meme")
    await ann.press("1", say(ANN, "story.which_meme"))
    await ann.fill(top="没人：", bottom="汤姆：用tab！", caption=None)
    await ann.finds(lambda m: m.pictures and not (m.text or m.buttons), "a meme")


async def sees_nothing(bob: Talk, ann: Talk, store: Store) -> None:
    """Not by a list, not by the story's name, not by what its buttons mean."""
    story, before, shown = store.id(), (store.story(), store.jobs()), await ann.seen()
    await bob.command("story list")
    await bob.sees("You have no stories yet.")
    await bob.command("story show", story=story)
    guessed = (f"show:{story}", f"erase:{story}", f"share:{story}:everyone", f"draw:{story}")
    pushes = {data: message for message in shown for _, data in message.buttons}
    pushes |= dict.fromkeys(guessed, shown[0])
    assert {data.partition(":")[0] for data in pushes} > {"undo", "redraws", "memes", "delete"}
    for data, message in pushes.items():
        await bob.push(message, data)
    await bob.command("quota")  # what somebody asks is answered in turn
    await bob.finds(lambda m: m.text.startswith("Today you have used 0"), "the quota")
    for message in await bob.seen():
        assert message.pictures == 0, message
        assert TITLE not in message.text
        assert "汤姆" not in message.text
    assert (store.story(), store.jobs()) == before


async def is_shared(ann: Talk, bob: Talk, store: Store) -> None:
    await ann.press("button.share")
    now = say(ANN, "story.shared_nobody")
    await ann.press("button.share_everyone", say(ANN, "story.which_share", now=now))
    await ann.sees(say(ANN, "story.shared_everyone"))
    await bob.command("story show", story=store.id())
    page = await bob.finds(lambda m: m.pictures, "the page")
    assert page.heading == TITLE
    assert await bob.pages() == []  # there is nothing in it for them to change
    await bob.push(page, f"memes:{store.id()}")
    await bob.press("3", say(BOB, "story.which_meme"))
    await bob.fill(top="Silence", bottom=None, caption=None)
    await bob.finds(lambda m: m.pictures and not (m.text or m.buttons), "a meme")


def in_language(heard: set[str], language: str, than: str) -> set[str]:
    """Which sentences of a language, other than that of somebody, are in what they heard."""
    theirs = "\n".join(sentences(than))
    pieces = {piece for piece in sentences(language) if piece not in theirs}
    return {piece for piece in pieces for text in heard if is_said(piece, text)}


def is_said(piece: str, text: str) -> bool:
    return piece == text or (len(piece.encode()) >= 8 and piece in text)


def sentences(language: str) -> set[str]:
    """The sentences of a catalogue, cut where values are filled in."""
    found: set[str] = set()
    for sentence in catalogue(language).values():
        forms = [sentence] if isinstance(sentence, str) else sentence.values()
        found |= {piece.strip() for form in forms for piece in re.split(r"\{[^}]*\}|\n", form)}
    return {piece for piece in found if len(piece) > 1}


def test_a_sentence_in_the_wrong_language_is_found() -> None:
    assert in_language({"第1个画好了。", "Number 1 is drawn."}, "en", than="zh") == {"is drawn."}
    assert in_language({"Undo"}, "en", than="zh") == {"Undo"}
    assert in_language({"Undo", "“周一” is shown."}, "zh", than="en") == set()
