"""A Bot API server on loopback: it keeps messages and refuses what Telegram refuses, in its words.

async with Peer() as peer:
    ann = peer.person("Ann")
    chat = TelegramChat(TOKEN, folder, api_url=peer.address)
    ...
    await ann.says("/start")
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.adapters.telegram_methods import Asked, Methods, Refusal
from tests.adapters.telegram_spec import problems
from tests.adapters.telegram_user import Json, Room, User

TOKEN = "123456789:AAH-not-a-real-token-0123456789abcd"
SECONDS = 30.0  # how long a test waits for what must come


@dataclass
class Fault:
    """What goes wrong with the next request of a method. `done`: it is carried out all the same;
    `drop`: the connection is cut instead of an answer."""

    method: str
    status: int = 500
    words: str = "Internal Server Error"
    parameters: dict[str, int] = field(default_factory=dict)
    done: bool = False
    drop: bool = False


class Peer(Methods):
    """`wrong` is what the description of the Bot API has against any request."""

    def __init__(self, port: int = 0) -> None:
        super().__init__()
        self._port = port
        self.asked: list[Asked] = []
        self.wrong: list[str] = []
        self.faults: list[Fault] = []
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self.address = ""

    async def __aenter__(self) -> Peer:
        app = web.Application(client_max_size=80_000_000)
        app.router.add_route("*", "/bot{token}/{method}", self._take)
        app.router.add_get("/file/bot{token}/{path}", self._download)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await self._site.start()
        port = self._runner.addresses[0][1]
        self.address = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._news.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def hang_up(self) -> None:
        """From now on nobody listens at the address."""
        assert self._site is not None
        assert self._runner is not None
        await self._site.stop()
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0.05)  # until the client, in this same loop, has seen it

    # What tests do and see

    def person(
        self,
        name: str,
        *,
        started: bool = True,
        language: str | None = "en",
        username: str | None = None,
    ) -> User:
        user = User(self, next(self._numbers) + 1000, name, language, username)
        self.rooms[user.id] = Room(user.id, "private", name, started=started)
        return user

    def group(self, title: str = "Comics", **options: Any) -> Room:
        room = Room(-1001000000000 - next(self._numbers), "supergroup", title, **options)
        self.rooms[room.id] = room
        return room

    def delete_topic(self, room: Room, topic: int) -> None:
        """As somebody who manages the group does: with all that was said there."""
        del room.topics[topic]
        for key, message in list(self.messages.items()):
            if key[0] == room.id and message.get("message_thread_id") == topic:
                del self.messages[key]

    def tell(self, **update: Any) -> None:
        """Lets the bot know of something."""
        self._updates.append({"update_id": next(self._numbers), **update})
        self._news.set()

    def shown(self, chat: int) -> list[Json]:
        """The bot's messages in a chat that are there now, the oldest first."""
        found = [m for (room, _), m in sorted(self.messages.items()) if room == chat]
        return [message for message in found if message["from"]["id"] == self.me["id"]]

    def texts(self, chat: int) -> list[str]:
        return [message.get("text") or message.get("caption", "") for message in self.shown(chat)]

    def requests(self, method: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == method]

    async def until(self, what: Callable[[], Any]) -> Any:
        """Waits until something is so, and returns it."""
        try:
            async with asyncio.timeout(SECONDS):
                while not (found := what()):
                    await asyncio.sleep(0.01)
        except TimeoutError:
            seen = {room: self.texts(room) for room in self.rooms}
            raise AssertionError(f"it did not come; there is {seen}") from None
        return found

    async def until_says(self, chat: int, words: str) -> Json:
        """Waits for a message of the bot with these words in it; the newest one."""
        found: Json = await self.until(
            lambda: next(
                (
                    message
                    for message in reversed(self.shown(chat))
                    if words in (message.get("text") or message.get("caption", ""))
                ),
                None,
            )
        )
        return found

    # What Telegram does

    async def _take(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != TOKEN:
            return answer(401, "Unauthorized")
        given, files = await read_form(request)
        asked = Asked(method, given, files)
        if method != "getUpdates":
            self.asked.append(asked)
            self.wrong += problems(method, given, files)
        fault = next((one for one in self.faults if one.method == method), None)
        if fault is not None:
            self.faults.remove(fault)
            if fault.done:
                await self._do(asked)
            if fault.drop:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            return answer(fault.status, fault.words, fault.parameters)
        try:
            return web.json_response({"ok": True, "result": await self._do(asked)})
        except Refusal as refusal:
            return answer(refusal.status, refusal.words, refusal.parameters)

    async def _download(self, request: web.Request) -> web.Response:
        return web.Response(body=self.stored[request.match_info["path"]])

    async def _do(self, asked: Asked) -> Any:
        act = getattr(self, f"_{asked.method}", None)
        if act is None:
            raise Refusal(404, "Not Found")
        result = act(asked)
        return await result if asyncio.iscoroutine(result) else result


async def read_form(request: web.Request) -> tuple[dict[str, str], dict[str, bytes]]:
    given, files = {}, {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = value.file.read()
        else:
            assert isinstance(value, str)
            given[name] = value
    return given, files


def answer(status: int, words: str, parameters: Mapping[str, int] | None = None) -> web.Response:
    body: Json = {"ok": False, "error_code": status, "description": words}
    if parameters:
        body["parameters"] = dict(parameters)
    return web.json_response(body, status=status)
