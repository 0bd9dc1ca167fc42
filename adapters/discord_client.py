"""The connection to Discord: which events it wants, and who takes them."""

from __future__ import annotations

import logging
import re
from typing import Any, Protocol

import discord
from discord import app_commands
from discord.ext import commands

from adapters.discord_commands import Catalogues, Desk, fill_tree, fingerprint
from adapters.discord_messages import FORM, PRESS, RESULT
from adapters.discord_store import Store
from adapters.discord_where import Interaction
from adapters.discord_words import attached, forwarded
from bot.chat import Bot

OURS = re.compile(rf"(?s)(?:{PRESS}\d*:|{FORM}|{RESULT}).+")  # custom_ids of buttons
MAY_BE_ROOMS = (discord.Thread, discord.PartialMessageable)
LONGEST_WAIT_SECONDS = 30.0  # that discord.py waits by itself; delivery sees to longer ones
COMMANDS_SENT = "commands"  # the note of what Discord was told last

log = logging.getLogger(__name__)


class Taker(Desk, Protocol):
    """Who takes everything that comes from Discord."""

    async def pressed(self, interaction: Interaction, custom_id: str) -> None: ...

    async def submitted(self, interaction: Interaction) -> None: ...

    async def said(self, message: discord.Message, text: str) -> None: ...


class AnyButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=OURS):
    """Every button of ours, however old: what it means stands in its custom_id."""

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> AnyButton:
        assert isinstance(item, discord.ui.Button)
        return cls(item)

    async def callback(self, interaction: Interaction) -> None:
        client = interaction.client
        assert isinstance(client, InkwellClient)
        await client.taker.pressed(interaction, self.custom_id)


class InkwellClient(commands.AutoShardedBot):
    """`taker` must be set before it logs in."""

    taker: Taker

    def __init__(self, store: Store, *, reads_all: bool, guild_seconds: float) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents(reads_all),
            guild_ready_timeout=guild_seconds,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            max_ratelimit_timeout=LONGEST_WAIT_SECONDS,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        self._store, self._reads_all = store, reads_all
        self._closing: set[int] = set()  # threads that were deleted just now

    async def prepare(self, bot: Bot, taker: Taker) -> None:
        """Makes the commands; Discord is told of them at the login."""
        self.taker = taker
        await self.tree.set_translator(Catalogues(bot))
        fill_tree(self.tree, bot, taker)

    async def setup_hook(self) -> None:
        """After the login, before events come."""
        self.add_dynamic_items(AnyButton)
        mark = f"{self.application_id} {await fingerprint(self.tree)}"
        if await self._store.note(COMMANDS_SENT) != mark:
            await self.tree.sync()
            await self._store.set_note(COMMANDS_SENT, mark)
            log.info("Discord was told of the commands")

    async def on_interaction(self, interaction: Interaction) -> None:
        """Forms come back here; discord.py sees to commands and buttons."""
        if interaction.type is discord.InteractionType.modal_submit:
            await self.taker.submitted(interaction)

    async def on_message(self, message: discord.Message, /) -> None:
        """Takes what is meant for the bot: in direct messages, in rooms, or with its name."""
        if message.author.bot or message.webhook_id is not None or message.is_system():
            return
        text, is_named = self._without_name(message)
        may_be_room = self._reads_all and isinstance(message.channel, MAY_BE_ROOMS)
        is_room = may_be_room and message.channel.id not in self._closing
        if (
            message.guild is None
            or is_named
            or (is_room and await self._store.is_room(str(message.channel.id)))
        ) and (text or forwarded(message) or attached(message)):
            await self._find_thread(message)
            words = "\n".join(filter(None, (text, forwarded(message))))
            await self.taker.said(message, words)

    async def _find_thread(self, message: discord.Message) -> None:
        """Asks which thread it is that discord.py does not know: it forgets those that were put
        away, and Discord may tell of one later than of the message that took it out again."""
        if message.guild is None or not isinstance(message.channel, discord.PartialMessageable):
            return
        try:
            found = await self.fetch_channel(message.channel.id)
        except discord.DiscordException as error:
            log.info("%d: nobody knows what channel that is: %s", message.channel.id, error)
            return
        if isinstance(found, discord.Thread):
            message.channel = found

    def _without_name(self, message: discord.Message) -> tuple[str, bool]:
        """The text without the mentions of the bot, and whether it was named; a reply to one of its
        messages names it, too, unless the person has switched that off."""
        if self.user is None:
            return message.content, False
        pattern = rf"<@!?{self.user.id}>"
        text, named = re.subn(pattern, "", message.content)
        is_named = named > 0 or self.user in message.mentions
        return (text.strip() if named else message.content), is_named

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """The room is gone, and its cards with it; at once, for a line may be under way."""
        self._closing.add(event.thread_id)
        try:
            await self._store.close_room(str(event.thread_id))
        finally:
            self._closing.discard(event.thread_id)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        log.exception("%s went wrong", event_method)


def intents(reads_all: bool) -> discord.Intents:
    """What the bot is told of. `reads_all` needs the privileged "Message Content Intent"."""
    return discord.Intents(
        guilds=True, guild_messages=True, dm_messages=True, message_content=reads_all
    )
