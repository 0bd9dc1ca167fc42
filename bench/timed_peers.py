"""Discord and Telegram on loopback that measure how soon they are answered.

TimedDiscord does not check what it is sent against Discord's description, as tests do: that would
take more time than the bot needs.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.adapters.discord_peer import DiscordPeer, reply
from tests.adapters.discord_world import Interaction
from tests.adapters.telegram_methods import Asked, Refusal
from tests.adapters.telegram_peer import Peer

CALLBACK = re.compile(r"/interactions/\d+/([^/]+)/callback")
# What the bot says of its own accord, or after the card that answers a press: no answer to what was
# typed since.
ASIDE = re.compile(r"Number \d+(:| is)|The last change is taken back")
PATIENCE_SECONDS = 30.0


class Stopwatch:
    """`delays` are seconds by kind; `errors` what was refused. Somebody waits for each answer."""

    def __init__(self) -> None:
        self.delays: defaultdict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self._seen: dict[str, float] = {}  # signs that the answer will come
        self._answered: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def see(self, key: str, seconds: float) -> None:
        """The person sees that something was heard; the answer itself comes later."""
        if not self._answered[key].is_set():
            self._seen.setdefault(key, seconds)

    def stop(self, kind: str, key: str, seconds: float) -> None:
        """The first answer to something has come."""
        if not self._answered[key].is_set():
            self.delays[kind].append(self._seen.pop(key, seconds))
            self._answered[key].set()

    async def wait(self, key: str) -> None:
        """Until the answer has come. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._answered[key].wait()
        del self._answered[key]

    def clear(self) -> None:
        """Forgets what was measured so far."""
        self.delays.clear()
        self.errors.clear()


class TimedDiscord(DiscordPeer):
    """Counts from the event on the gateway to the callback of the interaction."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = Stopwatch()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        now, path = time.monotonic(), "/" + request.match_info["path"]
        answer = await super()._api(request)
        if answer.status >= 400:
            self.watch.errors.append(f"{request.method} {path}: {answer.status}")
        callback = CALLBACK.fullmatch(path)
        if callback is not None and answer.status < 400:
            interaction = self.world.interactions[callback[1]]
            self.watch.stop(kind_of(interaction), interaction.id, now - interaction.at)
        return answer

    async def _obey(
        self, request: web.Request, path: str, body: Any, files: Mapping[str, bytes]
    ) -> web.StreamResponse:
        answer = await self.carried_out(request.method, path, body, files)
        if answer is None:
            return reply({"code": 0, "message": "404: Not Found"}, 404)
        return answer


def kind_of(interaction: Interaction) -> str:
    return "press" if interaction.payload["type"] == 3 else "command"


class TimedTelegram(Peer):
    """Counts from handing out an update to the answer to a press, or to the first message that
    answers what somebody typed; "typing…" before it tells them that it was heard."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = Stopwatch()
        self._handed: dict[str, float] = {}

    async def _getUpdates(self, asked: Asked) -> list[dict[str, Any]]:  # noqa: N802
        updates = await super()._getUpdates(asked)
        now = time.monotonic()
        for update in updates:
            self._handed.setdefault(key_of(update), now)
        return updates

    async def _do(self, asked: Asked) -> Any:
        now = time.monotonic()
        try:
            done = await super()._do(asked)
        except Refusal as refusal:
            self.watch.errors.append(f"{asked.method}: {refusal.status} {refusal.words}")
            raise
        if asked.method == "answerCallbackQuery":
            self._answered("press", asked.given["callback_query_id"], now)
        elif asked.method == "sendChatAction":
            chat = asked.given["chat_id"]
            self.watch.see(chat, now - self._handed.get(chat, now))
        elif asked.method == "sendMessage" and not ASIDE.match(asked.given["text"]):
            self._answered("command", asked.given["chat_id"], now)
        return done

    def _answered(self, kind: str, key: str, now: float) -> None:
        handed = self._handed.pop(key, None)
        if handed is not None:
            self.watch.stop(kind, key, now - handed)


def key_of(update: Mapping[str, Any]) -> str:
    """What an answer to it can be known by: the query, else the chat."""
    if "callback_query" in update:
        return str(update["callback_query"]["id"])
    return str(update["message"]["chat"]["id"])
