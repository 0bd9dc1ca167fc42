"""The engine as a server: a story comes in, its events go out line by line.

    POST /draw     a `DrawRequest` as JSON; answers with events (engine/request.py), one a line
    POST /animate  an `AnimateRequest`, likewise
    GET  /health   {"ready": true, "busy": false, "model": "house", "device": "cpu"}

Closing the connection stops the work at the next step. One story or animation is drawn at a time,
others wait. Nothing is kept: whoever asks keeps the pictures.

    python -m engine.app --host 127.0.0.1 --port 8421
    python -m engine.app --socket engine.sock --parent 4711    (as a child of the bot)
"""

from __future__ import annotations

import argparse
import gc
import ipaddress
import logging
import os
import secrets
import signal
import socket
import stat
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.easel import DrawStory, Easel, Work
from engine.extras import Extras, add_extras, extras_of
from engine.model_settings import add_model_options, apply_model_options
from engine.models import find_model
from engine.motion_settings import add_motion_options, motion_settings, set_motion
from engine.parent import stay_with
from engine.request import AnimateRequest, DrawRequest, EngineError, Event, event_to_line

TOKEN_VARIABLE = "INKWELL_ENGINE_TOKEN"
LARGEST_REQUEST = 64 << 20  # bytes: some reference pictures
BACKGROUND = 10  # niceness of a child: the bot that started it must answer people meanwhile


def build_app(easel: Easel, *, token: str = "") -> ASGIApp:
    """The ASGI app. With a token it answers only who sends it ("Authorization: Bearer …")."""

    async def work(kind: type[Work], request: Request) -> Response:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_REQUEST:
                    return refusal("the request is too large", 413)
        except ClientDisconnect:
            return Response(status_code=400)
        try:
            asked = kind.from_json(bytes(body))
        except EngineError as error:
            return refusal(str(error), 400)
        return Lines(lines(easel, asked), media_type="application/x-ndjson")

    async def health(request: Request) -> Response:
        return JSONResponse(
            {
                "ready": easel.ready,
                "busy": easel.busy,
                "model": easel.model,
                "device": easel.device,
            }
        )

    routes = [
        Route("/draw", partial(work, DrawRequest), methods=["POST"]),
        Route("/animate", partial(work, AnimateRequest), methods=["POST"]),
        Route("/health", health),
    ]
    app = Starlette(routes=routes)
    return Guarded(app, token) if token else app


async def lines(easel: Easel, request: Work) -> AsyncGenerator[bytes]:
    async with aclosing(easel.events(request)) as events:
        async for event in events:
            yield event_to_line(event)


def refusal(reason: str, status: int) -> Response:
    return JSONResponse({"reason": reason}, status)


class Lines(StreamingResponse):
    """Closes what it streams, however the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert isinstance(self.body_iterator, AsyncGenerator)
        async with aclosing(self.body_iterator):
            await super().__call__(scope, receive, send)


class Guarded:
    """An app behind a bearer token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._expected = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        said = dict(scope.get("headers", ())).get(b"authorization", b"")
        if scope["type"] == "http" and not secrets.compare_digest(said, self._expected):
            answer = refusal("the token is missing or wrong", 401)
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)


# -- the process ------------------------------------------------------------------------------


def main(
    arguments: Sequence[str] | None = None,
    draw: DrawStory | None = None,
    prepare: Callable[[Easel], None] | None = None,
) -> None:
    """Serve until stopped. `draw` takes the place of the engine's own, and so does `prepare`."""
    options = read_options(arguments)
    logging.basicConfig(format="engine: %(levelname)s: %(message)s")
    if options.parent is not None:
        stay_with(options.parent)  # first of all: loading torch takes seconds
        os.nice(BACKGROUND)
    try:
        apply_model_options(options)
    except EngineError as error:
        raise SystemExit(f"engine: {error}") from None
    set_motion(motion_settings(options))
    own = partial(do_work, device=options.device, extras=extras_of(options))
    easel = Easel(draw or own, model=options.model, device=options.device)
    prepare = partial(load, resident=options.resident) if draw is None else prepare
    if prepare is not None:
        easel.prepare(partial(prepare, easel))
    app = build_app(easel, token=os.environ.get(TOKEN_VARIABLE, ""))
    settings = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(settings) if options.parent is None else Child(settings)
    server.run(sockets=[listen(options)])


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("engine.app", description="Draw stories for others.")
    parser.add_argument("--socket", type=Path, help="a unix socket to listen on")
    parser.add_argument("--host", default="127.0.0.1", help="or an address ...")
    parser.add_argument("--port", type=int, default=8421, help="... and a port")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument("--model", help="load this one before it is asked for")
    parser.add_argument("--parent", type=int, help="end with the process of this id")
    add_motion_options(parser)
    add_extras(parser)
    add_model_options(parser)
    options = parser.parse_args(arguments)
    private = options.socket is not None or is_loopback(options.host)
    if not private and not os.environ.get(TOKEN_VARIABLE):
        parser.error(f"others can reach {options.host}: set {TOKEN_VARIABLE}")
    return options


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(options: argparse.Namespace) -> socket.socket:
    """The socket to serve on. A unix socket is for this user alone; an old one gives way."""
    if options.socket is None:
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        return socket.create_server((options.host, options.port), family=family)
    path: Path = options.socket
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    server = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        server.bind(str(path))
        server.listen()
    except OSError:
        server.close()
        raise
    finally:
        os.umask(before)
    return server


class Child(uvicorn.Server):
    """Leaves Ctrl-C and SIGTERM to the parent, which lets the story be finished or ends it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        yield


def do_work(request: Work, device: str, extras: Extras) -> Generator[Event]:
    """The engine's own, loaded only when it is needed: torch takes seconds."""
    if isinstance(request, AnimateRequest):
        from engine.motion.animate import animate

        yield from animate(request, device=device, extras=extras)
        return
    from engine.story import draw_story

    yield from draw_story(request, device=device, extras=extras)


def load(easel: Easel, *, resident: int) -> None:
    """Everything that the first story would have to wait for; so many models stay loaded."""
    with no_collections():
        import engine.story  # noqa: F401 - what draws it, and with that torch
        from engine.devices import pick_device
        from engine.fetching import announce
        from engine.ready import READY, ready_artist

        READY.most = max(1, resident)

        easel.device = str(pick_device(easel.device))
        if easel.model is not None:
            easel.fetching = announce(find_model(easel.model))
            ready_artist(easel.model, easel.device)


@contextmanager
def no_collections() -> Generator[None]:
    """No garbage is collected inside.

    To import torch and its friends makes a million objects, nearly all of which stay; to look
    through them again and again takes up to a quarter of the whole time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


if __name__ == "__main__":
    main()
