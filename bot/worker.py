"""The worker: takes jobs from the ledger one after the other and has them drawn.

Whatever happens to a job is written into the ledger, which tells the delivery. An engine that is
down, or that dies while the bot is stopped, costs a job nothing; one that dies while drawing costs
an attempt; what is refused, or breaks in here, ends the job with a reason that its person is told.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Protocol

from bot.animating import AboutAnimation, filled, frames_a_part, in_story, missing_parts
from bot.artist import EngineDied, EngineDown, in_words, note_in_words
from bot.database import to_the_end
from bot.errors import Refusal, UserError
from bot.job import Job
from bot.jobs import Ledger
from bot.pictures import Pictures
from bot.results import Results
from bot.studio import Drawing, Studio
from bot.trouble import StoreTrouble
from bot.word_check import TranslationCheck
from bot.words import say
from engine.request import (
    AnimateRequest,
    DrawRequest,
    EngineError,
    Event,
    FrameDrawn,
    Note,
    PanelDrawn,
    Translated,
)

DOWN_SECONDS = (1.0, 30.0)  # the first and the longest wait for an engine that is down
TROUBLE_SECONDS = 10.0  # after the ledger itself could not be written

log = logging.getLogger(__name__)


class Artist(Protocol):
    """What the worker asks of the engine; `bot.artist.Engine` is one."""

    def draw(self, request: DrawRequest) -> AsyncGenerator[Event]:
        """Raises EngineDown, EngineDied, EngineError."""

    def animate(self, request: AnimateRequest) -> AsyncGenerator[Event]:
        """Raises the same."""


class Worker:
    """Draws until it is stopped. `studio` shows how far it is."""

    def __init__(
        self,
        ledger: Ledger,
        artist: Artist,
        pictures: Pictures,
        results: Results,
        studio: Studio,
        translations: TranslationCheck,
    ) -> None:
        self._ledger, self._artist = ledger, artist
        self._pictures, self._results, self._studio = pictures, results, studio
        self._translations = translations
        self._stopping = asyncio.Event()
        self._down_seconds = DOWN_SECONDS[0]
        self._at_hand: int | None = None  # a job whose end is not yet in the ledger
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self, seconds: float) -> None:
        """Takes no more jobs; the one at hand is finished, or after `seconds` given back."""
        self._stopping.set()
        self._ledger.changed.ring()  # whoever waits for a job looks again, and stops
        if self._task is None:
            return
        await asyncio.wait((self._task,), timeout=seconds)
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                wait = await self._next()
            except Refusal as trouble:
                log.warning("the queue cannot be read or written: %s", trouble)
                wait = TROUBLE_SECONDS
            except Exception:
                log.exception("the worker stumbled")
                wait = TROUBLE_SECONDS
            if wait:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), wait)

    async def _next(self) -> float:
        """Draws the next job, if there is one; returns the seconds to wait before another."""
        if self._at_hand is not None:  # else nobody would take it up before the next start
            await self._ledger.give_back(self._at_hand)
            self._at_hand = None
        job = await self._ledger.take(self._stopping)
        if job is None:
            return 0.0
        self._at_hand = job.id
        wait = await self.work(job)
        self._at_hand = None
        return wait

    async def work(self, job: Job) -> float:
        """Draws one claimed job to its end; returns the seconds to wait before the next.

        Cancelled at whatever point, it gives the job back, unless that is over already.
        """
        try:
            return await self._work(job)
        except asyncio.CancelledError:
            await to_the_end(self._ledger.give_back(job.id))
            raise

    async def _work(self, job: Job) -> float:
        try:
            with self._studio.drawing(job.id) as drawing:
                await unless(self._ledger.stop_event(job.id), self._draw(job, drawing))
        except EngineDown as error:
            log.warning("job %d waits: the engine is down: %s", job.id, error.why)
            await self._ledger.give_back(job.id)
            return self._next_wait()
        except EngineDied as error:
            log.warning("job %d: the engine died: %s", job.id, error.why)
            # With more panels than before it gets further each time, so there are not many such
            # times. While we stop, the engine may have been told to stop with us.
            if drawing.panels or self._stopping.is_set():
                await self._ledger.give_back(job.id)
            else:
                await self._ledger.try_later(job.id, error.key, **error.values)
        except EngineError as error:
            await self._engine_error(job, error)
        except StoreTrouble as trouble:
            log.warning("job %d: %s", job.id, trouble)
            await self._ledger.try_later(job.id, trouble.key, **trouble.values)
        except Refusal as refusal:
            await self._ledger.fail(job.id, refusal.key, **refusal.values)
        except UserError as error:
            await self._ledger.fail(job.id, "delivery.because", words=str(error))
        except Exception:
            log.exception("job %d broke", job.id)
            await self._ledger.fail(job.id, "delivery.broken", number=job.id)
        self._down_seconds = DOWN_SECONDS[0]
        return 0.0

    async def _engine_error(self, job: Job, error: EngineError) -> None:
        reason = in_words(error)
        if error.kind == "broken":
            log.error("job %d: %s", job.id, error)
            await self._ledger.try_later(job.id, reason.key, **reason.values)
        else:
            await self._ledger.fail(job.id, reason.key, **reason.values)

    def _next_wait(self) -> float:
        wait = self._down_seconds
        self._down_seconds = min(2 * wait, DOWN_SECONDS[1])
        return wait

    async def _draw(self, job: Job, drawing: Drawing) -> None:
        began = time.monotonic()
        if job.kind == "animate":
            await self._animate(job, drawing)
        else:
            request = await self._missing(job, DrawRequest.from_json(job.request))
            if request is not None:
                async with aclosing(self._artist.draw(request)) as events:
                    async for event in events:
                        await self._see(job, drawing, event)
        seconds = time.monotonic() - began
        await self._results.keep(job)
        await self._ledger.drawn(job.id, seconds)

    async def _see(self, job: Job, drawing: Drawing, event: Event) -> None:
        """Shows and keeps what the engine has said. Raises Refusal for a translation."""
        drawing.see(event)
        if isinstance(event, Translated):
            await self._translations.check(job, event.texts)
        if isinstance(event, Note):
            await self._ledger.notes.add(job.id, note_in_words(job.language, event))
        if isinstance(event, PanelDrawn | FrameDrawn):
            sha = await self._pictures.add(event.png)
            await self._ledger.keep_pictures(job.id, {event.index: sha})

    async def _animate(self, job: Job, drawing: Drawing) -> None:
        """Asks for one part after the other; what an earlier attempt has drawn stays."""
        request, about = AnimateRequest.from_json(job.request), AboutAnimation.from_json(job.about)
        if await self._results.has_animation(job, about):
            return
        parts = list(missing_parts(request, about.what, await self._there(job)))
        length, drawing.parts = frames_a_part(request, about.what), max(1, len(parts))
        for drawing.part, empty in enumerate(parts):
            part, was_fitted = await filled(empty, self._pictures)
            if was_fitted:
                await self._ledger.notes.add(job.id, say(job.language, "animate.fitted"))
            async with aclosing(self._artist.animate(part.request)) as events:
                async for event in events:
                    if isinstance(event, FrameDrawn):
                        event = replace(event, index=part.first_frame + event.index)
                    elif isinstance(event, Note):
                        event = in_story(event, part, about)
                    await self._see(job, drawing, event)
                    if isinstance(event, FrameDrawn):
                        drawing.panels += (event.index + 1) % length == 0

    async def _there(self, job: Job) -> set[int]:
        """The numbers of the pictures that an earlier attempt has left."""
        kept = await self._ledger.pictures(job.id)
        return {index for index, sha in kept.items() if await self._is_there(sha)}

    async def _missing(self, job: Job, request: DrawRequest) -> DrawRequest | None:
        """What an earlier attempt has not drawn yet; None where all is there."""
        there = await self._there(job)
        wanted = range(len(request.panels)) if request.only is None else request.only
        missing = tuple(index for index in wanted if index not in there)
        if not missing:
            return None
        return replace(request, only=missing) if len(missing) < len(wanted) else request

    async def _is_there(self, sha: str) -> bool:
        try:
            await self._pictures.read(sha)
        except Refusal:
            return False
        return True


async def unless(stopped: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Does the work; drops it at once when `stopped` is set."""
    doing = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait((doing, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (doing, waiting):
            task.cancel()
        await asyncio.wait((doing, waiting))
    if not doing.cancelled():
        doing.result()
