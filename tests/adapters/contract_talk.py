"""What the contract test needs of a chat: somebody who talks in it, and what they see there."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.chat import Chat
from bot.words import say

SECONDS = 30.0  # that somebody waits for what must come


@dataclass(frozen=True)
class Seen:
    """A message of the bot. `buttons` are (label, data); `raw` is how the chat has it."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    pictures: int = 0
    raw: Any = field(default=None, compare=False)

    @property
    def heading(self) -> str:
        return self.text.partition("\n")[0]

    def data(self, label: str) -> str | None:
        """What the button of that label carries."""
        return dict(self.buttons).get(label)


class Talk(ABC):
    """One person who has the bot for themselves. `heard` is every word it ever said to them."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.heard: set[str] = set()

    @abstractmethod
    async def new(self, title: str) -> None:
        """Begins a story; what is said from then on is for it."""

    @abstractmethod
    async def say(self, line: str) -> None:
        """Types a line."""

    @abstractmethod
    async def fill(self, **answers: str | None) -> None:
        """Fills in the form that a press has opened, all fields in their order; None leaves one as
        it is."""

    @abstractmethod
    async def command(self, name: str, **options: str | int) -> None:
        """Uses a command of the table."""

    @abstractmethod
    async def push(self, message: Seen, data: str) -> None:
        """Presses a button with this data, as if it were under this message."""

    @abstractmethod
    async def messages(self) -> Sequence[Seen]:
        """What they can see now, the oldest first."""

    async def seen(self) -> Sequence[Seen]:
        """The same; what it says is remembered."""
        messages = await self.messages()
        for message in messages:
            self.heard |= {message.text, *(label for label, _ in message.buttons)}
        return messages

    async def finds(self, fits: Callable[[Seen], object], what: str) -> Seen:
        """Waits for a message that fits; the newest one."""
        messages: Sequence[Seen] = ()
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    messages = await self.seen()
                    for message in reversed(messages):
                        if fits(message):
                            return message
                    await asyncio.sleep(0.03)
        except TimeoutError:
            texts = "\n---\n".join(f"{m.text} {m.buttons}" for m in messages)
            raise AssertionError(f"{what} did not come; there is:\n{texts}") from None

    async def sees(self, words: str) -> Seen:
        """Waits for a message with these words in it."""
        return await self.finds(lambda message: words in message.text, repr(words))

    async def press(self, label: str, heading: str = "") -> None:
        """Presses the newest button of that key of the catalogues or that label, under a message
        with this heading, if one is given."""
        words = say(self.language, label)
        message = await self.finds(
            lambda seen: seen.data(words) is not None and heading in ("", seen.heading),
            f"a button {words!r}",
        )
        await self.push(message, message.data(words) or "")

    async def pages(self) -> list[Seen]:
        """Finished pages: pictures under which it says how a panel is drawn anew."""
        redraw = say(self.language, "button.redraw")
        return [m for m in await self.seen() if m.pictures and m.data(redraw) is not None]


@dataclass(frozen=True)
class Stage:
    """A chat, and how somebody of that name and language comes in. `problems` is what the server
    has against the requests that it got."""

    chat: Chat
    person: Callable[[str, str], Awaitable[Talk]]
    problems: Callable[[], Sequence[str]] = tuple
