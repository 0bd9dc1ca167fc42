"""The bot as a whole: opens everything in order, runs until it is told to stop, closes in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from bot.artist import PROGRAM, Engine
from bot.characters import Characters
from bot.chat import Bot, Call, Chat, CommandInfo, Person, Reply, Value
from bot.config import Config
from bot.database import Database
from bot.delivery import Delivery
from bot.errors import Refusal
from bot.gallery import Gallery
from bot.inkwell import Inkwell
from bot.jobs import Ledger
from bot.people import People
from bot.pictures import Pictures
from bot.posting import Poster
from bot.progress import ProgressPosts
from bot.results import Results
from bot.stars import Stars
from bot.starting import started
from bot.stories import Stories
from bot.studio import Studio
from bot.trouble import StoreTrouble
from bot.word_check import TranslationCheck
from bot.worker import Worker

SETTLE_SECONDS = 10.0  # for the last deliveries, when the bot stops
HOUSEKEEPING_SECONDS = 3600.0
SWITCH_SECONDS = 0.001  # a thread back from the disk waits so long for the busy event loop

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Running:
    """A bot that is up, in reach of whoever started it; `chats` are those that take calls."""

    gate: Gate
    ledger: Ledger
    chats: Sequence[Chat]


class Gate(Bot):
    """Lets calls through to the bot; closed, it answers that the bot is being started again."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.is_open = True
        self.commands: Sequence[CommandInfo] = bot.commands

    async def answer(self, call: Call) -> Sequence[Reply]:
        if not self.is_open:
            return (Reply(self.say(call.person.language, "delivery.stopping"), private=True),)
        return await self._bot.answer(call)

    async def suggest(self, call: Call, option: str, typed: str) -> Sequence[tuple[str, Value]]:
        return await self._bot.suggest(call, option, typed) if self.is_open else ()

    async def language(self, person: Person) -> str | None:
        return await self._bot.language(person)

    def say(self, language: str | None, key: str, **values: object) -> str:
        return self._bot.say(language, key, **values)


async def serve(
    config: Config,
    chats: Sequence[Chat],
    up: Callable[[Running], None],
    program: Sequence[str] = PROGRAM,
) -> None:
    """Runs until SIGTERM or SIGINT; a second one does not wait for the drawing at hand.

    `up` is called when calls can come. Raises UserError and OSError for what keeps it from
    starting, such as a store that is in use.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    stop, at_once = asyncio.Event(), asyncio.Event()
    with_signals(stop, at_once)
    async with running(config, chats, at_once, program) as bot:
        gc.collect()
        gc.freeze()  # else each full collection halts all for 60 ms to look through the modules
        up(bot)
        await stop.wait()
        log.info("stopping; the drawing at hand may take %g s more", config.limits.stop_seconds)


def with_signals(stop: asyncio.Event, at_once: asyncio.Event) -> None:
    """The first signal asks to stop, the next to hurry."""

    def told() -> None:
        (at_once if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)


@asynccontextmanager
async def running(
    config: Config,
    chats: Sequence[Chat],
    at_once: asyncio.Event | None = None,
    program: Sequence[str] = PROGRAM,
) -> AsyncIterator[Running]:
    """The bot, up inside of the block; `at_once`, once set, cuts the closing short.

    `program` is what the engine's process runs, where the settings name no engine.
    """
    async with AsyncExitStack() as stack:
        database = await Database.open(config.store.database)
        stack.push_async_callback(database.close)
        ledger = Ledger(database)
        await ledger.recover()
        pictures = Pictures(config.store.pictures, database)
        people, stories = People(database, pictures), Stories(database)
        characters = Characters(database)
        results = Results(ledger, pictures, stories, characters)
        studio = Studio(previews=not config.engine.safety_checker)
        engine = await stack.enter_async_context(engine_of(config, program))
        translations = TranslationCheck(people, config.safety)
        worker = Worker(ledger, engine, pictures, results, studio, translations)
        gate = Gate(Inkwell(database, pictures, people, stories, characters, ledger, config))
        by_name = {chat.name: chat for chat in chats}
        poster = Poster(by_name, ledger.posts)
        progress = ProgressPosts(ledger, poster, studio)
        delivery = Delivery(ledger, poster, progress, results)
        gallery = Gallery(Stars(database), by_name, people, stories, pictures)
        served = await stack.enter_async_context(started(chats, gate))
        works = (progress.run(), delivery.run(), gallery.run(), keep_house(ledger, pictures))
        for work in works:
            await stack.enter_async_context(background(work))
        worker.start()
        try:
            yield Running(gate, ledger, served)
        finally:
            gate.is_open = False
            await drain(worker, config.limits.stop_seconds, at_once or asyncio.Event())
            with suppress(TimeoutError, Refusal):
                await delivery.settle(SETTLE_SECONDS)


async def drain(worker: Worker, seconds: float, at_once: asyncio.Event) -> None:
    """Lets the drawing at hand be finished, unless that takes too long or there is a hurry."""
    stopping = asyncio.create_task(worker.stop(seconds))
    hurry = asyncio.create_task(at_once.wait())
    await asyncio.wait((stopping, hurry), return_when=asyncio.FIRST_COMPLETED)
    hurry.cancel()
    if not stopping.done():
        await worker.stop(0)
    await stopping


@asynccontextmanager
async def engine_of(config: Config, program: Sequence[str]) -> AsyncIterator[Engine]:
    engine = Engine(config.engine, models=config.models, program=program)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


@asynccontextmanager
async def background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Work that goes on inside of the block and is cancelled at its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def keep_house(ledger: Ledger, pictures: Pictures) -> None:
    """Deletes, now and then, what nobody needs any more."""
    while True:
        try:
            await ledger.prune()
            await pictures.sweep()
        except StoreTrouble as trouble:
            log.warning("cannot clear away what is old: %s", trouble)
        except Exception:
            log.exception("the housekeeping stumbled")
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
