"""From what Telegram tells us to a `Call`: commands, messages, buttons, pictures, dialogs."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace

import telegram
from telegram import Message, Update
from telegram.error import TelegramError

from adapters.telegram_commands import (
    Typed,
    group_of,
    may_be_script,
    missing,
    named,
    read_command,
    read_options,
    word_of,
)
from adapters.telegram_dialogs import MARK, Dialog
from adapters.telegram_files import Found, NotTaken, download, picture_in, text_in
from adapters.telegram_native import SHARED_STORY
from adapters.telegram_outbox import Outgoing
from adapters.telegram_people import person_of
from adapters.telegram_places import Places
from adapters.telegram_questions import questions_of_command
from adapters.telegram_replies import HELLO, Replies, Tools
from adapters.telegram_rights import Rights, Standing
from adapters.telegram_talk import Talk
from adapters.telegram_typing import typing
from adapters.telegram_whom import SETTINGS, with_ids
from adapters.text_files import readable
from bot.chat import (
    FORM,
    MESSAGE,
    PRESS,
    Attachment,
    Call,
    CommandInfo,
    Person,
    Place,
    Reply,
    Value,
)

MOST_WITH_FILES = 3  # calls with files in memory at the same time
MOST_ALBUMS = 500  # that are remembered
TAKES_REPLIED = ("meme", "character new", "character edit")  # ... to a message with a picture
NEW_CHARACTER = "character new"
COMMON = ("start", "skip", "cancel")  # commands of this chat, not of the bot
INTRODUCED = re.compile(r"\s*[\[【［]([^\]】］\n]+)[\]】］][ \t]*([^\n]*)\s*")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Heard:
    """A message of a person, taken apart."""

    talk: Talk
    user: telegram.User
    message: Message
    text: str
    picture: Found | None


class Calls:
    def __init__(self, tools: Tools, places: Places, rights: Rights, replies: Replies) -> None:
        self._tools, self._places = tools, places
        self._rights, self._replies = rights, replies
        self._bot, self._dialogs = tools.bot, tools.dialogs
        self._with_files = asyncio.Semaphore(MOST_WITH_FILES)
        self._albums: dict[str, None] = {}  # of which the first picture was taken

    async def take(self, update: Update) -> None:
        """Answers one update. What goes wrong in it is told, and stays without consequence."""
        try:
            await self._take(update)
        except sqlite3.Error:  # of the chat's own file, such as a full disk
            log.exception("an update could not be answered")
            await self._apologise(update)

    async def _apologise(self, update: Update) -> None:
        """Says that something is broken, without a look at anything that is kept."""
        user, chat = update.effective_user, update.effective_chat
        if user is None or chat is None or update.my_chat_member is not None:
            return
        words = self._bot.say(user.language_code, "telegram.broken")
        with suppress(TelegramError):
            await self._tools.api.send_message(chat.id, words)

    async def _take(self, update: Update) -> None:
        if update.inline_query is not None:
            await self._tools.inline.answer(update.inline_query)
        elif update.callback_query is not None:
            await self._pressed(update.callback_query)
        elif update.my_chat_member is not None:
            await self._joined(update.my_chat_member)
        elif update.message is not None:
            await self._said(update.message)

    async def _joined(self, change: telegram.ChatMemberUpdated) -> None:
        """Our own standing in a chat has changed."""
        self._rights.changed(change.chat.id)
        blocked = change.new_chat_member.status == telegram.ChatMember.BANNED
        if blocked and change.chat.type == telegram.Chat.PRIVATE:
            await self._tools.people.left(str(change.chat.id))

    async def _said(self, message: Message) -> None:
        if message.migrate_to_chat_id is not None:
            await self._places.moved(message.chat.id, message.migrate_to_chat_id)
            return
        user = message.from_user
        text = message.text or message.caption or ""
        if user is None or message.chat.type == telegram.Chat.CHANNEL:
            return
        place = await self._places.of_message(message)
        person = person_of(user)
        talk = Talk(await self._spoken_to(person), place, place, message.message_id)
        typed = read_command(text)
        if message.sender_chat is not None or user.is_bot:
            if message.sender_chat is not None and typed is not None and self._is_ours(typed):
                await self._say(talk, "telegram.anonymous")
            return
        heard = Heard(talk, user, message, text, picture_in(message))
        if self._is_our_own(message) or self._is_rest_of_album(heard):
            return
        try:
            heard = await self._with_file(heard, typed)
        except NotTaken as error:
            await self._say(talk, error.key)
            return
        typed = read_command(heard.text)
        if not talk.in_group:
            await self._meet(heard)
        if typed is not None:
            to_all = typed.bot is None and (typed.word in COMMON or not talk.in_group)
            if to_all or self._is_ours(typed):
                await self._typed(heard, typed)
        elif not await self._as_answer(heard):
            await self._plain(heard)

    async def _with_file(self, heard: Heard, typed: Typed | None) -> Heard:
        """With what a text file says after its caption, if it is for us. Raises NotTaken."""
        file, talk = text_in(heard.message), heard.talk
        if file is None:
            return heard
        if talk.in_group and not (typed is not None and self._is_ours(typed)):
            in_topic = talk.place.thread is not None and await self._tools.cards.is_room(talk.place)
            if not in_topic and not self._is_to_us(heard):
                return heard
        content = (await download(self._tools.api, file)).content
        return replace(heard, text="\n".join(filter(None, (heard.text, readable(content)))))

    def _is_our_own(self, message: Message) -> bool:
        """Whether it is a picture of ours that somebody chose in inline mode, to show it here."""
        return message.via_bot is not None and message.via_bot.id == self._tools.api.id

    def _is_rest_of_album(self, heard: Heard) -> bool:
        """Whether it is a further picture of an album, which comes without words."""
        album = heard.message.media_group_id
        if album is None:
            return False
        is_first = album not in self._albums
        self._albums[album] = None
        while len(self._albums) > MOST_ALBUMS:
            del self._albums[next(iter(self._albums))]
        return not is_first and not heard.text.strip()

    def _is_ours(self, typed: Typed) -> bool:
        """Whether a command names us, or nobody and is one of the bot's."""
        if typed.bot is not None:
            return typed.bot.lower() == self._tools.api.username.lower()
        commands = self._bot.commands
        return named(commands, typed) is not None or bool(group_of(commands, typed.word))

    async def _meet(self, heard: Heard) -> None:
        """Remembers who talks with us; in a group not those who talk with each other."""
        await self._tools.people.met(heard.user, started=not heard.talk.in_group)

    async def _typed(self, heard: Heard, typed: Typed) -> None:
        """A command, with or without what it needs."""
        talk, commands = heard.talk, self._bot.commands
        if talk.in_group:
            await self._meet(heard)
        if typed.word == "cancel":
            await self._dialogs.cancel(talk)
            return
        if typed.word == "skip":
            dialog = await self._dialogs.of(talk)
            if dialog is not None:
                await self._go_on(talk, await self._dialogs.skipped(talk, dialog))
            return
        await self._dialogs.end(talk)
        if typed.word == "start":
            await self._start(talk, typed.rest)
            return
        meant = named(commands, typed)
        if meant is not None:
            info, rest = meant
            options = read_options(rest, info)
            if info.name == SETTINGS:
                options = await with_ids(options, rest, heard.message, self._tools.people)
            await self._command(heard, info, options)
        elif of_group := group_of(commands, typed.word):
            lines = [f"/{word_of(i)} – {self._bot.say(talk.language, i.help)}" for i in of_group]
            await self._show(talk, "\n".join(lines))
        else:
            await self._call(talk, typed.word)

    async def _start(self, talk: Talk, rest: str) -> None:
        """Somebody has opened the bot, perhaps by a link that says what for."""
        if rest.startswith(SHARED_STORY):
            options = {"story": rest.removeprefix(SHARED_STORY)}
            await self._call(talk, "story show", options)
            return
        if await self._replies.show_waiting(talk.person.id) and rest == HELLO:
            return
        say, language = self._bot.say, talk.language
        example = say(language, "help.example")
        await self._show(talk, say(language, "telegram.start", example=example))

    async def _command(self, heard: Heard, info: CommandInfo, options: Mapping[str, Value]) -> None:
        files = self._files(heard, info)
        given = [*options, *files]
        if missing(info, given):
            questions = questions_of_command(self._bot, heard.talk.language, info, given)
            await self._dialogs.begin(
                heard.talk, questions, command=info.name, options=options, files=files
            )
            return
        await self._call(heard.talk, info.name, options, files)

    def _files(self, heard: Heard, info: CommandInfo) -> dict[str, Found]:
        """A command takes the picture it came with, or that of the message it replies to."""
        takes = [option.name for option in info.options if option.kind is Attachment]
        picture = heard.picture
        if picture is None and info.name in TAKES_REPLIED:
            picture = picture_in(heard.message.reply_to_message)
        return {takes[0]: picture} if takes and picture is not None else {}

    async def _as_answer(self, heard: Heard) -> bool:
        """Whether it was the answer to a question, where that was asked; in groups that is a
        reply, or said in a story's own room."""
        talk = heard.talk
        dialog = await self._dialogs.of(talk)
        if dialog is None:
            return False
        if dialog.is_over(heard.text, alone=not talk.in_group):
            await self._dialogs.end(talk)
            return False
        if talk.at != dialog.at:
            return False
        if talk.in_group:
            if not self._is_to_us(heard) and not await self._tools.cards.is_room(talk.place):
                return False
            await self._meet(heard)
        talk = replace(talk, place=dialog.place)
        done = await self._dialogs.answered(talk, dialog, heard.text, heard.picture)
        await self._go_on(talk, done)
        return True

    async def _go_on(self, talk: Talk, done: Dialog | None) -> None:
        """Runs what a dialog was held for, once nothing is left to ask."""
        if done is None:
            return
        talk = replace(talk, place=done.place)
        if done.form:
            await self._call(talk, FORM, {**done.options, "data": done.form})
        else:
            await self._call(talk, done.command, done.options, done.files)

    async def _plain(self, heard: Heard) -> None:
        """What is neither command nor answer: a line of a story, a whole one, a character."""
        talk, text = heard.talk, heard.text
        to_us = not talk.in_group or self._is_to_us(heard)
        in_room = await self._tools.cards.is_room(talk.place)
        if not text.strip() and heard.picture is None:
            if not talk.in_group and heard.message.effective_attachment is not None:
                await self._say(talk, "telegram.needs_picture")
            return
        is_script = heard.picture is None and may_be_script(text)
        if not to_us and not (in_room and talk.place.thread is not None) and not is_script:
            return  # people among themselves
        text = self._without_name(text) if to_us else text
        character = self._introduced(heard, text) if to_us and not in_room else None
        if character is not None:
            await self._meet(heard)
            await self._command(heard, *character)
            return
        files = {"file": heard.picture} if heard.picture is not None else {}
        if await self._call(talk, MESSAGE, {"text": text}, files):
            await self._meet(heard)

    def _without_name(self, text: str) -> str:
        name = re.escape(self._tools.api.username)
        return re.sub(rf"(?i)@{name}\b", "", text).strip()

    def _introduced(self, heard: Heard, text: str) -> tuple[CommandInfo, dict[str, Value]] | None:
        """A photo with the caption "[Tom] a young man" saves a character who looks like that."""
        match = INTRODUCED.fullmatch(text)
        info = next((info for info in self._bot.commands if info.name == NEW_CHARACTER), None)
        if heard.picture is None or match is None or info is None:
            return None
        words: dict[str, Value] = {"name": match[1].strip(), "description": match[2].strip()}
        return info, {name: value for name, value in words.items() if value}

    def _is_to_us(self, heard: Heard) -> bool:
        """A reply to one of our messages, or a text with our name in it."""
        replied = heard.message.reply_to_message
        ours = (
            replied is not None
            and replied.from_user is not None
            and replied.from_user.id == self._tools.api.id
            and replied.forum_topic_created is None  # in a topic everything replies to its opening
        )
        return ours or f"@{self._tools.api.username}".lower() in heard.text.lower()

    async def _pressed(self, query: telegram.CallbackQuery) -> None:
        """A button; that it was pressed has been acknowledged already."""
        message, data = query.message, query.data or ""
        if message is None or not data:
            return
        person = person_of(query.from_user)
        at = await self._places.of_our_message(message)
        await self._tools.people.met(query.from_user, started=at.server is None)
        place = await self._elsewhere(at, message.message_id)
        talk = Talk(await self._spoken_to(person), place, at, press=query.id)
        if data.startswith(MARK):
            await self._go_on(talk, await self._dialogs.pressed(talk, data))
        else:
            await self._call(talk, PRESS, {"data": data})

    async def _spoken_to(self, person: Person) -> Person:
        """The person with the language that they want to be spoken to in."""
        return replace(person, language=await self._bot.language(person))

    async def _elsewhere(self, at: Place, message: int) -> Place:
        """The place in a group that a direct message belongs to; otherwise where it is."""
        if at.server is not None:
            return at
        row = await self._tools.storage.row(
            "SELECT place FROM elsewhere WHERE chat = ? AND message = ?", at.channel, message
        )
        return Place(**json.loads(row["place"])) if row else at

    async def _call(
        self,
        talk: Talk,
        command: str,
        options: Mapping[str, Value] | None = None,
        files: Mapping[str, Found] | None = None,
    ) -> bool:
        """Asks the bot and shows what it answers; whether it answers at all."""
        standing = Standing()
        if talk.place.server is not None:
            standing = await self._rights.of((await self._places.target(talk.place)).chat)
        call = Call(
            talk.person,
            talk.place,
            command,
            options or {},
            manager=int(talk.person.id) in standing.managers,
            lacks=standing.lacks,
        )
        # In a group a plain line may be for others; a pressed button turns by itself.
        overheard = talk.in_group and command == MESSAGE
        quiet = overheard or command == PRESS
        sign = nullcontext() if quiet else typing(self._tools.api, self._places, talk.at)
        async with sign:
            replies = await self._answers(call, files or {})
            await self._replies.show(talk, call, replies)
        return bool(replies)

    async def _answers(self, call: Call, files: Mapping[str, Found]) -> Sequence[Reply]:
        """What the bot says, who gets the files with the call."""
        language = call.person.language
        try:
            if not files:
                return await self._bot.answer(call)
            async with self._with_files:
                api = self._tools.api
                attachments = {name: await download(api, found) for name, found in files.items()}
                return await self._bot.answer(replace(call, attachments=attachments))
        except NotTaken as error:
            return (Reply(self._bot.say(language, error.key)),)
        except Exception:
            log.exception("the bot could not answer %s of %s", call.command, call.person.key)
            return (Reply(self._bot.say(language, "telegram.broken")),)

    async def _say(self, talk: Talk, key: str) -> None:
        await self._show(talk, self._bot.say(talk.language, key))

    async def _show(self, talk: Talk, words: str) -> None:
        outgoing = Outgoing(words, reply_to=talk.reply_to, owner=talk.person.id)
        await self._tools.outbox.say(talk.at, outgoing)
