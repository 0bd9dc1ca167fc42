"""What people type on Discord, as words that can be drawn and lettered.

Discord hands on its own emoji as "<:cat:123>", and somebody who is mentioned as "<@123>".
"""

from __future__ import annotations

import re

import discord

EMOJI = re.compile(r"<a?:(\w+):\d+>")
MENTION = re.compile(r"<(@!?|@&|#)(\d+)>")
MARKS = re.compile(r"[\[\]【】［］#＃\n]")  # which mean something in a story
NOBODY = "…"  # what cannot be read here


def forwarded(message: discord.Message) -> str:
    """The words of the message that this one forwards."""
    return "\n".join(one.content for one in message.message_snapshots if one.content)


def attached(message: discord.Message) -> list[discord.Attachment]:
    """The files of a message, and of one that it forwards."""
    others = (file for one in message.message_snapshots for file in one.attachments)
    return [*message.attachments, *others]


def with_emoji(text: str) -> str:
    """The text with the names of emoji."""
    return EMOJI.sub(r":\1:", text)


def with_names(text: str, message: discord.Message) -> str:
    """The text of a message with the names of emoji, people, roles and channels, as people read it;
    a channel without its mark, which would begin a caption."""
    people = {user.id: user.display_name for user in message.mentions}

    def name(match: re.Match[str]) -> str:
        kind, id = match[1], int(match[2])
        found: object = None
        if kind == "#":
            found = message.guild and message.guild.get_channel_or_thread(id)
        elif kind == "@&":
            found = message.guild and message.guild.get_role(id)
        words = people.get(id) if kind in ("@", "@!") else getattr(found, "name", None)
        mark = "" if kind == "#" else "@"
        return mark + (MARKS.sub("", words or "").strip() or NOBODY)

    return with_emoji(MENTION.sub(name, text))
