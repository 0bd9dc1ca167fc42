"""People who each have one story drawn, in any chat, while the bot may be killed at any moment.

What is not answered they ask again, as people do. Discord and Telegram are peers on loopback, which
live on while the bot is down.
"""

from __future__ import annotations

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any

from bench.bot_process import BotProcess
from bench.web_client import Visitor, pages_in, presses
from tests.adapters.discord_peer import TOKEN as DISCORD_TOKEN
from tests.adapters.discord_peer import DiscordPeer
from tests.adapters.discord_people import Someone, labels
from tests.adapters.telegram_peer import TOKEN as TELEGRAM_TOKEN
from tests.adapters.telegram_peer import Peer as TelegramPeer

PANELS = 4
AGAIN_SECONDS = 4.0  # after which somebody asks again
PATIENCE_SECONDS = 120.0


def title(number: int) -> str:
    return f"Story {number}"


def script(number: int) -> str:
    steps = [f"[Tom] walks in the park, step {n} #Step {n} of {number}" for n in range(PANELS)]
    return "\n".join(["[Tom] a man", "", *steps])


async def ask(visitor: Visitor, number: int) -> str:
    """Types a story in the local chat and presses Draw; returns its room once that was answered."""
    await visitor.enter()
    options = {"title": title(number), "script": script(number)}
    room: str | None = None
    while room is None:  # the bot was killed between hearing it and saying where it is
        answer = await visitor.call(visitor.home, command="story new", options=options)
        room = answer.get("room")
    while not (found := presses(await visitor.messages(room), "draw")):
        await asyncio.sleep(0.2)
    await visitor.call(room, press=found[-1])
    return room


class Asker(ABC):
    """Somebody with a story of their own."""

    def __init__(self, bot: BotProcess, number: int) -> None:
        self.bot, self.number = bot, number

    @abstractmethod
    async def ask(self) -> None:
        """Types the story and presses Draw; returns once it is in the queue."""

    @abstractmethod
    async def pages(self) -> int:
        """How many pages of the story were posted to them without being asked for again."""

    def is_unsure(self) -> bool:
        """Whether they were told that the page may have been lost, and can have it sent again."""
        return False

    async def send_again(self) -> None:
        """Presses the button for that, and waits for the page. Raises TimeoutError."""
        raise NotImplementedError

    async def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Goes away."""


class WebAsker(Asker):
    def __init__(self, bot: BotProcess, number: int) -> None:
        super().__init__(bot, number)
        self._visitor = Visitor(bot.address)
        self._room: str | None = None

    async def ask(self) -> None:
        self._room = await ask(self._visitor, self.number)

    async def pages(self) -> int:
        assert self._room is not None
        return pages_in(await self._visitor.messages(self._room), title(self.number))

    async def close(self) -> None:
        await self._visitor.close()


class NetworkAsker(Asker):
    """Somebody at Discord or Telegram; `key` is what the bot's store calls them."""

    key: str

    @abstractmethod
    async def begin(self) -> None:
        """Types the story."""

    @abstractmethod
    async def show(self) -> None:
        """Asks for the story's card."""

    @abstractmethod
    def card(self) -> dict[str, Any] | None:
        """The newest message with a button to draw."""

    @abstractmethod
    async def draw(self, card: dict[str, Any]) -> None:
        """Presses that button."""

    async def ask(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._stored("SELECT 1 FROM stories WHERE owner = ?"):
                await self.begin()
                await soon(lambda: self._stored("SELECT 1 FROM stories WHERE owner = ?"))
            while not await soon(lambda: self.card() is not None):
                await self.show()
            while not self._stored("SELECT 1 FROM jobs WHERE person = ?"):
                card = self.card()
                assert card is not None
                await self.draw(card)
                await soon(lambda: self._stored("SELECT 1 FROM jobs WHERE person = ?"))

    def _stored(self, sql: str) -> bool:
        try:
            uri = f"{self.bot.database.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as reader:
                return reader.execute(sql, (self.key,)).fetchone() is not None
        except sqlite3.OperationalError:  # left by a killed bot: the next one puts it in order
            return False


class DiscordAsker(NetworkAsker):
    def __init__(self, bot: BotProcess, number: int, peer: DiscordPeer) -> None:
        super().__init__(bot, number)
        self._who = Someone(peer, str(1000 + number), f"Person {number}").in_dm()
        self.key = f"discord:{self._who.id}"

    async def begin(self) -> None:
        with suppress(ConnectionError):  # nobody is there: Discord says so to them
            options = {"title": title(self.number), "script": script(self.number)}
            await self._who.uses("story new", late=True, **options)

    async def show(self) -> None:
        with suppress(ConnectionError):
            await self._who.uses("story show", late=True)

    def card(self) -> dict[str, Any] | None:
        found = self._who.peer.in_channel(self._who.where)
        return next((one for one in reversed(found) if "Draw" in labels(one)), None)

    async def draw(self, card: dict[str, Any]) -> None:
        with suppress(ConnectionError):
            await self._who.presses(card, "Draw", late=True)

    async def pages(self) -> int:
        return sum(
            message["content"].split("\n")[0] == title(self.number)
            and any(file["filename"].endswith(".png") for file in message["attachments"])
            for message in self._who.peer.in_channel(self._who.where)
        )


class TelegramAsker(NetworkAsker):
    def __init__(self, bot: BotProcess, number: int, peer: TelegramPeer) -> None:
        super().__init__(bot, number)
        self._peer, self._user = peer, peer.person(f"Person {number}")
        self.key = f"telegram:{self._user.id}"

    async def begin(self) -> None:
        self._user.says(script(self.number))

    async def show(self) -> None:
        self._user.says("/story_show")

    def card(self) -> dict[str, Any] | None:
        return self._with_button("Draw")

    async def draw(self, card: dict[str, Any]) -> None:
        self._user.press(card, button_data(card)["Draw"])

    async def pages(self) -> int:
        return sum(
            "photo" in message and message.get("caption", "").split("\n")[0] == "Tom"
            for message in self._peer.shown(self._user.id)
        )

    def is_unsure(self) -> bool:
        return self._with_button("Send again") is not None

    async def send_again(self) -> None:
        message, before = self._with_button("Send again"), await self.pages()
        assert message is not None
        self._user.press(message, button_data(message)["Send again"])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.pages() == before:
                await asyncio.sleep(0.05)

    def _with_button(self, label: str) -> dict[str, Any] | None:
        shown = reversed(self._peer.shown(self._user.id))
        return next((message for message in shown if label in button_data(message)), None)


def button_data(message: Mapping[str, Any]) -> dict[str, str]:
    """What the buttons under a message on Telegram carry, by their labels."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", ())
    return {one["text"]: one.get("callback_data", "") for row in rows for one in row}


async def soon(true: Callable[[], bool]) -> bool:
    """Waits until something is so, but not for ever; whether it is."""
    with suppress(TimeoutError):
        async with asyncio.timeout(AGAIN_SECONDS):
            while not true():
                await asyncio.sleep(0.05)
    return true()


@dataclass(frozen=True)
class Chat:
    """Where people ask. `environment` is what the bot must know to be there."""

    asker: Callable[[BotProcess, int], Asker]
    environment: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def web() -> AsyncIterator[Chat]:
    yield Chat(WebAsker)


@asynccontextmanager
async def discord(peer: DiscordPeer | None = None) -> AsyncIterator[Chat]:
    async with peer or DiscordPeer() as there:
        environment = {
            "INKWELL_DISCORD_TOKEN": DISCORD_TOKEN,
            "INKWELL_DISCORD_API_URL": there.api_url,
            "INKWELL_DISCORD_GATEWAY_URL": there.gateway_url,
        }
        yield Chat(lambda bot, number: DiscordAsker(bot, number, there), environment)


@asynccontextmanager
async def telegram(peer: TelegramPeer | None = None) -> AsyncIterator[Chat]:
    async with peer or TelegramPeer() as there:
        environment = {
            "INKWELL_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "INKWELL_TELEGRAM_API_URL": there.address,
        }
        yield Chat(lambda bot, number: TelegramAsker(bot, number, there), environment)


CHATS = {"web": web, "discord": discord, "telegram": telegram}
