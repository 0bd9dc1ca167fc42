"""Delivery: everybody hears how their job ended, once, also after a crash in the middle of it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

from bot import announce
from bot.announce import Announcement
from bot.chat import CannotPost, File, Post
from bot.errors import Refusal
from bot.job import Job
from bot.jobs import Ledger
from bot.posting import Poster, channel_of, person_of, place_of
from bot.progress import ProgressPosts
from bot.results import Results
from bot.sentences import as_sentence
from bot.trouble import StoreTrouble

MOST_FILES = 10  # a post: what Discord and Telegram take
MOST_AT_ONCE = 8  # deliveries in a chat: each holds its pages in memory
AGAIN_SECONDS = (1.0, 300.0)  # the first and the longest wait before another try
LOOK_AGAIN_SECONDS = 60.0

log = logging.getLogger(__name__)


class Delivery:
    """Tells people how their jobs ended.

    One delivery at a time in a channel, and so many in a chat: where posts have to wait for a full
    group or a slow platform, they hold up no others.
    """

    def __init__(
        self,
        ledger: Ledger,
        poster: Poster,
        progress: ProgressPosts,
        results: Results,
    ) -> None:
        self._ledger, self._poster = ledger, poster
        self._progress, self._results = progress, results
        self._telling: dict[int, asyncio.Task[None]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by channel
        self._at_once: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(MOST_AT_ONCE)
        )

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                seen = self._ledger.changed.count
                try:
                    await self._begin()
                except Refusal as trouble:
                    log.warning("the queue cannot be read: %s", trouble)
                except Exception:
                    log.exception("the deliveries stumbled")
                await self._ledger.changed.after(seen, LOOK_AGAIN_SECONDS)
        finally:
            for task in self._telling.values():
                task.cancel()
            await asyncio.gather(*self._telling.values(), return_exceptions=True)

    async def settle(self, seconds: float) -> None:
        """Waits until what has ended is told, as far as that works within `seconds`."""
        async with asyncio.timeout(seconds):
            while await self._begin():
                if self._telling:
                    await asyncio.wait(self._telling.values())

    async def _begin(self) -> bool:
        """Starts telling what is untold; whether there is anything."""
        jobs = await self._ledger.undelivered()
        for job in jobs:
            if job.id not in self._telling:
                task = asyncio.create_task(self._tell(job))
                self._telling[job.id] = task
                task.add_done_callback(partial(self._told, job.id))
        return bool(jobs)

    def _told(self, job_id: int, task: asyncio.Task[None]) -> None:
        del self._telling[job_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("job %d: its end could not be noted", job_id, exc_info=task.exception())

    async def _tell(self, job: Job) -> None:
        """Tries until the platform has taken it, or has refused it for good."""
        wait = AGAIN_SECONDS[0]
        while True:
            try:
                turn = self._turns.setdefault(channel_of(job), asyncio.Lock())
                async with turn, self._at_once[place_of(job).chat]:
                    await self._end(job)
                return
            except CannotPost as error:
                if not error.again:
                    await self._unreachable(job, error)
                    return
                log.warning("job %d: %s; trying again", job.id, error)
                pause = max(wait, error.wait or 0)
            except (StoreTrouble, sqlite3.OperationalError, OSError) as trouble:
                # The last two are of a chat's own file: it may be locked or full, as ours may be.
                log.warning("job %d cannot be delivered yet: %s", job.id, trouble)
                pause = wait
            except Refusal as refusal:
                await self._ledger.fail(job.id, refusal.key, **refusal.values)
                return
            except sqlite3.IntegrityError:  # its person was forgotten, and the job with them
                return
            except Exception:
                log.exception("job %d cannot be delivered", job.id)
                await self._ledger.fail(job.id, "delivery.broken", number=job.id)
                return
            wait = min(2 * wait, AGAIN_SECONDS[1])
            await asyncio.sleep(pause)

    async def _unreachable(self, job: Job, error: CannotPost) -> None:
        """The place is gone or closed to us. What was drawn stays with its owner."""
        log.warning("job %d: %s", job.id, error)
        if not await self._ledger.told(job.id):
            await self._ledger.fail(job.id, "delivery.unreachable", why=str(error))

    async def _end(self, job: Job) -> None:
        if job.state == "drawn":
            await self._drawn(job)
        elif job.state == "failed":
            await self._failed(job)
        else:
            await self._cancelled(job)

    async def _drawn(self, job: Job) -> None:
        files, said = await self._results.files(job), await self._results.announcement(job)
        remarks = await self._ledger.notes.of(job.id)
        notes = [as_sentence(remark, job.language) for remark in remarks]
        parts = [files[i : i + MOST_FILES] for i in range(0, len(files), MOST_FILES)]
        posts = [
            *(Post(place_of(job), files=part) for part in parts[:-1]),
            drawn_post(job, parts[-1], said, notes),
        ]
        try:
            for number, post in enumerate(posts, 1):
                await self._poster.once(job, f"page {number}", post)
        except CannotPost as error:
            if not error.unknown:
                raise
            await self._once_if_sure(job, "unsure", announce.unsure(job))
        await self._progress.close(job, announce.finishing(job))
        await self._ledger.delivered(job.id)

    async def _failed(self, job: Job) -> None:
        said = announce.failed(job)
        await self._once_if_sure(job, "end", said)
        await self._progress.close(job, replace(said, buttons=()))
        await self._ledger.told(job.id)

    async def _cancelled(self, job: Job) -> None:
        """Whoever cancelled it was answered; here its message gets to say so."""
        await self._progress.close(job, announce.cancelled(job))
        await self._ledger.told(job.id)

    async def _once_if_sure(self, job: Job, purpose: str, said: Announcement) -> None:
        """Posts words; where an earlier try may have arrived, leaves it at that."""
        post = Post(place_of(job), said.text, buttons=said.buttons, mention=person_of(job))
        try:
            await self._poster.once(job, purpose, post, harmless=True)
        except CannotPost as error:
            if not error.unknown:
                raise


def drawn_post(job: Job, files: Sequence[File], said: Announcement, notes: Sequence[str]) -> Post:
    """A finished comic or sheet, what the engine remarked, and what can be done with it."""
    text = "\n".join([said.text, *notes])
    return Post(place_of(job), text, tuple(files), said.buttons, mention=person_of(job))
