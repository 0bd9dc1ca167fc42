"""How commands are read as they are typed on Telegram, and what fits into its sizes."""

from __future__ import annotations

import asyncio
import time

import pytest

from adapters.telegram_commands import group_of, menu, named, read_command, read_options
from adapters.telegram_native import native
from adapters.telegram_pace import Pace
from adapters.telegram_text import cut, keyboard, split, units
from bot.chat import Button
from bot.commands import COMMANDS
from bot.inkwell import say
from tests.adapters.telegram_stage import TalkingBot

INFOS = [command.info for command in COMMANDS]


@pytest.mark.parametrize(
    ("typed", "name", "options"),
    [
        ("/story_new", "story new", {}),
        ("/story_new Tabs", "story new", {"title": "Tabs"}),
        ("/story_new Tabs\n[Tom] a\n\n[Tom] b", "story new",
         {"title": "Tabs", "script": "[Tom] a\n\n[Tom] b"}),
        ("/story_new\n[Tom] a\n\n[Tom] b", "story new", {"script": "[Tom] a\n\n[Tom] b"}),
        ("/story_new title=Tabs style=noir", "story new", {"title": "Tabs", "style": "noir"}),
        ("/story new Tabs", "story new", {"title": "Tabs"}),
        ("/story_add [Tom] a | b #at: last", "story add", {"line": "[Tom] a | b #at: last"}),
        ("/story_edit 2 [Tom] runs", "story edit", {"panel": 2, "line": "[Tom] runs"}),
        ("/story_move 1 3", "story move", {"panel": 1, "to": 3}),
        ("/story_redraw two", "story redraw", {"panel": "two"}),
        ("/story_cancel 12", "story cancel", {"number": 12}),
        ("/story_export cbz", "story export", {"format": "cbz"}),
        ("/story show story:k3vq7mzt2a", "story show", {"story": "k3vq7mzt2a"}),
        ("/character_new Mia | a tall woman", "character new",
         {"name": "Mia", "description": "a tall woman"}),
        ("/character_new Mia\na tall woman", "character new",
         {"name": "Mia", "description": "a tall woman"}),
        ("/meme Tom: when it is green", "meme", {"words": "Tom: when it is green"}),
        ("/meme When | Then", "meme", {"top": "When", "bottom": "Then"}),
        ("/meme top=When bottom＝Then", "meme", {"top": "When", "bottom": "Then"}),
        ("/settings daily_cap=-1", "settings", {"daily_cap": -1}),
        ("/settings daily_cap=many", "settings", {"daily_cap": "many"}),
        ("/language klingon", "language", {"to": "klingon"}),
        ("/queue please", "queue", {}),
    ],
)  # fmt: skip
def test_a_line_becomes_a_command_and_its_options(
    typed: str, name: str, options: dict[str, object]
) -> None:
    read = read_command(typed)
    assert read is not None
    meant = named(INFOS, read)
    assert meant is not None
    info, rest = meant
    assert (info.name, read_options(rest, info)) == (name, options)


@pytest.mark.parametrize("text", ["story new", "/", "/ story", "/story-new", "http://a/b", ""])
def test_other_texts_are_no_commands(text: str) -> None:
    assert read_command(text) is None


def test_a_first_word_alone_stands_for_its_group() -> None:
    assert {info.name for info in group_of(INFOS, "character")} >= {"character new"}
    assert group_of(INFOS, "queue") == []


@pytest.mark.parametrize("language", [None, "zh"])
def test_every_command_is_in_the_menu_within_telegrams_limits(language: str | None) -> None:
    shown = menu(TalkingBot(commands=INFOS), language, manager=True)
    assert len(shown) == len(INFOS) + 1 <= 100
    assert all(1 <= len(one.command) <= 32 for one in shown)
    assert all(3 <= len(one.description) <= 256 for one in shown)


def test_what_the_bot_says_of_commands_can_be_tapped() -> None:
    text = native(say("en", "commands.hint"), INFOS, "inkwell_bot")
    assert "/story_new" in text
    assert "/story new" not in text
    shared = native(say("zh", "story.shared_how", id="k3vq7mzt2a"), INFOS, "inkwell_bot")
    assert "https://t.me/inkwell_bot?start=story_k3vq7mzt2a" in shared


def test_texts_are_cut_by_utf_16_units() -> None:
    assert units("a🎉") == 3
    assert cut("🎉" * 10, 5) == "🎉🎉…"
    pieces = split("🎉" * 5000, 4096)
    assert "".join(pieces) == "🎉" * 5000
    assert all(units(piece) <= 4096 for piece in pieces)
    assert split("one two three", 8) == ["one two", "three"]
    assert split(" \n ") == []


def test_a_direct_message_takes_a_burst_and_then_one_a_second() -> None:
    async def asked() -> bool:
        return True

    async def send(pace: Pace, count: int, method: str = "sendMessage") -> float:
        began = time.monotonic()
        data = {"chat_id": 7}
        requests = [pace.process_request(asked, (), {}, method, data, None) for _ in range(count)]
        assert all(await asyncio.gather(*requests))
        return time.monotonic() - began

    async def run() -> None:
        pace = Pace(burst=3)
        assert await send(pace, 3) < 0.5
        assert await send(pace, 5, "deleteMessage") < 0.5
        assert 0.8 < await send(pace, 1) < 2

    asyncio.run(run())


def test_at_most_eight_buttons_a_row_and_a_hundred_in_all() -> None:
    rows = [[Button(str(n), f"n:{n}") for n in range(20)] for _ in range(6)]
    shown = keyboard(rows)
    assert shown is not None
    assert max(len(row) for row in shown.inline_keyboard) == 8
    assert sum(len(row) for row in shown.inline_keyboard) <= 100
    assert keyboard(()) is None
