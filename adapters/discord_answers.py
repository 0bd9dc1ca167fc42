"""From the bot's replies to what people see: an answer to an interaction, or to a message.

What the two have in common (cards, rooms, forgetting) is in `Answers`. A subclass knows how to say
something, and how a form can be asked there.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import discord

from adapters.discord_forms import form_json
from adapters.discord_messages import FORM, Part, one_part, parts_of
from adapters.discord_posting import Channels, asking
from adapters.discord_rooms import Rooms
from adapters.discord_store import Store
from adapters.discord_where import AWAY, is_private_thread, place_with, short, thread_in
from bot.chat import ROOM, Bot, Call, CannotPost, Form, Person, Place, Reply

QUICK_BYTES = 1_000_000  # of files: more of them may take longer than Discord waits

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What every answer needs."""

    bot: Bot
    store: Store
    channels: Channels
    rooms: Rooms

    async def spoken_to(self, person: Person) -> Person:
        """The person with the language that they want to be spoken to in."""
        return replace(person, language=await self.bot.language(person))

    def say(self, person: Person, key: str, **values: object) -> str:
        """A sentence in a person's language."""
        return self.bot.say(short(person.language), key, **values)


class Answers(ABC):
    """One call being answered, in one place."""

    def __init__(self, tools: Tools, call: Call, limit: int, channel: object) -> None:
        self.tools, self.call, self.limit = tools, call, limit  # limit: bytes of a file
        self._is_hidden = is_private_thread(channel)

    @property
    def person(self) -> Person:
        return self.call.person

    @property
    def place(self) -> Place:
        return self.call.place

    def say(self, key: str, **values: object) -> str:
        return self.tools.say(self.person, key, **values)

    @abstractmethod
    async def send(self, parts: Sequence[Part], *, private: bool) -> str | None:
        """Shows messages; the id of the last, if it can be edited later."""

    @abstractmethod
    async def hold_on(self, *, private: bool) -> None:
        """Tells the person that the answer takes a moment, before something that may be slow.
        `private`: whether only they will see it."""

    @abstractmethod
    async def ask(self, form: Form) -> bool:
        """Opens a form; False where that is not possible now."""

    @abstractmethod
    async def edit_pressed(self, message: str, part: Part) -> bool:
        """Edits the message that the pressed button hangs on, if it is that one."""

    @abstractmethod
    async def card_changed(self, message: str) -> None:
        """Lets the person know that a card elsewhere in the place is as it should be."""

    async def show(self, replies: Sequence[Reply]) -> None:
        """Shows the replies in order. Raises CannotPost."""
        closed = await self._closed_cards(replies)
        gone = [card for reply in replies for card in reply.gone]
        if gone:
            await self.tools.store.delete_mail(gone)
        for reply in replies:
            if reply.forget:
                await self.tools.store.forget(self.person.id)
            if reply.form is not None and not await self.ask(reply.form):
                await self._offer(reply.form)
            if reply.room is not None and reply.card is not None:
                await self._in_room(reply, reply.room, reply.card)
            elif reply.card is not None:
                await self._card(reply, reply.card)
            elif reply.text or reply.files or reply.buttons:
                await self._plain(reply)
        for place, message, text in closed:  # after the answer, for which Discord does not wait
            try:
                await self.tools.channels.edit(place, message, Part(text))
            except CannotPost as error:  # the others can still be changed
                log.info("a card in %s cannot be closed: %s", place.key, error)

    async def _closed_cards(self, replies: Sequence[Reply]) -> list[tuple[Place, str, str]]:
        """The cards of what was deleted: place, message and last words of each."""
        return [
            (place, message, reply.text)
            for reply in replies
            for card in reply.gone
            for key, message in await self.tools.store.cards(card)
            if (place := place_with(key)).thread != AWAY
        ]

    async def _parts(self, reply: Reply) -> Sequence[Part]:
        return await parts_of(reply.text, reply.files, reply.buttons, self.limit, self.say)

    async def _part(self, reply: Reply) -> Part:
        """A card, which is one message: it could not be edited as a whole otherwise."""
        return await one_part(reply.text, reply.files, reply.buttons, self.limit, self.say)

    async def _plain(self, reply: Reply) -> str | None:
        if sum(len(file.content) for file in reply.files) > QUICK_BYTES:
            await self.hold_on(private=reply.private)
        return await self.send(await self._parts(reply), private=reply.private)

    async def _offer(self, form: Form) -> None:
        """A button for a form that came too late, or came where only words can be said."""
        name = await self.tools.store.keep(self.person.id, {"form": form_json(form)})
        button = (self.say("discord.open_form"), "primary", FORM + name)
        text = self.say("discord.form_waits", title=form.title)
        await self.send([Part(text, view=((button,),))], private=True)

    async def _card(self, reply: Reply, card: str) -> None:
        """Edits the card of the place; where it is not (any more), shows it anew."""
        store = self.tools.store
        message = await store.card(self.place.key, card)
        if message is not None:
            part = await self._part(reply)
            if await self.edit_pressed(message, part):
                return
            if self.place.thread != AWAY and await self._edited(message, part):
                await self.card_changed(await store.successor(message))
                return
        shown = await self.send([await self._part(reply)], private=reply.private)
        if shown is not None and not reply.private:
            await store.set_card(self.place.key, card, shown, self.person.id)

    async def _edited(self, message: str, part: Part) -> bool:
        """Edits a card; False where it is gone, or not to be edited by us."""
        await self.hold_on(private=True)
        try:
            return await self.tools.channels.edit(self.place, message, part)
        except CannotPost as error:
            if error.again or error.unknown:
                raise
            log.info("a card in %s is shown anew: %s", self.place.key, error)
            return False

    async def _in_room(self, reply: Reply, title: str, card: str) -> None:
        """Shows a card in a place of its own, and tells the bot which place that is."""
        if self.place.thread == AWAY or self.place.server is None:
            await self._card(reply, card)
            await self._tell_of_room(self.place, card)
            return
        if self._is_hidden:  # everybody could read a thread that is opened beside it
            await self._in_hidden_room(reply, card)
            return
        await self.hold_on(private=True)
        thread = await self.tools.rooms.open(self.place, self.person, title, card)
        if thread is None:
            await self._without_room(reply, card)
            return
        room = thread_in(self.place, thread)
        message = await self.tools.channels.send(room, [await self._part(reply)])
        await self.tools.store.set_card(room.key, card, message, self.person.id)
        await self._tell_of_room(room, card)
        hint = self.tools.rooms.hint
        if hint is not None:
            await self.tools.channels.send(room, [Part(self.say(hint, bot=self.tools.rooms.name))])
        opened = Part(self.say("discord.room_opened", thread=f"<#{thread}>"))
        await self.send([opened], private=True)

    async def _in_hidden_room(self, reply: Reply, card: str) -> None:
        """Makes the private thread itself the story's room, unless it is another story's."""
        store, rooms, thread = self.tools.store, self.tools.rooms, str(self.place.thread)
        if await store.is_room(thread):
            await self._without_room(reply, card)
            return
        await self._card(reply, card)
        await store.set_room(thread, card, self.person.id)
        await self._tell_of_room(self.place, card)
        if rooms.hint is not None:
            await self.send([Part(self.say(rooms.hint, bot=rooms.name))], private=True)

    async def _without_room(self, reply: Reply, card: str) -> None:
        """Shows a card here, and says how one writes for a story without a room."""
        note = self.say("discord.no_thread")
        await self._card(replace(reply, text=f"{note}\n\n{reply.text}"), card)

    async def _tell_of_room(self, room: Place, card: str) -> None:
        call = replace(self.call, place=room, command=ROOM, options={"card": card}, attachments={})
        try:
            await self.tools.bot.answer(call)
        except Exception:
            log.exception("the bot could not be told of the room of %s", card)


class ToMessage(Answers):
    """Answers a plain message, where everything is said in the open."""

    def __init__(self, tools: Tools, call: Call, message: discord.Message) -> None:
        super().__init__(tools, call, tools.channels.limit(call.place), message.channel)
        self._message = message

    async def send(self, parts: Sequence[Part], *, private: bool) -> str | None:
        reference = None if self.place.server is None else self._message
        return await self.tools.channels.send(self.place, parts, answers=reference)

    async def hold_on(self, *, private: bool) -> None:
        """Nobody is kept waiting: a message needs no answer."""

    async def ask(self, form: Form) -> bool:
        return False

    async def edit_pressed(self, message: str, part: Part) -> bool:
        return False

    async def card_changed(self, message: str) -> None:
        """A tick under what was typed."""
        try:
            await asking(lambda: self._message.add_reaction("✅"))
        except CannotPost as error:
            log.debug("no tick: %s", error)


async def show_or_log(answers: Answers, replies: Sequence[Reply]) -> None:
    """Shows the replies; where Discord refuses, notes why."""
    try:
        await answers.show(replies)
    except CannotPost as error:
        log.warning("%s in %s: %s", answers.call.command, answers.place.key, error)
