"""A Discord on 127.0.0.1 for tests: the REST interface v10 and the gateway, with its refusals.

It is strict where the real one is: who answers too late, twice or too long is refused. Request
bodies are checked against Discord's own description; what is wrong with them is in `problems`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.adapters.discord_gateway import Gateway
from tests.adapters.discord_schema import problems
from tests.adapters.discord_world import (
    APPLICATION,
    LOBBY,
    Interaction,
    Json,
    Refusal,
    World,
    bot_json,
)

TOKEN = "the.right.token"
ANSWER_SECONDS = 3.0
Files = Mapping[str, bytes]


@dataclass
class Trouble:
    """The next request that fits gets this answer instead; with `deaf`, after it was obeyed. No
    status: the connection breaks. So many as `skip` are obeyed before."""

    method: str
    path: str  # a pattern
    status: int | None
    body: Json = field(default_factory=dict)
    deaf: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    skip: int = 0


class DiscordPeer:
    """`async with DiscordPeer() as peer:`; then `peer.api_url` and `peer.gateway_url`."""

    def __init__(self, port: int = 0) -> None:
        self.world, self._port = World(), port
        self.gateway = Gateway(self.world, TOKEN)
        self.requests: list[tuple[str, str, Json]] = []
        self.problems: list[str] = []
        self.trouble: list[Trouble] = []

    async def __aenter__(self) -> DiscordPeer:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/gateway", self.gateway.connected)
        app.router.add_get("/cdn/{number}/{name}", self._cdn)
        app.router.add_route("*", "/api/{path:.*}", self._api)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.world.base = f"http://127.0.0.1:{port}"
        self.api_url = f"{self.world.base}/api"
        self.gateway_url = self.gateway.url = f"ws://127.0.0.1:{port}/gateway"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.drop()
        await self._runner.cleanup()

    async def _cdn(self, request: web.Request) -> web.Response:
        content = self.world.files.get(request.path)
        if content is None:
            return web.Response(status=404)
        return web.Response(body=content)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        body, files = await read(request)
        self.requests.append((request.method, path, body))
        trouble = next(
            (
                one
                for one in self.trouble
                if one.method == request.method and re.fullmatch(one.path, path)
            ),
            None,
        )
        if trouble is not None and trouble.skip:
            trouble.skip -= 1
        elif trouble is not None:
            self.trouble.remove(trouble)
            if trouble.deaf:
                await self._obey(request, path, body, files)
            if trouble.status is None:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            return reply(trouble.body, trouble.status, trouble.headers)
        return await self._obey(request, path, body, files)

    async def _obey(
        self, request: web.Request, path: str, body: Json, files: Files
    ) -> web.StreamResponse:
        with_token = re.match(r"/(interactions|webhooks)/", path)
        if not with_token and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return reply({"code": 0, "message": "401: Unauthorized"}, 401)
        if body:
            self.problems += problems(request.method, path, body)
        answer = await self.carried_out(request.method, path, body, files)
        if answer is None:
            self.problems.append(f"{request.method} {path} is not known to the peer")
            return reply({"code": 0, "message": "404: Not Found"}, 404)
        return answer

    async def carried_out(
        self, method: str, path: str, body: Any, files: Files
    ) -> web.Response | None:
        """Does what is asked for, or refuses it; None for what no route is there for."""
        for known, pattern, act in ROUTES:
            match = re.fullmatch(pattern, path)
            if method == known and match:
                try:
                    return reply(await act(self, match.groups(), body, files))
                except Refusal as refusal:
                    return reply(refusal.body, refusal.status)
        return None

    # What the routes do: the groups of their pattern, the body, the files.

    async def me(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        return bot_json()

    async def application(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        return {
            "id": APPLICATION, "name": "Inkwell", "icon": None, "description": "", "flags": 0,
            "bot_public": True, "bot_require_code_grant": False, "verify_key": "00",
            "owner": bot_json(), "summary": "", "team": None, "rpc_origins": [],
        }  # fmt: skip

    async def gateway_bot(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        limit = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
        return {"url": self.gateway_url, "shards": 1, "session_start_limit": limit}

    async def sync(self, ids: tuple[str, ...], body: Any, files: Files) -> Any:
        self.world.commands, self.world.synced = body, self.world.synced + 1
        extra = {"application_id": APPLICATION, "version": "1"}
        return [{"description": "", **one, **extra, "id": self.world.new_id()} for one in body]

    async def callback(self, ids: tuple[str, ...], body: Json, files: Files) -> Json | None:
        interaction = self.world.interactions.get(ids[1])
        seconds = time.monotonic() - interaction.at if interaction else 0.0
        if interaction is None or seconds > ANSWER_SECONDS:
            raise Refusal(404, 10062, "Unknown interaction")
        if interaction.answers:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        kind, data = body["type"], body.get("data") or {}
        message: Json | None = None
        if kind == 4:
            message = self._shown(interaction, data, files)
        elif kind == 7:
            message = self.world.change(interaction.payload["message"], data, files)
        elif kind == 9:
            check_modal(data)
        interaction.answers.append(body)
        interaction.after = seconds
        return {
            "interaction": {
                "id": interaction.id, "type": interaction.payload["type"],
                "response_message_id": message["id"] if message else None,
            },
            "resource": {"type": kind, **({"message": message} if message else {})},
        }  # fmt: skip

    def _shown(self, interaction: Interaction, data: Json, files: Files) -> Json:
        name = interaction.payload["channel_id"]
        message = self.world.add_message(name, bot_json(), data, files)
        interaction.messages.append(message)
        return message

    def _open(self, token: str) -> Interaction:
        found = self.world.interactions.get(token)
        if found is None or not found.fresh:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        if not found.answers:
            raise Refusal(404, 10015, "Unknown Webhook")
        return found

    async def follow_up(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        interaction = self._open(ids[1])
        follow_ups = [one for one in interaction.answers if one["type"] == 0]
        away = interaction.payload["authorizing_integration_owners"].get("0") is None
        if away and len(follow_ups) >= 5:
            raise Refusal(400, 40094, "Follow-up message limit reached")
        if interaction.kind == 5 and not interaction.messages and not interaction.changed:
            body = {**body, "flags": interaction.answers[0].get("data", {}).get("flags", 0)}
        message = self._shown(interaction, body, files)
        interaction.answers.append({"type": 0, "data": body})
        return message

    async def change_original(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        interaction = self._open(ids[1])
        interaction.changed += 1
        if interaction.kind == 5 and not interaction.messages:
            flags = interaction.answers[0].get("data", {}).get("flags", 0)
            return self._shown(interaction, {**body, "flags": flags}, files)
        if interaction.kind in (6, 7):
            return self.world.change(interaction.payload["message"], body, files)
        return self.world.change(interaction.messages[0], body, files)

    async def delete_original(self, ids: tuple[str, ...], body: Json, files: Files) -> None:
        self._open(ids[1]).changed += 1

    async def post(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        return self.world.post(ids[0], body, files)

    async def edit(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        return self.world.edit(ids[0], ids[1], body, files)

    async def delete(self, ids: tuple[str, ...], body: Json, files: Files) -> None:
        self.world.message(*ids)
        del self.world.messages[ids[0]][ids[1]]

    async def thread(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        thread = self.world.thread(ids[0], body)
        await self.gateway.dispatch("THREAD_CREATE", {**thread, "newly_created": True})
        return thread

    async def tell_channel(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        return self.world.channel(ids[0])

    async def change_channel(self, ids: tuple[str, ...], body: Json, files: Files) -> Json:
        channel = self.world.channel(ids[0])
        if "archived" in body:
            if channel["thread_metadata"]["locked"]:
                raise Refusal(403, 50013, "Missing Permissions")
            channel["thread_metadata"]["archived"] = body["archived"]
        return channel

    async def add_to_thread(self, ids: tuple[str, ...], body: Json, files: Files) -> None:
        self.world.channel(ids[0])["people"].append(ids[1])

    async def react(self, ids: tuple[str, ...], body: Json, files: Files) -> None:
        self.world.demand(self.world.channel(ids[0]), add_reactions=True)
        self.world.message(ids[0], ids[1])["reactions"].append(ids[2])

    def in_channel(self, name: str = LOBBY) -> list[Json]:
        """The messages that everybody in a channel sees, oldest first."""
        return [m for m in self.world.messages.get(name, {}).values() if not m["flags"] & 64]


Act = Callable[[DiscordPeer, tuple[str, ...], Any, Files], Any]
MESSAGES = r"/channels/(\d+)/messages"
HOOK = r"/webhooks/(\d+)/([^/]+)"
ROUTES: tuple[tuple[str, str, Act], ...] = (
    ("GET", r"/users/@me", DiscordPeer.me),
    ("GET", r"/oauth2/applications/@me", DiscordPeer.application),
    ("GET", r"/gateway/bot", DiscordPeer.gateway_bot),
    ("PUT", r"/applications/(\d+)/commands", DiscordPeer.sync),
    ("POST", r"/interactions/(\d+)/([^/]+)/callback", DiscordPeer.callback),
    ("POST", HOOK, DiscordPeer.follow_up),
    ("PATCH", HOOK + "/messages/@original", DiscordPeer.change_original),
    ("DELETE", HOOK + "/messages/@original", DiscordPeer.delete_original),
    ("POST", MESSAGES, DiscordPeer.post),
    ("PATCH", MESSAGES + r"/(\d+)", DiscordPeer.edit),
    ("DELETE", MESSAGES + r"/(\d+)", DiscordPeer.delete),
    ("PUT", MESSAGES + r"/(\d+)/reactions/([^/]+)/@me", DiscordPeer.react),
    ("POST", r"/channels/(\d+)/threads", DiscordPeer.thread),
    ("PUT", r"/channels/(\d+)/thread-members/(\d+)", DiscordPeer.add_to_thread),
    ("GET", r"/channels/(\d+)", DiscordPeer.tell_channel),
    ("PATCH", r"/channels/(\d+)", DiscordPeer.change_channel),
)


async def read(request: web.Request) -> tuple[Any, Files]:
    """The JSON of a request and the files that came with it."""
    if request.content_type == "application/json":
        return await request.json(), {}
    if request.content_type != "multipart/form-data":
        return {}, {}
    body: Any = {}
    files: dict[str, bytes] = {}
    async for part in await request.multipart():
        assert not isinstance(part, type(None))
        content = await part.read()  # type: ignore[union-attr]
        if part.name == "payload_json":  # type: ignore[union-attr]
            body = json.loads(content)
        else:
            files[str(part.name)] = bytes(content)  # type: ignore[union-attr]
    return body, files


def reply(body: object, status: int = 200, headers: Mapping[str, str] = {}) -> web.Response:
    """discord.py reads JSON only under exactly this content type."""
    if body is None:
        return web.Response(status=204)
    content = json.dumps(body).encode()
    return web.Response(
        body=content, status=status, content_type="application/json", headers=dict(headers)
    )


def check_modal(modal: Json) -> None:
    """Refuses what Discord refuses of a modal."""
    fields = [label["component"] for label in modal["components"]]
    if (
        not 1 <= len(fields) <= 5
        or not 1 <= len(modal["title"]) <= 45
        or not 1 <= len(modal["custom_id"]) <= 100
        or any(len(label["label"]) > 45 for label in modal["components"])
        or any(len(field.get("value") or "") > 4000 for field in fields)
    ):
        raise Refusal(400, 50035, "Invalid Form Body")


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Waits until something is true."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
