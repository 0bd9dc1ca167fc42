"""What the managers of a server decide: who may draw, where, how much, in which style."""

from __future__ import annotations

import re
from typing import Any

from bot.chat import CommandInfo, Option
from bot.commands.begin import STYLES
from bot.commands.context import Command, Context, Replies, Topic
from bot.errors import Refusal, quoted
from bot.people import MAX_CAP, ServerSettings
from bot.sentences import listed

NO_LIMIT = -1
SETTINGS = CommandInfo(
    "settings",
    "help.settings",
    (
        Option("who", "help.option_who", choices=("everyone", "managers")),
        Option("where", "help.option_where", choices=("here", "not-here", "everywhere")),
        Option("daily_cap", "help.option_daily_cap", int, lowest=NO_LIMIT, highest=MAX_CAP),
        Option("waiting_cap", "help.option_waiting_cap", int, lowest=NO_LIMIT, highest=MAX_CAP),
        Option("style", "help.option_default_style", choices=(*STYLES, "default")),
        Option("block", "help.option_block", limit=100),
        Option("unblock", "help.option_unblock", limit=100),
    ),
    manager_only=True,
)


async def settings(context: Context) -> Replies:
    """`/settings`: changes what its options say, and shows what holds."""
    server = context.server
    if server is None:
        raise Refusal("settings.no_server")
    if not context.call.manager:
        raise Refusal("settings.not_manager")
    people = context.stores.people
    lines = []
    for option, act in (("block", people.block), ("unblock", people.unblock)):
        person = context.text(option)
        if person is not None:
            key = person_key(context, person)
            if key == context.me:
                raise Refusal("settings.yourself")
            await act(server, key)
            lines.append(context.say(f"settings.{option}ed", person=quoted(person)))
    changes = changed(context)
    now = await people.change_server(server, **changes) if changes else await people.server(server)
    return context.reply("settings.now", changes="\n".join([*lines, ""]), **shown(context, now))


def changed(context: Context) -> dict[str, Any]:
    """The fields of `ServerSettings` that the options change."""
    fields: dict[str, Any] = {}
    who, where, style = (context.text(name) for name in ("who", "where", "style"))
    if who is not None:
        fields["who"] = who
    if where is not None:
        fields["channels"] = channels(context, where)
    for name in ("daily_cap", "waiting_cap"):
        cap = context.number(name)
        if cap is not None:
            fields[name] = None if cap == NO_LIMIT else cap
    if style is not None:
        fields["style"] = None if style == "default" else style
    return fields


def channels(context: Context, where: str) -> tuple[str, ...]:
    """The channels in which the bot may be used after "here", "not-here" or "everywhere"."""
    now, here = context.settings.channels, context.place.channel
    if where == "everywhere":
        return ()
    if where == "here":
        return (*now, here)
    left = tuple(channel for channel in now if channel != here)
    if not left:
        raise Refusal("settings.nowhere")
    return left


def person_key(context: Context, typed: str) -> str:
    """The key of somebody named by id or by a mention such as <@123>. Raises Refusal."""
    mention = re.fullmatch(r"<@!?(\w+)>|@?([\w.-]+)", typed.strip())
    if mention is None:
        raise Refusal("settings.whom", typed=quoted(typed))
    return f"{context.place.chat}:{mention[1] or mention[2]}"


def shown(context: Context, now: ServerSettings) -> dict[str, str]:
    """The settings as words."""
    say = context.say

    def cap(value: int | None) -> str:
        return say("settings.default") if value is None else str(value)

    return {
        "who": say(f"settings.{now.who}"),
        "where": listed(context.language, now.channels) or say("settings.everywhere"),
        "daily_cap": say("settings.no_cap") if now.daily_cap is None else str(now.daily_cap),
        "waiting_cap": cap(now.waiting_cap),
        "style": now.style or say("settings.default"),
    }


TOPIC = Topic(commands=(Command(SETTINGS, settings, anywhere=True),))
