"""What a guided dialog asks: a command's options or a form's fields, and which answers will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from adapters.telegram_commands import NO, YES
from bot.chat import Attachment, Bot, Call, CommandInfo, Form, Option, Value

MOST_OFFERS = 12  # buttons with answers under one question
KINDS = {str: "text", int: "number", bool: "yes_no", Attachment: "file"}


@dataclass(frozen=True)
class Question:
    """One thing to ask. `offers` are answers to press: (label, value)."""

    name: str
    text: str
    kind: str = "text"  # "number", "yes_no", "file"
    required: bool = True
    limit: int = 4000
    value: str | None = None  # what stands in a form already
    choices: tuple[str, ...] = ()
    suggests: bool = False
    lowest: int | None = None
    highest: int | None = None
    offers: tuple[tuple[str, Value], ...] = ()
    long: bool = False  # several lines

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Question:
        offers = tuple((label, value) for label, value in kept["offers"])
        return cls(**{**kept, "choices": tuple(kept["choices"]), "offers": offers})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Wrong(Exception):
    """An answer that will not do: a key of the catalogues and its values."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


@dataclass(frozen=True)
class Asking:
    """The questions of one command or form."""

    questions: tuple[Question, ...]
    given: dict[str, Value] = field(default_factory=dict)


def questions_of_command(
    bot: Bot, language: str | None, info: CommandInfo, given: Sequence[str]
) -> tuple[Question, ...]:
    """What a command lacks; one that was typed without anything is asked for all it can take.

    What finds its own value where it is left out (the story of this place) is not asked for.
    """
    bare = not given
    return tuple(
        question_of(bot, language, option)
        for option in sorted(info.options, key=lambda option: not option.required)
        if option.name not in given and (option.required or (bare and not option.suggests))
    )


def question_of(bot: Bot, language: str | None, option: Option) -> Question:
    yes_no = (
        (bot.say(language, "telegram.button_yes"), True),
        (bot.say(language, "telegram.button_no"), False),
    )
    offers = yes_no if option.kind is bool else tuple((name, name) for name in option.choices)
    return Question(
        option.name,
        bot.say(language, option.help),
        KINDS[option.kind],
        option.required,
        option.limit,
        None,
        option.choices,
        option.suggests,
        option.lowest,
        option.highest,
        offers,
        option.long,
    )


def questions_of_form(form: Form) -> tuple[Question, ...]:
    return tuple(
        Question(one.name, one.label, "text", one.required, one.limit, one.value, long=one.long)
        for one in form.fields
    )


async def with_offers(bot: Bot, call: Call, question: Question) -> Question:
    """The question with what the bot suggests for it."""
    if not question.suggests:
        return question
    found = await bot.suggest(call, question.name, "")
    return replace(question, offers=tuple(found[:MOST_OFFERS]))


def read_answer(question: Question, words: str) -> Value:
    """What was typed, as the question's kind. Raises Wrong."""
    words = words.strip()
    for label, value in question.offers:
        if words.casefold() == label.casefold():
            return value
    if question.kind == "number":
        return read_number(question, words)
    if question.kind == "yes_no":
        if words.lower() not in YES | NO:
            raise Wrong("commands.not_yes_no", option=question.name)
        return words.lower() in YES
    if question.kind == "file":
        raise Wrong("telegram.needs_picture")
    if question.choices and words not in question.choices:
        every = ", ".join(question.choices)
        raise Wrong("commands.no_choice", option=question.name, value=words[:40], every=every)
    if len(words) > question.limit:
        raise Wrong(
            "commands.too_long", option=question.name, limit=question.limit, length=len(words)
        )
    if not words:
        raise Wrong("commands.missing", option=question.name)
    return words


def read_number(question: Question, words: str) -> int:
    if not words.lstrip("-").isdecimal() or len(words) > 15:
        raise Wrong("commands.not_a_number", option=question.name)
    number = int(words)
    low, high = question.lowest, question.highest
    if high is not None and not (low or 0) <= number <= high:
        raise Wrong("commands.out_of_range", option=question.name, lowest=low or 0, highest=high)
    if low is not None and number < low:
        raise Wrong("commands.too_small", option=question.name, lowest=low)
    return number
