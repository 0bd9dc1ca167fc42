"""The addresses of the web chat. Each handler reads a request, asks one part, and answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from adapters import web_words
from adapters.web_calls import Asked, Caller, Calls, Refused
from adapters.web_commands import command_table
from adapters.web_guard import Guard
from adapters.web_live import Live
from adapters.web_pages import file_response, load_static, static_response
from adapters.web_people import People
from adapters.web_rows import Room
from adapters.web_sessions import COOKIE_DAYS, Sessions, Throttle
from adapters.web_transcript import Transcript
from adapters.web_uploads import MOST_BYTES, MOST_MEGABYTES, TooBig, Uploads
from bot.chat import Bot

MOST_JSON_BYTES = 600_000
LOG_IN_ANEW = 4401  # a socket's close code

Handler = Callable[[Request], Awaitable[Response]]


@dataclass
class WebApp:
    """What the handlers need."""

    bot: Bot
    cookie: str
    sessions: Sessions
    people: People
    transcript: Transcript
    uploads: Uploads
    live: Live
    calls: Calls

    def __post_init__(self) -> None:
        self._throttle = Throttle()
        self._static = load_static()
        self._tables: dict[str, bytes] = {}  # the commands, by language

    def asgi(self) -> ASGIApp:
        routes: list[BaseRoute] = [
            Route("/api/rooms/{room}/calls", self.call, methods=["POST"]),
            Route("/api/rooms/{room}/messages", self.messages),
            Route("/api/rooms/{room}/suggest", self.suggest, methods=["POST"]),
            Route("/api/rooms/{room}", self.delete_room, methods=["DELETE"]),
            WebSocketRoute("/api/events", self.events),
            Route("/api/session", self.session, methods=["POST"]),
            Route("/api/login", self.login, methods=["POST"]),
            Route("/api/me", self.change_me, methods=["POST"]),
            Route("/api/me", self.forget_me, methods=["DELETE"]),
            Route("/api/commands", self.commands),
            Route("/api/uploads", self.upload, methods=["POST"]),
            Route("/files/{token}/{name}", self.file),
            Route("/{path:path}", self.static),
        ]
        app = Starlette(
            routes=routes,
            exception_handlers={
                Refused: self._refused,
                HTTPException: self._http_error,
                ClientDisconnect: self._gone,
                Exception: self._broken,
            },
        )
        return Guard(app, has_password=self.sessions.has_password)

    # Who is asking

    def _cookie(self, connection: HTTPConnection) -> str | None:
        return connection.cookies.get(self.cookie)

    def _person(self, connection: HTTPConnection) -> str:
        person = self.sessions.person(self._cookie(connection))
        if person is None:
            raise Refused(401, "no_session")
        return person

    async def _caller(self, person: str) -> Caller:
        profile = await self.people.get(person)
        alone = not self.sessions.has_password  # whoever reaches us sits at this computer
        return Caller(profile, alone or await self.people.is_first(person))

    async def _room(self, request: Request) -> Room:
        room = await self.transcript.room(self._person(request), request.path_params["room"])
        if room is None:
            raise Refused(404, "no_room")
        return room

    # Coming in

    async def session(self, request: Request) -> Response:
        """Who the page is for and what rooms there are; a new person where there is no cookie."""
        body = await read_json(request)
        person = self.sessions.person(self._cookie(request))
        if person is None:
            if self.sessions.has_password:
                return JSONResponse({"login": True}, 401)
            person = self.sessions.signed(self._cookie(request))
        person, cookie = self.sessions.issue(person)
        profile = await self.people.get(person)
        language = body.get("language")
        if profile.language is None and isinstance(language, str):
            profile = await self.people.change(person, language=language)
        seq, rooms = await self.transcript.rooms(person)
        response = JSONResponse({"me": profile.json(), "rooms": rooms, "seq": seq})
        self._set_cookie(request, response, cookie)
        return response

    async def login(self, request: Request) -> Response:
        body = await read_json(request)
        address = request.client.host if request.client else ""
        if wait := self._throttle.wait_seconds(address):
            raise Refused(429, "too_many_logins", minutes=-(-wait // 60))
        if not self.sessions.is_password(str(body.get("password", ""))):
            self._throttle.wrong(address)
            raise Refused(403, "wrong_password")
        person, cookie = self.sessions.issue(self.sessions.signed(self._cookie(request)))
        await self.people.is_first(person)
        response = JSONResponse({"login": False})
        self._set_cookie(request, response, cookie)
        return response

    def _set_cookie(self, request: Request, response: Response, cookie: str) -> None:
        response.set_cookie(
            self.cookie,
            cookie,
            max_age=COOKIE_DAYS * 86400,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    async def change_me(self, request: Request) -> Response:
        person = self._person(request)
        body = await read_json(request)
        name, language = body.get("name"), body.get("language")
        profile = await self.people.change(
            person,
            name=name if isinstance(name, str) else None,
            language=language if isinstance(language, str) else None,
        )
        return JSONResponse({"me": profile.json()})

    async def forget_me(self, request: Request) -> Response:
        """Deletes what this chat keeps of a person; what the bot keeps is the bot's to forget."""
        await self.calls.forget(self._person(request))
        return JSONResponse({})

    # Rooms

    async def call(self, request: Request) -> Response:
        body = await read_json(request)
        room = await self._room(request)
        caller = await self._caller(room.owner)
        return JSONResponse(await self.calls.take(caller, room, Asked.from_json(body)))

    async def suggest(self, request: Request) -> Response:
        body = await read_json(request)
        room = await self._room(request)
        caller = await self._caller(room.owner)
        return JSONResponse(await self.calls.suggest(caller, room, body))

    async def messages(self, request: Request) -> Response:
        before = request.query_params.get("before", "")
        room = await self._room(request)
        messages, older = await self.transcript.history(
            room, int(before) if before.isdecimal() and len(before) < 16 else None
        )
        return JSONResponse({"messages": messages, "older": older})

    async def delete_room(self, request: Request) -> Response:
        await self.transcript.delete_room(await self._room(request))
        return JSONResponse({})

    async def events(self, socket: WebSocket) -> None:
        person = self.sessions.person(self._cookie(socket))
        since = socket.query_params.get("since", "0")
        if person is None:
            await socket.accept()
            await socket.close(LOG_IN_ANEW)
            return
        number = int(since) if since.isdecimal() and len(since) < 16 else 0
        await self.live.serve(socket, person, number, self.transcript)

    # Files and words

    async def upload(self, request: Request) -> Response:
        person = self._person(request)
        length = request.headers.get("content-length", "0")
        try:
            if length.isdecimal() and int(length) > MOST_BYTES:
                raise TooBig
            name = request.query_params.get("name", "") or "file"
            token = await self.uploads.take(person, name, parts(request))
        except TooBig:
            raise Refused(413, "too_big", megabytes=MOST_MEGABYTES) from None
        return JSONResponse({"upload": token})

    async def file(self, request: Request) -> Response:
        found = await self.transcript.file(self._person(request), request.path_params["token"])
        if found is None:
            raise Refused(404, "no_file")
        return file_response(*found, request)

    async def commands(self, request: Request) -> Response:
        self._person(request)
        language = web_words.best_language(request.query_params.get("language"))
        if language not in self._tables:
            table = command_table(self.bot, language)
            self._tables[language] = json.dumps(table, ensure_ascii=False).encode()
        return Response(self._tables[language], media_type="application/json")

    async def static(self, request: Request) -> Response:
        file = self._static.get(request.url.path)
        if file is None:
            raise HTTPException(404)
        return static_response(file, request)

    # What goes wrong

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        language = request.headers.get("accept-language", "").split(",")[0]
        person = self.sessions.person(self._cookie(request))
        if person is not None:
            language = (await self.people.get(person)).language or language
        words = web_words.say(language, error.key, **error.values)
        return JSONResponse({"error": words, "key": error.key}, error.status)

    async def _http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)

    async def _gone(self, request: Request, error: Exception) -> Response:
        return Response(status_code=400)  # nobody is there to read it

    async def _broken(self, request: Request, error: Exception) -> Response:
        # uvicorn logs it
        return JSONResponse({"error": web_words.say(None, "broken"), "key": "broken"}, 500)


async def read_json(request: Request) -> dict[str, Any]:
    """The request's JSON object. Raises Refused where it is none or too large.

    Half a letter, such as of an emoji that was cut in two, cannot be kept and becomes a "?".
    """
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_JSON_BYTES:
            raise Refused(413, "too_long", limit=MOST_JSON_BYTES)
    try:
        body = json.loads(content)
        if b"\\ud" in content.lower():
            whole = json.dumps(body, ensure_ascii=False).encode(errors="replace")
            body = json.loads(whole)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refused(400, "not_understood")
    return body


async def parts(request: Request) -> AsyncIterator[bytes]:
    """The pieces of an upload; one that does not go on for a minute is given up."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(60):
                part = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refused(408, "upload_stuck") from None
        if part:
            yield part
