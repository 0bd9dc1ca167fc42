"""The engine as the bot sees it: real processes and sockets; only the painting is a fake."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

import bot.artist
import bot.child
from bot.artist import Engine, EngineDied, EngineDown, in_words, note_in_words
from bot.config import EngineConfig
from engine.request import (
    CharacterRequest,
    Done,
    DrawRequest,
    EngineError,
    Event,
    Note,
    PanelDrawn,
    PanelRequest,
    Progress,
)

ROOT = Path(__file__).parents[2]

# An engine whose pictures hold the id of its process; the words of the first panel steer it.
FAKE = """
import os, sys, time
from engine.app import main
from engine.request import *

def draw(request):
    words = request.panels[0].text
    total = request.steps or 3
    yield Progress("loading", 0, 1)
    yield Progress("loading", 1, 1)
    for number in range(total):
        time.sleep(0.02 if "slow" in words else 0)
        yield Progress("steps", number + 1, total)
        if "hang" in words:
            time.sleep(1000)
        if "fail" in words:
            raise EngineError("no " + words, "memory")
    png = str(os.getpid()).encode()
    yield PanelDrawn(0, os.urandom(12_000_000) if "large" in words else png)
    yield Done(0.5)

main(sys.argv[1:], draw)
"""


def story(words: str = "", steps: int = 3) -> DrawRequest:
    return DrawRequest((CharacterRequest("Tom", ""),), (PanelRequest(words, ()),), steps=steps)


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    path = tmp_path / "fake_engine.py"
    path.write_text(FAKE)
    return path


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.child, "LONGEST_PAUSE", 0.3)


@asynccontextmanager
async def running(fake: Path, **settings: object) -> AsyncGenerator[Engine]:
    engine = Engine(EngineConfig.model_validate(settings), program=(str(fake),))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def events(engine: Engine, request: DrawRequest) -> list[Event]:
    return [event async for event in engine.draw(request)]


async def begin(engine: Engine, request: DrawRequest) -> AsyncGenerator[Event]:
    """The story, once its first step is taken."""
    drawing = engine.draw(request)
    async for event in drawing:
        if isinstance(event, Progress) and event.stage == "steps":
            break
    return drawing


async def painter(engine: Engine) -> int:
    """Draws a story, and says which process has done it."""
    drawn = await events(engine, story())
    assert isinstance(drawn[-1], Done)
    return next(int(event.png) for event in drawn if isinstance(event, PanelDrawn))


def run(test: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 120))


def test_a_story_is_drawn_by_a_process_that_is_started_for_it(fake: Path) -> None:
    async def test() -> None:
        async with running(fake) as engine:
            drawn = await events(engine, story())
            assert [e for e in drawn if isinstance(e, Progress) and e.stage == "steps"] == [
                Progress("steps", n, 3) for n in (1, 2, 3)
            ]
            assert drawn[-1] == Done(0.5)
            assert engine.healthy
            health = await engine.health()
            assert health == {"ready": True, "busy": False, "model": "house", "device": "auto"}
            pid = await painter(engine)
            assert pid != os.getpid()
        assert not engine.healthy
        assert not psutil.pid_exists(pid)

    run(test())


def test_a_picture_of_many_megabytes_comes_through(fake: Path) -> None:
    async def test() -> None:
        async with running(fake) as engine:
            drawn = await events(engine, story("large"))
            assert [len(e.png) for e in drawn if isinstance(e, PanelDrawn)] == [12_000_000]

    run(test())


def test_killed_while_it_draws_it_has_died_and_another_one_draws_on(fake: Path) -> None:
    async def test() -> None:
        async with running(fake) as engine:
            pid = await painter(engine)
            drawing = await begin(engine, story("slow", 500))
            psutil.Process(pid).kill()
            with pytest.raises(EngineDied) as died:
                async for _ in drawing:
                    pass
            assert "broke off" in died.value.why
            assert await painter(engine) != pid

    run(test())


def test_killed_again_and_again_at_any_moment_it_always_comes_back(fake: Path) -> None:
    moments = random.Random(7)

    async def test() -> None:
        async with running(fake) as engine:
            ends: list[type[Exception]] = []
            for _ in range(6):
                assert await engine.ready(60)
                assert engine._child is not None
                assert engine._child.process is not None
                process = psutil.Process(engine._child.process.pid)
                asyncio.get_running_loop().call_later(moments.random() / 5, process.kill)
                try:
                    await events(engine, story("slow", 50))
                except (EngineDied, EngineDown) as error:
                    ends.append(type(error))
                await asyncio.to_thread(process.wait)
            assert EngineDied in ends
            await painter(engine)

    run(test())


def test_what_hangs_is_ended_and_another_one_draws_on(fake: Path) -> None:
    async def test() -> None:
        async with running(fake, watchdog_seconds=1) as engine:
            pid = await painter(engine)
            with pytest.raises(EngineDied, match="broke off") as died:
                await events(engine, story("hang"))
            assert "silent" in died.value.why
            assert await painter(engine) != pid
            assert not psutil.pid_exists(pid)

    run(test())


def test_a_story_that_only_waited_is_not_to_blame(fake: Path) -> None:
    async def test() -> None:
        async with running(fake) as engine:
            pid = await painter(engine)
            first = await begin(engine, story("slow", 500))
            second = engine.draw(story())
            assert await anext(second) == Progress("waiting", 0, 1)
            psutil.Process(pid).kill()
            with pytest.raises(EngineDown):
                await anext(second)
            with pytest.raises(EngineDied):
                async for _ in first:
                    pass

    run(test())


def test_a_drawing_that_is_closed_stops_in_the_engine_too(fake: Path) -> None:
    async def test() -> None:
        async with running(fake) as engine:
            pid = await painter(engine)
            drawing = await begin(engine, story("slow", 1000))
            assert (await engine.health() or {})["busy"]
            await drawing.aclose()
            assert await painter(engine) == pid

            async def draw() -> None:
                async with aclosing(engine.draw(story("slow", 1000))) as drawing:
                    async for _ in drawing:
                        pass

            task = asyncio.create_task(draw())
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await painter(engine) == pid

    run(test())


def test_what_the_engine_refuses_has_its_reason_in_every_language(fake: Path) -> None:
    async def test() -> None:
        async with running(fake) as engine:
            with pytest.raises(EngineError, match="no fail") as failed:
                await events(engine, story("fail"))
            words = in_words(failed.value)
            assert "too little memory" in str(words)
            assert "内存" in words.say("zh")
            with pytest.raises(EngineError, match="steps") as refused:
                await events(engine, story(steps=-1))
            assert in_words(refused.value).say("zh").startswith("这个画不了")
            await painter(engine)

    run(test())


def test_stopping_gives_the_story_back_and_leaves_nothing(fake: Path) -> None:
    async def test() -> None:
        async with running(fake) as engine:
            pid = await painter(engine)
            folder = engine._folder
            assert folder is not None
            assert folder.stat().st_mode & 0o777 == 0o700
            drawing = await begin(engine, story("slow", 1000))
            await engine.stop()
            with pytest.raises(EngineDown):
                async for _ in drawing:
                    pass
            assert not psutil.pid_exists(pid)
            assert not folder.exists()

    run(test())


def test_the_socket_can_be_named(fake: Path, tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "here.sock"
        async with running(fake, socket=str(path)) as engine:
            await painter(engine)
            assert path.is_socket()

    run(test())


def test_what_never_starts_is_down_and_is_not_started_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.artist, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(bot.child, "LONGEST_PAUSE", 60.0)
    log = tmp_path / "log"
    broken = tmp_path / "broken.py"
    broken.write_text(f"open({str(log)!r}, 'a').write('x'); raise SystemExit(3)")

    async def test() -> None:
        async with running(broken) as engine:
            with pytest.raises(EngineDown, match="not running"):
                await events(engine, story())
            assert not engine.healthy
            assert await engine.health() is None
            assert 1 <= len(log.read_text()) <= 4

    run(test())


def test_the_child_does_not_know_the_settings_of_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKWELL_DISCORD_TOKEN", "secret")
    environment = bot.child.environment()
    assert "secret" not in environment.values()
    assert environment["PATH"] == os.environ["PATH"]


@contextmanager
def started(*command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    process = subprocess.Popen(
        [sys.executable, "-P", *command], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_an_engine_that_runs_by_itself_is_used_and_never_started(
    fake: Path, unused_port: int
) -> None:
    url = f"http://127.0.0.1:{unused_port}"

    async def test() -> None:
        async with running(fake, url=url + "/", token=SecretStr("secret")) as engine:
            assert await engine.ready(60)
            pid = await painter(engine)
            assert pid == server.pid
            drawing = await begin(engine, story("slow", 500))
            server.kill()
            with pytest.raises(EngineDied):
                async for _ in drawing:
                    pass
            with pytest.raises(EngineDown):
                await events(engine, story())

    async def wrong_token() -> None:
        async with running(fake, url=url, token=SecretStr("secret")) as engine:
            assert await engine.ready(60)
        async with running(fake, url=url, token=SecretStr("guess")) as engine:
            assert not await engine.ready(0.5)
            engine._up.set()  # as if it had been let in before
            with pytest.raises(EngineDown) as down:
                await events(engine, story())
            assert "token" in down.value.why

    with started(str(fake), "--port", str(unused_port), INKWELL_ENGINE_TOKEN="secret") as server:
        run(wrong_token())
        run(test())


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_when_the_bot_is_killed_the_engine_ends_too(fake: Path, tmp_path: Path) -> None:
    program = """
import asyncio, sys
from bot.artist import Engine
from bot.config import EngineConfig

async def main():
    engine = Engine(EngineConfig(), program=sys.argv[1:])
    await engine.start()
    await engine.ready(60)
    print(engine._child.process.pid, flush=True)
    await asyncio.sleep(100)

asyncio.run(main())
"""
    with started("-c", program, str(fake), TMPDIR=str(tmp_path)) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        assert psutil.wait_procs([child], timeout=10)[1] == []


def test_the_bots_side_imports_no_torch() -> None:
    program = "import sys, bot.artist, engine.app; print('torch' in sys.modules)"
    with started("-c", program) as process:
        assert process.stdout is not None
        assert process.stdout.read() == "False\n"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "the words of panel 1, 4 are too long"), ("zh", "第 1, 4 格"), (None, "panel 1, 4")],
)
def test_a_note_is_said_in_the_language_of_who_reads_it(language: str | None, words: str) -> None:
    assert words in note_in_words(language, Note("…", "too_long", (0, 3)))


def test_a_note_of_a_kind_that_is_not_known_is_shown_as_it_is() -> None:
    assert note_in_words("zh", Note("the moon is full", "moon")) == "the moon is full"
