"""Answers to interactions, each within Discord's three seconds: at once, or promised and kept."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from typing import Any

import discord

from adapters.discord_answers import Answers, Tools
from adapters.discord_forms import modal_of
from adapters.discord_messages import Part
from adapters.discord_posting import asking
from adapters.discord_where import AWAY, Interaction
from bot.chat import Call, CannotPost, Form, Reply

UNKNOWN_INTERACTION, ANSWERED_TWICE = 10062, 40060  # Discord's error codes

log = logging.getLogger(__name__)


class ToInteraction(Answers):
    """`state`: nothing was said yet ("open"); it was promised ("promised": people see that the bot
    thinks; "quiet": a button was pressed and nothing is seen); "answered"; or "late": Discord has
    stopped waiting."""

    def __init__(self, tools: Tools, call: Call, interaction: Interaction) -> None:
        limit = interaction.filesize_limit
        super().__init__(tools, call, limit, interaction.channel)
        self._interaction = interaction
        self.state = "open"
        self._promised_private = True
        self._shown: Any = None  # what Discord said to the first answer

    @property
    def _is_press(self) -> bool:
        """Whether it comes from a message of ours, which stays as it is unless it is edited."""
        return self._interaction.message is not None

    async def hold_on(self, *, private: bool) -> None:
        """Tells Discord that the answer will come, unless there was one."""
        if self.state != "open":
            return
        self._promised_private = private
        try:
            await asking(self._quietly if self._is_press else self._promise)
        except CannotPost as error:
            log.warning("%s in %s: %s", self.call.command, self.place.key, error)

    async def _promise(self) -> None:
        promise = self._interaction.response.defer(ephemeral=self._promised_private, thinking=True)
        if await self._first(promise):
            self.state = "promised"

    async def _quietly(self) -> None:
        if await self._first(self._interaction.response.defer()):
            self.state = "quiet"

    async def finish(self) -> None:
        """Nothing stays open: what was asked without any answer is acknowledged."""
        if self.state == "open" and self._is_press:
            await asking(self._quietly)
        elif self.state in ("open", "promised"):
            await self.send([Part(self.say("discord.done"))], private=True)

    async def _first(self, response: Awaitable[Any]) -> bool:
        """Gives the first answer; False where it is too late, or was given before."""
        try:
            self._shown = await response
        except discord.InteractionResponded:
            self.state = "answered"
            return False
        except discord.HTTPException as error:
            if error.code == ANSWERED_TWICE:
                self.state = "answered"
                return False
            if error.code == UNKNOWN_INTERACTION:
                self.state = "late"
                return False
            raise
        return True

    async def ask(self, form: Form) -> bool:
        if self.state != "open":
            return False
        modal = modal_of(form)
        if await asking(lambda: self._first(self._interaction.response.send_modal(modal))):
            self.state = "answered"
            return True
        return False

    async def send(self, parts: Sequence[Part], *, private: bool) -> str | None:
        message = None
        for part in parts:
            message = await asking(lambda part=part: self._say(part, private))  # type: ignore[misc]
        return message

    async def _say(self, part: Part, private: bool) -> str | None:
        interaction = self._interaction
        if self.state == "open":
            response = interaction.response.send_message(**part.fields(), ephemeral=private)
            if await self._first(response):
                self.state = "answered"
                return str(self._shown.message_id)
        if self.state == "late":
            return await self._too_late(part, private)
        was, self.state = self.state, "answered"
        if was == "promised" and private == self._promised_private:
            return str((await interaction.edit_original_response(**part.edited())).id)
        if was == "promised":
            await interaction.delete_original_response()  # who sees it cannot be changed any more
        shown = await interaction.followup.send(**part.fields(), ephemeral=private, wait=True)
        return str(shown.id)

    async def _too_late(self, part: Part, private: bool) -> str | None:
        """Discord has given up waiting: said in the channel, if others may read it."""
        if private or self.place.thread == AWAY:
            log.warning("%s of %s was answered too late", self.call.command, self.person.key)
            return None
        return await self.tools.channels.send(self.place, [part])

    async def edit_pressed(self, message: str, part: Part) -> bool:
        pressed = self._interaction.message
        if pressed is None or str(pressed.id) != message:
            return False
        if self.state == "open":
            response = self._interaction.response
            if await asking(lambda: self._first(response.edit_message(**part.edited()))):
                self.state = "answered"
                return True
            return False
        if self.state != "quiet":
            return False
        await asking(lambda: self._interaction.edit_original_response(**part.edited()))
        self.state = "answered"
        return True

    async def card_changed(self, message: str) -> None:
        if self._is_press:
            return
        channel = self.place.thread or self.place.channel
        where = f"https://discord.com/channels/{self.place.server or '@me'}/{channel}/{message}"
        await self.send([Part(self.say("discord.card_changed", where=where))], private=True)


async def show_or_apologise(answers: ToInteraction, replies: Sequence[Reply]) -> None:
    """Shows the replies; where Discord refuses one, says so to the person, if that goes."""
    try:
        await answers.show(replies)
        await answers.finish()
    except (CannotPost, discord.DiscordException) as error:
        log.warning("%s in %s: %s", answers.call.command, answers.place.key, error)
        try:
            broke = not isinstance(error, CannotPost) or error.again or error.unknown
            key = "discord.broke_off" if broke else "discord.refused"
            why = answers.say(key, why=str(error))
            await answers.send([Part(why[:1_900])], private=True)
        except (CannotPost, discord.DiscordException):
            log.info("nor could %s be told", answers.person.key)
