"""The contract's stage for the local chat: browsers over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.web_chat import WebChat
from tests.adapters.contract_talk import Seen, Stage, Talk
from tests.adapters.web_client import Browser


class WebTalk(Talk):
    def __init__(self, browser: Browser, language: str) -> None:
        super().__init__(language)
        self._browser = browser
        self._room = browser.home
        self._form: dict[str, Any] = {}

    async def new(self, title: str) -> None:
        answer = await self._call(command="story new", options={"title": title})
        self._room = answer["room"]

    async def say(self, line: str) -> None:
        await self._call(say=line)

    async def fill(self, **answers: str | None) -> None:
        stands = {field["name"]: field["value"] for field in self._form["fields"]}
        assert list(stands) == list(answers)
        given = {name: words for name, words in answers.items() if words is not None}
        await self._call(form=self._form["data"], options={**stands, **given})

    async def command(self, name: str, **options: str | int) -> None:
        await self._call(command=name, options=options)

    async def push(self, message: Seen, data: str) -> None:
        answer = await self._call(press=data)
        self._form = answer["form"] or {}
        for field in self._form.get("fields", ()):
            self.heard |= {self._form["title"], field["label"]}

    async def messages(self) -> Sequence[Seen]:
        rooms = dict.fromkeys((self._browser.home, self._room))
        return [
            Seen(
                message["text"],
                tuple((one["label"], one["data"]) for row in message["buttons"] for one in row),
                sum(file["picture"] for file in message["files"]),
                message,
            )
            for room in rooms
            for message in await self._browser.messages(room)
            if not message["mine"]
        ]

    async def _call(self, **asked: Any) -> dict[str, Any]:
        answer = await self._browser.call(self._room, **asked)
        assert isinstance(answer, dict), answer
        assert answer["state"] == "done", answer
        return answer


@asynccontextmanager
async def web(folder: Path) -> AsyncIterator[Stage]:
    """The local chat on a free port."""
    chat = WebChat(port=0, folder=folder)
    async with AsyncExitStack() as browsers:

        async def person(name: str, language: str) -> Talk:
            browser = await browsers.enter_async_context(Browser(chat))
            return WebTalk(await browser.come_in(language), language)

        yield Stage(chat, person)
