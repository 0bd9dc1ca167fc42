"""The local chat: one page in the browser, served by the bot itself, in the bot's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from adapters.web_calls import Calls, room_of
from adapters.web_live import Live
from adapters.web_people import CHAT, People
from adapters.web_routes import WebApp
from adapters.web_rows import Shown
from adapters.web_sessions import Sessions, is_loopback
from adapters.web_storage import Storage
from adapters.web_transcript import Transcript
from adapters.web_uploads import Uploads
from bot.chat import Bot, CannotPost, Chat, Place, Post

FILE = "web.sqlite3"
UPLOADS = "uploads"  # the folder of files that wait for their call
BACKLOG = 1024  # connections that may wait to be taken: 200 people come at once
STOP_SECONDS = 3


class WebChat(Chat):
    """Serves the chat on http://host:port. Port 0 takes a free one; see `address` then.

    Without a password it listens on this computer only. Raises ValueError for another host.
    """

    name = CHAT
    knows_nonces = True
    counts_posts = False

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8420,
        password: str | None = None,
        folder: Path = Path("data"),
    ) -> None:
        if not password and not is_loopback(host):
            raise ValueError(
                f"the web chat may be reached from other computers ({host}) only with a password:"
                ' set one, or let it listen on "127.0.0.1"'
            )
        self.host, self.port = host, port
        self._password, self._folder = password or None, folder
        self._socket: socket.socket | None = None
        self._storage: Storage | None = None
        self._app: WebApp | None = None
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where people open it: "http://127.0.0.1:8420"."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    async def start(self, bot: Bot) -> None:
        """Raises OSError, one sentence, for a port that is taken or a file that cannot be used."""
        self._socket = listen(self.host, self.port)
        self.port = self._socket.getsockname()[1]
        live = Live()
        try:
            uploads = Uploads(self._folder / UPLOADS)
            self._storage = await Storage.open(self._folder / FILE, live.publish)
        except OSError:
            self._socket.close()
            raise
        transcript = Transcript(self._storage)
        people = People(self._storage)
        self._app = WebApp(
            bot=bot,
            cookie=f"inkwell_{self.port}",  # browsers share cookies between ports
            sessions=Sessions(self._storage.secret, self._password),
            people=people,
            transcript=transcript,
            uploads=uploads,
            live=live,
            calls=Calls(bot, transcript, uploads, people),
        )
        self._server = Server(
            uvicorn.Config(
                self._app.asgi(),
                lifespan="off",
                ws="websockets-sansio",
                ws_per_message_deflate=False,  # costs memory for every open page
                ws_max_size=4096,  # pages say nothing on that line
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self._task = asyncio.create_task(self._server.serve([self._socket]))
        while not self._server.started and not self._task.done():
            await asyncio.sleep(0.01)
        if self._task.done():
            await self._task

    async def stop(self) -> None:
        if self._app is not None:
            await self._app.calls.finish()
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        if self._app is not None:
            self._app.uploads.close()
        if self._storage is not None:
            await self._storage.close()
        self._app = self._storage = self._server = self._task = None

    async def post(self, post: Post) -> str:
        if self._app is None:
            raise CannotPost("the web chat is not running", again=True)
        if post.place.chat != self.name:
            raise CannotPost(f"this place is not in the web chat: {post.place.key}")
        transcript = self._app.transcript
        if post.buttons_only:
            message = post.edit or ""
            there = await transcript.set_buttons(post.place.channel, message, post.buttons)
            return message if there else ""
        shown = Shown(
            post.text,
            post.files,
            post.buttons,
            progress=post.progress,
            nonce=post.nonce or None,
            edit=post.edit,
            about=post.about,
        )
        try:
            return await transcript.show(room_of(post.place), shown)
        except Exception as error:
            raise CannotPost(f"the web chat cannot keep it: {error}", again=True) from error

    async def remove(self, place: Place, message: str) -> None:
        if self._app is None:
            raise CannotPost("the web chat is not running", again=True)
        try:
            await self._app.transcript.remove(place.channel, message)
        except Exception as error:
            raise CannotPost(f"the web chat cannot take it away: {error}", again=True) from error

    async def forget(self, place: Place) -> None:
        """Deletes all rooms, messages and files of the person whose rooms the place is among."""
        if self._app is not None:
            await self._app.calls.forget(place.channel)


class Server(uvicorn.Server):
    """uvicorn without hands on the process's signals: they are the bot's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError with a sentence that says what to do."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, proto)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise OSError(error.errno, why_not_listening(error, host, port)) from error
    listener.setblocking(False)
    return listener


def why_not_listening(error: OSError, host: str, port: int) -> str:
    start = f"the web chat cannot listen on {host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"{start}: another program uses this port; stop it, or choose another one with"
            " INKWELL_WEB_PORT or port under [web] in config.toml"
        )
    if error.errno == errno.EACCES:
        return f"{start}: ports below 1024 are for the system; choose a higher one"
    return f"{start}: {error.strerror or error}"
