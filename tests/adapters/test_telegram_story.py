"""The whole bot on Telegram: a story from the pasted script to its page, and every command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import bot.progress
from adapters.telegram_chat import TelegramChat
from adapters.telegram_pace import Pace
from bench.bot_process import states
from bot.commands import COMMANDS
from bot.config import Config, LimitsConfig, StoreConfig
from bot.serve import running
from tests.adapters.small_bot import picture
from tests.adapters.telegram_methods import Asked
from tests.adapters.telegram_peer import TOKEN, Fault, Peer
from tests.adapters.telegram_user import Json, User, administrator

PROGRAM = ("-m", "bench.toy_engine")
SCRIPT = """[Tom] a young programmer with glasses
[Lisa] a woman with short hair

[Tom] in the office, typing #Tom: Tabs!
[Lisa] next to [Tom], angry #(Lisa: "Spaces.")
[NC] the office at night #Silence."""


@asynccontextmanager
async def inkwell(peer: Peer, folder: Path) -> AsyncIterator[TelegramChat]:
    """The whole bot, which draws plain colours."""
    chat = TelegramChat(
        TOKEN, folder / "telegram", api_url=peer.address, poll_seconds=2, pace=Pace(burst=1000)
    )
    limits = LimitsConfig(stop_seconds=1, panels_a_day=500, waiting=20)
    config = Config(store=StoreConfig(folder=folder / "store"), limits=limits)
    async with running(config, [chat], program=PROGRAM):
        yield chat
    assert peer.wrong == []


def pages(peer: Peer, chat: int) -> list[Json]:
    """Finished pages: pictures with buttons under them."""
    return [m for m in peer.shown(chat) if "photo" in m and "Redraw" in labels(m)]


def labels(message: Json) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", ())
    return [button["text"] for row in rows for button in row]


async def drawn_story(peer: Peer, user: User) -> Json:
    """A page of the story, drawn after a whole script was pasted."""
    user.says(SCRIPT)
    await peer.until_says(user.id, "Panels (3 of at most")
    user.presses("Draw")
    return (await peer.until(lambda: pages(peer, user.id)))[0]


def test_a_pasted_script_becomes_a_page_that_can_be_changed_and_shared(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, inkwell(peer, tmp_path):
            ann, bob = peer.person("Ann"), peer.person("Bob")
            page = await drawn_story(peer, ann)
            assert "Tom" in page["caption"]
            await peer.until_says(ann.id, "Number 1 is drawn")
            ann.presses("Redraw")
            await peer.until_says(ann.id, "Which panel shall be drawn anew?")
            ann.presses("2")
            await peer.until(lambda: len(pages(peer, ann.id)) == 2)
            ann.presses("Meme")
            await peer.until_says(ann.id, "Which panel?")
            ann.presses("1")
            await peer.until_says(ann.id, "Words at the top")
            ann.says("It compiles")
            await peer.until_says(ann.id, "Words at the bottom")
            ann.presses("Skip")
            await peer.until_says(ann.id, "Words in a bar above")
            count = len(peer.requests("sendPhoto"))
            ann.presses("Skip")
            await peer.until(lambda: len(peer.requests("sendPhoto")) > count)
            ann.presses("Share")
            await peer.until_says(ann.id, "Who shall be able to see this story?")
            ann.presses("Everyone")
            shared = await peer.until_says(ann.id, "https://t.me/inkwell_bot?start=story_")
            start = shared["text"].rpartition("?start=")[2].split()[0]
            bob.says(f"/start {start}")
            await peer.until(lambda: any("photo" in m for m in peer.shown(bob.id)))
            query = ann.asks_inline("Tom")
            await peer.until(lambda: query in peer.inline_answers)
            assert len(peer.inline_answers[query].json("results")) >= 2

    asyncio.run(run())


def test_a_page_that_may_have_arrived_is_offered_again_and_not_sent_twice(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, inkwell(peer, tmp_path):
            ann = peer.person("Ann")
            ann.says(SCRIPT)
            await peer.until_says(ann.id, "Panels (3 of at most")
            peer.faults.append(Fault("sendPhoto", done=True, drop=True))
            ann.presses("Draw")
            await peer.until_says(ann.id, "the connection broke while it was sent")
            assert len(pages(peer, ann.id)) == 1
            ann.presses("Send again")
            await peer.until(lambda: len(pages(peer, ann.id)) == 2)

    asyncio.run(run())


class Failing(Peer):
    """Fails at the edits that come after a page."""

    async def _do(self, asked: Asked) -> Any:
        answer = await super()._do(asked)
        if asked.method == "sendPhoto" and "Redraw" in labels(answer):
            edits = ("editMessageText", "editMessageCaption")
            self.faults += [Fault(edit, 502, "Bad Gateway") for edit in edits for _ in range(9)]
        return answer


def test_a_page_that_came_is_not_announced_as_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_SECONDS", "0.5")  # or there would be no message of its progress

    async def run() -> None:
        async with Failing() as peer, inkwell(peer, tmp_path):
            ann = peer.person("Ann")
            ann.says(SCRIPT)
            await peer.until_says(ann.id, "Panels (3 of at most")
            ann.presses("Draw")
            await peer.until_says(ann.id, "Number 1: ")
            await peer.until(lambda: len(peer.faults) == 16)  # the last words, tried twice
            store = tmp_path / "store" / "inkwell.sqlite3"
            await peer.until(lambda: "drawn" not in states(store))
            assert states(store) == {"delivered": 1}
            assert len(pages(peer, ann.id)) == 1

    asyncio.run(run())


def test_a_message_of_progress_that_is_deleted_comes_back_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_SECONDS", "1")
    monkeypatch.setattr(bot.progress, "EDIT_SECONDS", 0.1)

    async def run() -> None:
        async with Peer() as peer, inkwell(peer, tmp_path):
            ann = peer.person("Ann")
            ann.says(SCRIPT)
            await peer.until_says(ann.id, "Panels (3 of at most")
            ann.presses("Draw")
            first = await peer.until_says(ann.id, "Number 1: ")
            del peer.messages[(ann.id, first["message_id"])]
            second = await peer.until_says(ann.id, "Number 1: ")
            await peer.until_says(ann.id, "Number 1 is drawn")
            last = [text for text in peer.texts(ann.id) if text.startswith("Number 1")]
            assert len(last) == 1
            assert second in peer.shown(ann.id)
            assert len(pages(peer, ann.id)) == 1

    asyncio.run(run())


def test_a_page_for_a_group_that_threw_the_bot_out_stays_with_its_owner(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, inkwell(peer, tmp_path):
            ann, room = peer.person("Ann"), peer.group()
            ann.says("/start")
            await peer.until_says(ann.id, "Hello!")
            ann.says(SCRIPT, room=room)
            await peer.until_says(room.id, "Panels (3 of at most")
            peer.faults.append(Fault("sendPhoto", 403, "Forbidden: bot was kicked from the group"))
            ann.presses("Draw", room)
            await peer.until(lambda: not peer.faults)
            ann.says("/story_show")
            await peer.until(lambda: any("photo" in m for m in peer.shown(ann.id)))

    asyncio.run(run())


# Each command as it is typed, and what is said; "!": something that it refuses.
TALK = (
    ("/story_new Tabs and spaces", "Tabs and spaces"),
    ("!/story_draw", "there is nothing to draw yet"),
    ("/story_add [Tom] a man\n[Tom] walks #Hello", "Panels (1 of at most"),
    ("!/story_add walks with [Tim]", "nobody is called [Tim]"),
    ("/story_add [Tom] sits", "Panels (2 of at most"),
    ("/story_edit 1 [Tom] runs #Hello", "[Tom] runs"),
    ("!/story_edit 9 [Tom] runs", "there is no panel 9"),
    ("/story_move 1 2", "1. [Tom] sits"),
    ("!/story_move 1 9", "there is no"),
    ("/story_undo", "1. [Tom] runs"),
    ("!/story_redraw 1", "is not drawn yet"),
    ("/story_caption 1 Good bye", "#Good bye"),
    ("!/story_caption 9 Good bye", "there is no panel 9"),
    ("/story_draw", "Tabs and spaces"),  # what is drawn at once has no message of its progress
    ("/story_animate", "Tabs and spaces, moving"),
    ("!/story_animate to=9", "there is no panel 9"),
    ("/story_redraw 2", "panel 2 is drawn anew"),
    ("!/story_cancel 2", "is over already"),
    ("/story_list", "Your stories; a button shows one:"),
    ("!/story_list Nothing", "None of your stories is called so."),
    ("/story_export zip", "Here you are."),
    ("!/story_export format=doc", "cannot be"),
    ("/story_share everyone", "Everyone who knows its name can see it now."),
    ("!/story_share with=friends", "cannot be"),
    ("/story_remix", "after “Tabs and spaces”"),
    ("!/story_remix Other", "there is no such story"),
    ("/story_continue Tabs", "This goes on from"),
    ("!/story_continue Other", "there is no such story"),
    ("/story_show Tabs", "Tabs and spaces"),
    ("!/story_show Other", "there is no such story"),
    ("/story_delete Tabs", "with all its pictures, for ever?"),
    ("!/story_delete Other", "there is no such story"),
    ("/character_new Mia | a tall woman", "Mia is saved."),
    ("!/character_new Mia | another one", "Mia is taken"),
    ("/character_list", "[Mia] a tall woman"),
    ("/character_show Mia", "Mia in four poses. Use the name"),
    ("!/character_show Max", "there is no such character"),
    ("/character_edit Mia | Maja", "Maja is changed."),
    ("!/character_edit Maja", "say what to change"),
    ("/character_share Maja with=everyone", "Everyone can use Maja now."),
    ("!/character_share Max", "there is no such character"),
    ("/character_delete Maja", "Delete Maja for ever"),
    ("!/character_delete Max", "there is no such character"),
    ("!/meme panel=9 words=Hello", "the story has no panels yet"),
    ("/queue", "You are not waiting for anything."),
    ("/quota", "Today you have used"),
    ("!/settings", "these are the settings of a server"),
    ("/privacy", "What I keep about you"),
    ("/forget", "Delete everything of yours for ever"),
    ("/language zh", "中文"),
    ("!/language klingon", "klingon"),
    ("/language en", "From now on I speak English with you."),
    ("/help meme", "/meme: "),
    ("!/help dance", "there is no command"),
    ("!/dance", "there is no command"),
)


def test_every_command_works_and_says_what_it_refuses(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, inkwell(peer, tmp_path):
            ann = peer.person("Ann")
            for typed, words in TALK:
                before = {id(m): dict(m) for m in peer.shown(ann.id)}
                ann.says(typed.removeprefix("!"))

                def is_said(before: dict[int, Json] = before, words: str = words) -> bool:
                    new = [m for m in peer.shown(ann.id) if before.get(id(m)) != m]
                    texts = [m.get("text") or m.get("caption", "") for m in new]
                    return any(words.casefold() in text.casefold() for text in texts)

                await peer.until(is_said)
            ann.says("/meme It works | on my machine", photo=picture("cat"))
            await peer.until(lambda: "photo" in peer.shown(ann.id)[-1])
            room = peer.group()
            room.admins.append(administrator(ann.json))
            ann.says("/settings style=noir", room=room)
            await peer.until_says(ann.id, "Style of new stories: noir")

    typed = {words.lstrip("!/").split()[0].replace("_", " ", 1) for words, _ in TALK}
    assert {command.info.name for command in COMMANDS} <= typed
    asyncio.run(run())


def test_a_photo_with_a_name_becomes_a_character(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, inkwell(peer, tmp_path):
            ann = peer.person("Ann")
            ann.says("[Tom] a young programmer", photo=picture("Tom"))
            await peer.until_says(ann.id, "Tom is saved.")
            ann.says("[Mia]", photo=picture("Mia"))
            await peer.until_says(ann.id, "What the character looks like")
            ann.says("a tall woman")
            await peer.until_says(ann.id, "Mia is saved.")
            ann.says("/story_new")
            await peer.until_says(ann.id, "Type one line at a time")
            ann.says("[Max] a boy", photo=picture("Max"))
            await peer.until_says(ann.id, "[Max] a boy ★")

    asyncio.run(run())
