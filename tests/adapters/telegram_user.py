"""Chats as Telegram keeps them, and people with Telegram in their hands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.adapters.telegram_peer import Peer

Json = dict[str, Any]
RIGHTS = """can_send_messages can_send_photos can_send_documents can_send_videos can_send_audios
can_send_video_notes can_send_voice_notes can_send_polls can_send_other_messages
can_add_web_page_previews can_change_info can_invite_users can_pin_messages can_manage_topics"""
ALL_ALLOWED = dict.fromkeys(RIGHTS.split(), True)


@dataclass
class Room:
    """A chat as Telegram keeps it."""

    id: int
    type: str
    title: str = ""
    forum: bool = False
    started: bool = True  # private: the person has opened the bot
    refuses: str = ""  # why nothing can be sent there, with status 403
    moved_to: int | None = None
    admins: list[Json] = field(default_factory=list)
    me: Json = field(default_factory=lambda: {"status": "member"})
    permissions: Json = field(default_factory=lambda: dict(ALL_ALLOWED))
    topics: dict[int, str] = field(default_factory=dict)

    def to_json(self) -> Json:
        shown: Json = {"id": self.id, "type": self.type}
        shown["first_name" if self.type == "private" else "title"] = self.title
        return {**shown, "is_forum": True} if self.forum else shown

    def opening(self, topic: int) -> Json:
        """The message that began a topic: all that is said there and is no reply answers it."""
        return {
            "message_id": topic,
            "date": 1_790_000_000,
            "chat": self.to_json(),
            "from": {"id": 777, "is_bot": False, "first_name": "Olga"},
            "message_thread_id": topic,
            "is_topic_message": True,
            "forum_topic_created": {"name": self.topics[topic], "icon_color": 7322096},
        }


class User:
    """Somebody with Telegram in their hands."""

    def __init__(
        self, peer: Peer, id: int, name: str, language: str | None, username: str | None = None
    ) -> None:
        self.peer, self.id, self.name, self.language = peer, id, name, language
        self.username = username

    @property
    def json(self) -> Json:
        about: Json = {"id": self.id, "is_bot": False, "first_name": self.name}
        more = {"language_code": self.language, "username": self.username}
        return about | {name: value for name, value in more.items() if value}

    def says(
        self,
        text: str = "",
        *,
        room: Room | None = None,
        photo: bytes | None = None,
        document: tuple[str, str, bytes] | None = None,
        reply_to: Json | None = None,
        topic: int | None = None,
        **more: Any,
    ) -> Json:
        """Sends a message; in a direct message without `room`. `document`: name, type, content."""
        room = room or self.peer.rooms[self.id]
        room.started = True
        message: Json = {
            "message_id": next(self.peer._numbers),
            "date": 1_790_000_000,
            "chat": room.to_json(),
            "from": self.json,
            **more,
        }
        if photo is not None:
            message |= {"photo": self.peer._store("photo", photo), "caption": text}
        elif document is not None:
            name, mime, content = document
            stored = self.peer._store("document", content)
            message["document"] = {**stored, "file_name": name, "mime_type": mime}
            message["caption"] = text
        elif text:
            message["text"] = text
        if topic is not None:
            message |= {"message_thread_id": topic, "is_topic_message": True}
            message["reply_to_message"] = room.opening(topic)
        if reply_to is not None:
            message["reply_to_message"] = reply_to
            message |= topic_of(reply_to)
        self.peer.messages[(room.id, message["message_id"])] = message
        self.peer.tell(message=message)
        return message

    def presses(self, label: str, room: Room | None = None, *, too_old: bool = False) -> str:
        """Presses the newest button of that label in a chat; returns the query's id."""
        chat = room.id if room is not None else self.id
        for message in reversed(self.peer.shown(chat)):
            for row in message.get("reply_markup", {}).get("inline_keyboard", ()):
                for button in row:
                    if button["text"] == label and "callback_data" in button:
                        return self.press(message, button["callback_data"], too_old=too_old)
        raise AssertionError(f"no button {label!r} in {self.peer.texts(chat)}")

    def press(self, message: Json, data: str, *, too_old: bool = False) -> str:
        query = f"query-{next(self.peer._numbers)}"
        if not too_old:
            self.peer.open_queries.add(query)
        self.peer.tell(
            callback_query={
                "id": query,
                "from": self.json,
                "message": message,
                "chat_instance": "1",
                "data": data,
            }
        )
        return query

    def asks_inline(self, words: str) -> str:
        query = f"inline-{next(self.peer._numbers)}"
        about = {"id": query, "from": self.json, "query": words, "offset": ""}
        self.peer.tell(inline_query=about)
        return query

    def buttons(self, room: Room | None = None) -> list[str]:
        """The labels under the bot's newest message."""
        message = self.peer.shown(room.id if room is not None else self.id)[-1]
        rows = message.get("reply_markup", {}).get("inline_keyboard", ())
        return [button["text"] for row in rows for button in row]


def topic_of(message: Json) -> Json:
    """What says in which topic a message is: answers to it are in the same."""
    names = ("message_thread_id", "is_topic_message")
    return {name: message[name] for name in names if name in message}


def administrator(user: Json | None = None) -> Json:
    """What Telegram tells of somebody who manages a group."""
    rights = (
        "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages",
        "can_manage_video_chats", "can_restrict_members", "can_promote_members",
        "can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories",
        "can_delete_stories",
    )  # fmt: skip
    about: Json = {"status": "administrator", **dict.fromkeys(rights, False)}
    return {**about, "user": user} if user is not None else about
