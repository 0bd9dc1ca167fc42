"""The star under a page: anybody who sees it there may press it, once each."""

from __future__ import annotations

from bot.buttons import Press
from bot.commands.context import Context, Replies, Topic
from bot.errors import Refusal


async def star_pressed(context: Context, press: Press) -> Replies:
    """Gives a star, or takes it back. The count under the posts follows within seconds."""
    server = context.server
    if server is None:
        raise Refusal("stars.nothing_here")
    if await context.stores.people.is_blocked(server, context.me):
        raise Refusal("commands.blocked")
    given, count = await context.stores.stars.press(
        press.job, context.me, server, context.place.channel
    )
    return context.reply("stars.given" if given else "stars.taken_back", count=count)


TOPIC = Topic(commands=(), presses={"star": star_pressed})
