"""A picture that a character shall look like: taken in, and what is said about it, once."""

from __future__ import annotations

import asyncio

from bot.commands.context import Context
from bot.uploads import accept_reference

CONSENT = "character.consent"


async def referenced(context: Context, option: str) -> str | None:
    """The SHA-256 of a picture that came with the call, checked and kept. Raises Refusal."""
    file = context.file(option)
    if file is None:
        return None
    picture = await asyncio.to_thread(accept_reference, file.content)
    return await context.stores.pictures.add(picture)


async def consent(context: Context, reference: str | None) -> tuple[str, ...]:
    """What a person hears of pictures of real people, with the first one that is kept."""
    if reference is None or not await context.stores.people.is_new_to(context.me, CONSENT):
        return ()
    return (context.say(CONSENT),)
