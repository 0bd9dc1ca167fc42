"""Help: what there is, and one command in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.chat import Attachment, CommandInfo, Option, Reply
from bot.commands.context import Command, Context, Replies, Topic
from bot.errors import UnknownChoice

HELP = CommandInfo(
    "help", "help.help", (Option("command", "help.option_command", suggests=True, limit=40),)
)
EXAMPLE = "help.example"


def topic(infos: Callable[[], Sequence[CommandInfo]]) -> Topic:
    """The topic, which speaks of all commands, itself included."""

    async def run(context: Context) -> Replies:
        """`/help`"""
        wanted = (context.text("command") or "").strip().lstrip("/").lower()
        names = {info.name: info for info in infos()}
        if not wanted:
            return (Reply(overview(context, infos()), private=True),)
        chosen = [info for name, info in names.items() if wanted in (name, name.split()[0])]
        if not chosen:
            raise UnknownChoice("command", wanted, names)
        return (Reply("\n\n".join(full(context, info) for info in chosen), private=True),)

    return Topic(commands=(Command(HELP, run, anywhere=True),))


def overview(context: Context, infos: Sequence[CommandInfo]) -> str:
    """How a story is typed, and a line for each command."""
    lines = [f"/{info.name}: {context.say(info.help)}" for info in infos]
    return "\n".join([context.say("help.intro"), "", context.say(EXAMPLE), "", *lines])


def full(context: Context, info: CommandInfo) -> str:
    """A command with its options."""
    lines = [f"/{info.name}: {context.say(info.help)}"]
    lines += [f"• {option.name}: {described(context, option)}" for option in info.options]
    return "\n".join(lines)


def described(context: Context, option: Option) -> str:
    words = context.say(option.help)
    if option.choices:
        words += f" ({', '.join(option.choices)})"
    if option.kind is Attachment:
        words += f" ({context.say('help.a_file')})"
    return words if option.required else f"{words} {context.say('help.optional')}"
