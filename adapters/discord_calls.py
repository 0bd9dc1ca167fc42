"""Takes what people do on Discord to the bot, as calls, and has its replies shown.

The bot is given a moment for an answer that Discord can show as the first: only that one may be a
form. After it people see that the answer will come, and a form is offered by a button.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from weakref import WeakValueDictionary

import discord

from adapters.discord_answers import ToMessage, Tools, show_or_log
from adapters.discord_away import Away
from adapters.discord_commands import Menu
from adapters.discord_forms import (
    ASKED,
    FILLED,
    Question,
    Remote,
    answers,
    form_from,
    missing,
    modal,
    modal_of,
    question,
    worth_asking,
)
from adapters.discord_interactions import ToInteraction, show_or_apologise
from adapters.discord_messages import FORM, PRESS
from adapters.discord_posting import in_time
from adapters.discord_where import (
    Interaction,
    lacking,
    person_of,
    place_of_interaction,
    place_of_message,
    roles_of,
)
from adapters.discord_words import attached, with_emoji, with_names
from adapters.text_files import MOST_TEXT_BYTES, is_text, readable
from bot import chat
from bot.chat import Attachment, Call, CommandInfo, Option, Person, Place, Reply, Value

PATIENCE_SECONDS = 0.2  # for the bot's answer; Discord itself would wait three seconds
SUGGEST_SECONDS = 2.5
GRACE_SECONDS = 10.0  # for calls under way when the chat stops
MOST_FILE_BYTES = 20_000_000  # of a file that is fetched; the bot takes no larger ones
MOST_ATTACHED = 4  # files of a plain message; the others are not looked at
MOST_WITH_FILES = 3  # calls with files in memory at the same time
MOST_SUGGESTED, LONGEST_VALUE = 25, 100

log = logging.getLogger(__name__)


class CannotFetch(Exception):
    """A file of the person's; the words are a sentence for them."""


@dataclass(frozen=True)
class Asked:
    """A command or the like, before its files are fetched."""

    command: str
    options: Mapping[str, Value] = field(default_factory=dict)
    files: Mapping[str, Remote] = field(default_factory=dict)


class Calls:
    """`patience` is how long the bot may think, in seconds, before Discord is asked to wait."""

    def __init__(
        self, tools: Tools, away: Away, client: discord.Client, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._tools, self._away = tools, away
        self._client, self._patience = client, patience
        self._with_files = asyncio.Semaphore(MOST_WITH_FILES)
        self._running: dict[asyncio.Task[Any], str] = {}  # and where what they answer was asked
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def command(
        self, interaction: Interaction, info: CommandInfo, given: Mapping[str, Any]
    ) -> None:
        """A slash command. Where it lacks what it needs, a form asks for that."""
        files = {k: remote(v) for k, v in given.items() if isinstance(v, discord.Attachment)}
        options = {
            name: with_emoji(value) if isinstance(value, str) else value
            for name, value in given.items()
            if name not in files
        }
        lacks = missing(info, list(given))
        if lacks:
            await self._question(interaction, Asked(info.name, options, files), lacks)
        else:
            await self._answer(interaction, Asked(info.name, options, files))

    async def menu(self, interaction: Interaction, menu: Menu, message: discord.Message) -> None:
        """An entry of a message's menu: asks for the words that belong to the picture."""
        pictures = [a for a in attached(message) if (a.content_type or "").startswith("image/")]
        if not pictures:
            await self._tell(interaction, "discord.no_picture")
            return
        files = {menu.picture: remote(pictures[0])}
        free = [option for option in menu.command.options if option.name not in files]
        needed = [option for option in free if option.required]
        await self._question(
            interaction, Asked(menu.command.name, {}, files), [*needed, *worth_asking(free)]
        )

    async def _question(
        self, interaction: Interaction, asked: Asked, options: Sequence[Option]
    ) -> None:
        """Asks for options of a command. The bot is told only when they are there."""
        kept = {
            "command": asked.command,
            "options": dict(asked.options),
            "files": {name: asdict(file) for name, file in asked.files.items()},
        }
        name = await self._tools.store.keep(str(interaction.user.id), {"asked": kept})
        person = await self._person(interaction)
        questions = [self._as_question(person, option) for option in options]
        title = f"/{asked.command}"
        await interaction.response.send_modal(modal(title, ASKED + name, questions))

    def _as_question(self, person: Person, option: Option) -> Question:
        hint = self._tools.say(person, option.help)
        return question(option, option.name.capitalize(), hint)

    async def pressed(self, interaction: Interaction, custom_id: str) -> None:
        """A button of a message of ours, of any age."""
        if custom_id.startswith(PRESS):
            asked = Asked(chat.PRESS, {"data": custom_id.partition(":")[2]})
            await self._answer(interaction, asked)
        elif custom_id.startswith(FORM):
            await self._open_form(interaction, custom_id.removeprefix(FORM))
        else:
            call = await self._call(interaction, Asked(chat.PRESS))
            self._away.heard(interaction, call.place)
            with self._under_way():
                await self._away.fetch(call, ToInteraction(self._tools, call, interaction))

    async def _open_form(self, interaction: Interaction, name: str) -> None:
        kept = await self._tools.store.kept(str(interaction.user.id), name)
        if kept is None or "form" not in kept:
            await self._tell(interaction, "discord.form_gone")
            return
        await interaction.response.send_modal(modal_of(form_from(kept["form"])))

    async def submitted(self, interaction: Interaction) -> None:
        """A filled-in form."""
        data: Any = interaction.data or {}
        custom_id = str(data.get("custom_id", ""))
        came = answers(data)
        if custom_id.startswith(FILLED):
            options = {**came.texts, "data": custom_id.removeprefix(FILLED)}
            await self._answer(interaction, Asked(chat.FORM, options))
            return
        if not custom_id.startswith(ASKED):
            return
        name = custom_id.removeprefix(ASKED)
        kept = await self._tools.store.kept(str(interaction.user.id), name)
        if kept is None or "asked" not in kept:
            await self._tell(interaction, "discord.form_gone")
            return
        asked = kept["asked"]
        files = {name: Remote(**file) for name, file in asked["files"].items()}
        typed = {name: text for name, text in came.texts.items() if text}
        await self._answer(
            interaction,
            Asked(asked["command"], {**asked["options"], **typed}, {**files, **came.files}),
        )

    async def said(self, message: discord.Message, text: str) -> None:
        """A plain message, `text` without the mention of the bot. Those of one place are taken in
        the order in which they came, after the commands and presses that came before them: the
        story that a line belongs to may just begin."""
        place = place_of_message(message)
        turn = self._turns.setdefault(place.key, asyncio.Lock())
        before = [task for task, where in self._running.items() if where == place.key]
        with self._under_way():
            async with turn:
                if before:
                    await asyncio.wait(before)
                words = with_names(text, message)
                sent = attached(message)
                texts = [words, *[await self._read(file) for file in sent]]
                call = await self._message_call(message, place, "\n".join(filter(None, texts)))
                pictures = [f for f in sent if not is_text(f.filename, f.content_type)]
                files = {
                    f"file{number or ''}": remote(file)
                    for number, file in enumerate(pictures[:MOST_ATTACHED])
                }
                replies = await self._replies(call, files)
                await show_or_log(ToMessage(self._tools, call, message), replies)

    async def _read(self, file: discord.Attachment) -> str:
        """The words of a text file: Discord makes one of a message that is too long to be sent."""
        if not is_text(file.filename, file.content_type) or file.size > MOST_TEXT_BYTES:
            return ""
        try:
            return readable(await file.read())
        except (discord.DiscordException, OSError) as error:
            log.info("%s cannot be fetched: %s", file.url, error)
            return ""

    async def _message_call(self, message: discord.Message, place: Place, text: str) -> Call:
        author, channel = message.author, message.channel
        manager, lacks = False, lacking(place, discord.Permissions.all())
        if message.guild is not None and isinstance(author, discord.Member):
            manager = author.guild_permissions.manage_guild
            lacks = lacking(place, channel.permissions_for(message.guild.me))
        locale = await self._tools.store.locale(str(author.id))
        if locale is None and message.guild is not None:
            locale = message.guild.preferred_locale.value
        person = await self._tools.spoken_to(person_of(author, locale))
        return Call(
            person, place, chat.MESSAGE, {"text": text},
            manager=manager, roles=roles_of(author), lacks=lacks,
        )  # fmt: skip

    async def suggest(
        self, interaction: Interaction, info: CommandInfo, option: str, typed: str
    ) -> list[tuple[str, Value]]:
        """What the bot offers for an option; nothing, where it takes too long."""
        options = {
            name: value
            for name, value in interaction.namespace
            if isinstance(value, str | int | bool) and name != option
        }
        try:
            async with asyncio.timeout(SUGGEST_SECONDS):
                call = await self._call(interaction, Asked(info.name, options))
                found = await self._tools.bot.suggest(call, option, typed)
        except Exception as error:
            log.warning("no suggestions for %s of %s: %s", option, info.name, error)
            return []
        short = [pair for pair in found if len(str(pair[1])) <= LONGEST_VALUE]
        return short[:MOST_SUGGESTED]

    async def _answer(self, interaction: Interaction, asked: Asked) -> None:
        """Asks the bot, and answers in time whatever it says."""
        with self._under_way(place_of_interaction(interaction)):
            call = await self._call(interaction, asked)
            self._away.heard(interaction, call.place)
            shown = ToInteraction(self._tools, call, interaction)
            with suppress(sqlite3.Error):  # such as a full disk: what the bot says matters more
                await self._tools.store.set_locale(call.person.id, interaction.locale.value)
            work = asyncio.create_task(self._replies(call, asked.files))
            if not await in_time(work, self._patience):
                await shown.hold_on(private=True)
            await show_or_apologise(shown, await work)

    async def _replies(self, call: Call, files: Mapping[str, Remote]) -> Sequence[Reply]:
        try:
            if not files:
                return await self._tools.bot.answer(call)
            async with self._with_files:
                attachments = {n: await self._fetch(call, file) for n, file in files.items()}
                return await self._tools.bot.answer(replace(call, attachments=attachments))
        except CannotFetch as error:
            return (Reply(str(error), private=True),)
        except Exception:
            log.exception("the bot could not answer %s of %s", call.command, call.person.key)
            return (Reply(self._tools.say(call.person, "discord.broken"), private=True),)

    async def _fetch(self, call: Call, file: Remote) -> Attachment:
        say = self._tools.say
        if file.size > MOST_FILE_BYTES:
            limit = MOST_FILE_BYTES // 1_000_000
            raise CannotFetch(say(call.person, "discord.file_large", name=file.name, limit=limit))
        try:
            return Attachment(file.name, await self._client.http.get_from_cdn(file.url))
        except (discord.HTTPException, OSError, ValueError) as error:
            log.info("%s cannot be fetched: %s", file.url, error)
            raise CannotFetch(say(call.person, "discord.file_gone", name=file.name)) from None

    async def _call(self, interaction: Interaction, asked: Asked) -> Call:
        place = place_of_interaction(interaction)
        return Call(
            await self._person(interaction),
            place,
            asked.command,
            asked.options,
            manager=interaction.guild_id is not None and interaction.permissions.manage_guild,
            roles=roles_of(interaction.user),
            lacks=lacking(place, interaction.app_permissions),
        )

    async def _person(self, interaction: Interaction) -> Person:
        locale = interaction.locale.value
        return await self._tools.spoken_to(person_of(interaction.user, locale))

    async def _tell(self, interaction: Interaction, key: str) -> None:
        """A first answer, to the person alone."""
        text = self._tools.say(await self._person(interaction), key)
        await interaction.response.send_message(text, ephemeral=True)

    @contextmanager
    def _under_way(self, place: Place | None = None) -> Iterator[None]:
        """Counts the task at hand among those that are waited for, as long as the block lasts."""
        task = asyncio.current_task()
        assert task is not None
        self._running[task] = place.key if place is not None else ""
        try:
            yield
        finally:
            self._running.pop(task, None)

    async def finish(self) -> None:
        """Lets the calls under way come to their end, for some seconds."""
        tasks = [task for task in self._running if task is not asyncio.current_task()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def remote(file: discord.Attachment) -> Remote:
    return Remote(file.filename, file.url, file.size)
