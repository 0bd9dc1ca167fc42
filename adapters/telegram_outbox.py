"""Showing something in a Telegram chat: texts, photos, albums, animations, files; editing it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import telegram
from telegram import InputMediaAnimation, InputMediaPhoto, LinkPreviewOptions, Message
from telegram.error import ChatMigrated, Forbidden, TelegramError

from adapters.telegram_errors import (
    NO_TOPIC,
    NOT_A_PHOTO,
    TopicGone,
    cannot_post,
    is_gone,
    is_same,
    says,
)
from adapters.telegram_files import Upload, uploads
from adapters.telegram_later import Later
from adapters.telegram_native import native
from adapters.telegram_parts import UNNAMED, Markup, Part, parts
from adapters.telegram_people import People
from adapters.telegram_places import Places, Target
from adapters.telegram_text import MOST_CAPTION, MOST_TEXT, clean, cut
from bot.chat import Bot, CannotPost, File, Person, Place

MEDIA_SECONDS = 60.0  # for an upload to be taken
LATER_TRIES = 3  # for the second and later messages of one post
LATER_WAITS = (1.0, 30.0)  # seconds before such a try: the shortest and the longest
MOST_KNOWN_MEDIA = 1000
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outgoing:
    """What is to be shown. `reply_to` is a message it answers; `owner` the id of whose it is;
    `only_there`: not in the general topic instead of one that is gone; `in_one`: in one message,
    which can be edited, so that words that do not fit are cut."""

    text: str = ""
    files: tuple[File, ...] = ()
    markup: Markup | None = None
    mention: Person | None = None
    reply_to: int | None = None
    owner: str = ""
    language: str | None = None
    only_there: bool = False
    in_one: bool = False


@dataclass
class Sent:
    """What was shown, in order. `files` holds those that are pictures, each with its message."""

    messages: list[Message] = field(default_factory=list)
    files: list[tuple[File, Message]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The messages' ids; the last one is edited."""
        return ",".join(str(message.message_id) for message in self.messages)


class Outbox:
    def __init__(self, api: telegram.Bot, bot: Bot, places: Places, people: People) -> None:
        self._api, self._bot, self._places, self._people = api, bot, places, people
        self._media: dict[tuple[int, int], None] = {}  # messages of ours that are pictures
        self.later = Later()

    async def close(self) -> None:
        """What Telegram wanted later is lost."""
        await self.later.close()

    async def say(self, place: Place, outgoing: Outgoing) -> None:
        """Shows what nothing else hangs on, later where Telegram wants that."""
        await self.later.surely(lambda: self.send(place, outgoing), place.channel, outgoing.owner)

    async def send(self, place: Place, outgoing: Outgoing) -> Sent:
        """Shows it all. Raises CannotPost; `unknown` also where only a part has arrived; TopicGone
        where it may be only there."""
        found, left_out = await uploads(outgoing.files)
        text = self._words(outgoing)
        if left_out:
            names = ", ".join(left_out)
            words = self._bot.say(outgoing.language, "telegram.not_sent", names=names)
            text = f"{text}\n\n{words}".strip()
        if outgoing.in_one:
            text = cut(text, MOST_TEXT)
        sent = Sent()
        for part in parts(text, found, outgoing.markup, outgoing.mention):
            await self._surely(place, outgoing, part, sent)
        return sent

    def _words(self, outgoing: Outgoing) -> str:
        return native(clean(outgoing.text), self._bot.commands, self._api.username)

    async def _surely(self, place: Place, outgoing: Outgoing, part: Part, sent: Sent) -> None:
        """Sends a part; one after the first is tried again, for the first must not come twice."""
        for left in reversed(range(LATER_TRIES)):
            try:
                await self._send(place, outgoing, part, sent)
                return
            except CannotPost as error:
                if not sent.messages:
                    raise
                if not left or error.unknown or not error.again:
                    raise CannotPost(str(error), unknown=True) from error
                await asyncio.sleep(min(max(error.wait or 0, LATER_WAITS[0]), LATER_WAITS[1]))

    async def _send(self, place: Place, outgoing: Outgoing, part: Part, sent: Sent) -> None:
        async def ask(target: Target) -> list[Message]:
            return await self._request(target, outgoing, part)

        if any(upload.way == "photo" for upload in part.files):
            try:
                messages = await self._reaching(place, ask, outgoing.only_there)
            except CannotPost as error:
                if not refused_as_photo(error):
                    raise
                await self._as_documents(place, outgoing, part, sent)
                return
        else:
            messages = await self._reaching(place, ask, outgoing.only_there)
        await self._keep(place, outgoing, part, messages, sent)

    async def _as_documents(self, place: Place, outgoing: Outgoing, part: Part, sent: Sent) -> None:
        """Photos that Telegram did not take, each as a file."""
        for number, upload in enumerate(part.files, 1):
            last = number == len(part.files)
            one = Part(
                part.text if last else "",
                (Upload(upload.file, "document"),),
                part.markup if last else None,
                part.entities if last else (),
            )
            await self._surely(place, outgoing, one, sent)

    async def _keep(
        self,
        place: Place,
        outgoing: Outgoing,
        part: Part,
        messages: list[Message],
        sent: Sent,
    ) -> None:
        sent.messages += messages
        for message in messages:
            await self._places.joins(place, message.message_id, outgoing.owner)
        for upload, message in zip(part.files, messages, strict=False):
            self._is_media(message)
            if upload.file.is_picture:
                sent.files.append((upload.file, message))

    async def _reaching(
        self,
        place: Place,
        ask: Callable[[Target], Awaitable[list[Message]]],
        only_there: bool = False,
    ) -> list[Message]:
        """Asks for a place wherever it is now. Raises CannotPost."""
        try:
            target = await self._places.target(place)
        except ValueError:
            raise CannotPost(f"this is no place on Telegram: {place.key}") from None
        try:
            try:
                return await ask(target)
            except ChatMigrated as error:
                await self._places.moved(target.chat, error.new_chat_id)
                target = await self._places.target(place)
                return await ask(target)
        except TelegramError as error:
            if target.topic is not None and says(error, *NO_TOPIC):
                if only_there:
                    raise TopicGone(place) from error
                return await self._reaching(Place(place.chat, place.channel, place.server), ask)
            if isinstance(error, Forbidden) and place.server is None:
                await self._people.left(place.channel)
            raise cannot_post(error) from error

    async def _request(self, target: Target, outgoing: Outgoing, part: Part) -> list[Message]:
        reply_to = outgoing.reply_to or target.reply_to
        where: dict[str, Any] = {"chat_id": target.chat}
        if target.topic is not None:
            where["message_thread_id"] = target.topic
        if reply_to is not None:
            where["reply_parameters"] = telegram.ReplyParameters(
                reply_to, allow_sending_without_reply=True
            )
        if not part.files:
            return [
                await self._api.send_message(
                    text=part.text,
                    entities=part.entities or None,
                    reply_markup=part.markup,
                    link_preview_options=NO_PREVIEW,
                    **where,
                )
            ]
        if len(part.files) > 1:
            return await self._album(where, part)
        return [await self._file(where, part)]

    async def _file(self, where: dict[str, Any], part: Part) -> Message:
        file, way = part.files[0].file, part.files[0].way
        send = getattr(self._api, f"send_{way}")
        message: Message = await send(
            **{way: file.content},
            filename=file.name,
            caption=part.text or None,
            caption_entities=part.entities or None,
            reply_markup=part.markup,
            read_timeout=MEDIA_SECONDS,
            write_timeout=MEDIA_SECONDS,
            **where,
        )
        return message

    async def _album(self, where: dict[str, Any], part: Part) -> list[Message]:
        media = [
            InputMediaPhoto(
                upload.file.content,
                filename=upload.file.name,
                caption=part.text or None if number == 0 else None,
                caption_entities=part.entities or None if number == 0 else None,
            )
            for number, upload in enumerate(part.files)
        ]
        album = await self._api.send_media_group(
            media=media, read_timeout=MEDIA_SECONDS, write_timeout=MEDIA_SECONDS, **where
        )
        return list(album)

    async def edit(self, place: Place, message: str, outgoing: Outgoing) -> str:
        """Changes what was shown; posts it anew where that is gone. Raises CannotPost."""
        try:
            number = int(message.rpartition(",")[2])
        except ValueError:
            return (await self.send(place, outgoing)).id
        found, _ = await uploads(outgoing.files[:1])

        async def ask(target: Target) -> list[Message]:
            return [await self._changed(target.chat, number, outgoing, found)]

        try:
            await self._reaching(place, ask)
        except CannotPost as error:
            cause = error.__cause__
            if isinstance(cause, TelegramError) and is_same(cause):
                return message
            if isinstance(cause, TelegramError) and is_gone(cause):
                return (await self.send(place, outgoing)).id
            raise
        return message

    async def edit_buttons(self, place: Place, message: str, outgoing: Outgoing) -> str:
        """Changes only the buttons of what was shown; "" where that is gone. Raises CannotPost."""
        number, markup = int(message.rpartition(",")[2]), outgoing.markup
        assert not isinstance(markup, telegram.ForceReply)

        async def ask(target: Target) -> list[Message]:
            await self._api.edit_message_reply_markup(
                chat_id=target.chat, message_id=number, reply_markup=markup
            )
            return []

        try:
            await self._reaching(place, ask)
        except CannotPost as error:
            cause = error.__cause__
            if isinstance(cause, TelegramError) and is_gone(cause):
                return ""
            if not (isinstance(cause, TelegramError) and is_same(cause)):
                raise
        return message

    async def _changed(
        self, chat: int, number: int, outgoing: Outgoing, found: Sequence[Upload]
    ) -> Message:
        """The message with other words or another picture; pictures keep theirs without one."""
        where: dict[str, Any] = {"chat_id": chat, "message_id": number}
        markup = outgoing.markup
        buttons = markup if isinstance(markup, telegram.InlineKeyboardMarkup) else None
        changed: Message | bool
        if found and found[0].way in ("photo", "animation"):
            file, way = found[0].file, found[0].way
            kind = InputMediaPhoto if way == "photo" else InputMediaAnimation
            caption = cut(self._words(outgoing), MOST_CAPTION) or None
            changed = await self._api.edit_message_media(
                media=kind(file.content, filename=file.name, caption=caption),
                reply_markup=buttons,
                read_timeout=MEDIA_SECONDS,
                write_timeout=MEDIA_SECONDS,
                **where,
            )
        elif (chat, number) in self._media:
            changed = await self._caption(where, self._words(outgoing), buttons)
        else:
            try:
                changed = await self._api.edit_message_text(
                    text=cut(self._words(outgoing), MOST_TEXT) or UNNAMED,
                    reply_markup=buttons,
                    link_preview_options=NO_PREVIEW,
                    **where,
                )
            except TelegramError as error:
                if not says(error, "no text in the message"):
                    raise
                changed = await self._caption(where, self._words(outgoing), buttons)
                found = (*found, Upload(File("", b""), "photo"))
        assert isinstance(changed, Message)  # only edits of inline messages are answered with True
        if found:
            self._is_media(changed)
        return changed

    async def _caption(
        self, where: dict[str, Any], text: str, buttons: telegram.InlineKeyboardMarkup | None
    ) -> Message | bool:
        caption = cut(text, MOST_CAPTION)
        return await self._api.edit_message_caption(
            caption=caption,
            reply_markup=buttons,
            **where,
        )

    def _is_media(self, message: Message) -> None:
        self._media[(message.chat.id, message.message_id)] = None
        while len(self._media) > MOST_KNOWN_MEDIA:
            del self._media[next(iter(self._media))]

    async def remove(self, place: Place, message: str) -> None:
        """Takes messages away. Raises CannotPost, but not for those that are gone already."""
        for number in filter(str.isdecimal, message.split(",")):

            async def ask(target: Target, number: str = number) -> list[Message]:
                await self._api.delete_message(target.chat, int(number))
                return []

            try:
                await self._reaching(place, ask)
            except CannotPost as error:
                if not says_gone(error):
                    raise


def refused_as_photo(error: CannotPost) -> bool:
    cause = error.__cause__
    return isinstance(cause, TelegramError) and says(cause, *NOT_A_PHOTO)


def says_gone(error: CannotPost) -> bool:
    """A message that cannot be deleted because it is not there."""
    cause = error.__cause__
    return isinstance(cause, TelegramError) and says(
        cause, "message to delete not found", "message_id_invalid"
    )
