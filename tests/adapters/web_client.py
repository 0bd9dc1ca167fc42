"""A person who uses the web chat over a real socket, as a browser would."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from adapters.web_chat import WebChat
from tests.adapters.small_bot import SmallBot

SECONDS = 20  # how long a test waits for what must come


@asynccontextmanager
async def serving(
    folder: Path, bot: SmallBot | None = None, **options: Any
) -> AsyncIterator[tuple[WebChat, SmallBot]]:
    """The chat on a free port, with a small bot behind it."""
    bot = bot or SmallBot()
    chat = WebChat(folder=folder, **{"port": 0, **options})
    bot.chat = chat
    await chat.start(bot)
    try:
        yield chat, bot
    finally:
        await asyncio.gather(*bot.drawing)
        await chat.stop()


class Browser:
    """Keeps cookies; `me` and `rooms` are what the page was told when it came in."""

    def __init__(self, chat: WebChat, **headers: str) -> None:
        self.address = chat.address
        self.headers = {"Origin": chat.address, **headers}
        self.http = aiohttp.ClientSession(chat.address, cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.me: dict[str, Any] = {}
        self.rooms: list[dict[str, Any]] = []
        self.seq = 0
        self.nonces = (f"nonce-{number:06}-{id(self)}" for number in itertools.count())

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    @property
    def home(self) -> str:
        return str(self.me["id"])

    @property
    def cookies(self) -> Mapping[str, str]:
        return {cookie.key: cookie.value for cookie in self.http.cookie_jar}

    @cookies.setter
    def cookies(self, cookies: Mapping[str, str]) -> None:
        self.http.cookie_jar.update_cookies(cookies, URL(self.address))

    async def ask(
        self, method: str, path: str, body: Any = None, data: Any = None
    ) -> tuple[int, Any]:
        """Status, and the answer's JSON (or bytes, if it is none)."""
        async with self.http.request(
            method, path, json=body, data=data, headers=self.headers
        ) as answer:
            content = await answer.read()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(content) if is_json else content

    async def come_in(self, language: str = "en") -> Browser:
        status, session = await self.ask("POST", "/api/session", {"language": language})
        assert status == 200, session
        self.me, self.rooms, self.seq = session["me"], session["rooms"], session["seq"]
        return self

    async def call(self, room: str | None = None, **asked: Any) -> Any:
        body = {"nonce": next(self.nonces), **asked}
        status, answer = await self.ask("POST", f"/api/rooms/{room or self.home}/calls", body)
        return answer if status == 200 else (status, answer)

    async def messages(self, room: str | None = None, query: str = "") -> list[dict[str, Any]]:
        status, answer = await self.ask("GET", f"/api/rooms/{room or self.home}/messages{query}")
        assert status == 200
        messages: list[dict[str, Any]] = answer["messages"]
        return messages

    async def texts(self, room: str | None = None) -> list[str]:
        return [message["text"] for message in await self.messages(room)]

    async def upload(self, content: bytes, name: str = "photo.png") -> str:
        status, answer = await self.ask("POST", f"/api/uploads?name={name}", data=content)
        assert status == 200, answer
        return str(answer["upload"])

    @asynccontextmanager
    async def page(self, since: int | None = None) -> AsyncIterator[Page]:
        """An open page that hears what happens after `since`; by default, after coming in."""
        path = f"/api/events?since={self.seq if since is None else since}"
        async with self.http.ws_connect(path, headers=self.headers) as socket:
            yield Page(socket)


class Page:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        event: dict[str, Any] = await self.socket.receive_json(timeout=SECONDS)
        return event

    async def until(self, text: str) -> list[dict[str, Any]]:
        """All events up to the message with this text."""
        events = [await self.next()]
        while events[-1].get("message", {}).get("text") != text:
            events.append(await self.next())
        return events

    async def ready(self) -> list[dict[str, Any]]:
        """What was missed."""
        events = [await self.next()]
        while events[-1]["type"] != "ready":
            events.append(await self.next())
        return events[:-1]


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await is_so():
            await asyncio.sleep(0.02)
