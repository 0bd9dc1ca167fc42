"""Messages that live on: a story's card, and the place of the story's own that it stands in."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace

import telegram
from telegram.error import TelegramError

from adapters.telegram_errors import TopicGone
from adapters.telegram_outbox import Outbox, Outgoing
from adapters.telegram_people import CHAT
from adapters.telegram_places import REPLIES, Places
from adapters.telegram_storage import Storage
from adapters.telegram_talk import Talk
from adapters.telegram_text import cut, keyboard, link
from bot.chat import Bot, CannotPost, Place, Reply

LONGEST_TOPIC = 128  # characters of a topic's name
GROUP = "-"  # what the ids of groups begin with
SUPERGROUP = "-100"  # what the ids of supergroups begin with

log = logging.getLogger(__name__)


class Cards:
    def __init__(
        self, api: telegram.Bot, bot: Bot, storage: Storage, places: Places, outbox: Outbox
    ) -> None:
        self._api, self._bot = api, bot
        self._storage, self._places, self._outbox = storage, places, outbox
        self._opened: dict[tuple[str, str], Place] = {}  # by chat and card: topics that wait for it

    async def show(self, talk: Talk, reply: Reply, *, anew: bool) -> Place | None:
        """Shows a card, where `reply.room` is said in a place of its own.

        It is edited where it stands; `anew` puts it below everything else instead. Returns a place
        that the bot must be told of: one that has just become a room. Raises CannotPost.
        """
        try:
            return await self._show(talk, reply, anew, only_there=reply.card is not None)
        except TopicGone as gone:
            await self._leave(gone.place)
            title = reply.room or reply.title or first_line(reply)
            if talk.place.thread == gone.place.thread:
                talk = replace(talk, place=replace(talk.place, thread=None))
            return await self._show(talk, replace(reply, room=title), anew, only_there=False)

    async def _show(
        self, talk: Talk, reply: Reply, anew: bool, *, only_there: bool
    ) -> Place | None:
        place, opened = await self._place(talk, reply)
        in_one = reply.card is not None
        shown = replace(outgoing(talk, reply), only_there=only_there, in_one=in_one)
        if reply.card is None:
            await self._outbox.send(place, shown)
            return place if opened else None
        known = await self._message(place, reply.card)
        if known is not None and not anew:
            message = await self._outbox.edit(place, known, shown)
        else:
            message = (await self._outbox.send(place, shown)).id
        if known is not None and known != message:
            with suppress(CannotPost):  # too old to be deleted: then there are two
                await self._outbox.remove(place, known)
        if place.server is not None and place.thread is None:
            place, opened = replace(place, thread=f"{REPLIES}{message}"), True
            await self._places.joins(place, int(message), talk.person.id)
        await self._keep(place, reply, message, talk.person.id)
        self._opened.pop((place.channel, reply.card), None)
        topic = place.thread or REPLIES
        if anew and not opened and topic != talk.place.thread and not topic.startswith(REPLIES):
            await self._point_to(talk, reply.room or first_line(reply), int(topic))
        return place if opened else None

    async def _place(self, talk: Talk, reply: Reply) -> tuple[Place, bool]:
        """Where a reply belongs, and whether this is a room that was opened for it just now."""
        place, card = talk.place, reply.card
        if card is not None and (reply.room is not None or place.thread is None):
            thread = await self._room(place, card)
            if thread is not None:
                return replace(place, thread=thread), False
        if reply.room is None:
            return place, False
        topic = self._opened.get((place.channel, card or ""))
        if topic is None:
            topic = await self._topic(talk, reply.room)
        if topic is None:
            return replace(place, thread=None), place.server is None
        if card is not None:
            self._opened[(place.channel, card)] = topic
        return topic, True

    async def _leave(self, topic: Place) -> None:
        """Forgets what stood in a topic that is gone."""
        await self._storage.rows(
            "DELETE FROM cards WHERE chat = ? AND thread = ?", topic.channel, topic.thread
        )
        self._opened = {card: at for card, at in self._opened.items() if at != topic}

    async def _room(self, place: Place, card: str) -> str | None:
        """The thread in which a card stands already, anywhere in the chat."""
        row = await self._storage.row(
            "SELECT thread FROM cards WHERE chat = ? AND card = ? AND thread != '' AND live",
            place.channel,
            card,
        )
        return row["thread"] if row else None

    async def _topic(self, talk: Talk, title: str) -> Place | None:
        """A new topic of that title; None where there are no topics, or we may open none."""
        target = await self._places.target(replace(talk.place, thread=None))
        if not await self._has_topics(talk, target.chat):
            return None
        try:
            topic = await self._api.create_forum_topic(target.chat, cut(title, LONGEST_TOPIC))
        except TelegramError as error:
            log.info("chat %d: cannot open a topic: %s", target.chat, error)
            return None
        place = replace(talk.place, thread=str(topic.message_thread_id))
        await self._point_to(talk, title, topic.message_thread_id)
        return place

    async def _has_topics(self, talk: Talk, chat: int) -> bool:
        if talk.place.server is None:
            return bool(self._api.bot.has_topics_enabled)
        try:
            return bool((await self._api.get_chat(chat)).is_forum)
        except TelegramError:
            return False

    async def _point_to(self, talk: Talk, title: str, topic: int) -> None:
        """Says where the story was asked for that it has a topic of its own."""
        words = self._bot.say(talk.language, "telegram.room_opened", title=title)
        chat = (await self._places.target(talk.place)).chat
        number = str(chat).removeprefix(SUPERGROUP)
        markup = None
        if talk.place.server is not None:
            label = self._bot.say(talk.language, "telegram.button_room")
            markup = link(label, f"https://t.me/c/{number}/{topic}")
        pointer = Outgoing(words, markup=markup, reply_to=talk.reply_to, owner=talk.person.id)
        await self._outbox.say(talk.place, pointer)

    async def _message(self, place: Place, card: str) -> str | None:
        row = await self._storage.row(
            "SELECT message FROM cards WHERE chat = ? AND thread = ? AND card = ?",
            place.channel,
            place.thread or "",
            card,
        )
        return row["message"] if row else None

    async def _keep(self, place: Place, reply: Reply, message: str, owner: str) -> None:
        """A card without buttons is the last word on something that was deleted."""
        await self._storage.rows(
            "INSERT OR REPLACE INTO cards VALUES (?, ?, ?, ?, ?, ?)",
            place.channel,
            place.thread or "",
            reply.card,
            message,
            owner,
            int(bool(reply.buttons)),
        )

    async def closed(self, card: str) -> list[tuple[Place, str]]:
        """Where a card of what was deleted stands, and its message; it is not live any more."""
        await self._storage.rows("UPDATE cards SET live = 0 WHERE card = ?", card)
        rows = await self._storage.rows("SELECT * FROM cards WHERE card = ?", card)
        found = []
        for row in rows:
            server = row["chat"] if row["chat"].startswith(GROUP) else None
            place = Place(CHAT, row["chat"], server, row["thread"] or None)
            found.append((place, str(row["message"])))
        return found

    async def say_last(self, place: Place, message: str, text: str) -> None:
        """The last words of a card, without buttons."""
        with suppress(CannotPost):  # such as from where we were thrown out
            await self._outbox.edit(place, message, Outgoing(text))

    async def is_room(self, place: Place) -> bool:
        """Whether a card stands in a place: what is typed there is for its story.

        A thread stays the room of a story that was deleted.
        """
        row = await self._storage.row(
            "SELECT 1 FROM cards WHERE chat = ? AND thread = ? AND (live OR thread != '') LIMIT 1",
            place.channel,
            place.thread or "",
        )
        return row is not None


def first_line(reply: Reply) -> str:
    return reply.text.partition("\n")[0]


def outgoing(talk: Talk, reply: Reply) -> Outgoing:
    """A reply as it is sent into the place it is about."""
    return Outgoing(
        reply.text,
        reply.files,
        keyboard(reply.buttons),
        reply_to=talk.message if talk.place == talk.at and talk.in_group else None,
        owner=talk.person.id,
        language=talk.language,
    )
