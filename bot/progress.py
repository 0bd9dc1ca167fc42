"""One message a job that says how far it is: its place in the queue, then the drawing itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from weakref import WeakValueDictionary

from bot import announce
from bot.announce import Announcement
from bot.chat import CannotPost, File, Post
from bot.errors import Refusal
from bot.job import Job
from bot.jobs import Ledger
from bot.posting import Poster, channel_of, place_of
from bot.queue_order import Position
from bot.studio import Drawing, Studio, contact_sheet
from bot.words import say

EDIT_SECONDS = 5.0  # between two edits of one message: platforms ask for it
ROUND_SECONDS = 1.0  # from one look to the next while nothing changes in the queue
PAUSE_SECONDS = 0.3  # between two rounds at least: what comes together is told together
MOST_A_ROUND = 6  # messages in a chat that counts them, so 20 a second: Telegram takes about 30
LAST_TRIES = 2  # to say the last thing, where the platform does not tell whether it has
REFUSED_SECONDS = 60.0  # after a platform refused an edit
PURPOSE = "progress"

log = logging.getLogger(__name__)


@dataclass
class Told:
    """What a job's message says, since when, and from when on it may be changed."""

    job: Job
    said: object = None
    since: float = 0.0
    due: float = 0.0
    over: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # edits must not overtake each other


class ProgressPosts:
    """Keeps the progress messages true. `close` has the last word on one.

    Each is posted and edited by a task of its own, one at a time in a channel: where posts have to
    wait for a full group or a slow platform, the messages elsewhere go on.
    """

    def __init__(self, ledger: Ledger, poster: Poster, studio: Studio) -> None:
        self._ledger = ledger
        self._poster = poster
        self._studio = studio
        self._told: dict[int, Told] = {}
        self._positions: Mapping[int, Position] = {}
        self._under_way: dict[int, asyncio.Task[None]] = {}  # by job
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by channel

    async def run(self, round_seconds: float = ROUND_SECONDS) -> None:
        """Until cancelled: a round every so many seconds, and whenever the queue changes.

        The post about a new job is all the answer that its person gets, so it must not wait.
        """
        try:
            while True:
                seen, more = self._ledger.changed.count, False
                try:
                    more = await self.round()
                except Refusal as trouble:  # such as a full disk: the next round may do
                    log.warning("cannot say how far the drawings are: %s", trouble)
                except Exception:
                    log.exception("the progress posts stumbled")
                await asyncio.sleep(PAUSE_SECONDS)
                if not more:
                    await self._ledger.changed.after(seen, round_seconds - PAUSE_SECONDS)
        finally:
            tasks = list(self._under_way.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def round(self) -> bool:
        """Begins to post and edit what is due, first the jobs that were told longest ago.

        Returns whether some had to be left for the next round.
        """
        self._positions = await self._ledger.positions()
        over = self._told.keys() - self._positions.keys() - self._under_way.keys()
        for job_id in over:
            del self._told[job_id]
        now, begun, left = time.monotonic(), Counter[str](), False
        free = self._positions.keys() - self._under_way.keys()
        due = [job_id for job_id in self._positions if job_id in free and self._due(job_id) <= now]
        for job_id in sorted(due, key=self._since):
            told = await self._told_of(job_id)
            if told is None or not self._has_changed(told):
                continue
            place = place_of(told.job)
            if begun[place.chat] == MOST_A_ROUND and self._poster.counts_posts(place):
                left = True
                continue
            begun[place.chat] += 1
            self._begin(told)
        return left

    def _since(self, job_id: int) -> float:
        told = self._told.get(job_id)
        return told.since if told else 0.0

    def _due(self, job_id: int) -> float:
        told = self._told.get(job_id)
        return told.due if told else 0.0

    async def _told_of(self, job_id: int) -> Told | None:
        """What a job's message says; None if there is no such job any more."""
        if job_id not in self._told:
            try:
                job = await self._ledger.get(job_id)
            except Refusal:  # its person was forgotten this moment
                return None
            # Requests hold pictures, and hundreds of jobs can be waiting. Without a story it is
            # `about` that names whom the message shows.
            about = job.about if job.story is None else ""
            self._told[job_id] = Told(replace(job, request="", about=about))
        return self._told[job_id]

    def _has_changed(self, told: Told) -> bool:
        """Whether a message is to be posted or edited."""
        position, drawing = self._positions[told.job.id], self._studio.get(told.job.id)
        return not told.over and what_to_say(told.job, position, drawing) != told.said

    def _begin(self, told: Told) -> None:
        """Begins to post or edit a message."""
        job_id = told.job.id
        task = asyncio.create_task(self._update(told))
        self._under_way[job_id] = task
        task.add_done_callback(partial(self._updated, job_id))

    def _updated(self, job_id: int, task: asyncio.Task[None]) -> None:
        del self._under_way[job_id]

    async def _update(self, told: Told) -> None:
        """Says how far a job is, when it is its channel's turn."""
        wait = REFUSED_SECONDS
        turn = self._turns.setdefault(channel_of(told.job), asyncio.Lock())
        try:
            async with turn, told.lock:
                await self._say(told)
            wait = EDIT_SECONDS
        except CannotPost as error:
            if error.again and error.wait is not None:
                wait = max(EDIT_SECONDS, error.wait)
            else:
                log.info("job %d: cannot say how far it is: %s", told.job.id, error)
        except Refusal as trouble:
            log.warning("job %d: cannot say how far it is: %s", told.job.id, trouble)
        except Exception:
            log.exception("job %d: cannot say how far it is", told.job.id)
        told.due = time.monotonic() + wait

    async def _say(self, told: Told) -> None:
        """What is true by now: it may have waited for its turn."""
        position, drawing = self._positions.get(told.job.id), self._studio.get(told.job.id)
        if told.over or position is None:
            return
        said, told.said = what_to_say(told.job, position, drawing), None
        post = await progress_post(told.job, position, drawing)
        message = await self._poster.edit(told.job, PURPOSE, post)
        if message is None:
            message = await self._poster.once(told.job, PURPOSE, post, harmless=True)
        await self._note(told, message)
        told.said, told.since = said, time.monotonic()

    async def _note(self, told: Told, message: str | None) -> None:
        """Keeps the id of a message that is new, or was made anew."""
        if message is not None and message != told.job.message:
            await self._ledger.set_message(told.job.id, message)
            told.job = replace(told.job, message=message)

    async def close(self, job: Job, last: Announcement) -> None:
        """The last thing that a job's message says; nothing where there is none.

        Raises CannotPost only where a later try may do: what a job has come to is not changed by a
        message that cannot be.
        """
        told = self._told.setdefault(job.id, Told(job))
        async with told.lock:
            told.over = True
            post = Post(place_of(job), last.text, buttons=last.buttons)
            for _ in range(LAST_TRIES):
                try:
                    await self._note(told, await self._poster.edit(job, PURPOSE, post))
                    return
                except CannotPost as error:
                    if error.again:
                        raise
                    log.info("job %d: its message cannot say that it is over: %s", job.id, error)
                    if not error.unknown:
                        return


def what_to_say(job: Job, position: Position, drawing: Drawing | None) -> object:
    """Something that is equal as long as a progress message need not change."""
    if drawing is None:
        return announce.waiting(job, position)
    return (announced(job, drawing), drawing.changes)


def announced(job: Job, drawing: Drawing) -> Announcement:
    return announce.drawing(job, drawing.stage, drawing.share)


async def progress_post(job: Job, position: Position, drawing: Drawing | None) -> Post:
    """The message as it should be now."""
    if drawing is None:
        said = announce.waiting(job, position)
        ready = announce.ready_words(job.language, position), time.time() + position.seconds
        return Post(place_of(job), said.text, buttons=said.buttons, progress=0.0, countdown=ready)
    said, share = announced(job, drawing), round(drawing.share, 2)
    files: tuple[File, ...] = ()
    if drawing.thumbnails:
        sheet = await asyncio.to_thread(contact_sheet, dict(drawing.thumbnails))
        alt = say(job.language, "delivery.preview_alt", count=len(drawing.thumbnails))
        files = (File("preview.jpg", sheet, alt),)
    return Post(place_of(job), said.text, files, said.buttons, progress=share)
