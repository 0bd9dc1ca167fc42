"""The bot's table of commands as Discord's slash commands, groups and message menus."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Optional, Protocol

import discord
from discord import app_commands
from discord.app_commands import locale_str

from adapters.discord_forms import asks
from adapters.discord_where import Interaction
from bot.chat import Attachment, Bot, CommandInfo, Option, Value

MOST_TEXT_OPTION = 6_000  # characters of a text after a slash command
MOST_CHOICES = 25
MOST_DESCRIPTION = 100
PARAMETER = "option_"  # before a name: "with" is a word of Python's own
LOCALES = {discord.Locale.chinese: "zh"}  # English is the default

Choices = list[app_commands.Choice[Any]]
Complete = Callable[[Interaction, str], Coroutine[Any, Any, Choices]]


class Desk(Protocol):
    """Who takes what people ask for."""

    async def command(
        self, interaction: Interaction, info: CommandInfo, given: Mapping[str, Any]
    ) -> None: ...

    async def suggest(
        self, interaction: Interaction, info: CommandInfo, option: str, typed: str
    ) -> list[tuple[str, Value]]: ...

    async def menu(
        self, interaction: Interaction, menu: Menu, message: discord.Message
    ) -> None: ...


@dataclass(frozen=True)
class Menu:
    """An entry in the menu of a message: a command for the picture in it."""

    label: str  # a key of the catalogues
    command: CommandInfo
    picture: str  # the option that the picture goes to


MENUS = (("discord.menu_meme", "meme"), ("discord.menu_character", "character new"))


def menus_of(bot: Bot) -> list[Menu]:
    """The menus whose command the bot has."""
    by_name = {info.name: info for info in bot.commands}
    menus = []
    for label, name in MENUS:
        info = by_name.get(name)
        if info is None:
            continue
        takes = [option.name for option in info.options if option.kind is Attachment]
        if takes:
            menus.append(Menu(label, info, takes[0]))
    return menus


def fill_tree(tree: app_commands.CommandTree[Any], bot: Bot, desk: Desk) -> None:
    """Adds every command and menu to the tree."""
    groups: dict[str, app_commands.Group] = {}
    for info in bot.commands:
        first, _, second = info.name.partition(" ")
        if not second:
            tree.add_command(slash(info, first, bot, desk))
            continue
        if first not in groups:
            about = words(bot, "discord.group", name=first)
            groups[first] = app_commands.Group(
                name=first, description=about, auto_locale_strings=False
            )
            tree.add_command(groups[first])
        groups[first].add_command(slash(info, second, bot, desk))
    for menu in menus_of(bot):
        tree.add_command(context_menu(menu, bot, desk))


def words(bot: Bot, key: str, **values: object) -> locale_str:
    """A description that is translated when the tree is sent."""
    text = bot.say(None, key, **values)[:MOST_DESCRIPTION]
    return locale_str(text, key=key, values=values)


def slash(
    info: CommandInfo, name: str, bot: Bot, desk: Desk
) -> app_commands.Command[Any, ..., None]:
    """One slash command, or one of a group."""

    async def callback(interaction: Interaction, **options: Any) -> None:
        given = {key.removeprefix(PARAMETER): v for key, v in options.items() if v is not None}
        await desk.command(interaction, info, given)

    parameters = [
        inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        *(parameter(option, asks(info)) for option in info.options),
    ]
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    by_parameter = {PARAMETER + option.name: option for option in info.options}
    app_commands.describe(**{n: words(bot, o.help) for n, o in by_parameter.items()})(callback)
    app_commands.rename(**{n: o.name for n, o in by_parameter.items()})(callback)
    app_commands.choices(**{n: choices(o) for n, o in by_parameter.items() if listed(o)})(callback)
    ask = {n: completion(info, o, desk) for n, o in by_parameter.items() if completes(o)}
    app_commands.autocomplete(**ask)(callback)
    command: app_commands.Command[Any, ..., None] = app_commands.Command(
        name=name,
        description=words(bot, info.help),
        callback=callback,
        auto_locale_strings=False,
        allowed_contexts=app_commands.AppCommandContext(
            guild=True, dm_channel=not info.manager_only, private_channel=not info.manager_only
        ),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=not info.manager_only),
    )
    if info.manager_only:
        command.default_permissions = discord.Permissions(manage_guild=True)
    return command


def parameter(option: Option, asked: bool) -> inspect.Parameter:
    """An option as a parameter of a callback; `asked`: a form asks for what is left out."""
    kind: Any = option.kind
    if option.kind is Attachment:
        kind = discord.Attachment
    elif option.kind is int and (option.lowest, option.highest) != (None, None):
        kind = app_commands.Range[int, option.lowest, option.highest]
    elif option.kind is str and not option.choices:
        kind = app_commands.Range[str, None, min(option.limit, MOST_TEXT_OPTION)]
    if option.required and not asked:
        default: Any = inspect.Parameter.empty
    else:
        default, kind = None, Optional[kind]  # noqa: UP045  (made at run time)
    return inspect.Parameter(
        PARAMETER + option.name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        annotation=kind,
        default=default,
    )


def listed(option: Option) -> bool:
    return 0 < len(option.choices) <= MOST_CHOICES


def completes(option: Option) -> bool:
    return option.suggests and not listed(option) and option.kind in (str, int)


def choices(option: Option) -> Choices:
    return [app_commands.Choice(name=one, value=one) for one in option.choices]


def completion(info: CommandInfo, option: Option, desk: Desk) -> Complete:
    """What is offered while an option is typed."""

    async def suggest(interaction: Interaction, current: str) -> Choices:
        found = await desk.suggest(interaction, info, option.name, str(current))
        return [app_commands.Choice(name=label[:100] or "…", value=value) for label, value in found]

    return suggest


def context_menu(menu: Menu, bot: Bot, desk: Desk) -> app_commands.ContextMenu:
    async def callback(interaction: Interaction, message: discord.Message) -> None:
        await desk.menu(interaction, menu, message)

    return app_commands.ContextMenu(name=words(bot, menu.label), callback=callback)


class Catalogues(app_commands.Translator):
    """Translates descriptions with the bot's own catalogues."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def translate(
        self,
        string: locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContext[Any, Any],
    ) -> str | None:
        language, key = LOCALES.get(locale), string.extras.get("key")
        if language is None or key is None:
            return None
        return self._bot.say(language, key, **string.extras["values"])[:MOST_DESCRIPTION]


async def fingerprint(tree: app_commands.CommandTree[Any]) -> str:
    """Changes when the commands that Discord is to know change."""
    translator = tree.translator
    assert translator is not None
    commands = tree.get_commands()
    payload = [await command.get_translated_payload(tree, translator) for command in commands]
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
