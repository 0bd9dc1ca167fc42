"""Forms as Discord's modals: at most five questions, also for pictures; and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import discord

from bot.chat import Attachment, CommandInfo, Field, Form, Option

FILLED, ASKED = "filled:", "asked:"  # how the custom_id of a modal begins
MOST_QUESTIONS = 5
MOST_TITLE, MOST_LABEL, MOST_HINT, MOST_ANSWER = 45, 45, 100, 4_000  # characters
UPLOAD = 19  # Discord's number of a component that takes files


@dataclass(frozen=True)
class Remote:
    """A file that lies at Discord and can be fetched for some hours."""

    name: str
    url: str
    size: int  # bytes


@dataclass(frozen=True)
class Question:
    """A field of a modal; `upload`: it takes a picture instead of words."""

    field: Field
    upload: bool = False
    hint: str = ""


def is_asked(option: Option) -> bool:
    """Whether an option is better asked for in a form than typed after a command."""
    return option.required and (option.long or option.kind is Attachment)


def asks(info: CommandInfo) -> bool:
    """Whether a command may be given without what it requires: a form asks for the rest."""
    return any(is_asked(option) for option in info.options)


def missing(info: CommandInfo, given: Sequence[str]) -> list[Option]:
    """What a form must ask for; then, as far as there is room, what it may ask for as well."""
    free = [option for option in info.options if option.name not in given]
    needed = [option for option in free if option.required]
    if not needed:
        return []
    return [*needed, *worth_asking(free)][:MOST_QUESTIONS]


def worth_asking(options: Sequence[Option]) -> list[Option]:
    """Options that need not be given and that somebody fills in with words or a picture."""
    return [
        option
        for option in options
        if not option.required
        and (option.kind is Attachment or (option.kind is str and not option.choices))
        and not option.suggests
    ]


def question(option: Option, label: str, hint: str) -> Question:
    """The question for an option."""
    limit = min(option.limit, MOST_ANSWER)
    field = Field(option.name, label, "", option.long, option.required, limit)
    return Question(field, option.kind is Attachment, hint)


def modal(title: str, custom_id: str, questions: Sequence[Question]) -> discord.ui.Modal:
    """A modal, over before it is shown: discord.py keeps nothing of it, and what comes back is
    understood by its custom_id alone, also after a restart."""
    shown = discord.ui.Modal(title=title[:MOST_TITLE] or "…", timeout=None, custom_id=custom_id)
    for one in questions[:MOST_QUESTIONS]:
        shown.add_item(
            discord.ui.Label(
                text=one.field.label[:MOST_LABEL] or one.field.name,
                description=one.hint[:MOST_HINT] or None,
                component=component(one),
            )
        )
    shown.stop()
    return shown


def component(one: Question) -> discord.ui.Item[Any]:
    field = one.field
    if one.upload:
        least = 1 if field.required else 0
        return discord.ui.FileUpload(
            custom_id=field.name, required=field.required, min_values=least, max_values=1
        )
    limit = max(1, min(field.limit, MOST_ANSWER))
    return discord.ui.TextInput(
        custom_id=field.name,
        style=discord.TextStyle.paragraph if field.long else discord.TextStyle.short,
        default=field.value[:limit] or None,
        required=field.required,
        max_length=limit,
    )


def modal_of(form: Form) -> discord.ui.Modal:
    """A form of the bot."""
    return modal(form.title, FILLED + form.data, [Question(field) for field in form.fields])


def form_json(form: Form) -> dict[str, Any]:
    return asdict(form)


def form_from(content: Mapping[str, Any]) -> Form:
    fields = tuple(Field(**field) for field in content["fields"])
    return Form(content["title"], content["data"], fields)


@dataclass(frozen=True)
class Answers:
    """What came back from a modal, by the names of its questions."""

    texts: Mapping[str, str]
    files: Mapping[str, Remote]


def answers(data: Mapping[str, Any]) -> Answers:
    """Reads an interaction's data."""
    texts: dict[str, str] = {}
    files: dict[str, Remote] = {}
    attachments = data.get("resolved", {}).get("attachments", {})
    for row in data.get("components", ()):
        one = row.get("component") or row.get("components", [{}])[0]
        name = str(one.get("custom_id", ""))
        if one.get("type") != UPLOAD:
            texts[name] = str(one.get("value") or "")
            continue
        for file in one.get("values", ())[:1]:
            sent = attachments[str(file)]
            files[name] = Remote(sent["filename"], sent["url"], int(sent["size"]))
    return Answers(texts, files)
