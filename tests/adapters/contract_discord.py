"""The contract's stage for Discord: direct messages over the loopback gateway and REST."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.discord_chat import DiscordChat
from tests.adapters.contract_talk import Seen, Stage, Talk
from tests.adapters.discord_peer import TOKEN, DiscordPeer
from tests.adapters.discord_people import Someone, buttons
from tests.adapters.discord_world import BOT_USER, Interaction, Json

LOCALES = {"en": "en-US", "zh": "zh-CN"}


class DiscordTalk(Talk):
    def __init__(self, who: Someone, language: str) -> None:
        super().__init__(language)
        self._who = who
        self._asked: Interaction | None = None

    async def new(self, title: str) -> None:
        await self._who.uses("story new", title=title)

    async def say(self, line: str) -> None:
        await self._who.types(line)

    async def fill(self, **answers: str | None) -> None:
        assert self._asked is not None
        names = [label["component"]["custom_id"] for label in self._asked.modal["components"]]
        assert names == list(answers)
        given = {name: words for name, words in answers.items() if words is not None}
        await self._who.fills(self._asked, **given)

    async def command(self, name: str, **options: str | int) -> None:
        await self._who.uses(name, late=False, **options)

    async def push(self, message: Seen, data: str) -> None:
        custom_ids = [button["custom_id"] for button in buttons(message.raw)]
        custom_id = next((one for one in custom_ids if data_of(one) == data), "")
        raw: Json = message.raw
        if raw["channel_id"] != self._who.where or not custom_id:  # as if it stood here
            custom_id = custom_id or f"press:{data}"
            button = {"type": 2, "id": 2, "style": 2, "label": "?", "custom_id": custom_id}
            row = {"type": 1, "id": 1, "components": [button]}
            raw = {**raw, "channel_id": self._who.where, "components": [row]}
        self._asked = await self._who.presses_id(raw, custom_id)
        if self._asked.kind == 9:
            modal = self._asked.modal
            self.heard |= {modal["title"], *(label["label"] for label in modal["components"])}

    async def messages(self) -> Sequence[Seen]:
        there = self._who.peer.world.messages.get(self._who.where, {})
        return [
            Seen(
                message["content"],
                tuple(
                    (one["label"], one["custom_id"].partition(":")[2]) for one in buttons(message)
                ),
                sum(file["content_type"] == "image/png" for file in message["attachments"]),
                message,
            )
            for message in there.values()
            if message["author"]["id"] == BOT_USER
        ]


def data_of(custom_id: str) -> str:
    """What the bot gave to a button."""
    return custom_id.partition(":")[2]


@asynccontextmanager
async def discord(folder: Path) -> AsyncIterator[Stage]:
    """A Discord with a server, in which people talk to the bot by direct message."""
    async with DiscordPeer() as peer:
        numbers = itertools.count(7)

        async def person(name: str, language: str) -> Talk:
            who = Someone(peer, str(next(numbers)), name, locale=LOCALES[language])
            return DiscordTalk(who.in_dm(), language)

        chat = DiscordChat(
            TOKEN, folder, api_url=peer.api_url, gateway_url=peer.gateway_url, guild_seconds=0.0
        )
        yield Stage(chat, person, lambda: peer.problems)
