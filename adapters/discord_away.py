"""Where the bot is no member: what it says later is told as long as Discord lets it answer, and
otherwise kept for the button "Get result"."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from functools import partial

from adapters.discord_answers import QUICK_BYTES, Tools
from adapters.discord_interactions import ToInteraction
from adapters.discord_mailbox import PREFIX, Mailbox
from adapters.discord_messages import NOTHING, RESULT, Part, parts_of
from adapters.discord_posting import asking
from adapters.discord_where import AWAY, Interaction, person_of
from bot.chat import Call, CannotPost, Place, Post

FRESH_SECONDS = 14 * 60.0  # that an interaction can be answered again; Discord allows 15 minutes
ANSWER_SECONDS = 3.0
MOST_FOLLOW_UPS = 4  # of one interaction; Discord allows five
MOST_REMEMBERED = 1_000  # interactions
GET = f"{RESULT}get"

log = logging.getLogger(__name__)


class Open:
    """An interaction that can still be answered."""

    def __init__(self, interaction: Interaction) -> None:
        self.interaction, self.at, self.left = interaction, time.monotonic(), MOST_FOLLOW_UPS

    @property
    def is_fresh(self) -> bool:
        return self.left > 0 and time.monotonic() - self.at < FRESH_SECONDS

    async def is_answered(self) -> bool:
        """Whether it has its first answer, which is on its way if this comes at the same time."""
        for _ in range(round(ANSWER_SECONDS / 0.1)):
            if self.interaction.response.is_done():
                return True
            await asyncio.sleep(0.1)
        return False


class Away:
    def __init__(self, tools: Tools, mailbox: Mailbox) -> None:
        self._tools, self._mailbox = tools, mailbox
        self._latest: OrderedDict[str, Open] = OrderedDict()

    def heard(self, interaction: Interaction, place: Place) -> None:
        """Somebody has used the bot: for a while it may answer them."""
        if place.thread != AWAY:
            return
        self._latest[place.key] = Open(interaction)
        self._latest.move_to_end(place.key)
        while len(self._latest) > MOST_REMEMBERED:
            self._latest.popitem(last=False)

    async def post(self, post: Post) -> str:
        """Keeps a post; tells it at once where that goes. Progress is told once, with the button;
        its edits are only kept."""
        message, is_new = await self._mailbox.put(post, post.place.channel)
        if not is_new:
            return message
        latest = self._latest.get(post.place.key)
        if latest is None or not latest.is_fresh or not await latest.is_answered():
            return message
        try:
            await self._tell(latest, post)
        except CannotPost as error:
            log.info("kept for the button in %s: %s", post.place.key, error)
            return message
        if post.progress is None:
            await self._mailbox.fetched(int(message.removeprefix(PREFIX)))
        return message

    async def _tell(self, latest: Open, post: Post) -> None:
        interaction = latest.interaction
        private = post.progress is not None
        parts = await self._parts(interaction, post)
        if len(parts) > latest.left:
            raise CannotPost("too many messages")
        latest.left -= len(parts)
        for part in parts:
            fields = part.fields()
            await asking(
                lambda fields=fields: interaction.followup.send(  # type: ignore[misc]
                    **fields, ephemeral=private, wait=True
                )
            )

    async def _parts(self, interaction: Interaction, post: Post) -> tuple[Part, ...]:
        person = person_of(interaction.user, interaction.locale.value)
        say = partial(self._tools.say, await self._tools.spoken_to(person))
        limit = interaction.filesize_limit
        parts = await parts_of(post.text, post.files, post.buttons, limit, say)
        if post.progress is None:
            return parts
        get = ((say("discord.get_result"), "primary", GET),)
        last = parts[-1]
        return (*parts[:-1], Part(last.text, last.files, (*last.view, get)))

    async def fetch(self, call: Call, shown: ToInteraction) -> None:
        """The button was pressed: shows what is there, and the newest progress if that is all."""
        try:
            await self._fetch(call, shown)
        except CannotPost as error:  # it stays, for the next press
            log.warning("a result in %s: %s", call.place.key, error)

    async def _fetch(self, call: Call, shown: ToInteraction) -> None:
        mails = await self._mailbox.waiting(call.place)
        results = [mail for mail in mails if not mail.progress]
        if sum(len(file.content) for mail in results for file in mail.files) > QUICK_BYTES:
            await shown.hold_on(private=False)
        for mail in results:
            parts = await parts_of(mail.text, mail.files, mail.buttons, shown.limit, shown.say)
            await shown.send(parts, private=False)
            await self._mailbox.fetched(mail.id)
        if results:
            return
        text = mails[-1].text if mails else shown.say("discord.nothing_yet")
        again = ((shown.say("discord.get_result"), "primary", GET),)
        await shown.send([Part(text or NOTHING, view=(again,))], private=True)

    async def remove(self, message: str) -> None:
        """Takes back what was kept; what was told is Discord's, and the person's to delete."""
        await self._mailbox.remove(message)
