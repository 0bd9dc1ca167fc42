"""The open pages of people: each is told what changes, and several of one person stay in step."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterable

from starlette.websockets import WebSocket, WebSocketDisconnect

from adapters.web_storage import Event
from adapters.web_transcript import Transcript

BEAT_SECONDS = 20  # a page that hears nothing for twice as long connects anew
MOST_PAGES = 24  # of one person at once
MOST_WAITING = 500  # events for a page that does not read; then it is cut off and comes back

RELOAD = '{"type":"reload"}'
BEAT = '{"type":"beat"}'
TOO_MANY_PAGES, TOO_SLOW = 4429, 4408


class Page:
    """One open page. Sockets are written by one task, so a slow page holds nobody up."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.waiting: asyncio.Queue[Event] = asyncio.Queue(MOST_WAITING)
        self.too_slow = asyncio.Event()

    def tell(self, event: Event) -> None:
        try:
            self.waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.too_slow.set()


class Live:
    def __init__(self) -> None:
        self._pages: dict[str, set[Page]] = defaultdict(set)

    def publish(self, events: Iterable[Event]) -> None:
        for event in events:
            for page in self._pages.get(event.owner, ()):
                page.tell(event)

    async def serve(
        self, socket: WebSocket, person: str, since: int, transcript: Transcript
    ) -> None:
        """Tells a page what it missed after `since`, then everything as it happens."""
        await socket.accept()
        pages = self._pages[person]
        if len(pages) >= MOST_PAGES:
            await socket.close(TOO_MANY_PAGES)
            return
        page = Page(socket)
        pages.add(page)  # before the look back, so that nothing falls between
        tasks = [
            asyncio.create_task(self._tell(page, person, since, transcript)),
            asyncio.create_task(_until_closed(socket)),
            asyncio.create_task(page.too_slow.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pages.discard(page)
            if not pages:
                self._pages.pop(person, None)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if page.too_slow.is_set():
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.close(TOO_SLOW)

    @staticmethod
    async def _tell(page: Page, person: str, since: int, transcript: Transcript) -> None:
        missed = await transcript.since(person, since)
        if missed is None:
            await page.socket.send_text(RELOAD)
            return
        for event in missed:
            await page.socket.send_text(event.text)
            since = event.seq
        await page.socket.send_text('{"type":"ready"}')
        while True:
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    event = await page.waiting.get()
            except TimeoutError:
                await page.socket.send_text(BEAT)
                continue
            if event.seq > since:
                since = event.seq
                await page.socket.send_text(event.text)


async def _until_closed(socket: WebSocket) -> None:
    """Pages have nothing to say on this line; what they say is read and dropped."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()
