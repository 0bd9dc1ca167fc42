"""The methods of the Bot API: what Telegram keeps, does, and refuses, in its words."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image

from tests.adapters.telegram_user import Json, Room, administrator, topic_of

ME = {
    "id": 123456789,
    "is_bot": True,
    "first_name": "Inkwell",
    "username": "inkwell_bot",
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": True,
    "has_topics_enabled": False,
}
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)


class Refusal(Exception):
    def __init__(self, status: int, words: str, **parameters: int) -> None:
        super().__init__(words)
        self.status, self.words, self.parameters = status, words, parameters


@dataclass
class Asked:
    """A request as it came."""

    method: str
    given: Mapping[str, str]
    files: Mapping[str, bytes]

    def json(self, name: str) -> Any:
        return json.loads(self.given[name]) if name in self.given else None

    def number(self, name: str) -> int:
        return int(self.given[name])


class Methods:
    """Each method of the Bot API is a method of the same name here, after an underscore."""

    def __init__(self) -> None:
        self.me: Json = dict(ME)
        self.rooms: dict[int, Room] = {}
        self.messages: dict[tuple[int, int], Json] = {}
        self.stored: dict[str, bytes] = {}
        self.open_queries: set[str] = set()
        self.inline_answers: dict[str, Asked] = {}
        self.menus: dict[tuple[str, str], list[Json]] = {}
        self._updates: list[Json] = []
        self._news = asyncio.Event()
        self._numbers = itertools.count(1)

    def _getMe(self, asked: Asked) -> Json:  # noqa: N802
        return self.me

    def _deleteWebhook(self, asked: Asked) -> bool:  # noqa: N802
        return True

    async def _getUpdates(self, asked: Asked) -> list[Json]:  # noqa: N802
        offset = int(asked.given.get("offset", 0))
        self._updates = [one for one in self._updates if one["update_id"] >= offset]
        if not self._updates and int(asked.given.get("timeout", 0)):
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), float(asked.given["timeout"]))
            except TimeoutError:
                return []
        return self._updates[:100]

    def _setMyCommands(self, asked: Asked) -> bool:  # noqa: N802
        commands = asked.json("commands")
        if len(commands) > 100:
            raise Refusal(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        scope = asked.json("scope")["type"]
        self.menus[(scope, asked.given.get("language_code", ""))] = commands
        return True

    def _room(self, asked: Asked, *, writing: bool = True) -> Room:
        room = self.rooms.get(asked.number("chat_id"))
        if room is None:
            raise Refusal(400, "Bad Request: chat not found")
        if room.moved_to is not None:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, words, migrate_to_chat_id=room.moved_to)
        if room.refuses and writing:
            raise Refusal(403, f"Forbidden: {room.refuses}")
        if not room.started:
            raise Refusal(403, "Forbidden: bot can't initiate conversation with a user")
        return room

    def _message(self, asked: Asked, **content: Any) -> Json:
        """A new message of the bot."""
        room = self._room(asked)
        thread = asked.given.get("message_thread_id")
        if thread is not None and int(thread) not in room.topics:
            raise Refusal(400, "Bad Request: message thread not found")
        message: Json = {
            "message_id": next(self._numbers),
            "date": 1_790_000_000,
            "chat": room.to_json(),
            "from": {name: self.me[name] for name in ("id", "is_bot", "first_name", "username")},
            **content,
        }
        if thread is not None:
            message |= {"message_thread_id": int(thread), "is_topic_message": True}
        reply = asked.json("reply_parameters")
        if reply is not None:
            to = self.messages.get((room.id, reply["message_id"]))
            if to is None and not reply.get("allow_sending_without_reply"):
                raise Refusal(400, "Bad Request: message to be replied not found")
            if to is not None:
                message["reply_to_message"] = to
                message |= topic_of(to)
        markup = asked.json("reply_markup")
        if markup is not None:
            message["markup"] = markup
            if "inline_keyboard" in markup:
                message["reply_markup"] = markup
        self.messages[(room.id, message["message_id"])] = message
        return message

    def _sendMessage(self, asked: Asked) -> Json:  # noqa: N802
        room, text = self._room(asked), asked.given.get("text", "")
        if not text.strip():
            raise Refusal(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) > 2 * 4096:
            raise Refusal(400, "Bad Request: message is too long")
        if not room.permissions["can_send_messages"]:
            raise Refusal(400, "Bad Request: not enough rights to send text messages to the chat")
        return self._message(asked, text=text, entities=asked.json("entities") or [])

    def _sendPhoto(self, asked: Asked) -> Json:  # noqa: N802
        return self._media(asked, "photo", asked.files["photo"])

    def _sendDocument(self, asked: Asked) -> Json:  # noqa: N802
        return self._media(asked, "document", asked.files["document"])

    def _sendAnimation(self, asked: Asked) -> Json:  # noqa: N802
        return self._media(asked, "animation", asked.files["animation"])

    def _media(self, asked: Asked, kind: str, content: bytes, caption: str | None = None) -> Json:
        text = caption if caption is not None else asked.given.get("caption", "")
        if len(text.encode("utf-16-le")) > 2 * 1024:
            raise Refusal(400, "Bad Request: message caption is too long")
        return self._message(asked, caption=text, **{kind: self._store(kind, content)})

    def _store(self, kind: str, content: bytes) -> Any:
        """Keeps a file, as a message shows it."""
        if len(content) > 50_000_000:
            raise Refusal(413, "Request Entity Too Large")
        id = f"file-{kind}-{next(self._numbers)}"
        about: Json = {"file_id": id, "file_unique_id": f"u{id}", "file_size": len(content)}
        if kind == "photo":
            with Image.open(BytesIO(content)) as image:
                width, height = image.size
            if len(content) > 10_000_000:
                raise Refusal(400, "Bad Request: file is too big")
            wrong = width + height > 10_000 or max(width, height) > 20 * min(width, height)
            if wrong:
                raise Refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
            self.stored[id] = content
            return [{**about, "width": width, "height": height}]
        self.stored[id] = content
        if kind == "animation":
            is_gif = content[:3] == b"GIF"
            about |= {"width": 8, "height": 8, "duration": 1}
            about["mime_type"] = "image/gif" if is_gif else "video/mp4"
        return about

    def _sendMediaGroup(self, asked: Asked) -> list[Json]:  # noqa: N802
        media = asked.json("media")
        if not 2 <= len(media) <= 10:
            raise Refusal(400, "Bad Request: wrong number of media")
        contents = [asked.files[one["media"].removeprefix("attach://")] for one in media]
        for one, content in zip(media, contents, strict=True):
            self._store(one["type"], content)
        return [
            self._media(asked, one["type"], content, one.get("caption", ""))
            for one, content in zip(media, contents, strict=True)
        ]

    def _edited(self, asked: Asked, **content: Any) -> Json:
        room = self._room(asked)
        message = self.messages.get((room.id, asked.number("message_id")))
        if message is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        if "text" in content and "text" not in message:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        if "caption" in content and "text" in message and "photo" not in content:
            raise Refusal(400, "Bad Request: there is no caption in the message to edit")
        markup = asked.json("reply_markup")
        same = all(message.get(name) == value for name, value in content.items())
        if same and message.get("reply_markup") == markup:
            raise Refusal(400, f"Bad Request: {SAME}")
        if "photo" in content:
            message.pop("text", None)
        message.update(content)
        message.pop("reply_markup", None)
        if markup is not None:
            message["reply_markup"] = markup
        message["edit_date"] = 1_790_000_001
        return message

    def _editMessageText(self, asked: Asked) -> Json:  # noqa: N802
        return self._edited(asked, text=asked.given["text"])

    def _editMessageCaption(self, asked: Asked) -> Json:  # noqa: N802
        return self._edited(asked, caption=asked.given.get("caption", ""))

    def _editMessageReplyMarkup(self, asked: Asked) -> Json:  # noqa: N802
        return self._edited(asked)

    def _editMessageMedia(self, asked: Asked) -> Json:  # noqa: N802
        media = asked.json("media")
        content = asked.files[media["media"].removeprefix("attach://")]
        stored = self._store(media["type"], content)
        return self._edited(asked, caption=media.get("caption", ""), **{media["type"]: stored})

    def _deleteMessage(self, asked: Asked) -> bool:  # noqa: N802
        room = self._room(asked)
        if self.messages.pop((room.id, asked.number("message_id")), None) is None:
            raise Refusal(400, "Bad Request: message to delete not found")
        return True

    def _sendChatAction(self, asked: Asked) -> bool:  # noqa: N802
        self._room(asked)
        return True

    def _answerCallbackQuery(self, asked: Asked) -> bool:  # noqa: N802
        if asked.given["callback_query_id"] not in self.open_queries:
            raise Refusal(400, f"Bad Request: {TOO_OLD}")
        self.open_queries.discard(asked.given["callback_query_id"])
        return True

    def _answerInlineQuery(self, asked: Asked) -> bool:  # noqa: N802
        results = asked.json("results")
        if len(results) > 50:
            raise Refusal(400, "Bad Request: RESULTS_TOO_MUCH")
        for result in results:
            file = next(value for name, value in result.items() if name.endswith("file_id"))
            if file not in self.stored:
                raise Refusal(400, "Bad Request: DOCUMENT_INVALID")
        self.inline_answers[asked.given["inline_query_id"]] = asked
        return True

    def _getFile(self, asked: Asked) -> Json:  # noqa: N802
        id = asked.given["file_id"]
        content = self.stored.get(id)
        if content is None:
            raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(content) > 20_000_000:
            raise Refusal(400, "Bad Request: file is too big")
        return {"file_id": id, "file_unique_id": f"u{id}", "file_path": id}

    def _createForumTopic(self, asked: Asked) -> Json:  # noqa: N802
        room = self._room(asked)
        if not room.forum and not (room.type == "private" and self.me["has_topics_enabled"]):
            raise Refusal(400, "Bad Request: the chat is not a forum")
        if room.type != "private" and not room.me.get("can_manage_topics"):
            raise Refusal(400, "Bad Request: not enough rights to create a topic")
        number = next(self._numbers)
        room.topics[number] = asked.given["name"]
        return {"message_thread_id": number, "name": asked.given["name"], "icon_color": 7322096}

    def _getChat(self, asked: Asked) -> Json:  # noqa: N802
        room = self._room(asked, writing=False)
        more = {"accent_color_id": 1, "max_reaction_count": 11, "permissions": room.permissions}
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
        accepted = dict.fromkeys((*gifts, "gifts_from_channels"), False)
        return {**room.to_json(), **more, "accepted_gift_types": accepted}

    def _getChatAdministrators(self, asked: Asked) -> list[Json]:  # noqa: N802
        room = self._room(asked, writing=False)
        mine = [self._membership(room)] if room.me["status"] == "administrator" else []
        return [*room.admins, *mine]

    def _getChatMember(self, asked: Asked) -> Json:  # noqa: N802
        return self._membership(self._room(asked, writing=False))

    def _membership(self, room: Room) -> Json:
        user = {name: self.me[name] for name in ("id", "is_bot", "first_name", "username")}
        return {"user": user, **administrator(), **room.me}
