"""The bot as a whole, as a process: it starts, stops and starts again without losing anything."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bench.askers import ask, title
from bench.bot_process import BotProcess, is_whole, states
from bench.web_client import Visitor, pages_in, presses
from bot.chat import Call, Person, Place, Reply
from bot.inkwell import Inkwell
from bot.serve import Gate, keep_house
from tests.bot.stage import Stage, perform

SLOW = {"TOY_SECONDS": "0.5"}  # a panel; a story has four


async def page(visitor: Visitor, room: str, number: int) -> None:
    """Waits for the page of a story."""
    async with asyncio.timeout(60):
        while not pages_in(await visitor.messages(room), title(number)):
            await asyncio.sleep(0.1)


async def until(bot: BotProcess, state: str) -> None:
    async with asyncio.timeout(30):
        while state not in states(bot.database):
            await asyncio.sleep(0.05)


def test_a_stop_waits_for_the_drawing_at_hand_and_its_delivery(tmp_path: Path) -> None:
    async def act() -> None:
        bot = BotProcess(tmp_path, SLOW)
        await bot.start()
        visitor = Visitor(bot.address)
        try:
            await ask(visitor, 0)
            await until(bot, "drawing")
            assert await bot.stop() == 0
        finally:
            await visitor.close()
        assert states(bot.database) == {"delivered": 1}
        assert is_whole(bot.database)

    asyncio.run(act())


def test_what_takes_too_long_is_drawn_after_the_next_start_and_old_buttons_work(
    tmp_path: Path,
) -> None:
    async def act() -> None:
        bot = BotProcess(tmp_path, {**SLOW, "INKWELL_LIMITS_STOP_SECONDS": "0"})
        await bot.start()
        visitor = Visitor(bot.address)
        try:
            room = await ask(visitor, 0)
            await until(bot, "drawing")
            assert await bot.stop() == 0
            assert states(bot.database) == {"waiting": 1}
            await bot.start()
            await page(visitor, room, 0)
            before = await visitor.messages(room)
            await bot.kill()
            await bot.start()
            await visitor.call(room, press=presses(before, "memes")[0])
            assert len(await visitor.messages(room)) > len(before)
        finally:
            await visitor.close()
            await bot.stop()

    asyncio.run(act())


def test_a_second_bot_on_the_same_store_says_so_and_ends(tmp_path: Path) -> None:
    async def act() -> None:
        first, second = BotProcess(tmp_path), BotProcess(tmp_path)
        await first.start()
        try:
            with pytest.raises(RuntimeError, match="in use by another Inkwell"):
                await second.start()
        finally:
            await first.stop()

    asyncio.run(act())


def test_the_bot_has_loaded_no_torch_and_little_memory(tmp_path: Path) -> None:
    async def act() -> None:
        bot = BotProcess(tmp_path)
        await bot.start()
        try:
            assert bot.process is not None
            maps = Path(f"/proc/{bot.process.pid}/maps")
            if maps.exists():
                assert "libtorch" not in maps.read_text(encoding="utf-8")
            assert bot.megabytes() < 200
        finally:
            await bot.stop()

    asyncio.run(act())


def test_while_it_stops_a_call_is_told_to_come_again(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        from bot.config import Config

        bot = Inkwell(
            stage.database, stage.pictures, stage.people, stage.stories, stage.characters,
            stage.ledger, Config(),
        )  # fmt: skip
        gate = Gate(bot)
        call = Call(Person("test", "ann", "Ann", "zh"), Place("test", "here"), "help")
        assert "启动" not in "".join(reply.text for reply in await gate.answer(call))
        gate.is_open = False
        [reply] = await gate.answer(call)
        assert isinstance(reply, Reply)
        assert "重新启动" in reply.text
        assert await gate.suggest(call, "story", "") == ()

    perform(tmp_path, act)


def test_housekeeping_that_stumbles_is_logged_and_goes_on_until_it_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.serve.HOUSEKEEPING_SECONDS", 0.01)
    stray = tmp_path / "pictures" / "00" / ("0" * 64)

    async def act(stage: Stage) -> None:
        stray.parent.mkdir(parents=True)
        stray.write_bytes(b"of no use")
        os.utime(stray, (0, 0))
        async with stage.database.tx() as db:
            await db.execute("ALTER TABLE spent_days RENAME TO elsewhere")
        keeping = asyncio.create_task(keep_house(stage.ledger, stage.pictures))
        async with asyncio.timeout(10):
            while "no such table: spent_days" not in caplog.text:
                await asyncio.sleep(0.01)
        assert stray.exists()
        async with stage.database.tx() as db:
            await db.execute("ALTER TABLE elsewhere RENAME TO spent_days")
        async with asyncio.timeout(10):
            while stray.exists():
                await asyncio.sleep(0.01)
        keeping.cancel()
        await asyncio.wait((keeping,), timeout=5)
        assert keeping.cancelled()

    perform(tmp_path, act)
