"""Who and where in Discord's words, as `Person` and `Place`; and what the bot may not do there.

A place of the kind "away" is one where the bot is no member: a group of friends, or a server that
has it only by somebody's own installation. Nothing can be posted there by channel, so it counts as
a page of the person's own; see `discord_mailbox`.
"""

from __future__ import annotations

from typing import Any

import discord

from bot.chat import Person, Place, Right

CHAT = "discord"
AWAY = "away"

Interaction = discord.Interaction[Any]


def person_of(user: discord.abc.User, locale: str | None = None) -> Person:
    """Somebody, by the name that people see."""
    return Person(CHAT, str(user.id), user.display_name, locale)


def place_of_interaction(interaction: Interaction) -> Place:
    """Where somebody used a command, a button or a form."""
    guild, channel = interaction.guild_id, interaction.channel
    here = str(interaction.channel_id)
    if is_away(interaction):
        return Place(CHAT, str(interaction.user.id), str(guild or here), AWAY)
    if guild is None:
        return Place(CHAT, here)
    if isinstance(channel, discord.Thread):
        return Place(CHAT, str(channel.parent_id), str(guild), here)
    return Place(CHAT, here, str(guild))


def is_away(interaction: Interaction) -> bool:
    """Whether the bot cannot post where this comes from, other than as an answer to it."""
    if interaction.guild_id is not None:
        return interaction.client.get_guild(interaction.guild_id) is None
    group = isinstance(interaction.channel, discord.GroupChannel)
    return group or bool(interaction.context.private_channel)


def place_of_message(message: discord.Message) -> Place:
    """Where a plain message was said."""
    here = str(message.channel.id)
    if message.guild is None:
        return Place(CHAT, here)
    guild = str(message.guild.id)
    if isinstance(message.channel, discord.Thread):
        return Place(CHAT, str(message.channel.parent_id), guild, here)
    return Place(CHAT, here, guild)


def is_private_thread(channel: object) -> bool:
    """Whether only those who were invited read there."""
    return isinstance(channel, discord.Thread) and channel.is_private()


def thread_in(place: Place, thread: int) -> Place:
    """A thread beside or below a place."""
    return Place(CHAT, place.channel, place.server, str(thread))


def place_with(key: str) -> Place:
    """The place of a key; Discord's ids hold no stroke."""
    _, server, channel, thread = key.split("/")
    return Place(CHAT, channel, server or None, thread or None)


def channel_id(place: Place) -> int:
    """Where messages of a place go."""
    return int(place.thread or place.channel)


def lacking(place: Place, permissions: discord.Permissions) -> tuple[Right, ...]:
    """What the bot would need in a place of a server and may not do."""
    if place.server is None or place.thread == AWAY:
        return ()
    in_threads = permissions.send_messages_in_threads
    may: dict[Right, bool] = {
        "view": permissions.view_channel,
        "send": in_threads if place.thread else permissions.send_messages,
        "files": permissions.attach_files,
        "threads": permissions.create_public_threads and in_threads,
        "history": permissions.read_message_history,
    }
    return () if permissions.administrator else tuple(right for right in may if not may[right])


def roles_of(user: discord.abc.User) -> tuple[str, ...]:
    """The ids of the roles somebody has on the server where this was said."""
    if not isinstance(user, discord.Member):
        return ()
    return tuple(str(role.id) for role in user.roles if not role.is_default())


def short(language: str | None) -> str | None:
    """The language of a locale: "zh-CN" is "zh"."""
    return language and language.split("-")[0].lower()
