"""Whom the managers of a group mean in `/settings`: Telegram knows people by numbers.

`/settings block` as a reply means who wrote that message; `block=…` takes a number, somebody who is
mentioned without having a user name, or the @name of somebody whom the bot has met.
"""

from __future__ import annotations

from collections.abc import Mapping

from telegram import Message, MessageEntity

from adapters.telegram_people import People
from bot.chat import Value

SETTINGS = "settings"
WHOM = ("block", "unblock")  # its options that name a person


async def with_ids(
    options: Mapping[str, Value], rest: str, message: Message, people: People
) -> dict[str, Value]:
    """The options, with numbers for people; who is not known stays as typed."""
    alone = rest.strip("=＝:： ").lower()
    if alone in WHOM:
        return {alone: author(message.reply_to_message) or alone}
    found = dict(options)
    for name in WHOM:
        if name in found:
            typed = str(found[name])
            found[name] = mentioned(message, typed) or await met(people, typed) or typed
    return found


def author(replied: Message | None) -> str | None:
    """The id of the person who wrote a message that was replied to."""
    if replied is None or replied.from_user is None or replied.from_user.is_bot:
        return None
    if replied.sender_chat is not None or replied.forum_topic_created is not None:
        return None  # in a topic everything replies to its opening
    return str(replied.from_user.id)


def mentioned(message: Message, typed: str) -> str | None:
    """The id of somebody who is mentioned in a message by these words."""
    kinds: list[str | None] = [MessageEntity.TEXT_MENTION]
    found = message.parse_entities(kinds) if message.text else {}
    return next(
        (str(entity.user.id) for entity, words in found.items() if entity.user and words == typed),
        None,
    )


async def met(people: People, typed: str) -> str | None:
    """The id of somebody whom the bot knows by that @name."""
    return await people.with_username(typed[1:]) if typed.startswith("@") else None
