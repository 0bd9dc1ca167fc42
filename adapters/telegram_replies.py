"""What becomes of the bot's replies: messages, cards, rooms, forms, and what only one may see."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

import telegram

from adapters.telegram_cards import Cards, outgoing
from adapters.telegram_dialogs import Dialogs
from adapters.telegram_inline import Inline
from adapters.telegram_later import comes_later
from adapters.telegram_native import native
from adapters.telegram_outbox import Outbox, Outgoing, Sent
from adapters.telegram_people import CHAT, People
from adapters.telegram_places import REPLIES
from adapters.telegram_presses import Presses
from adapters.telegram_questions import questions_of_form
from adapters.telegram_storage import Storage
from adapters.telegram_talk import Talk
from adapters.telegram_text import link
from bot.chat import FORM, MESSAGE, PRESS, ROOM, Bot, Call, CannotPost, Place, Reply

WAITING_SECONDS = 600.0  # that a private reply waits for somebody to open the bot
MOST_WAITING = 5  # of one person
MOST_PEOPLE_WAITING = 500
HELLO = "hello"  # what /start is given by somebody who comes for such a reply
IN_PLACE = (PRESS, MESSAGE, FORM)  # calls after which a card is edited where it stands

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What replies are shown with."""

    api: telegram.Bot
    bot: Bot
    storage: Storage
    people: People
    outbox: Outbox
    cards: Cards
    dialogs: Dialogs
    inline: Inline
    presses: Presses


class Replies:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._waiting: dict[str, list[tuple[float, Talk, Reply]]] = {}

    async def show(self, talk: Talk, call: Call, replies: Sequence[Reply]) -> None:
        """Shows them in order; one that Telegram refuses does not keep back the others, one that
        it wants later keeps back those after it."""
        closed = [
            (place, message, reply.text)
            for reply in replies
            for card in reply.gone
            for place, message in await self._tools.cards.closed(card)
        ]
        await self._tools.inline.delete([card for reply in replies for card in reply.gone])
        if any(reply.forget for reply in replies):
            await self._tools.storage.forget(talk.person.id)
            self._waiting.pop(talk.person.id, None)
            self._tools.outbox.later.forget(talk.person.id)
        waiting = deque(replies)
        alone = all(reply.private for reply in replies)
        await self._tools.outbox.later.surely(
            lambda: self._show_all(talk, call, waiting),
            talk.person.id if alone else talk.place.channel,
            talk.person.id,
        )
        for place, message, text in closed:
            await self._tools.cards.say_last(place, message, text)

    async def _show_all(self, talk: Talk, call: Call, waiting: deque[Reply]) -> None:
        """Takes away what was shown. Raises CannotPost where Telegram wants the first one later."""
        while waiting:
            form = waiting[0].form
            if form is not None:
                await self._tools.dialogs.begin(talk, questions_of_form(form), form=form.data)
                waiting[0] = replace(waiting[0], form=None)  # it is not asked again
            try:
                await self._show(talk, call, waiting[0])
            except CannotPost as error:
                if comes_later(error):
                    raise
                log.warning("a reply to %s is lost: %s", talk.person.key, error)
            waiting.popleft()

    async def _show(self, talk: Talk, call: Call, reply: Reply) -> None:
        if not (reply.text or reply.files or reply.buttons):
            return
        if reply.card is not None or reply.room is not None:
            opened = await self._tools.cards.show(talk, reply, anew=call.command not in IN_PLACE)
            if opened is not None:
                await self._tell_of_room(talk, opened, reply.card)
        elif reply.private and talk.place.server is not None:
            await self._privately(talk, reply)
        else:
            place = talk.at if reply.private else talk.place
            sent = await self._tools.outbox.send(place, outgoing(talk, reply))
            await self._shown(talk, reply, sent)

    async def _shown(self, talk: Talk, reply: Reply, sent: Sent) -> None:
        if not reply.forget:
            await self._tools.inline.keep(talk.person.id, reply.text, sent, reply.about)

    async def _tell_of_room(self, talk: Talk, place: Place, card: str | None) -> None:
        """Lets the bot know which place it was that it asked for."""
        if card is None:
            return
        try:
            await self._tools.bot.answer(Call(talk.person, place, ROOM, {"card": card}))
        except Exception:
            log.exception("the bot could not be told of the room of %s", card)
            return
        if place.thread is not None and place.thread.startswith(REPLIES):
            await self._explain_room(talk, place)

    async def _explain_room(self, talk: Talk, place: Place) -> None:
        """Once a room that is made of replies: how one types there."""
        words = self._tools.bot.say(talk.language, "telegram.room_by_reply")
        await self._tools.outbox.say(place, Outgoing(words, owner=talk.person.id))

    async def _privately(self, talk: Talk, reply: Reply) -> None:
        """Over the chat or by direct message, which only gets who has opened the bot once."""
        person = talk.person
        plain = not (reply.files or reply.buttons)
        words = native(reply.text, self._tools.bot.commands, self._tools.api.username)
        if plain and await self._tools.presses.shown(talk.press, words):
            return
        if await self._tools.people.can_be_written_to(person.id):
            try:
                await self._directly(talk, reply)
                return
            except CannotPost as error:
                if error.again or error.unknown:
                    raise
                await self._tools.people.left(person.id)
        self._wait(talk, reply)
        say = self._tools.bot.say
        url = f"https://t.me/{self._tools.api.username}?start={HELLO}"
        await self._tools.outbox.send(
            talk.at,
            Outgoing(
                say(person.language, "telegram.open_me"),
                markup=link(say(person.language, "telegram.button_open"), url),
                mention=person if talk.message is None else None,
                reply_to=talk.reply_to,
                owner=person.id,
            ),
        )

    async def _directly(self, talk: Talk, reply: Reply) -> None:
        """What is pressed there belongs to the place in the group."""
        direct = Place(CHAT, talk.person.id)
        sent = await self._tools.outbox.send(direct, outgoing(replace(talk, at=direct), reply))
        await self._shown(talk, reply, sent)
        for message in sent.messages if reply.buttons else ():
            await self._tools.storage.rows(
                "INSERT OR REPLACE INTO elsewhere VALUES (?, ?, ?)",
                direct.channel,
                message.message_id,
                json.dumps(asdict(talk.place)),
            )

    def _wait(self, talk: Talk, reply: Reply) -> None:
        waiting = self._waiting.setdefault(talk.person.id, [])
        waiting.append((time.monotonic(), talk, reply))
        del waiting[:-MOST_WAITING]
        while len(self._waiting) > MOST_PEOPLE_WAITING:
            del self._waiting[next(iter(self._waiting))]

    async def show_waiting(self, person: str) -> bool:
        """Shows somebody who has opened the bot what waited for that; whether there was any."""
        young = time.monotonic() - WAITING_SECONDS
        found = [entry for entry in self._waiting.pop(person, ()) if entry[0] > young]
        for _, talk, reply in found:
            await self._tools.outbox.later.surely(
                partial(self._directly, talk, reply), person, person
            )
        return bool(found)
