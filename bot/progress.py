"""One message a job that says how far it is: its place in the queue, then the drawing itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot import announce
from bot.announce import Announcement
from bot.chat import CannotPost, File, Post
from bot.errors import Refusal
from bot.job import Job
from bot.jobs import Ledger
from bot.posting import Poster, place_of
from bot.queue_order import Position
from bot.studio import Drawing, Studio, contact_sheet
from bot.words import say

EDIT_SECONDS = 5.0  # between two edits of one message: platforms ask for it
ROUND_SECONDS = 1.0  # from one look to the next while nothing changes in the queue
PAUSE_SECONDS = 0.3  # between two rounds at least: what comes together is told together
MOST_A_ROUND = 6  # messages, so 20 a second: Telegram takes about 30
REFUSED_SECONDS = 60.0  # after a platform refused an edit
PURPOSE = "progress"

log = logging.getLogger(__name__)


@dataclass
class Told:
    """What a job's message says. `due` is when it may be changed next."""

    job: Job
    said: object = None
    due: float = 0.0
    over: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # edits must not overtake each other


class ProgressPosts:
    """Keeps the progress messages true. `close` has the last word on one."""

    def __init__(self, ledger: Ledger, poster: Poster, studio: Studio) -> None:
        self._ledger = ledger
        self._poster = poster
        self._studio = studio
        self._told: dict[int, Told] = {}

    async def run(self, round_seconds: float = ROUND_SECONDS) -> None:
        """Until cancelled: a round every so many seconds, and whenever the queue changes.

        The post about a new job is all the answer that its person gets, so it must not wait.
        """
        while True:
            seen, more = self._ledger.changed.count, False
            try:
                more = await self.round()
            except Refusal as trouble:  # such as a full disk: the next round may do
                log.warning("cannot say how far the drawings are: %s", trouble)
            await asyncio.sleep(PAUSE_SECONDS)
            if not more:
                await self._ledger.changed.after(seen, round_seconds - PAUSE_SECONDS)

    async def round(self) -> bool:
        """Posts and edits what is due, the jobs first that were told longest ago.

        Returns whether some had to be left for the next round.
        """
        positions = await self._ledger.positions()
        for job_id in [job_id for job_id in self._told if job_id not in positions]:
            del self._told[job_id]
        now = time.monotonic()
        due = sorted((job_id for job_id in positions if self._due(job_id) <= now), key=self._due)
        texts = [(job_id, positions[job_id]) for job_id in due]
        return await self._tell(texts)

    def _due(self, job_id: int) -> float:
        told = self._told.get(job_id)
        return told.due if told else 0.0

    async def _tell(self, jobs: Iterable[tuple[int, Position]]) -> bool:
        posted = 0
        for job_id, position in jobs:
            if posted == MOST_A_ROUND:
                return True
            if job_id not in self._told:
                try:
                    self._told[job_id] = Told(await self._ledger.get(job_id))
                except Refusal:  # its person was forgotten this moment
                    continue
            posted += await self._update(self._told[job_id], position)
        return False

    async def _update(self, told: Told, position: Position) -> bool:
        """Whether something was sent."""
        drawing = self._studio.get(told.job.id)
        said = what_to_say(told.job, position, drawing)
        if said == told.said:
            return False
        async with told.lock:
            if told.over:
                return False
            told.said, told.due = said, time.monotonic() + EDIT_SECONDS
            try:
                await self._show(told.job, await progress_post(told.job, position, drawing))
            except CannotPost as error:
                told.said = None
                told.due = time.monotonic() + max(REFUSED_SECONDS, error.wait or 0)
                log.info("job %d: cannot say how far it is: %s", told.job.id, error)
        return True

    async def _show(self, job: Job, post: Post) -> None:
        message = await self._poster.message(job, PURPOSE)
        if message is not None:
            await self._poster.edit(message, post)
            return
        message = await self._poster.once(job, PURPOSE, post)
        if message is not None:
            await self._ledger.set_message(job.id, message)

    async def close(self, job: Job, last: Announcement) -> None:
        """The last thing that a job's message says; nothing where there is none."""
        told = self._told.setdefault(job.id, Told(job))
        async with told.lock:
            told.over = True
            message = await self._poster.message(job, PURPOSE)
            if message is not None:
                post = Post(place_of(job), last.text, buttons=last.buttons)
                await self._poster.edit(message, post)


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
