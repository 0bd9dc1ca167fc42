"""What is checked before a command runs: its options, and whether it may be used here at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.chat import Attachment, Call, Option, Right, Value
from bot.commands.context import Command, Context
from bot.errors import Refusal, quoted
from bot.jobs import NewJob
from bot.sentences import listed
from bot.stories import Story
from bot.without import seen_and_not
from bot.word_check import check_job_texts, check_texts
from bot.words import say
from engine.prompts import styles_of

NEEDED: tuple[Right, ...] = ("view", "send", "files")  # to deliver what was drawn


class RightsMissing(Refusal):
    """The bot may not do in a place what a drawing needs."""

    def __init__(self, rights: Iterable[Right]) -> None:
        self.rights = tuple(rights)
        super().__init__("commands.rights_missing")

    def say(self, language: str | None) -> str:
        names = [say(language, f"right.{right}") for right in self.rights]
        return say(language, self.key, rights=listed(language, names))


def checked_options(command: Command, call: Call) -> Mapping[str, Value]:
    """The options as the table declares them. Raises Refusal, which names the limit."""
    known = {option.name: option for option in command.info.options}
    for name in (*call.options, *call.attachments):
        if name not in known:
            raise Refusal("commands.unknown_option", option=quoted(name), command=command.info.name)
    values: dict[str, Value] = {}
    for option in known.values():
        if option.kind is Attachment:
            given = option.name in call.attachments
        else:
            value = call.options.get(option.name)
            given = value is not None and value != ""
            if value is not None and given:
                values[option.name] = checked(option, value)
        if option.required and not given:
            raise Refusal("commands.missing", option=option.name)
    return values


def checked(option: Option, value: Value) -> Value:
    """A value of the option's kind within its limits. Raises Refusal."""
    if option.kind is int:
        return checked_number(option, value)
    if option.kind is bool:
        if not isinstance(value, bool):
            raise Refusal("commands.not_yes_no", option=option.name)
        return value
    words = str(value)
    if len(words) > option.limit:
        raise Refusal(
            "commands.too_long", option=option.name, limit=option.limit, length=len(words)
        )
    if option.choices and words not in option.choices:
        every = ", ".join(option.choices)
        raise Refusal("commands.no_choice", option=option.name, value=quoted(words), every=every)
    return words


def checked_number(option: Option, value: Value) -> int:
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal("commands.not_a_number", option=option.name)
    low = option.lowest is not None and value < option.lowest
    high = option.highest is not None and value > option.highest
    if low or high:
        lowest, highest = option.lowest, option.highest
        if highest is None:
            raise Refusal("commands.too_small", option=option.name, lowest=lowest)
        raise Refusal(
            "commands.out_of_range", option=option.name, lowest=lowest or 0, highest=highest
        )
    return value


async def check_allowed(context: Context) -> None:
    """Refuses whom a server does not let use the bot, there or at all. Raises Refusal."""
    server, settings = context.server, context.settings
    if server is None:
        return
    if await context.stores.people.is_blocked(server, context.me):
        raise Refusal("commands.blocked")
    if context.call.manager:
        return
    if settings.who == "managers":
        raise Refusal("commands.managers_only")
    if settings.roles and not set(settings.roles).intersection(context.call.roles):
        raise Refusal("commands.no_role")
    if settings.channels and context.place.channel not in settings.channels:
        raise Refusal("commands.not_here")


def check_rights(context: Context) -> None:
    """Refuses what could not be delivered here once it is drawn. Raises RightsMissing."""
    missing = [right for right in NEEDED if right in context.call.lacks]
    if missing:
        raise RightsMissing(missing)


def check_style(context: Context, style: str | None, chosen_model: str = "") -> None:
    """Refuses a style that the model has not learnt. Raises Refusal, which names those it has."""
    model = context.model(chosen_model)
    if style is not None and model.styles and style not in model.styles:
        every = ", ".join(styles_of(model.styles))
        raise Refusal("style.not_learnt", model=model.name, style=quoted(style), every=every)


def check_words(context: Context, *texts: str | None, kept_away: Iterable[str] = ()) -> None:
    """Refuses words that the server has blocked, and what is not drawn here. Raises Refusal.

    `kept_away` are words for what shall not be seen: they may name what is not drawn.
    """
    check_texts(context.settings, context.stores.config.safety, texts, kept_away)


def check_story(context: Context, story: Story) -> None:
    """The same for all that is written in a story. Raises Refusal."""
    kept_away = [seen_and_not(panel.text)[1] for panel in story.panels]
    check_words(context, *story_texts(story), kept_away=kept_away)


def story_texts(story: Story) -> Iterator[str | None]:
    yield story.title
    for member in story.cast:
        yield from (member.name, member.description)
    for panel in story.panels:
        yield from (seen_and_not(panel.text)[0], panel.caption)


def check_job(context: Context, job: NewJob) -> None:
    """Refuses a job that could not be delivered here, or not with these words. Raises Refusal."""
    check_rights(context)
    check_job_texts(job, context.settings, context.stores.config.safety)
