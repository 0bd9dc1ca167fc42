"""What a Discord of one server consists of: channels, threads, messages, and what it refuses."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord

Json = dict[str, Any]
APPLICATION, BOT_USER, GUILD, LOBBY, OTHER_GUILD = "900", "900", "100", "101", "666"
MOST_TEXT, MOST_FILE, MOST_REQUEST = 2_000, 10 * 1024 * 1024, 25 * 1024 * 1024
STAMP = "2026-01-01T00:00:00.000000+00:00"
EPHEMERAL = 64
THREADS = (11, 12)  # kinds of channels: threads for everybody, and for those who were invited
RIGHTS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    attach_files=True,
    read_message_history=True,
    add_reactions=True,
)


class Refusal(Exception):
    """An answer with an error code of Discord's."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"code": code, "message": message}


@dataclass
class Interaction:
    """Something that somebody did, and what the bot answered."""

    id: str
    token: str
    payload: Json
    at: float = field(default_factory=time.monotonic)
    answers: list[Json] = field(default_factory=list)  # callbacks, then follow-ups, as they came
    messages: list[Json] = field(default_factory=list)  # what was shown because of it
    after: float | None = None  # seconds until the first answer
    fresh: bool = True  # its token can be used
    changed: int = 0

    @property
    def kind(self) -> int:
        """The type of the first answer: 4 message, 5 and 6 promises, 7 edit, 8 choices, 9 modal."""
        return int(self.answers[0]["type"])

    @property
    def modal(self) -> Json:
        assert self.kind == 9, self.answers
        return dict(self.answers[0]["data"])

    @property
    def text(self) -> str:
        """The words of everything that was answered."""
        return "\n".join(message["content"] for message in self.messages)

    @property
    def private(self) -> list[bool]:
        return [bool(message["flags"] & EPHEMERAL) for message in self.messages]


class World:
    """Discord's state. Every method that refuses raises Refusal."""

    def __init__(self) -> None:
        self._ids = itertools.count(1_000_000)
        self.channels: dict[str, Json] = {LOBBY: channel_json(LOBBY, "lobby")}
        self.messages: dict[str, dict[str, Json]] = {}
        self.nonces: dict[tuple[str, str], tuple[str, float]] = {}  # the message, and when
        self.nonce_seconds = 120.0  # "the past few minutes"
        self.files: dict[str, bytes] = {}  # by the path of their address
        self.interactions: dict[str, Interaction] = {}
        self.commands: list[Json] = []
        self.synced = 0
        self.rights = RIGHTS
        self.is_member = True  # of the server
        self.premium_tier, self.most_file = 0, MOST_FILE  # what people have paid for, and get
        self.base = ""

    def new_id(self) -> str:
        return str(next(self._ids))

    def dm(self, user: Json) -> str:
        """The channel of direct messages with somebody."""
        name = f"5{user['id']}"
        self.channels.setdefault(name, {"id": name, "type": 1, "recipients": [user]})
        return name

    def guild(self) -> Json:
        mine = {"id": "110", "name": "Inkwell", "permissions": str(self.rights.value)}
        everyone = {"id": GUILD, "name": "@everyone", "permissions": "0"}
        artists = {"id": "111", "name": "artists", "permissions": "0"}
        common = {
            "color": 0, "colors": {"primary_color": 0, "secondary_color": None,
            "tertiary_color": None}, "hoist": False, "position": 1, "managed": False,
            "mentionable": False, "flags": 0,
        }  # fmt: skip
        channels = [c for c in self.channels.values() if c.get("guild_id") == GUILD]
        return {
            "id": GUILD, "name": "Friends", "owner_id": "1", "features": [], "emojis": [],
            "roles": [{**common, **role} for role in (everyone, mine, artists)],
            "members": [{**member_json(bot_json()), "roles": ["110"]}], "member_count": 2,
            "channels": [c for c in channels if c["type"] == 0],
            "threads": [c for c in channels if c["type"] in THREADS],
            "premium_tier": self.premium_tier, "preferred_locale": "en-US", "unavailable": False,
        }  # fmt: skip

    def channel(self, name: str) -> Json:
        """A channel that the bot may see."""
        found = self.channels.get(name)
        if found is None:
            raise Refusal(404, 10003, "Unknown Channel")
        if found.get("guild_id") and (not self.is_member or not self.rights.view_channel):
            raise Refusal(403, 50001, "Missing Access")
        return found

    def demand(self, channel: Json, **rights: bool) -> None:
        if channel.get("guild_id") and not discord.Permissions(**rights) <= self.rights:
            raise Refusal(403, 50013, "Missing Permissions")

    def post(self, name: str, body: Json, files: Mapping[str, bytes]) -> Json:
        """A message by the bot in a channel."""
        channel = self.channel(name)
        if channel["type"] in THREADS:
            self.demand(channel, send_messages_in_threads=True)
            self.awaken(channel)
        else:
            self.demand(channel, send_messages=True)
        if files:
            self.demand(channel, attach_files=True)
        nonce = body.get("nonce")
        if nonce is not None and len(nonce) > 25:
            raise Refusal(400, 50035, "Invalid Form Body")
        if nonce is not None and body.get("enforce_nonce") and (name, nonce) in self.nonces:
            earlier, at = self.nonces[name, nonce]
            if time.monotonic() - at < self.nonce_seconds:
                return self.messages[name][earlier]
        message = self.add_message(name, bot_json(), body, files)
        if nonce is not None:
            self.nonces[name, nonce] = message["id"], time.monotonic()
        return message

    def awaken(self, thread: Json) -> None:
        """A message in an archived thread opens it again, unless it is locked."""
        if thread["thread_metadata"]["locked"]:
            raise Refusal(403, 50083, "Thread is archived")
        thread["thread_metadata"]["archived"] = False

    def add_message(self, name: str, author: Json, body: Json, files: Mapping[str, bytes]) -> Json:
        check_message(body, files, self.most_file)
        message: Json = {
            "id": self.new_id(), "channel_id": name, "author": author, "timestamp": STAMP,
            "edited_timestamp": None, "tts": False, "mention_everyone": False, "mentions": [],
            "mention_roles": [], "embeds": [], "pinned": False, "type": 0, "reactions": [],
            "content": body.get("content") or "", "components": body.get("components") or [],
            "flags": int(body.get("flags") or 0), "nonce": body.get("nonce"),
            "allowed_mentions": body.get("allowed_mentions"), "edits": 0,
            "reference": body.get("message_reference"),
        }  # fmt: skip
        message["attachments"] = self.attach(body.get("attachments") or (), files)
        self.messages.setdefault(name, {})[message["id"]] = message
        return message

    def attach(self, described: Sequence[Json], files: Mapping[str, bytes]) -> list[Json]:
        """The files as attachments that can be fetched again."""
        found = []
        for key, content in files.items():
            number = int(key.removeprefix("files[").removesuffix("]"))
            about = next(one for one in described if str(one["id"]) == str(number))
            found.append(self.file(about["filename"], content, about.get("description")))
        return found

    def file(self, name: str, content: bytes, description: str | None = None) -> Json:
        """A file as an attachment."""
        number = self.new_id()
        path = f"/cdn/{number}/{name}"
        self.files[path] = content
        kinds = {"png": "image/png", "txt": "text/plain; charset=utf-8"}
        kind = kinds.get(name.rpartition(".")[2], "application/octet-stream")
        return {
            "id": number, "filename": name, "size": len(content), "url": self.base + path,
            "proxy_url": self.base + path, "description": description, "content_type": kind,
        }  # fmt: skip

    def message(self, channel: str, message: str) -> Json:
        self.channel(channel)
        found = self.messages.get(channel, {}).get(message)
        if found is None:
            raise Refusal(404, 10008, "Unknown Message")
        return found

    def edit(self, channel: str, message: str, body: Json, files: Mapping[str, bytes]) -> Json:
        found = self.message(channel, message)
        where = self.channels[channel]
        if where["type"] in THREADS and where["thread_metadata"]["archived"]:
            raise Refusal(400, 50083, "Thread is archived")
        return self.change(found, body, files)

    def change(self, message: Json, body: Json, files: Mapping[str, bytes]) -> Json:
        merged = {**message, **body}
        check_message(merged, files, self.most_file)
        message["edits"] += 1
        for name in ("content", "components"):
            if name in body:
                message[name] = body[name] or ("" if name == "content" else [])
        if "attachments" in body:
            message["attachments"] = self.attach(body["attachments"], files)
        return message

    def thread(self, parent: str, body: Json) -> Json:
        self.demand(self.channel(parent), create_public_threads=True)
        return self.add_thread(parent, body)

    def add_thread(self, parent: str, body: Json) -> Json:
        name = self.new_id()
        self.channels[name] = {
            **channel_json(name, body["name"], body["type"]), "parent_id": parent,
            "owner_id": BOT_USER, "message_count": 0, "member_count": 1, "people": [],
            "thread_metadata": {
                "archived": False, "locked": False, "archive_timestamp": STAMP,
                "auto_archive_duration": body["auto_archive_duration"],
            },
        }  # fmt: skip
        return self.channels[name]


def check_message(body: Json, files: Mapping[str, bytes], most_file: int = MOST_FILE) -> None:
    """Refuses what Discord refuses of a message."""
    text, rows = body.get("content") or "", body.get("components") or []
    custom_ids = [button["custom_id"] for row in rows for button in row["components"]]
    if (
        len(text) > MOST_TEXT
        or len(rows) > 5
        or any(len(row["components"]) > 5 for row in rows)
        or any(not 1 <= len(custom_id) <= 100 for custom_id in custom_ids)
        or len(set(custom_ids)) != len(custom_ids)
        or any(len(button["label"]) > 80 for row in rows for button in row["components"])
        or any(len(one.get("description") or "") > 1024 for one in body.get("attachments") or ())
        or len(files) > 10
    ):
        raise Refusal(400, 50035, "Invalid Form Body")
    if not text and not files and not rows and not body.get("attachments"):
        raise Refusal(400, 50006, "Cannot send an empty message")
    sizes = [len(content) for content in files.values()]
    if max(sizes, default=0) > most_file or sum(sizes) > MOST_REQUEST:
        raise Refusal(413, 40005, "Request entity too large")


def channel_json(name: str, title: str, kind: int = 0) -> Json:
    return {
        "id": name, "type": kind, "name": title, "guild_id": GUILD, "position": 0, "nsfw": False,
        "permission_overwrites": [], "topic": None, "parent_id": None, "flags": 0,
    }  # fmt: skip


def user_json(name: str, title: str) -> Json:
    return {
        "id": name, "username": title.lower(), "discriminator": "0", "global_name": title,
        "avatar": None, "bot": False,
    }  # fmt: skip


def bot_json() -> Json:
    return {**user_json(BOT_USER, "Inkwell"), "bot": True}


def member_json(user: Json) -> Json:
    return {
        "user": user, "roles": ["111"], "joined_at": STAMP, "deaf": False, "mute": False,
        "flags": 0, "nick": None, "avatar": None, "pending": False,
    }  # fmt: skip
