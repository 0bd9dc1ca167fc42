"""From what a page sends to a `Call`, and from the replies to what the person's pages show."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters import web_words
from adapters.text_files import is_text, text_of
from adapters.web_answers import outcome, shown_of
from adapters.web_commands import (
    NotUnderstood,
    as_typed,
    is_command,
    is_missing,
    read_command,
    read_form,
)
from adapters.web_people import CHAT, People, Profile
from adapters.web_rows import Json, Room, Said, Shown
from adapters.web_transcript import Transcript
from adapters.web_uploads import Uploads
from bot.chat import (
    FORM,
    MESSAGE,
    MOST_BUTTON_BYTES,
    PRESS,
    ROOM,
    Attachment,
    Bot,
    Call,
    CommandInfo,
    Place,
    Reply,
    Value,
)

SERVER = "here"  # all who use this web chat; what is shared "with this server" is shared with them
LONGEST_TEXT = 100_000  # characters of a message or an option; the bot's own limits are lower
MOST_AT_ONCE = 6  # calls of one person
MOST_WITH_FILES = 3  # calls with files in memory at the same time
MOST_REMEMBERED = 2000  # outcomes, for a second try after a lost connection
GRACE_SECONDS = 10  # for calls under way when the chat stops

log = logging.getLogger(__name__)


class Refused(Exception):
    """Shown to the person as it is, with an HTTP status."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.status, self.key, self.values = status, key, values


@dataclass(frozen=True)
class Asked:
    """What a page sent: words, a command from a form, a pressed button or a filled-in form."""

    nonce: str
    say: str = ""
    command: str = ""
    press: str = ""
    form: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    uploads: Mapping[str, str] = field(default_factory=dict)  # option ("" if unsaid) -> token

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Asked:
        """Raises Refused."""
        try:
            asked = cls(**{name: body[name] for name in cls.__dataclass_fields__ if name in body})
        except TypeError:
            raise Refused(400, "not_understood") from None
        texts = (asked.nonce, asked.say, asked.command, asked.press, asked.form)
        tables = (asked.options, asked.uploads)
        if (
            not all(isinstance(text, str) for text in texts)
            or not all(isinstance(table, dict) for table in tables)
            or not all(isinstance(token, str) for token in asked.uploads.values())
            or not 8 <= len(asked.nonce) <= 64
            or len(asked.press.encode()) > MOST_BUTTON_BYTES
        ):
            raise Refused(400, "not_understood")
        written = [asked.say, *(text for text in asked.options.values() if isinstance(text, str))]
        if any(len(text) > LONGEST_TEXT for text in written):
            raise Refused(413, "too_long", limit=LONGEST_TEXT)
        return asked


@dataclass(frozen=True)
class Caller:
    profile: Profile
    manager: bool


class Calls:
    def __init__(self, bot: Bot, transcript: Transcript, uploads: Uploads, people: People) -> None:
        self._bot, self._transcript, self._uploads = bot, transcript, uploads
        self._people = people
        self._running: dict[tuple[str, str], asyncio.Task[Json]] = {}
        self._done: OrderedDict[tuple[str, str], Json] = OrderedDict()
        self._at_once: defaultdict[str, int] = defaultdict(int)
        self._with_files = asyncio.Semaphore(MOST_WITH_FILES)
        self._stopping = False

    async def take(self, caller: Caller, room: Room, asked: Asked) -> Json:
        """Answers what a page asked, once a nonce. Goes on to the end when the page is closed.

        `state` is "done"; "fill" (options are missing: `command`, `options`); or "unknown" (it was
        said before, and the chat was stopped before the bot had answered). Raises Refused.
        """
        key = (room.owner, asked.nonce)
        if self._stopping:
            raise Refused(503, "stopping")
        if key in self._done:
            return self._done[key]
        if key not in self._running:
            if self._at_once[room.owner] >= MOST_AT_ONCE:
                raise Refused(429, "too_many_at_once")
            self._at_once[room.owner] += 1
            self._running[key] = asyncio.create_task(self._take(caller, room, asked))
            self._running[key].add_done_callback(lambda task: self._finished(key, task))
        return await asyncio.shield(self._running[key])

    def _finished(self, key: tuple[str, str], task: asyncio.Task[Json]) -> None:
        self._running.pop(key, None)
        self._at_once[key[0]] -= 1
        if not self._at_once[key[0]]:
            del self._at_once[key[0]]
        if not task.cancelled() and task.exception() is None:
            self._done[key] = task.result()
            while len(self._done) > MOST_REMEMBERED:
                self._done.popitem(last=False)

    async def _take(self, caller: Caller, room: Room, asked: Asked) -> Json:
        if asked.press:
            return await self._answer(caller, room, 0, PRESS, {"data": asked.press})
        if asked.form:
            fields = {name: str(value) for name, value in asked.options.items()}
            return await self._answer(caller, room, 0, FORM, {**fields, "data": asked.form})
        if asked.command or is_command(asked.say):
            return await self._command(caller, room, asked)
        if not asked.say.strip() and not asked.uploads:
            raise Refused(400, "nothing_said")
        names = self._upload_names(room, asked.uploads)
        return await self._said(
            caller, room, asked, asked.say, None, {"text": asked.say},
            {f"file{number or ''}": token for number, token in enumerate(names)},
        )  # fmt: skip

    async def _command(self, caller: Caller, room: Room, asked: Asked) -> Json:
        names = self._upload_names(room, asked.uploads)
        try:
            if asked.command:
                info = next((i for i in self._bot.commands if i.name == asked.command), None)
                if info is None:
                    raise Refused(400, "not_understood")
                options = read_form(info, asked.options)
            else:
                typed = read_command(asked.say, self._bot.commands)
                info, options = typed.info, dict(typed.options)
            files = assign_files(info, asked, names, options)
        except NotUnderstood as error:
            return await self._not_understood(caller, room, asked, error, list(names.values()))
        given = {*options, *files}
        if any(is_missing(option, given) for option in info.options):
            return {"state": "fill", "command": info.name, "options": options}
        echo = asked.say or as_typed(info, options)
        return await self._said(caller, room, asked, echo, info, options, files)

    async def _not_understood(
        self, caller: Caller, room: Room, asked: Asked, error: NotUnderstood, names: Sequence[str]
    ) -> Json:
        message, _ = await self._transcript.say(room, Said(asked.say, asked.nonce, names))
        text = web_words.say(caller.profile.language, error.key, **error.values)
        await self._transcript.answered(room, message, [Shown(text)])
        return outcome()

    def _upload_names(self, room: Room, uploads: Mapping[str, str]) -> dict[str, str]:
        """The names of files by their tokens. Raises Refused for one that is no longer there."""
        names = {token: self._uploads.name(room.owner, token) for token in uploads.values()}
        if None in names.values():
            raise Refused(410, "upload_gone")
        return {token: name or "" for token, name in names.items()}

    async def _said(
        self,
        caller: Caller,
        room: Room,
        asked: Asked,
        echo: str,
        info: CommandInfo | None,  # None: a plain message
        options: Mapping[str, Value],
        files: Mapping[str, str],
    ) -> Json:
        command = info.name if info else MESSAGE
        names = list(self._upload_names(room, files).values())
        message, before = await self._transcript.say(room, Said(echo, asked.nonce, names))
        if before != "new":
            return {"state": "done" if before == "answered" else "unknown"}
        if not files:
            return await self._answer(caller, room, message, command, options)
        async with self._with_files:
            attachments = {name: await self._uploads.read(token) for name, token in files.items()}
            try:
                options, attachments = with_texts(
                    options, attachments, text_options(info, attachments)
                )
            except NotUnderstood as error:
                text = web_words.say(caller.profile.language, error.key, **error.values)
                return await self._show(caller, room, message, [Reply(text)])
            return await self._answer(caller, room, message, command, options, attachments)

    async def _answer(
        self,
        caller: Caller,
        room: Room,
        message: int,
        command: str,
        options: Mapping[str, Value],
        attachments: Mapping[str, Attachment] | None = None,
    ) -> Json:
        person, place = caller.profile.person, place_of(room)
        call = Call(person, place, command, options, attachments or {}, caller.manager)
        try:
            replies = await self._bot.answer(call)
        except Exception:
            log.exception("the bot could not answer %s of %s", command, person.key)
            replies = [Reply(web_words.say(caller.profile.language, "broken"))]
        return await self._show(caller, room, message, replies)

    async def _show(
        self, caller: Caller, room: Room, message: int, replies: Sequence[Reply]
    ) -> Json:
        for reply in replies:
            if reply.gone:
                await self._transcript.erase(reply.gone, reply.text)
        if any(reply.forget for reply in replies):
            texts = [Shown(reply.text) for reply in replies if reply.forget]
            await self.forget(room.owner, texts)
            return outcome()
        shown = list(map(shown_of, replies))
        places = await self._transcript.answered(room, message, shown)
        opened: Room | None = None
        for reply, place in zip(replies, places, strict=True):
            if place != room:
                opened = place
                if reply.card is not None:
                    await self._tell_of_room(caller, place, reply.card)
        form = next((reply.form for reply in reversed(replies) if reply.form), None)
        return outcome(opened, form)

    async def _tell_of_room(self, caller: Caller, room: Room, card: str) -> None:
        """Lets the bot know which place it was that it asked for."""
        profile, place = caller.profile, place_of(room)
        call = Call(profile.person, place, ROOM, {"card": card}, manager=caller.manager)
        try:
            await self._bot.answer(call)
        except Exception:
            log.exception("the bot could not be told of the room of %s", card)

    async def forget(self, owner: str, shown: Sequence[Shown] = ()) -> None:
        """Forgets all that is kept of a person; only what is `shown` stays, in the home room."""
        self._people.forget(owner)
        self._uploads.forget(owner)
        for key in [key for key in self._done if key[0] == owner]:  # forms hold stories
            del self._done[key]
        await self._transcript.forget(owner, shown)

    async def suggest(
        self, caller: Caller, room: Room, asked: Mapping[str, Any]
    ) -> list[list[Value]]:
        """At most 25 [label, value] for an option that is being typed."""
        info = next((i for i in self._bot.commands if i.name == asked.get("command")), None)
        option = str(asked.get("option", ""))
        if info is None or not any(one.name == option and one.suggests for one in info.options):
            return []
        given = asked.get("options")
        try:
            options = read_form(info, given if isinstance(given, dict) else {})
        except NotUnderstood:
            options = {}
        call = Call(
            caller.profile.person, place_of(room), info.name, options, manager=caller.manager
        )
        try:
            found = await self._bot.suggest(call, option, str(asked.get("typed", ""))[:200])
        except Exception:
            log.exception("the bot could not suggest %s of %s", option, info.name)
            return []
        return [[label, value] for label, value in found[:25]]

    async def finish(self) -> None:
        """Takes no more calls, and lets those under way come to their end, for some seconds."""
        self._stopping = True
        tasks = list(self._running.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def assign_files(
    info: CommandInfo, asked: Asked, names: Mapping[str, str], given: Collection[str]
) -> dict[str, str]:
    """Option -> token. A file without an option goes to the first that takes it and is not given:
    a text file to a long text, any other file to one for files.

    `names` are those of the files, by token. Raises NotUnderstood.
    """
    takes = {o.name: o.long for o in info.options if o.kind is Attachment or o.long}
    files = {name: token for name, token in asked.uploads.items() if name in takes}
    for token in (token for name, token in asked.uploads.items() if name not in takes):
        is_script = is_text(names[token])
        free = (o for o, long in takes.items() if long is is_script and o not in {*files, *given})
        option = next(free, None)
        if option is None:
            some = any(o.kind is Attachment for o in info.options)
            raise NotUnderstood("too_many_files" if some else "no_files", command=info.name)
        files[option] = token
    return files


def text_options(info: CommandInfo | None, attachments: Mapping[str, Attachment]) -> dict[str, str]:
    """Attachment -> option for its words, of those that are read as text."""
    if info is None:
        return {name: "text" for name, file in attachments.items() if is_text(file.name)}
    return {o.name: o.name for o in info.options if o.long and o.name in attachments}


def with_texts(
    options: Mapping[str, Value], attachments: Mapping[str, Attachment], texts: Mapping[str, str]
) -> tuple[dict[str, Value], dict[str, Attachment]]:
    """A call with the words of its text files in the options that `texts` says (by attachment), and
    the other attachments.

    Raises NotUnderstood for a text file that cannot be read, or too much text.
    """
    said = dict(options)
    for name, option in texts.items():
        text = text_of(attachments[name].content)
        if text is None:
            raise NotUnderstood("no_text", name=attachments[name].name)
        said[option] = "\n".join(filter(str.strip, (str(said.get(option, "")), text)))
        if len(str(said[option])) > LONGEST_TEXT:
            raise NotUnderstood("too_long", limit=LONGEST_TEXT)
    return said, {name: file for name, file in attachments.items() if name not in texts}


def place_of(room: Room) -> Place:
    return Place(CHAT, room.owner, SERVER, None if room.is_home else room.id)


def room_of(place: Place) -> Room:
    return Room(place.thread or place.channel, place.channel)
