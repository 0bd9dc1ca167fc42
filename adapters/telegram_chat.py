"""The Telegram chat: python-telegram-bot in the bot's own event loop, by long polling."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from math import inf
from pathlib import Path
from typing import Any

os.environ.setdefault("PTB_TIMEDELTA", "true")  # the library's pauses as timedelta, not as int

import telegram
from telegram import (
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    Update,
)
from telegram.error import Conflict, InvalidToken, TelegramError
from telegram.ext import Application, TypeHandler

from adapters.telegram_calls import Calls
from adapters.telegram_cards import Cards
from adapters.telegram_commands import menu
from adapters.telegram_dialogs import Dialogs
from adapters.telegram_http import AiohttpRequest
from adapters.telegram_inline import Inline
from adapters.telegram_order import InOrder
from adapters.telegram_outbox import Outbox, Outgoing
from adapters.telegram_pace import Pace
from adapters.telegram_people import CHAT, People
from adapters.telegram_places import Places
from adapters.telegram_presses import Presses
from adapters.telegram_replies import Replies, Tools
from adapters.telegram_rights import Rights
from adapters.telegram_storage import Storage
from adapters.telegram_text import keyboard
from bot.chat import Bot, CannotPost, CannotStart, Chat, Person, Place, Post

FILE = "telegram.sqlite3"
API_URL = "https://api.telegram.org"
UPDATES = ("message", "callback_query", "inline_query", "my_chat_member")  # edits are ignored
LANGUAGES = (None, "zh")  # of the menus; None: everybody else, in English
SCOPES: tuple[tuple[BotCommandScope, bool], ...] = (
    (BotCommandScopeAllPrivateChats(), False),
    (BotCommandScopeAllGroupChats(), False),
    (BotCommandScopeAllChatAdministrators(), True),
)
POLL_SECONDS = 30  # that Telegram may take to answer when nothing happens
GROUP_EDIT_SECONDS = 10.0  # between two progress edits in a group, which takes 20 messages a minute
CONNECTIONS = 64

App = Application[Any, Any, Any, Any, Any, Any]
log = logging.getLogger(__name__)


class TelegramChat(Chat):
    """The bot that the token belongs to, on Telegram or a Bot API server at `api_url`."""

    name = CHAT
    knows_nonces = False

    def __init__(
        self,
        token: str,
        folder: Path = Path("data"),
        api_url: str = "",
        poll_seconds: int = POLL_SECONDS,
        pace: Pace | None = None,
    ) -> None:
        self._token, self._folder = token, folder
        self._url = api_url.rstrip("/") or API_URL
        self._poll_seconds = poll_seconds
        self._pace = pace or Pace()
        self._app: App | None = None
        self._bot: Bot | None = None
        self._storage: Storage | None = None
        self._outbox: Outbox | None = None
        self._inline: Inline | None = None
        self._people: People | None = None
        self._presses = Presses()
        self._edited: dict[str, float] = {}  # when progress was last shown in a group

    @property
    def address(self) -> str:
        """Where people open it: "https://t.me/inkwell_bot"."""
        return f"https://t.me/{self._app.bot.username}" if self._app is not None else ""

    async def start(self, bot: Bot) -> None:
        """Raises CannotStart for a token or an address that does not work; OSError for a file that
        cannot be used."""
        storage = await Storage.open(self._folder / FILE)
        app = self._build()
        try:
            await app.initialize()  # asks Telegram who we are
            await self._begin(app, bot, storage)
        except BaseException as error:
            await close(app)
            await storage.close()
            if isinstance(error, TelegramError):
                raise self._cannot_start(error) from error
            raise
        self._app, self._storage = app, storage

    def _build(self) -> App:
        return (
            Application.builder()
            .token(self._token or "none")
            .base_url(f"{self._url}/bot")
            .base_file_url(f"{self._url}/file/bot")
            .rate_limiter(self._pace)
            .concurrent_updates(InOrder(self._presses))
            .request(AiohttpRequest(self._url, CONNECTIONS))
            .get_updates_request(AiohttpRequest(self._url, 1, self._poll_seconds + 10))
            .build()
        )

    def _cannot_start(self, error: TelegramError) -> CannotStart:
        if isinstance(error, InvalidToken):
            return CannotStart(
                "Telegram does not know the token in INKWELL_TELEGRAM_TOKEN:"
                " copy it again from @BotFather, or take it away to run without Telegram"
            )
        return CannotStart(
            f"Telegram cannot be reached at {self._url}: {error.message}", again=True
        )

    async def _begin(self, app: App, bot: Bot, storage: Storage) -> None:
        places, people = await Places.open(storage), People(storage)
        outbox = Outbox(app.bot, bot, places, people)
        inline = Inline(bot, storage)
        tools = Tools(
            app.bot,
            bot,
            storage,
            people,
            outbox,
            Cards(app.bot, bot, storage, places, outbox),
            Dialogs(storage, bot, outbox),
            inline,
            self._presses,
        )
        calls = Calls(tools, places, Rights(app.bot), Replies(tools))

        async def take(update: Update, context: object) -> None:
            await calls.take(update)

        app.add_handler(TypeHandler(Update, take))
        app.add_error_handler(log_error)
        await show_menus(app.bot, bot, storage)
        await app.start()
        assert app.updater is not None
        await app.updater.start_polling(
            timeout=self._poll_seconds,
            allowed_updates=UPDATES,
            error_callback=log_poll_error,
        )
        self._bot, self._outbox, self._inline, self._people = bot, outbox, inline, people

    async def stop(self) -> None:
        """Answers what is under way, and lets go of the connections and the file."""
        app, storage, outbox = self._app, self._storage, self._outbox
        self._app = self._storage = self._outbox = self._bot = None
        if outbox is not None:
            await outbox.close()
        if app is not None:
            await close(app)
        if storage is not None:
            await storage.close()

    async def post(self, post: Post) -> str:
        """Shows a post and returns its message ids. Raises CannotPost."""
        outbox, inline, people, bot = self._outbox, self._inline, self._people, self._bot
        if outbox is None or inline is None or people is None or bot is None:
            raise CannotPost("the Telegram chat is not running", again=True)
        if post.place.chat != self.name:
            raise CannotPost(f"this place is not on Telegram: {post.place.key}")
        if post.edit is not None and post.progress is not None:
            self._check_time(post.place)
        owner = post.mention.id if post.mention else ""
        person = await people.named(owner or post.place.channel)
        language = await bot.language(person) if person else None
        in_group = post.place.server is not None
        outgoing = Outgoing(
            post.text,
            post.files,
            keyboard(post.buttons),
            mention=named(post.mention, person) if in_group else None,
            owner=owner,
            language=language,
        )
        if post.edit is not None and post.buttons_only:
            return await outbox.edit_buttons(post.place, post.edit, outgoing)
        if post.edit is not None:
            return await outbox.edit(post.place, post.edit, outgoing)
        sent = await outbox.send(post.place, outgoing)
        if post.progress is None and (owner or not in_group):
            await inline.keep(owner or post.place.channel, post.text, sent, post.about)
        return sent.id

    def _check_time(self, place: Place) -> None:
        """Progress is shown seldom in groups. Raises CannotPost, which says when it may be."""
        if place.server is None:
            return
        now = time.monotonic()
        left = self._edited.get(place.channel, -inf) + GROUP_EDIT_SECONDS - now
        if left > 0:
            raise CannotPost("it is too early for progress in this group", again=True, wait=left)
        self._edited[place.channel] = now

    async def remove(self, place: Place, message: str) -> None:
        """Takes a post away; one that is gone already is no error. Raises CannotPost."""
        if self._outbox is None:
            raise CannotPost("the Telegram chat is not running", again=True)
        await self._outbox.remove(place, message)


async def close(app: App) -> None:
    """First no more updates, then those under way, then the connections; from any state."""
    if app.updater is not None and app.updater.running:
        await app.updater.stop()
    if app.running:
        await app.stop()
    await app.shutdown()
    await app.bot.shutdown()  # the app leaves it open where it never got to be initialized


def named(mention: Person | None, known: Person | None) -> Person | None:
    """Whom to mention, by the name that the bot has met them under."""
    if mention is None or known is None or mention.id != known.id:
        return mention
    return known


async def show_menus(api: telegram.Bot, bot: Bot, storage: Storage) -> None:
    """Tells Telegram the commands, if they have changed since it was told."""
    menus = [
        (scope, language, menu(bot, language, manager=manager))
        for scope, manager in SCOPES
        for language in LANGUAGES
    ]
    shown = repr([(api.id, str(scope.type), language, m) for scope, language, m in menus])
    digest = hashlib.sha256(shown.encode()).hexdigest()
    if await storage.meta("menus") == digest:
        return
    try:
        for scope, language, commands in menus:
            await api.set_my_commands(commands, scope=scope, language_code=language)
    except TelegramError as error:
        log.warning("Telegram did not take the menus of commands: %s", error)
        return
    await storage.set_meta("menus", digest)


def log_poll_error(error: TelegramError) -> None:
    """What goes wrong while waiting for news; the library tries again."""
    if isinstance(error, Conflict):
        log.error("another program polls Telegram with the same token: stop one of the two")
    elif isinstance(error, InvalidToken):
        log.error("Telegram refuses our token; put the new one into INKWELL_TELEGRAM_TOKEN")
    else:
        log.warning("Telegram: %s", error)


async def log_error(update: object, context: Any) -> None:
    log.error("an update could not be answered", exc_info=context.error)
