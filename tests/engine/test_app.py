"""The engine as a server, over real sockets: in this process, and as one of its own."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import psutil
import pytest
import uvicorn

import engine.app
import engine.easel
from engine.app import build_app, listen, load, read_options
from engine.easel import DEVICE_LOST, DrawStory, Easel
from engine.request import (
    CharacterRequest,
    Done,
    DrawRequest,
    EngineError,
    Event,
    Failed,
    Note,
    PanelDrawn,
    PanelRequest,
    Preview,
    Progress,
    event_from_line,
)
from engine.story import draw_story, ready_artist

ROOT = Path(__file__).parents[2]
TOM = CharacterRequest("Tom", "a man typing")
STORY = DrawRequest((TOM,), (PanelRequest("[Tom] a park", ("Tom",)),), steps=3, size=64)


class Quiet(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Client:
    """Speaks with one server on a unix socket."""

    def __init__(self, path: Path, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connector = aiohttp.UnixConnector(str(path), force_close=True)
        self.session = aiohttp.ClientSession("http://engine", connector=connector, headers=headers)

    async def health(self) -> dict[str, object]:
        async with self.session.get("/health") as response:
            return dict(await response.json())

    async def post(self, body: str | bytes) -> tuple[int, str]:
        async with self.session.post("/draw", data=body) as response:
            return response.status, await response.text()

    async def draw(self, request: DrawRequest) -> AsyncGenerator[Event]:
        async with self.session.post("/draw", data=request.to_json()) as response:
            assert response.content_type == "application/x-ndjson"
            async for line in response.content:
                yield event_from_line(line)

    async def events(self, request: DrawRequest) -> list[Event]:
        return [event async for event in self.draw(request)]

    async def begin(self, request: DrawRequest) -> AsyncGenerator[Event]:
        """The story, once its first step is taken."""
        events = self.draw(request)
        async for event in events:
            if isinstance(event, Progress) and event.stage == "steps":
                break
        return events

    async def until_idle(self) -> None:
        async with asyncio.timeout(20):
            while (await self.health())["busy"]:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(easel: Easel, path: Path, token: str = "") -> AsyncGenerator[Client]:
    settings = uvicorn.Config(
        build_app(easel, token=token), log_level="error", lifespan="off",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = Quiet(settings)
    socket = listen(read_options(["--socket", str(path)]))
    task = asyncio.create_task(server.serve(sockets=[socket]))
    client = Client(path, token)
    try:
        yield client
    finally:
        await client.session.close()
        server.should_exit = True
        await task


def served(
    draw: DrawStory | Easel, path: Path, test: Callable[[Client], Coroutine[None, None, None]]
) -> None:
    """Runs the test with a client of a server that draws so."""

    async def run() -> None:
        easel = draw if isinstance(draw, Easel) else Easel(draw)
        async with serving(easel, path / "engine.sock") as client:
            await test(client)

    asyncio.run(run())


class Painter:
    """Draws nothing, slowly; `steps` counts all steps that it took."""

    def __init__(self, seconds: float = 0.02) -> None:
        self.steps, self.closed, self._seconds = 0, 0, seconds

    def __call__(self, request: DrawRequest) -> Generator[Event]:
        total = request.steps or 3
        try:
            for number in range(total):
                time.sleep(self._seconds)
                self.steps += 1
                yield Progress("steps", number + 1, total)
            yield PanelDrawn(0, b"png")
            yield Done(1.5)
        finally:
            self.closed += 1


def test_a_story_comes_back_line_by_line(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        assert await client.events(STORY) == [
            Progress("steps", 1, 3), Progress("steps", 2, 3), Progress("steps", 3, 3),
            PanelDrawn(0, b"png"), Done(1.5),
        ]  # fmt: skip

    served(Painter(), tmp_path, test)


def test_the_pictures_are_those_that_the_engine_draws(tmp_path: Path, tiny_sd15: Path) -> None:
    story = replace(STORY, model=str(tiny_sd15), previews=1)
    drawn = [e for e in draw_story(story, device="cpu") if isinstance(e, PanelDrawn)]

    async def test(client: Client) -> None:
        events = await client.events(story)
        assert [e for e in events if isinstance(e, PanelDrawn)] == drawn
        assert sum(isinstance(e, Preview) for e in events) == 2
        assert isinstance(events[-1], Done)

    served(lambda request: draw_story(request, device="cpu"), tmp_path, test)


def test_health_says_whether_it_draws_and_with_what(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        idle = {"ready": True, "busy": False, "model": "house", "device": "cpu"}
        assert await client.health() == idle
        events = await client.begin(replace(STORY, model="sd15", steps=1000))
        assert await client.health() == {**idle, "busy": True, "model": "sd15"}
        await events.aclose()

    served(Easel(Painter(), model="house", device="cpu"), tmp_path, test)


def test_a_closed_connection_stops_at_the_next_step(tmp_path: Path) -> None:
    painter = Painter(0.05)

    async def test(client: Client) -> None:
        events = await client.begin(replace(STORY, steps=1000))
        await events.aclose()
        await client.until_idle()
        assert painter.closed == 1
        assert painter.steps < 20
        assert isinstance((await client.events(STORY))[-1], Done)

    served(painter, tmp_path, test)


def test_a_real_story_stops_too_and_leaves_the_unet_as_it_was(
    tmp_path: Path, tiny_sd15: Path
) -> None:
    story = replace(STORY, model=str(tiny_sd15), steps=1000)
    unet = ready_artist(story.model, "cpu").unet
    before = dict(unet.attn_processors)

    async def test(client: Client) -> None:
        events = await client.begin(story)
        await events.aclose()
        await client.until_idle()
        assert all(unet.attn_processors[n] is p for n, p in before.items())
        assert isinstance((await client.events(replace(story, steps=2)))[-1], Done)

    served(lambda request: draw_story(request, device="cpu"), tmp_path, test)


def test_one_story_is_drawn_at_a_time_and_the_next_is_told_to_wait(tmp_path: Path) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def draw(request: DrawRequest) -> Generator[Event]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.1)
        with lock:
            running -= 1
        yield Done(0)

    async def test(client: Client) -> None:
        stories = await asyncio.gather(*(client.events(STORY) for _ in range(4)))
        assert most == 1
        assert sum(Progress("waiting", 0, 1) in events for events in stories) == 3
        assert all(events[-1] == Done(0) for events in stories)

    served(draw, tmp_path, test)


def test_a_story_that_nobody_waits_for_any_more_is_never_begun(tmp_path: Path) -> None:
    painter = Painter()

    async def test(client: Client) -> None:
        first = await client.begin(replace(STORY, steps=1000))
        second = client.draw(replace(STORY, steps=1000))
        assert await anext(second) == Progress("waiting", 0, 1)
        await second.aclose()
        await asyncio.sleep(0.5)
        await first.aclose()
        await client.until_idle()
        assert painter.closed == 1

    served(painter, tmp_path, test)


def test_who_waits_hears_so_again_and_again_but_who_is_drawn_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.easel, "HEARTBEAT_SECONDS", 0.05)

    async def test(client: Client) -> None:
        first = asyncio.create_task(client.events(replace(STORY, steps=2)))
        await asyncio.sleep(0.1)
        second = await client.events(replace(STORY, steps=1))
        assert second.count(Progress("waiting", 0, 1)) > 2
        assert (await first).count(Progress("steps", 1, 2)) == 1

    served(Painter(0.4), tmp_path, test)


def test_garbage_is_collected_again_after_loading_whatever_comes_of_it() -> None:
    with pytest.raises(EngineError):
        load(Easel(draw_story, model="no such model", device="cpu"), resident=1)
    assert gc.isenabled()


def test_what_is_loaded_first_is_waited_for(tmp_path: Path) -> None:
    loaded = threading.Event()
    easel = Easel(Painter())
    easel.prepare(lambda: loaded.wait(10) and None)

    async def test(client: Client) -> None:
        assert (await client.health())["ready"] is False
        events = client.draw(STORY)
        assert await anext(events) == Progress("waiting", 0, 1)
        loaded.set()
        assert [event async for event in events][-1] == Done(1.5)
        assert (await client.health())["ready"] is True

    served(easel, tmp_path, test)


def test_who_waits_for_what_is_fetched_hears_of_it(tmp_path: Path) -> None:
    loaded = threading.Event()
    easel = Easel(Painter())

    def load() -> None:
        easel.fetching = "fetching a model (7 GB)"
        loaded.wait(10)

    easel.prepare(load)

    async def test(client: Client) -> None:
        events = client.draw(STORY)
        assert await anext(events) == Note("fetching a model (7 GB)", "fetching")
        assert await anext(events) == Progress("waiting", 0, 1)
        loaded.set()
        assert [event async for event in events][-1] == Done(1.5)
        assert easel.fetching == ""

    served(easel, tmp_path, test)


@pytest.mark.parametrize("error", [EngineError("no such model"), ValueError("a bug")])
def test_what_cannot_be_loaded_first_does_not_stop_the_server(
    error: Exception, tmp_path: Path
) -> None:
    def load() -> None:
        raise error

    easel = Easel(Painter())
    easel.prepare(load)

    async def test(client: Client) -> None:
        assert (await client.events(STORY))[-1] == Done(1.5)
        assert (await client.health())["ready"] is True

    served(easel, tmp_path, test)


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (EngineError("no such style"), Failed("no such style", "refused")),
        (EngineError("too large", "memory"), Failed("too large", "memory")),
        (
            ZeroDivisionError("x"),
            Failed("something is broken in the engine (ZeroDivisionError)", "broken"),
        ),
    ],
)
def test_a_story_that_fails_says_why_and_the_next_one_is_drawn(
    error: Exception, failed: Failed, tmp_path: Path
) -> None:
    errors = [error]

    def draw(request: DrawRequest) -> Generator[Event]:
        yield Progress("steps", 1, 2)
        if errors:
            raise errors.pop()
        yield Done(0)

    async def test(client: Client) -> None:
        assert await client.events(STORY) == [Progress("steps", 1, 2), failed]
        assert (await client.events(STORY))[-1] == Done(0)

    served(draw, tmp_path, test)


def test_what_is_not_a_request_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.app, "LARGEST_REQUEST", 1000)
    painter = Painter()

    async def test(client: Client) -> None:
        status, text = await client.post("{}")
        assert status == 400
        assert json.loads(text)["reason"].startswith("this is not a request to draw")
        status, text = await client.post(b"x" * 1001)
        assert (status, json.loads(text)) == (413, {"reason": "the request is too large"})
        async with client.session.get("/draw") as response:
            assert response.status == 405
        assert painter.steps == 0

    served(painter, tmp_path, test)


def test_a_token_is_asked_for_everywhere(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "engine.sock"
        async with serving(Easel(Painter()), path, token="secret") as client:
            assert (await client.events(STORY))[-1] == Done(1.5)
            for token in ("", "secre", "secret2", "señor"):
                other = Client(path, token)
                async with other.session.get("/health") as response:
                    assert response.status == 401
                assert (await other.post(STORY.to_json()))[0] == 401
                await other.session.close()

    asyncio.run(run())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_an_engine_that_others_can_reach_needs_a_token(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("INKWELL_ENGINE_TOKEN", raising=False)
    with pytest.raises(SystemExit):
        read_options(["--host", host])
    assert "INKWELL_ENGINE_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("INKWELL_ENGINE_TOKEN", "secret")
    assert read_options(["--host", host]).host == host


def test_an_old_socket_gives_way_and_the_new_one_is_for_its_user_alone(tmp_path: Path) -> None:
    options = read_options(["--socket", str(tmp_path / "engine.sock")])
    listen(options).close()
    with closing(listen(options)):
        assert stat.S_IMODE(options.socket.stat().st_mode) == 0o600


def test_another_file_does_not_give_way(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        listen(read_options(["--socket", str(path)]))
    assert path.read_text() == "mine"


# -- a process of its own -------------------------------------------------------------------------


@contextmanager
def process(*arguments: object, program: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    how = ["-m", "engine.app"] if program is None else ["-c", program]
    command = [sys.executable, "-P", *how, *map(str, arguments)]
    child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        yield child
    finally:
        child.kill()
        child.wait()


async def answering(path: Path) -> Client:
    async with asyncio.timeout(60):
        while not path.exists():
            await asyncio.sleep(0.05)
        client = Client(path)
        while True:
            try:
                await client.health()
                return client
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


def test_the_engine_as_a_child_draws_and_dies_in_the_middle_of_a_story(
    tmp_path: Path, tiny_sd15: Path
) -> None:
    path = tmp_path / "engine.sock"
    story = replace(STORY, model=str(tiny_sd15))
    options = ("--socket", path, "--device", "cpu", "--model", tiny_sd15, "--parent", os.getpid())

    async def run(child: subprocess.Popen[bytes]) -> None:
        client = await answering(path)
        for number in (signal.SIGINT, signal.SIGTERM):
            child.send_signal(number)  # the parent decides when it ends
        assert isinstance((await client.events(story))[-1], Done)
        health = await client.health()
        assert health == {"ready": True, "busy": False, "model": story.model, "device": "cpu"}
        events = await client.begin(replace(story, steps=1000))
        child.kill()
        with pytest.raises(aiohttp.ClientError):
            async for _ in events:
                pass
        await client.session.close()

    with process(*options) as child:
        asyncio.run(run(child))


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    parent = (
        "import os, subprocess, sys, time;"
        "subprocess.Popen([sys.executable, '-P', '-c', 'from engine.app import main; main("
        "draw=iter)', *sys.argv[1:], '--parent', str(os.getpid())]); time.sleep(100)"
    )
    with process("--socket", path, program=parent) as started:

        async def run() -> None:
            client = await answering(path)
            await client.session.close()

        asyncio.run(run())
        (child,) = psutil.Process(started.pid).children()
        started.kill()
        started.wait()
        assert psutil.wait_procs([child], timeout=10)[1] == []


def test_a_child_whose_parent_is_gone_already_ends_at_once(tmp_path: Path) -> None:
    with process("--socket", tmp_path / "engine.sock", "--parent", 1) as child:
        assert child.wait(timeout=30) == 0
    assert not (tmp_path / "engine.sock").exists()


def test_a_lost_device_ends_the_process_so_that_a_new_one_can_start(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    program = (
        "from engine.app import main; from engine.request import *\n"
        "def draw(request):\n"
        "    yield Progress('steps', 1, 2)\n"
        "    raise DeviceLost('the graphics processor has failed', 'broken')\n"
        "main(draw=draw)"
    )

    async def run() -> None:
        client = await answering(path)
        with pytest.raises(aiohttp.ClientError):
            await client.events(STORY)
        await client.session.close()

    with process("--socket", path, program=program) as child:
        asyncio.run(run())
        assert child.wait(timeout=30) == DEVICE_LOST
