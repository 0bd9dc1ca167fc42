"""The real bot on Discord: a whole story, and every command of the table."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, closing
from pathlib import Path

from adapters.discord_chat import DiscordChat
from bot.commands import COMMANDS
from bot.config import Config, LimitsConfig, StoreConfig
from bot.serve import Running, running
from tests.adapters.discord_peer import TOKEN, DiscordPeer, until
from tests.adapters.discord_people import Someone, labels, options_of
from tests.adapters.discord_world import GUILD, Json
from tests.adapters.small_bot import picture

PROGRAM = ("-m", "bench.toy_engine")
SCRIPT = "[Tom] a man\n[Lisa] a woman\n\n[Tom] types #Tom: Tabs!\n[Lisa] looks #Spaces."


@asynccontextmanager
async def inkwell(
    peer: DiscordPeer, folder: Path, *, message_content: bool = True
) -> AsyncIterator[Running]:
    chat = DiscordChat(
        TOKEN, folder / "discord", message_content=message_content,
        api_url=peer.api_url, gateway_url=peer.gateway_url, guild_seconds=0.0,
    )  # fmt: skip
    limits = LimitsConfig(waiting=50, panels_a_day=5000)
    config = Config(store=StoreConfig(folder=folder), limits=limits)
    async with running(config, [chat], program=PROGRAM) as bot:
        yield bot


def thread_of(peer: DiscordPeer) -> str:
    return str(next(c for c in peer.world.channels.values() if c["type"] == 11)["id"])


def pages(peer: DiscordPeer, channel: str) -> list[Json]:
    """Messages with a finished page."""
    return [
        message
        for message in peer.in_channel(channel)
        if any(file["filename"].endswith(".png") for file in message["attachments"])
    ]


def test_a_whole_story_from_its_thread_to_its_page_over_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            ann = Someone(peer)
            async with inkwell(peer, tmp_path):
                await ann.uses("story new", title="Tabs or spaces", layout="classic")
                room = ann.at(thread_of(peer))
                for line in ("[Tom] a man", "[Lisa] a woman", "[Tom] types #Tom: Tabs!"):
                    typed = await room.types(line)
                    await until(lambda typed=typed: typed["reactions"])  # type: ignore[misc]
                wrong = await room.types("[Nobody")
                await until(lambda: "bracket" in peer.in_channel(room.where)[-1]["content"])
                assert wrong["reactions"] == []
                card = peer.in_channel(room.where)[0]
                assert "Tabs!" in card["content"]
                assert "Draw" in labels(card)
            async with inkwell(peer, tmp_path):
                drawn = await room.presses(card, "Draw")
                assert drawn.kind == 6
                await until(lambda: pages(peer, room.where), 30)
                (page,) = pages(peer, room.where)
                assert "<@7>" in page["content"]
                assert "Tom" in page["attachments"][0]["description"]
                assert "Redraw" in labels(page)
                await until(lambda: "Number 1 is drawn" in said(peer, room.where))
                again = await room.presses(page, "Redraw")
                assert again.answers
            assert not peer.problems, "\n".join(peer.problems)

    asyncio.run(bounded(run()))


async def bounded(work: Awaitable[None]) -> None:
    async with asyncio.timeout(100):
        await work


def said(peer: DiscordPeer, channel: str) -> str:
    return "\n".join(message["content"] for message in peer.in_channel(channel))


def test_a_page_is_kept_where_the_bot_was_thrown_out_while_it_drew(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            ann = Someone(peer)
            async with inkwell(peer, tmp_path) as bot:
                await ann.uses("story new", title="Tabs", script=SCRIPT)
                await ann.uses("story draw")
                peer.world.is_member = False
                await peer.gateway.dispatch("GUILD_DELETE", {"id": GUILD})
                job = await bot.ledger.get(1)
                async with asyncio.timeout(30):
                    while job.state not in ("failed", "delivered"):
                        await asyncio.sleep(0.05)
                        job = await bot.ledger.get(1)
                assert pages(peer, thread_of(peer)) == []
                home = ann.in_dm()
                shown = await home.uses("story show")
                assert shown.messages

    asyncio.run(bounded(run()))


def test_a_page_that_discord_may_have_taken_an_hour_ago_is_offered_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            ann = Someone(peer).in_dm()
            async with inkwell(peer, tmp_path):
                await ann.uses("story new", title="Tabs", script=SCRIPT)
                await ann.uses("story draw")
                await until(lambda: pages(peer, ann.where), 30)
            killed_before_it_was_confirmed(tmp_path / "inkwell.sqlite3", time.time() - 3600)
            peer.world.nonce_seconds = 0.0
            async with inkwell(peer, tmp_path):
                await until(lambda: "the connection broke" in said(peer, ann.where))
                assert len(pages(peer, ann.where)) == 1
                await ann.presses(peer.in_channel(ann.where)[-1], "Send again")
                await until(lambda: len(pages(peer, ann.where)) == 2)
            assert not peer.problems, "\n".join(peer.problems)

    asyncio.run(bounded(run()))


def killed_before_it_was_confirmed(database: Path, at: float) -> None:
    """As a kill leaves a page that was being posted."""
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("UPDATE jobs SET state = 'drawn', told = 0")
        db.execute(
            "UPDATE posts SET state = 'sending', message = NULL, nonce = ? || substr(nonce, 9)"
            " WHERE purpose LIKE 'page %'",
            (f"{int(at):08x}",),
        )


# Each command the happy way, and what it refuses. "/forget" is last: it asks first.
Options = dict[str, str | int | bytes]
TABLE: dict[str, tuple[Options, Options | None]] = {
    "story new": ({"title": "Tabs", "script": SCRIPT}, {"title": "x", "script": "[Tom"}),
    "story add": ({"line": "[Tom] sleeps"}, {"line": "[Tom"}),
    "story edit": ({"panel": 1, "line": "[Tom] types #Hi"}, {"panel": 23, "line": "[Tom] x"}),
    "story undo": ({}, {"story": "nope"}),
    "story move": ({"panel": 1, "to": 2}, {"panel": 24, "to": 1}),
    "story caption": ({"panel": 1, "words": "Tom: Hm"}, {"panel": 24, "words": "x"}),
    "story draw": ({}, {"story": "nope"}),
    "story animate": ({"what": "page"}, {"to": 24}),
    "story cancel": ({}, {"number": 999}),
    "story redraw": ({"panel": 1}, {"panel": 24}),
    "story show": ({}, {"story": "nope"}),
    "story list": ({}, None),
    "story share": ({"with_": "server"}, {"with_": "server", "story": "nope"}),
    "story export": ({"format": "zip"}, {"story": "nope"}),
    "story continue": ({}, {"story": "nope"}),
    "story remix": ({"story": "Tabs"}, {"story": "nope"}),
    "story delete": ({}, {"story": "nope"}),
    "character new": (
        {"name": "Bob", "description": "a bear", "picture": picture("Bob")},
        {"name": "[]", "description": "a bear"},
    ),
    "character list": ({}, None),
    "character show": ({"character": "Bob"}, {"character": "Nobody"}),
    "character edit": ({"character": "Bob", "description": "a big bear"}, {"character": "Bob"}),
    "character share": ({"character": "Bob", "with_": "server"}, {"character": "Nobody"}),
    "character delete": ({"character": "Bob"}, {"character": "Nobody"}),
    "meme": ({"picture": picture("x"), "top": "Ha"}, {"picture": b"none", "top": "Ha"}),
    "queue": ({}, None),
    "quota": ({}, None),
    "settings": ({"daily_cap": 5}, None),
    "language": ({"to": "en"}, None),
    "privacy": ({}, None),
    "help": ({}, {"command": "nope"}),
    "forget": ({}, None),
}


def test_every_command_the_happy_way_and_what_it_refuses(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            ann = Someone(peer, permissions=str(1 << 5)).in_dm()
            async with inkwell(peer, tmp_path):
                for name in sorted(TABLE, key=lambda n: n == "story delete"):
                    happy, refused = TABLE[name]
                    who = Someone(peer, permissions=str(1 << 5)) if name == "settings" else ann
                    answer = await who.uses(name, **happy)
                    assert answer.answers, name
                    assert "broken" not in answer.text, name
                    if name == "story draw":
                        await until(lambda: pages(peer, ann.where), 30)
                    if refused is not None:
                        wrong = await who.uses(name, **refused)
                        assert wrong.private == [True], (name, wrong.text)
                        assert "broken" not in wrong.text, name
            assert not peer.problems, "\n".join(peer.problems)

    asyncio.run(bounded(run()))


def test_the_table_names_every_command() -> None:
    assert {command.info.name for command in COMMANDS} <= TABLE.keys()


def test_every_command_is_native_and_within_the_limits_of_discord(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            async with inkwell(peer, tmp_path, message_content=False):
                for command in COMMANDS:
                    info = command.info
                    named = {one["name"]: one for one in options_of(peer, info.name)}
                    assert set(named) == {option.name for option in info.options}
                menus = [one["name"] for one in peer.world.commands if one["type"] == 3]
                assert menus == ["Make meme", "Use as character"]
                settings = next(c for c in peer.world.commands if c["name"] == "settings")
                assert int(settings["default_member_permissions"]) == 1 << 5
                assert (settings["contexts"], settings["integration_types"]) == ([0], [0])
                for one in peer.world.commands:
                    assert letters(one) <= 8_000
            assert not peer.problems, "\n".join(peer.problems)

    asyncio.run(bounded(run()))


def letters(command: Json) -> int:
    """Characters of a command's names and descriptions, the longest language of each."""
    own = 0
    for field in ("name", "description"):
        texts = [command.get(field) or "", *(command.get(f"{field}_localizations") or {}).values()]
        own += max(map(len, texts))
    choices = command.get("choices") or ()
    own += sum(len(str(c["name"])) + len(str(c["value"])) for c in choices)
    return own + sum(letters(option) for option in command.get("options") or ())


def test_a_character_is_asked_for_in_a_form_with_a_picture(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            ann = Someone(peer)
            async with inkwell(peer, tmp_path):
                asked = await ann.uses("character new")
                fields = [label["component"] for label in asked.modal["components"]]
                names = [field["custom_id"] for field in fields]
                assert names == ["name", "description", "picture"]
                saved = await ann.fills(
                    asked, name="Bob", description="a bear", picture=picture("Bob")
                )
                assert "Bob" in saved.text
                photo = await ann.types("look at her", photo=picture("Eve"))
                asked = await ann.chooses(photo, "Use as character")
                saved = await ann.fills(asked, name="Eve", description="a fox")
                assert "Eve" in saved.text
                listed = await ann.uses("character list")
                assert "Bob" in listed.text
                assert "Eve" in listed.text

    asyncio.run(bounded(run()))


def test_forgetting_somebody_leaves_nothing_of_them_in_the_chat_s_own_file(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            ann = Someone(peer)
            async with inkwell(peer, tmp_path):
                await ann.uses("story new", title="Tabs", script=SCRIPT)
                assert kept(tmp_path) != []
                asked = await ann.uses("forget")
                await ann.presses(asked.messages[0], "Delete everything")
            assert kept(tmp_path) == []

    asyncio.run(bounded(run()))


def kept(folder: Path) -> list[object]:
    """What the chat's own file holds of people."""
    with closing(sqlite3.connect(folder / "discord" / "discord.sqlite3")) as db:
        tables = ("cards", "rooms", "kept", "mail", "locales")
        return [row for table in tables for row in db.execute(f"SELECT * FROM {table}")]
