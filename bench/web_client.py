"""People at the local chat, over real sockets: what a browser's page would ask."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp

BUTTON = re.compile(r'"data": ?"([^"]+)"')
PATIENCE_SECONDS = 120.0  # while the bot is down or being started


class NotTaken(Exception):
    """The chat answered, but not with 200."""


class Visitor:
    """One person with a session of their own. `delays` are the seconds that calls took."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._http = aiohttp.ClientSession(
            headers={"Origin": address}, cookie_jar=aiohttp.CookieJar(unsafe=True)
        )
        self.home = ""
        self.delays: list[float] = []

    async def close(self) -> None:
        await self._http.close()

    async def enter(self) -> None:
        """Begins a session."""
        session = await self._post("/api/session", {"language": "en"})
        self.home = str(next(room["id"] for room in session["rooms"] if room["home"]))

    async def call(self, room: str, **asked: object) -> Mapping[str, Any]:
        """One call, tried with the same nonce until the chat has answered it."""
        body = {"nonce": secrets.token_hex(8), **asked}
        began = time.monotonic()
        answer = await self._post(f"/api/rooms/{quote(room)}/calls", body)
        self.delays.append(time.monotonic() - began)
        return answer

    async def messages(self, room: str) -> list[Mapping[str, Any]]:
        answer = await self._ask("GET", f"/api/rooms/{quote(room)}/messages", None)
        return list(answer["messages"])

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """The socket on which an open page is told what there is, and what is new."""
        async with self._http.ws_connect(f"{self._address}/api/events?since=0") as socket:
            yield socket

    async def _post(self, path: str, body: object) -> Mapping[str, Any]:
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: object) -> Mapping[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                async with self._http.request(method, self._address + path, json=body) as response:
                    text = await response.text()
                    if response.status != 200:
                        raise NotTaken(f"{path}: {response.status} {text[:200]}")
                    return dict(await response.json())
            except (aiohttp.ClientError, OSError) as error:
                if time.monotonic() > deadline:
                    raise NotTaken(f"{path}: {error}") from error
                await asyncio.sleep(0.1)


async def until_said(
    socket: aiohttp.ClientWebSocketResponse, room: str, words: re.Pattern[str]
) -> None:
    """Until a message in a room begins with these words. Raises TimeoutError, NotTaken."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for told in socket:
            message = told.json().get("message", {})
            if message.get("room") == room and words.match(message["text"]):
                return
    raise NotTaken("the socket of an open page was closed")


def presses(messages: list[Mapping[str, Any]], action: str) -> list[str]:
    """The data of the buttons that mean this action, in all messages."""
    return [data for data in BUTTON.findall(str_json(messages)) if data.split(":")[0] == action]


def str_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def pages_in(messages: list[Mapping[str, Any]], title: str) -> int:
    """How many messages bring the finished page of a story without being asked for it again."""
    return sum(
        message["text"].split("\n")[0] == title
        and any(file["picture"] for file in message["files"])
        for message in messages
    )
