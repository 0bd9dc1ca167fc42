"""Worker and delivery on a real store, between an artist and a chat that do what a test says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

from PIL import Image

from bench.toy_movement import slide
from bot.characters import Characters
from bot.chat import Bot, CannotPost, Chat, Person, Place, Post
from bot.config import SafetyConfig
from bot.database import Database
from bot.delivery import Delivery
from bot.jobs import Job, Ledger, Limits
from bot.people import People
from bot.pictures import Pictures
from bot.posting import Poster
from bot.progress import ProgressPosts
from bot.requests import page_job
from bot.results import Results
from bot.stories import CastMember, Panel, Stories, Story
from bot.studio import Studio
from bot.word_check import TranslationCheck
from bot.worker import Worker
from engine.request import (
    AnimateRequest,
    CharacterRequest,
    Done,
    DrawRequest,
    Event,
    FrameDrawn,
    PanelDrawn,
    PanelRequest,
    Preview,
    Progress,
)
from tests.bot.new_store import open_database

ANN = Person("test", "ann", "Ann")
HERE = Place("test", "channel")
NO_LIMITS = Limits(waiting_cap=1000, daily_quota=10_000)


def picture(shade: int, kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 64), (shade % 256, 90, 160)).save(file, kind)
    return file.getvalue()


class ListeningArtist:
    """Draws plain colours; keeps what it was asked. Each thing in `trouble` spoils one drawing.

    `hold` makes every drawing wait before its first panel until it is set.
    """

    def __init__(self) -> None:
        self.asked: list[DrawRequest] = []
        self.animated: list[AnimateRequest] = []
        self.trouble: list[Exception] = []
        self.after = 0  # panels drawn before the trouble comes
        self.shade = 0  # added to every panel's colour
        self.hold: asyncio.Event | None = None
        self.dropped = 0  # drawings that nobody wanted any more
        self.previews = False
        self.opening: list[Event] = []  # said before the first panel
        self.closing: list[Event] = []  # said before Done

    async def draw(self, request: DrawRequest) -> AsyncGenerator[Event]:
        self.asked.append(request)
        try:
            for event in self.opening:
                yield event
            yield Progress("steps", 1, 2)
            if self.previews:
                yield Preview(0, picture(0, "JPEG"))
            if self.hold is not None:
                await self.hold.wait()
            wanted = range(len(request.panels)) if request.only is None else request.only
            trouble = self.trouble.pop(0) if self.trouble else None
            for count, index in enumerate(wanted):
                if trouble is not None and count == self.after:
                    raise trouble
                yield PanelDrawn(index, picture(40 * index + self.shade))
            if trouble is not None:
                raise trouble
            for event in self.closing:
                yield event
            yield Done(0.1)
        except GeneratorExit:
            self.dropped += 1
            raise

    async def animate(self, request: AnimateRequest) -> AsyncGenerator[Event]:
        self.animated.append(request)
        trouble = self.trouble.pop(0) if self.trouble else None
        frames = 0
        for event in self.opening:
            yield event
        for event in slide(request):
            if isinstance(event, FrameDrawn):
                if trouble is not None and frames == self.after:
                    raise trouble
                frames += 1
            yield event


class ListeningChat(Chat):
    """Shows what it is given, each nonce once if it `knows_nonces`.

    Each thing in `trouble` spoils one post, None lets one through; with `deaf` a spoilt post is
    shown all the same. A post to a channel in `stuck` never comes to an end.
    """

    name = "test"

    def __init__(self, *, knows_nonces: bool = True) -> None:
        self.knows_nonces = knows_nonces
        self.shown: dict[str, list[Post]] = {}  # message id → as posted, as edited …
        self.removed: list[str] = []  # message ids
        self.nonces: dict[str, str] = {}
        self.trouble: list[Exception | None] = []
        self.deaf = False
        self.stuck: set[str] = set()
        self.tries = 0

    async def start(self, bot: Bot) -> None:
        self.bot = bot

    async def stop(self) -> None:
        pass

    async def post(self, post: Post) -> str:
        self.tries += 1
        if post.place.channel in self.stuck:
            await asyncio.Event().wait()
        trouble = self.trouble.pop(0) if self.trouble else None
        if trouble is not None and not self.deaf:
            raise trouble
        message = self._show(post)
        if trouble is not None:
            raise trouble
        return message

    async def remove(self, place: Place, message: str) -> None:
        trouble = self.trouble.pop(0) if self.trouble else None
        if trouble is not None:
            raise trouble
        if self.shown.pop(message, None) is not None:
            self.removed.append(message)

    def _show(self, post: Post) -> str:
        if post.buttons_only:
            posts = self.shown.get(post.edit or "")
            if posts is None:
                return ""
            posts.append(replace(posts[-1], buttons=post.buttons, edit=post.edit))
            return post.edit or ""
        if post.edit is not None and post.edit in self.shown:
            self.shown[post.edit].append(post)
            return post.edit
        if self.knows_nonces and post.nonce and post.nonce in self.nonces:
            return self.nonces[post.nonce]
        message = f"m{len(self.shown) + len(self.removed) + 1}"
        self.shown[message] = [post]
        self.nonces[post.nonce] = message
        return message

    def forget_nonces(self) -> None:
        """As if so much time went by."""
        self.nonces, self.nonce_seconds = {}, 120.0

    @property
    def pages(self) -> list[Post]:
        """Posts with a finished page."""
        return [
            post
            for posts in self.shown.values()
            for post in posts
            if any(file.name.endswith(".png") for file in post.files)
        ]

    @property
    def texts(self) -> list[str]:
        """What every message says in the end."""
        return [posts[-1].text for posts in self.shown.values()]


@dataclass
class Stage:
    """What a test plays with; `after_restart` builds the same on the same files again."""

    database: Database
    ledger: Ledger
    stories: Stories
    characters: Characters
    pictures: Pictures
    people: People
    artist: ListeningArtist
    chat: ListeningChat
    studio: Studio = field(default_factory=Studio)

    def __post_init__(self) -> None:
        self.results = Results(self.ledger, self.pictures, self.stories, self.characters)
        self.worker = self.new_worker()
        poster = Poster({"test": self.chat}, self.ledger.posts)
        self.progress = ProgressPosts(self.ledger, poster, self.studio)
        self.delivery = Delivery(self.ledger, poster, self.progress, self.results)

    def new_worker(self) -> Worker:
        translations = TranslationCheck(self.people, SafetyConfig())
        return Worker(
            self.ledger, self.artist, self.pictures, self.results, self.studio, translations
        )

    async def story(self, panels: int = 2, layout: str = "classic") -> Story:
        story = await self.stories.new(
            ANN.key, title="Tabs", style="comic", layout=layout, seed=1, room=None
        )
        words = tuple(
            Panel(f"p{n}", f"[Tom] walks {n}", f"Step {n}", "box", None, ("Tom",))
            for n in range(panels)
        )
        cast = (CastMember("Tom", "a man"),)
        return await self.stories.save(replace(story, cast=cast, panels=words), owner=ANN.key)

    async def ask(
        self,
        panels: int = 2,
        *,
        layout: str = "classic",
        story: Story | None = None,
        place: Place = HERE,
        server: str | None = None,
    ) -> Job:
        """A job that draws a whole story of so many panels."""
        story = story or await self.story(panels, layout)
        request = DrawRequest(
            tuple(CharacterRequest(m.name, m.description) for m in story.cast),
            tuple(PanelRequest(p.text, p.characters) for p in story.panels),
            previews=4,
        )
        job = page_job(story, request, place=place, server=server, language="en")
        return await self.ledger.enqueue(job, NO_LIMITS)

    async def draw(self) -> Job:
        """Claims the next job, works on it, and returns what it has become."""
        job = await self.ledger.claim()
        assert job is not None
        await self.worker.work(job)
        return await self.ledger.get(job.id)

    async def skip_waiting(self) -> None:
        """As if every back-off were over."""
        async with self.database.tx() as db:
            await db.execute("UPDATE jobs SET not_before = 0")

    async def tell(self, seconds: float = 10) -> None:
        """Delivers all that has ended."""
        await self.delivery.settle(seconds)

    async def show_progress(self, *, later: bool = False) -> None:
        """Says how far the jobs are; `later`: as if messages had been left alone for a while."""
        for told in self.progress._told.values():
            told.due = 0.0 if later else told.due
        await self.progress.round()
        await asyncio.gather(*self.progress._under_way.values())

    async def age_marks(self, seconds: int = 3600) -> None:
        """As if every post had been begun so much earlier."""
        made = f"{int(time.time()) - seconds:08x}"
        async with self.database.tx() as db:
            for table, nonce in (("posts", "nonce"), ("exhibits", "copy_nonce")):
                await db.execute(f"UPDATE {table} SET {nonce} = ? || substr({nonce}, 9)", (made,))

    async def state(self, job: Job) -> str:
        return (await self.ledger.get(job.id)).state


def perform(
    folder: Path,
    *acts: Callable[[Stage], Awaitable[None]],
    artist: ListeningArtist | None = None,
    chat: ListeningChat | None = None,
) -> None:
    """Runs the acts on the store in `folder`; between two of them the bot is started again."""
    artist, chat = artist or ListeningArtist(), chat or ListeningChat()

    async def run(act: Callable[[Stage], Awaitable[None]]) -> None:
        database = await open_database(folder / "inkwell.sqlite3")
        try:
            pictures = Pictures(folder / "pictures", database)
            people = People(database, pictures)
            await people.meet(ANN)
            ledger = Ledger(database)
            await ledger.recover()
            await act(
                Stage(
                    database, ledger, Stories(database), Characters(database),
                    pictures, people, artist, chat,
                )
            )  # fmt: skip
        finally:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            for task in others:
                with suppress(asyncio.CancelledError):
                    await task
            await database.close()

    for act in acts:
        asyncio.run(run(act))


def refusing(times: int, **how: object) -> Sequence[CannotPost]:
    return [CannotPost("no", **how) for _ in range(times)]  # type: ignore[arg-type]
