"""The contract's stage for Telegram: private chats over the loopback Bot API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.telegram_chat import TelegramChat
from adapters.telegram_pace import Pace
from bot.words import say
from tests.adapters.contract_talk import Seen, Stage, Talk
from tests.adapters.telegram_peer import TOKEN, Peer
from tests.adapters.telegram_user import User

LANGUAGES = {"en": "en", "zh": "zh-hans"}


class TelegramTalk(Talk):
    def __init__(self, user: User, language: str) -> None:
        super().__init__(language)
        self._user, self._peer = user, user.peer

    async def new(self, title: str) -> None:
        self._user.says(f"/story_new {title}")

    async def say(self, line: str) -> None:
        self._user.says(line)

    async def fill(self, **answers: str | None) -> None:
        """A form's fields are asked for one after the other."""
        stop, skip = (say(self.language, f"telegram.button_{name}") for name in ("cancel", "skip"))
        answered: set[int] = set()
        for words in answers.values():
            question = await self.finds(
                lambda m: m.data(stop) is not None and m.raw["message_id"] not in answered,
                "a question",
            )
            answered.add(question.raw["message_id"])
            if words is None:
                await self.push(question, question.data(skip) or "")
            else:
                self._user.says(words)

    async def command(self, name: str, **options: str | int) -> None:
        given = " ".join(f"{option}={value}" for option, value in options.items())
        self._user.says(f"/{name.replace(' ', '_')} {given}".strip())

    async def push(self, message: Seen, data: str) -> None:
        here = self._peer.rooms[self._user.id].to_json()
        raw = message.raw if message.raw["chat"] == here else {**message.raw, "chat": here}
        query = self._user.press(raw, data)
        await self._peer.until(lambda: query not in self._peer.open_queries)

    async def messages(self) -> Sequence[Seen]:
        return [
            Seen(
                message.get("text") or message.get("caption", ""),
                tuple(
                    (one["text"], one["callback_data"])
                    for row in message.get("reply_markup", {}).get("inline_keyboard", ())
                    for one in row
                    if "callback_data" in one
                ),
                int("photo" in message),
                message,
            )
            for message in self._peer.shown(self._user.id)
        ]


@asynccontextmanager
async def telegram(folder: Path) -> AsyncIterator[Stage]:
    """A Bot API server on loopback."""
    async with Peer() as peer:

        async def person(name: str, language: str) -> Talk:
            return TelegramTalk(peer.person(name, language=LANGUAGES[language]), language)

        chat = TelegramChat(
            TOKEN, folder, api_url=peer.address, poll_seconds=2, pace=Pace(burst=1000)
        )
        yield Stage(chat, person, lambda: peer.wrong)
