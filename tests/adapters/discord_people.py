"""People who use the Discord for tests: they type, use commands, press buttons, fill in forms."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.adapters.discord_peer import DiscordPeer, until
from tests.adapters.discord_world import (
    APPLICATION,
    BOT_USER,
    GUILD,
    LOBBY,
    THREADS,
    Interaction,
    Json,
    member_json,
    user_json,
)

KINDS = {str: 3, int: 4, bool: 5, bytes: 11}
FILES = {"message": "message.txt", "story": "tabs.story"}  # which are no pictures
MESSAGE_CONTENT = 1 << 15
ALL = str((1 << 50) - 1)


@dataclass
class Someone:
    """A person; `where` is the channel they are looking at. "group" is a group of friends in which
    the bot is no member."""

    peer: DiscordPeer
    id: str = "7"
    name: str = "Ann"
    where: str = LOBBY
    permissions: str = "0"
    locale: str = "en-US"

    @property
    def user(self) -> Json:
        return user_json(self.id, self.name)

    def at(self, channel: str) -> Someone:
        """The same person in another channel."""
        return Someone(self.peer, self.id, self.name, channel, self.permissions, self.locale)

    def in_dm(self) -> Someone:
        return self.at(self.peer.world.dm(self.user))

    # What they do.

    async def types(
        self, text: str, *, to: Sequence[Someone] = (), of: Json | None = None, **files: bytes
    ) -> Json:
        """A plain message. As Discord does, it comes without its text where nobody may read it.
        `to`: who is mentioned in it; `of`: a message that it forwards."""
        world = self.peer.world
        message = world.add_message(self.where, self.user, {"content": text or " "}, {})
        message["attachments"] = [
            world.file(FILES.get(name, f"{name}.png"), content) for name, content in files.items()
        ]
        message["content"] = text
        message["mentions"] = [one.user for one in to]
        if of is not None:
            message["message_snapshots"] = [{"message": of}]
        event = {**message}
        guild = world.channels[self.where].get("guild_id")
        if guild:
            event |= {"guild_id": guild, "member": member_json(self.user)}
            if world.channels[self.where]["type"] in THREADS:
                world.awaken(world.channels[self.where])
        named = f"<@{BOT_USER}>" in text or any(one.id == BOT_USER for one in to)
        if guild and not named and not self.peer.gateway.intents & MESSAGE_CONTENT:
            event |= {"content": "", "attachments": []}
        await self.peer.gateway.dispatch("MESSAGE_CREATE", event)
        return message

    async def uses(self, command: str, /, *, late: bool = False, **options: Any) -> Interaction:
        """A slash command; waits for the answer. "with_" stands for "with"."""
        first, _, second = command.partition(" ")
        resolved: Json = {}
        given = [self._option(name.rstrip("_"), value, resolved) for name, value in options.items()]
        if second:
            given = [{"type": 1, "name": second, "options": given}]
        data = {"id": "1", "name": first, "type": 1, "options": given, "resolved": resolved}
        return await self._interact(2, data, answered=not late)

    def _option(self, name: str, value: Any, resolved: Json) -> Json:
        if isinstance(value, bytes):
            file = self.peer.world.file(f"{name}.png", value)
            resolved.setdefault("attachments", {})[file["id"]] = file
            value = file["id"]
            return {"type": KINDS[bytes], "name": name, "value": value}
        return {"type": KINDS[type(value)], "name": name, "value": value}

    async def completes(self, command: str, option: str, typed: str, **given: Any) -> list[Json]:
        """What is offered for an option while it is typed."""
        first, _, second = command.partition(" ")
        kind = next(o["type"] for o in options_of(self.peer, command) if o["name"] == option)
        options = [self._option(name, value, {}) for name, value in given.items()]
        options.append({"type": kind, "name": option, "value": typed, "focused": True})
        if second:
            options = [{"type": 1, "name": second, "options": options}]
        data = {"id": "1", "name": first, "type": 1, "options": options}
        answer = (await self._interact(4, data)).answers[0]
        assert answer["type"] == 8
        return list(answer["data"]["choices"])

    async def presses(self, message: Json, label: str, *, late: bool = False) -> Interaction:
        """A button under a message, by its label."""
        button = next(b for b in buttons(message) if b["label"] == label)
        return await self.presses_id(message, button["custom_id"], late=late)

    async def presses_id(self, message: Json, custom_id: str, *, late: bool = False) -> Interaction:
        data = {"custom_id": custom_id, "component_type": 2, "id": 1}
        return await self._interact(3, data, message, answered=not late)

    async def fills(self, asked: Interaction, **answers: str | bytes) -> Interaction:
        """Sends the form that was the answer; what is not said stays as it stands there."""
        resolved: Json = {}
        rows = []
        for label in asked.modal["components"]:
            field = label["component"]
            answer: Any = answers.get(field["custom_id"], field.get("value") or "")
            one = {"type": field["type"], "custom_id": field["custom_id"], "id": 2}
            if field["type"] == 19:
                one["values"] = []
                if isinstance(answer, bytes):
                    one["values"] = [self._option("upload", answer, resolved)["value"]]
            else:
                one["value"] = answer
            rows.append({"type": 18, "component": one, "id": 3})
        data = {"custom_id": asked.modal["custom_id"], "components": rows, "resolved": resolved}
        return await self._interact(5, data, asked.payload.get("message"))

    async def chooses(self, message: Json, menu: str) -> Interaction:
        """An entry of the menu of a message."""
        data = {
            "id": "2", "name": menu, "type": 3, "target_id": message["id"],
            "resolved": {"messages": {message["id"]: message}},
        }  # fmt: skip
        return await self._interact(2, data)

    async def _interact(
        self, kind: int, data: Json, message: Json | None = None, *, answered: bool = True
    ) -> Interaction:
        world = self.peer.world
        interaction = Interaction(world.new_id(), secrets.token_hex(8), {})
        payload = {
            "id": interaction.id, "application_id": APPLICATION, "type": kind, "data": data,
            "token": interaction.token, "version": 1, "locale": self.locale, "entitlements": [],
            "app_permissions": str(world.rights.value), "attachment_size_limit": 10 * 1024 * 1024,
            **self._place(),
        }  # fmt: skip
        interaction.payload.update(payload)
        if message is not None:
            payload["message"] = interaction.payload["message"] = message
        world.interactions[interaction.token] = interaction
        await self.peer.gateway.dispatch("INTERACTION_CREATE", payload)
        if answered:
            await until(lambda: interaction.answers)
            if interaction.kind in (5,):
                await until(lambda: interaction.changed or interaction.messages)
        return interaction

    def _place(self) -> Json:
        if self.where == "group":
            self.peer.world.channels.setdefault("300", {"id": "300", "type": 3, "recipients": []})
            return {
                "channel_id": "300", "channel": {"id": "300", "type": 3, "recipients": []},
                "user": self.user, "context": 2, "authorizing_integration_owners": {"1": self.id},
            }  # fmt: skip
        channel = self.peer.world.channels[self.where]
        if channel["type"] == 1:
            return {
                "channel_id": self.where, "channel": channel, "user": self.user, "context": 1,
                "authorizing_integration_owners": {"0": "0", "1": self.id},
            }  # fmt: skip
        member = {**member_json(self.user), "permissions": self.permissions}
        return {
            "guild_id": GUILD, "guild": {"id": GUILD, "locale": "en-US", "features": []},
            "channel_id": self.where, "channel": channel, "member": member, "context": 0,
            "guild_locale": "en-US", "authorizing_integration_owners": {"0": GUILD},
        }  # fmt: skip


def buttons(message: Mapping[str, Any]) -> list[Json]:
    return [button for row in message["components"] for button in row["components"]]


def labels(message: Mapping[str, Any]) -> list[str]:
    return [button["label"] for button in buttons(message)]


def options_of(peer: DiscordPeer, command: str) -> list[Json]:
    """The options of a command as Discord was told of them."""
    first, _, second = command.partition(" ")
    found = next(c for c in peer.world.commands if c["name"] == first)
    if second:
        found = next(c for c in found["options"] if c["name"] == second)
    return list(found["options"])
