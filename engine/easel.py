"""Where the server's stories are painted: one at a time, each by a thread of its own.

The lock is taken and given back in the painting thread. In the event loop it would be given back
when a request is cancelled, while the thread still paints.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import closing, suppress

from engine.request import (
    AnimateRequest,
    DeviceLost,
    DrawRequest,
    EngineError,
    Event,
    Failed,
    Note,
    Progress,
)

Work = DrawRequest | AnimateRequest
DrawStory = Callable[[Work], Generator[Event]]
DEVICE_LOST = 70  # exit code: a new process may have more luck
HEARTBEAT_SECONDS = 10.0
LONGEST_SILENCE_SECONDS = 900.0  # of a model that is being loaded
LONGEST_FETCHING_SECONDS = 6 * 3600.0  # from the hub
LOADED = Progress("loading", 1, 1)
GLANCE_SECONDS = 0.2  # how soon a waiting story notices that nobody waits for it any more

logger = logging.getLogger(__name__)


class Easel:
    """Paints stories with `draw`; `model` is the one in use, `device` where it is."""

    def __init__(self, draw: DrawStory, *, model: str | None = None, device: str = "auto") -> None:
        self._draw = draw
        self.model, self.device = model, device
        self.ready = True
        self.fetching = ""  # what comes from the hub just now, in a sentence
        self._lock = threading.Lock()
        self._last_sign = time.monotonic()

    @property
    def busy(self) -> bool:
        return self._lock.locked()

    def prepare(self, prepare: Callable[[], None]) -> None:
        """Run this first, in the background; `ready` when it is over. Stories wait for it."""
        self._lock.acquire()
        self._last_sign, self.ready = time.monotonic(), False
        threading.Thread(target=self._prepare, args=(prepare,), daemon=True).start()

    def _prepare(self, prepare: Callable[[], None]) -> None:
        try:
            prepare()
        except EngineError as error:
            logger.warning("%s", error)  # whoever asks for a story hears it again
        except Exception:
            logger.exception("the engine could not be prepared")
        finally:
            self.ready, self.fetching = True, ""
            self._lock.release()

    async def events(self, request: Work) -> AsyncGenerator[Event]:
        """The events of a story or an animation, to `Done` or `Failed`.

        Closing this stops it at the next step. Who waits, or has a model loaded, hears so again
        and again: silence means that the engine hangs.
        """
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        stop = threading.Event()

        def put(event: Event | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody listens
                loop.call_soon_threadsafe(queue.put_nowait, event)

        threading.Thread(target=self._paint, args=(request, put, stop), daemon=True).start()
        try:
            last: Event | None = None
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    if not self._quiet(last):
                        continue
                    event = last
                if event is None:
                    return
                last = event
                yield event
        finally:
            stop.set()

    def _quiet(self, last: Event | None) -> bool:
        """Whether silence is all right after this event."""
        waits = (
            isinstance(last, Progress)
            and last.stage in ("waiting", "loading")
            and last.done < last.total
        )
        longest = LONGEST_FETCHING_SECONDS if self.fetching else LONGEST_SILENCE_SECONDS
        return waits and time.monotonic() - self._last_sign < longest

    def _paint(
        self, request: Work, put: Callable[[Event | None], None], stop: threading.Event
    ) -> None:
        """The painting thread of one story; ends what it puts with None."""
        if not self._lock.acquire(blocking=False):
            if self.fetching:
                put(Note(self.fetching, "fetching"))
            put(Progress("waiting", 0, 1))
            while not self._lock.acquire(timeout=GLANCE_SECONDS):
                if stop.is_set():
                    return
        try:
            self.model = request.model
            with closing(self._draw(request)) as events:
                for event in events:
                    self._last_sign = time.monotonic()
                    if isinstance(event, Note) and event.kind == "fetching":
                        self.fetching = event.text
                    elif event == LOADED:
                        self.fetching = ""
                    if stop.is_set():
                        return
                    put(event)
        except DeviceLost as error:
            logger.error("%s", error)
            os._exit(DEVICE_LOST)
        except EngineError as error:
            put(Failed(str(error), error.kind, error.panels))
        except Exception as error:
            logger.exception("a story could not be drawn")
            put(Failed(f"something is broken in the engine ({type(error).__name__})", "broken"))
        finally:
            self.fetching = ""
            self._lock.release()
            put(None)
