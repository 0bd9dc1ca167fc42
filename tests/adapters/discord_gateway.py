"""The gateway of the Discord for tests: one session, events in order, and RESUME."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

from aiohttp import WSMsgType, web

from tests.adapters.discord_world import APPLICATION, GUILD, Json, World, bot_json

HEARTBEAT, IDENTIFY, RESUME, INVALID, HELLO, ACK = 1, 2, 6, 9, 10, 11
MESSAGE_CONTENT = 1 << 15


class Gateway:
    """`allowed`: whether the message content intent is switched on for the application.
    `forgetful`: no session can be resumed."""

    def __init__(self, world: World, token: str) -> None:
        self._world, self._token = world, token
        self.allowed = True
        self.forgetful = False
        self.url = ""
        self.intents = 0
        self.identified = self.resumed = 0
        self._events: list[Json] = []
        self._socket: web.WebSocketResponse | None = None
        self._packer = zlib.compressobj()
        self._lock = asyncio.Lock()

    async def connected(self, request: web.Request) -> web.WebSocketResponse:
        """A client has come; goes on until it leaves."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._packer = zlib.compressobj()
        await self._send(socket, {"op": HELLO, "d": {"heartbeat_interval": 40_000}})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            await self._received(socket, json.loads(message.data))
        if self._socket is socket:
            self._socket = None
        return socket

    async def _received(self, socket: web.WebSocketResponse, message: Json) -> None:
        if message["op"] == HEARTBEAT:
            await self._send(socket, {"op": ACK})
        elif message["op"] == IDENTIFY:
            await self._identify(socket, message["d"])
        elif message["op"] == RESUME:
            await self._resume(socket, message["d"])

    async def _identify(self, socket: web.WebSocketResponse, asked: Json) -> None:
        if asked["token"] != self._token:
            await socket.close(code=4004)
            return
        if asked["intents"] & MESSAGE_CONTENT and not self.allowed:
            await socket.close(code=4014)
            return
        self.identified += 1
        self.intents = asked["intents"]
        self._events, self._socket = [], socket
        guilds = [{"id": GUILD, "unavailable": True}] if self._world.is_member else []
        ready = {
            "v": 10, "user": bot_json(), "guilds": guilds, "session_id": "session",
            "resume_gateway_url": self.url, "shard": asked.get("shard", [0, 1]),
            "application": {"id": APPLICATION, "flags": 0}, "private_channels": [],
        }  # fmt: skip
        await self.dispatch("READY", ready)
        if self._world.is_member:
            await self.dispatch("GUILD_CREATE", self._world.guild())

    async def _resume(self, socket: web.WebSocketResponse, asked: Json) -> None:
        if asked["session_id"] != "session" or self.forgetful:
            await self._send(socket, {"op": INVALID, "d": False})
            return
        self.resumed += 1
        self._socket = socket
        for event in self._events[asked["seq"] :]:
            await self._send(socket, event)
        await self.dispatch("RESUMED", {})

    async def dispatch(self, name: str, data: Any) -> None:
        """An event; kept for a RESUME where nobody is connected."""
        event = {"op": 0, "t": name, "s": len(self._events) + 1, "d": data}
        self._events.append(json.loads(json.dumps(event)))
        if self._socket is not None:
            await self._send(self._socket, event)

    async def _send(self, socket: web.WebSocketResponse, message: Json) -> None:
        async with self._lock:
            packed = self._packer.compress(json.dumps(message).encode())
            packed += self._packer.flush(zlib.Z_SYNC_FLUSH)
            if not socket.closed:
                await socket.send_bytes(packed)

    async def drop(self) -> None:
        """Breaks the connection, as a network does."""
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close(code=4000)
