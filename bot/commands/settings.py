"""What the managers of a server decide: who may draw, where, how much, which words, the gallery."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bot.blocked_words import folded_words
from bot.chat import CommandInfo, Option
from bot.commands.begin import STYLES
from bot.commands.checking import check_rights, check_style
from bot.commands.context import Command, Context, Replies, Topic
from bot.errors import Refusal, quoted
from bot.people import MAX_CAP, MAX_STARS, ServerSettings
from bot.safety import STRICTNESSES
from bot.sentences import listed

NO_LIMIT = -1
LONGEST_WORD = 100  # characters
DISCORD, TELEGRAM = "discord", "telegram"
ROLE, PERSON = re.compile("<@&([0-9]+)>|([0-9]+)"), re.compile("<@!?([0-9]+)>|([0-9]+)")
SETTINGS = CommandInfo(
    "settings",
    "help.settings",
    (
        Option("who", "help.option_who", choices=("everyone", "managers")),
        Option("where", "help.option_where", choices=("here", "not-here", "everywhere")),
        Option("daily_cap", "help.option_daily_cap", int, lowest=NO_LIMIT, highest=MAX_CAP),
        Option("waiting_cap", "help.option_waiting_cap", int, lowest=NO_LIMIT, highest=MAX_CAP),
        Option("style", "help.option_default_style", choices=(*STYLES, "default")),
        Option("role", "help.option_role", limit=100),
        Option("unrole", "help.option_unrole", limit=100),
        Option("block_word", "help.option_block_word", limit=LONGEST_WORD),
        Option("unblock_word", "help.option_unblock_word", limit=LONGEST_WORD),
        Option("strictness", "help.option_strictness", choices=(*STRICTNESSES, "default")),
        Option("gallery", "help.option_gallery", choices=("here", "off")),
        Option("stars", "help.option_stars", int, lowest=1, highest=MAX_STARS),
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
            account = await people.find(key)
            name = quoted(person if account is None else account.name)
            lines.append(context.say(f"settings.{option}ed", person=name))
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
    if style is not None and style != "default":
        check_style(context, style)
    if style is not None:
        fields["style"] = None if style == "default" else style
    strictness = context.text("strictness")
    if strictness is not None:
        fields["strictness"] = None if strictness == "default" else strictness
    return fields | changed_roles(context) | changed_words(context) | changed_gallery(context)


def changed_roles(context: Context) -> dict[str, Any]:
    """The roles after "role" and "unrole"."""
    added, taken = (context.text(name) for name in ("role", "unrole"))
    roles = context.settings.roles
    if added is not None:
        roles = (*roles, role_id(context, added))
    if taken is not None:
        mention = ROLE.fullmatch(taken.strip())
        gone = (mention[1] or mention[2]) if mention else taken.strip()
        roles = tuple(role for role in roles if role != gone)
    return {"roles": roles} if roles != context.settings.roles else {}


def changed_words(context: Context) -> dict[str, Any]:
    """The blocked words after "block_word" and "unblock_word"."""
    added, taken = (context.text(name) for name in ("block_word", "unblock_word"))
    words = context.settings.blocked_words
    if added is not None:
        word = folded_words(added)
        if not any(map(str.isalnum, word)):
            raise Refusal("settings.which_word")
        words = (*words, word)
    if taken is not None:
        words = tuple(word for word in words if word != folded_words(taken))
    return {"blocked_words": words} if words != context.settings.blocked_words else {}


def changed_gallery(context: Context) -> dict[str, Any]:
    """Where the gallery is, and from how many stars on, after "gallery" and "stars"."""
    fields: dict[str, Any] = {}
    gallery, stars = context.text("gallery"), context.number("stars")
    if gallery == "here":
        check_rights(context)
        fields["gallery"] = context.place
    elif gallery == "off":
        fields["gallery"] = None
    if stars is not None:
        fields["stars"] = stars
    return fields


def role_id(context: Context, typed: str) -> str:
    """The id of a role named by it or by a mention such as <@&123>. Raises Refusal: a name would
    be no role of anybody, and lock everybody out."""
    if context.place.chat == TELEGRAM:
        raise Refusal("settings.no_roles")
    mention = ROLE.fullmatch(typed.strip())
    if mention is None:
        raise Refusal("settings.which_role", typed=quoted(typed))
    return mention[1] or mention[2]


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
    mention = PERSON.fullmatch(typed.strip())
    if mention is not None:
        return f"{context.place.chat}:{mention[1] or mention[2]}"
    if context.place.chat == TELEGRAM:
        raise Refusal("settings.whom_telegram")
    raise Refusal("settings.whom", typed=quoted(typed))


def shown(context: Context, now: ServerSettings) -> dict[str, str]:
    """The settings as words."""
    say = context.say

    def cap(value: int | None) -> str:
        return say("settings.default") if value is None else str(value)

    def mentions(mark: str, ids: Iterable[str]) -> str:
        """The ids as Discord shows them by name."""
        native = context.place.chat == DISCORD
        words = [f"<{mark}{id}>" if native and id.isdecimal() else id for id in ids]
        return listed(context.language, words)

    gallery = () if now.gallery is None else (now.gallery.thread or now.gallery.channel,)
    return {
        "who": say(f"settings.{now.who}"),
        "where": mentions("#", now.channels) or say("settings.everywhere"),
        "daily_cap": say("settings.no_cap") if now.daily_cap is None else str(now.daily_cap),
        "waiting_cap": cap(now.waiting_cap),
        "style": now.style or say("settings.default"),
        "roles": mentions("@&", now.roles) or say("settings.all_roles"),
        "blocked_words": listed(context.language, now.blocked_words) or say("settings.no_words"),
        "strictness": say(f"safety.{context.strictness(now)}"),
        "gallery": mentions("#", gallery) or say("settings.no_gallery"),
        "stars": str(now.stars),
    }


TOPIC = Topic(commands=(Command(SETTINGS, settings, anywhere=True),))
