"""The engine as the bot sees it: a request goes in, events come out, or an error says why not.

EngineDown      it cannot be reached; the story was not to blame and can be tried again any time
EngineDied      it ended or hung while it drew this story
EngineError     (of engine.request) it has refused or failed, with a reason
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from bot.child import Child
from bot.config import EngineConfig
from bot.errors import Refusal
from bot.words import say
from engine.model_settings import ModelSettings, model_arguments
from engine.request import (
    AnimateRequest,
    Done,
    DrawRequest,
    EngineError,
    Event,
    Failed,
    Note,
    Progress,
    event_from_line,
)

PATIENCE_SECONDS = 30.0  # for an engine that is just being started
LOOK_SECONDS = 2.0  # between two looks at an engine that runs by itself
CONNECT_SECONDS = 10.0
LINE_BYTES = 1 << 25  # a picture is one line
PROGRAM = ("-m", "engine.app")

logger = logging.getLogger(__name__)


class EngineDown(Refusal):
    """The engine cannot be reached. `why` is for the log."""

    def __init__(self, why: str) -> None:
        super().__init__("engine.down")
        self.why = why


class EngineDied(Refusal):
    """The engine ended, or fell silent and was ended, while it drew. `why` is for the log."""

    def __init__(self, why: str) -> None:
        super().__init__("engine.died")
        self.why = why


class Engine:
    """The engine at `config.url`, or else a process of our own that is kept running."""

    def __init__(
        self,
        config: EngineConfig,
        *,
        models: Mapping[str, ModelSettings] | None = None,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._config, self._program = config, program
        self._models = model_arguments(models or {})
        self._session: aiohttp.ClientSession | None = None
        self._address = config.url or "http://engine"
        self._up = asyncio.Event()
        self._child: Child | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._folder: Path | None = None
        self._stopping = False

    @property
    def healthy(self) -> bool:
        """Whether it answered when it was last asked."""
        return self._up.is_set()

    async def start(self) -> None:
        """Begin to start it, or to look for it; does not wait until it answers."""
        if self._config.url:
            self._session = self._new_session(aiohttp.TCPConnector(force_close=True))
            self._watcher = asyncio.create_task(self._watch())
            return
        path = self._config.socket or self._private_socket()
        self._session = self._new_session(aiohttp.UnixConnector(path, force_close=True))
        config = self._config
        options = (
            "--device", config.device, "--model", config.model, *config.motion.arguments(),
            *config.extras.arguments(), *config.memory.arguments(), *self._models,
        )  # fmt: skip
        program = (*self._program, "--socket", path, "--parent", str(os.getpid()), *options)
        self._child = Child(program, self._answers)
        self._up = self._child.up
        await self._child.start()

    async def stop(self) -> None:
        """End our process. What is being drawn ends with `EngineDown`."""
        self._stopping = True
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
        if self._child is not None:
            await self._child.stop()
        if self._session is not None:
            await self._session.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def ready(self, seconds: float) -> bool:
        """Whether it answers, now or within so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), seconds)
        return self._up.is_set()

    async def health(self) -> Mapping[str, Any] | None:
        """What the engine says of itself: ready, busy, model, device. None: it does not answer."""
        assert self._session is not None, "the engine was never started"
        try:
            async with (
                asyncio.timeout(CONNECT_SECONDS),
                self._session.get(f"{self._address}/health") as response,
            ):
                return dict(await response.json()) if response.ok else None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, TypeError):
            return None

    def draw(self, request: DrawRequest) -> AsyncGenerator[Event]:
        """The events of a story up to `Done`. Closing the generator stops the engine's work.

        Raises `EngineDown`, `EngineDied` or `EngineError`.
        """
        return self._events("draw", request)

    def animate(self, request: AnimateRequest) -> AsyncGenerator[Event]:
        """The events of an animation, in the same way."""
        return self._events("animate", request)

    async def _events(
        self, work: str, request: DrawRequest | AnimateRequest
    ) -> AsyncGenerator[Event]:
        if not await self.ready(PATIENCE_SECONDS):
            raise EngineDown("it does not answer")
        process = self._child.process if self._child else None
        response = await self._ask(work, request, process)
        begun = False
        try:
            while True:
                event = await self._event(response, process, begun)
                if isinstance(event, Failed):
                    raise EngineError(event.reason, event.kind, event.panels)
                begun = begun or not (isinstance(event, Progress) and event.stage == "waiting")
                if isinstance(event, Done) and self._child:
                    self._child.proved()
                yield event
                if isinstance(event, Done):
                    return
        finally:
            response.close()

    async def _ask(
        self, work: str, request: DrawRequest | AnimateRequest, process: Process | None
    ) -> aiohttp.ClientResponse:
        """The response to a request, once its first line is there."""
        assert self._session is not None, "the engine was never started"
        try:
            async with asyncio.timeout(self._config.watchdog_seconds):
                response = await self._session.post(
                    f"{self._address}/{work}", data=request.to_json().encode()
                )
        except TimeoutError:
            self._end(process, "it takes no request")
            raise EngineDown("it takes no request") from None
        except (aiohttp.ClientError, OSError) as error:
            self._end(process, str(error))
            raise EngineDown(str(error)) from error
        if response.status == 200:
            return response
        raise await refused(response)

    async def _event(
        self, response: aiohttp.ClientResponse, process: Process | None, begun: bool
    ) -> Event:
        """The next event; where none comes, the engine is ended and the story is over.

        Only a story that was being drawn can be to blame for that.
        """
        try:
            async with asyncio.timeout(self._config.watchdog_seconds):
                line = await response.content.readline()
            return event_from_line(line)
        except TimeoutError:
            why = f"it has been silent for {self._config.watchdog_seconds:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = f"the connection broke off: {error}"
        self._end(process, why)
        raise EngineDied(why) if begun and not self._stopping else EngineDown(why)

    def _end(self, process: Process | None, why: str) -> None:
        """End the process that we talked to, if it is ours: nothing good comes from it now."""
        if not self._stopping:
            logger.error("the engine is lost: %s", why)
        if self._child is not None:
            self._child.kill(process)

    async def _watch(self) -> None:
        """Keep `healthy` true or false for an engine that runs by itself."""
        while True:
            if await self._answers():
                self._up.set()
            else:
                self._up.clear()
            await asyncio.sleep(LOOK_SECONDS)

    async def _answers(self) -> bool:
        return await self.health() is not None

    def _new_session(self, connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
        token = self._config.token.get_secret_value()
        return aiohttp.ClientSession(
            connector=connector,
            headers={"Authorization": f"Bearer {token}"} if self._config.url and token else {},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            read_bufsize=LINE_BYTES,
        )

    def _private_socket(self) -> str:
        """A path in a folder that only this user can enter."""
        self._folder = Path(tempfile.mkdtemp(prefix="inkwell-"))
        return str(self._folder / "engine.sock")


async def refused(response: aiohttp.ClientResponse) -> Exception:
    """What an answer other than 200 means: the story is wrong, or the engine is not for us."""
    try:
        reason = str(dict(await response.json())["reason"])
    except (aiohttp.ClientError, KeyError, TypeError, ValueError):
        reason = f"HTTP status {response.status}"
    finally:
        response.close()
    if response.status in (400, 413):
        return EngineError(reason)
    logger.error("the engine refuses to draw for us: %s", reason)
    return EngineDown(reason)


def in_words(error: EngineError) -> Refusal:
    """An error of the engine as a sentence of the catalogues."""
    if error.kind == "unsafe" and not error.panels:
        return Refusal("engine.unsafe_frame")
    return Refusal(f"engine.{error.kind}", reason=str(error), panels=numbers(error.panels))


def note_in_words(language: str | None, note: Note) -> str:
    """A note of the engine in a language; as it is, where the catalogues do not know its kind."""
    key = f"engine.note.{note.kind}"
    words = say(language, key, panels=numbers(note.panels), **note.values)
    return note.text if words == key else words


def numbers(panels: Iterable[int]) -> str:
    """Panels as people count them."""
    return ", ".join(str(panel + 1) for panel in panels)
