"""The bot as chats see it: every call goes in here, and every failure comes out as a sentence."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from weakref import WeakValueDictionary

from bot.buttons import Press, button, decode
from bot.characters import Characters
from bot.chat import FORM, MESSAGE, PRESS, ROOM, Call, CommandInfo, Person, Reply, Value
from bot.commands import COMMANDS, FORMS, PRESSES
from bot.commands.checking import check_allowed, checked_options
from bot.commands.context import Command, Context, Replies, Stores, fields_of, server_key
from bot.commands.room import message, opened, whole_script
from bot.commands.suggest import MOST, SUGGESTS
from bot.config import Config
from bot.database import Database
from bot.errors import Refusal, UserError
from bot.jobs import Ledger
from bot.people import Account, People, ServerSettings
from bot.pictures import Pictures
from bot.sentences import error_words
from bot.stars import Stars
from bot.stories import Stories
from bot.words import say
from engine.request import EngineError

ANYWHERE = (
    "mydata",
    "forget",
    "oblivion",
    "speak",
    "cancel",
    "queue",
    "star",
)  # presses that nobody is refused
TRIES = 3  # of a call during which the worker changed the same story

log = logging.getLogger(__name__)


class Inkwell:
    """Answers calls. One person's calls are answered one after the other, so that two presses at
    once are two presses in turn; different people do not wait for each other."""

    def __init__(
        self,
        database: Database,
        pictures: Pictures,
        people: People,
        stories: Stories,
        characters: Characters,
        ledger: Ledger,
        config: Config,
    ) -> None:
        self.stores = Stores(people, stories, characters, pictures, ledger, Stars(database), config)
        self.commands: Sequence[CommandInfo] = tuple(command.info for command in COMMANDS)
        self._by_name: Mapping[str, Command] = {c.info.name: c for c in COMMANDS}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def language(self, person: Person) -> str | None:
        """What to speak to somebody; their chat's language where the store does not answer."""
        try:
            account = await self.stores.people.find(person.key)
        except UserError as trouble:
            log.warning("the language of %s cannot be read: %s", person.key, trouble)
            return person.language
        return (account.language if account else None) or person.language

    def say(self, language: str | None, key: str, **values: object) -> str:
        """A sentence of the catalogues in a language."""
        return say(language, key, **values)

    async def answer(self, call: Call) -> Sequence[Reply]:
        """What to show for a call; a private sentence where something is wrong with it."""
        turn = self._turns.setdefault(call.person.key, asyncio.Lock())
        language = call.person.language
        try:
            async with turn:
                context = await self._context(call)
                language = context.language
                return await self._tried(context)
        except (UserError, EngineError) as error:
            return self._refused(call, error, language)
        except Exception:
            number = secrets.token_hex(3)
            log.exception("%s: %s went wrong", number, call.command)
            return (Reply(say(language, "commands.broken", number=number), private=True),)

    async def suggest(self, call: Call, option: str, typed: str) -> Sequence[tuple[str, Value]]:
        """At most 25 (label, value) pairs for an option that is being typed."""
        command = self._by_name.get(call.command)
        if command is None:
            return ()
        if (call.command, option) == ("help", "command"):
            return [(f"/{name}", name) for name in self._by_name if typed.lower() in name][:MOST]
        ask = SUGGESTS.get(option)
        if ask is None:
            return ()
        account = await self._unnoted(call.person)
        try:
            return (await ask(Context(call, account, self.stores), typed))[:MOST]
        except UserError:
            return ()

    async def _context(self, call: Call) -> Context:
        """Notes who calls; not yet who writes a plain message, which may be for other people."""
        people, person = self.stores.people, call.person
        is_plain = call.command == MESSAGE
        account = await (self._unnoted(person) if is_plain else people.meet(person))
        server = server_key(call.place)
        settings = ServerSettings() if server is None else await people.server(server)
        return Context(call, account, self.stores, settings)

    async def _unnoted(self, person: Person) -> Account:
        """An account for the moment, of which the store keeps nothing."""
        return Account(person.key, person.name, await self.language(person), 0.0)

    async def _tried(self, context: Context) -> Replies:
        for left in reversed(range(TRIES)):
            try:
                return await self._answered(context)
            except Refusal as error:
                if error.key != "store.changed_meanwhile" or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _answered(self, context: Context) -> Replies:
        call = context.call
        if call.command == MESSAGE:
            return await self._heard(context)
        if call.command == ROOM:
            return await opened(context)
        if call.command in (PRESS, FORM):
            return await self._pressed(context, decode(str(call.options.get("data", ""))))
        command = self._by_name.get(call.command)
        if command is None:
            raise Refusal("commands.unknown", command=call.command[:40])
        if not command.anywhere:
            await check_allowed(context)
        options = checked_options(command, call)
        return await command.run(replace(context, call=replace(call, options=options)))

    async def _heard(self, context: Context) -> Replies:
        """A plain message; nobody is told that what they say among themselves is refused."""
        try:
            await check_allowed(context)
        except Refusal:
            return ()
        if not await is_for_us(context):
            return ()
        account = await self.stores.people.meet(context.call.person)
        return await message(replace(context, account=account))

    async def _pressed(self, context: Context, press: Press) -> Replies:
        acts = PRESSES if context.call.command == PRESS else FORMS
        act = acts.get(press.action)
        if act is None:
            raise Refusal("commands.old_button")
        if press.action not in ANYWHERE:
            await check_allowed(context)
        return await act(context, press)

    def _refused(self, call: Call, error: Exception, language: str | None) -> Replies:
        """Says what was wrong; a form that could not be taken can be opened again as it was."""
        words = error_words(error, language)
        if call.command != FORM:
            return (Reply(words, private=True),)
        data = str(call.options.get("data", ""))
        try:
            press = decode(data)
            again = button(
                say(language, "button.form_again"), press.action, press.subject, press.argument
            )
        except (UserError, ValueError):
            return (Reply(words, private=True),)
        self.stores.drafts.keep(call.person.key, data, fields_of(call))
        return (Reply(words, buttons=((again,),), private=True),)


async def is_for_us(context: Context) -> bool:
    """Whether a plain message is meant for the bot, so that its writer may be noted."""
    if context.private:
        return True
    story = await context.here()
    if story is not None:
        return story.owner == context.me
    text = context.text("text") or ""
    return await context.is_left() or await whole_script(context, text) is not None
