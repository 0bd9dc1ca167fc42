"""Typed commands: `/story new title:Tom and Lisa style:noir` becomes a command and its options."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.chat import Attachment, Bot, CommandInfo, Option, Value

QUOTES = {'"': '"', "“": "”", "'": "'", "「": "」", "«": "»"}
YES = frozenset({"yes", "true", "on", "1", "y", "是", "开"})
NO = frozenset({"no", "false", "off", "0", "n", "否", "关"})
NAMED = re.compile(
    r"(?<!\S)([A-Za-z_]{2,24})[:：](?!//)(?=(\s?))"
)  # perhaps an option; no URL, no time
MISTYPED = 0.74  # of the letters are alike: "lien" is "line", "tom" is not "top"
MISTYPED_NAME = 0.78  # with a capital: "Titel" is "title", "Lina" is not "line"
PROSE = 100  # characters: what may be longer is made of sentences
KINDS = {str: "text", int: "number", bool: "yes-no", Attachment: "file"}


class NotUnderstood(Exception):
    """A sentence of the web chat's own catalogue, and its values."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


@dataclass(frozen=True)
class Typed:
    """A command as it was typed. `missing` are required options that were not."""

    info: CommandInfo
    options: Mapping[str, Value]

    def missing(self, attached: Sequence[str] = ()) -> list[str]:
        given = {*self.options, *attached}
        return [option.name for option in self.info.options if is_missing(option, given)]


def is_missing(option: Option, given: set[str]) -> bool:
    return option.required and option.name not in given


def is_command(text: str) -> bool:
    return text.startswith(("/", "／")) and not text.startswith(("//", "/ "))


def read_command(text: str, commands: Sequence[CommandInfo]) -> Typed:
    """Raises NotUnderstood for a command that is not there or a value of the wrong kind."""
    words = text[1:].strip()
    for count in (2, 1):  # "story new" before "story"
        name = " ".join(words.split()[:count]).lower()
        info = next((one for one in commands if one.name == name), None)
        if info is not None:
            rest = re.sub(rf"^\s*(\S+\s*){{{len(name.split())}}}", "", words, count=1)
            return Typed(info, read_options(rest, info))
    near = _nearest(words, commands)
    if not near:
        raise NotUnderstood("no_such_command", typed="/" + words[:40])
    raise NotUnderstood("no_command", typed="/" + words[:40], nearest=near)


def _nearest(words: str, commands: Sequence[CommandInfo]) -> str:
    """The commands that may have been meant; "" if there is none."""
    names = [info.name for info in commands]
    typed = " ".join(words.split()[:2]).lower()
    of_group = [name for name in names if typed and name.split()[0] == typed.split()[0]]
    close = of_group or difflib.get_close_matches(typed, names, 3, 0.5)
    return ", ".join(f"/{name}" for name in close)


def read_options(rest: str, info: CommandInfo) -> dict[str, Value]:
    """`name:value` up to the next one; words before the first are the first text option's.

    A value in quotes may hold what looks like another option. Raises NotUnderstood for what is
    meant as an option, but is none.
    """
    by_name = {option.name: option for option in info.options}
    names = "|".join(map(re.escape, by_name)) or "(?!)"
    mark = re.compile(rf"(?:^|(?<=\s))({names})[:：]\s*")
    texts = {}
    found = mark.search(rest)
    before = rest[: found.start()] if found else rest
    if before.strip():
        _check_names(before, None, info)
        texts[_first_text(info).name] = before
    while found:
        following = mark.search(rest, _end_of_quotes(rest, found.end()))
        texts[found[1]] = rest[found.end() : following.start() if following else len(rest)]
        _check_names(texts[found[1]], by_name[found[1]], info)
        found = following
    return {name: read_value(by_name[name], text) for name, text in texts.items() if text.strip()}


def _check_names(text: str, option: Option | None, info: CommandInfo) -> None:
    """Refuses words with a colon that are meant as an option of the command, but are none.

    `option` is whose value the text is; None: it stands before all options. There a small word
    with something right after its colon can be nothing else, unless sentences are expected. In
    sentences ("Tom: hello") only what is like an option and has no space after it counts. A number
    and a choice hold no colon at all.
    """
    if text.strip()[:1] in QUOTES:
        return
    names = [one.name for one in info.options]
    closed = option is not None and (option.kind is not str or bool(option.choices))
    sentences = _is_prose(option or _first_text(info))
    for found in NAMED.finditer(text):
        typed, tight = found[1], not found[2]
        alike = MISTYPED if typed.islower() else MISTYPED_NAME
        near = difflib.get_close_matches(typed.lower(), names, 1, alike)
        first = option is None and not text[: found.start()].strip()
        meant = closed or (near and (tight or first or not sentences))
        if meant or (first and tight and typed.islower() and not sentences):
            raise NotUnderstood(
                "no_option",
                command=info.name,
                option=typed,
                nearest=difflib.get_close_matches(typed.lower(), names, 1, 0.0)[0],
                options=", ".join(names),
            )


def _is_prose(option: Option) -> bool:
    return option.kind is str and not option.choices and option.limit > PROSE


def _end_of_quotes(text: str, start: int) -> int:
    """Where the quoted words end that begin here; `start` where there are none."""
    closing = QUOTES.get(text[start : start + 1])
    end = re.compile(rf"{re.escape(closing)}(?=\s|$)").search(text, start + 1) if closing else None
    return end.end() if end else start


def _first_text(info: CommandInfo) -> Option:
    texts = [option for option in info.options if option.kind is not Attachment]
    first = sorted(texts, key=lambda option: not option.required)
    if not first:
        raise NotUnderstood("no_options", command=info.name)
    return first[0]


def read_value(option: Option, text: str) -> Value:
    text = text.strip()
    if option.kind is int:
        try:
            return int(text)
        except ValueError:
            raise NotUnderstood("not_number", option=option.name, typed=text[:40]) from None
    if option.kind is bool:
        if text.lower() not in YES | NO:
            raise NotUnderstood("not_yes_no", option=option.name, typed=text[:40])
        return text.lower() in YES
    if option.kind is Attachment:
        raise NotUnderstood("needs_file", option=option.name)
    if len(text) > 1 and QUOTES.get(text[0]) == text[-1]:
        return text[1:-1]
    return text


def read_form(info: CommandInfo, given: Mapping[str, Any]) -> dict[str, Value]:
    """Options that a form sent as JSON; empty ones and unknown ones are left out."""
    values: dict[str, Value] = {}
    for option in info.options:
        value = given.get(option.name)
        if isinstance(value, str) and value.strip():
            values[option.name] = value if option.kind is str else read_value(option, value)
        elif isinstance(value, bool | int) and isinstance(value, option.kind):
            values[option.name] = value
    return values


def as_typed(info: CommandInfo, options: Mapping[str, Value]) -> str:
    """The line that one would have typed, for the transcript."""
    parts = [f"/{info.name}"]
    for name, value in options.items():
        said = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
        parts.append(f"{name}:{said}")
    return " ".join(parts)


def command_table(bot: Bot, language: str | None) -> list[dict[str, Any]]:
    """What a page must know to complete commands and to make forms of them."""
    return [
        {
            "name": info.name,
            "help": bot.say(language, info.help),
            "manager_only": info.manager_only,
            "options": [_option_json(bot, language, option) for option in info.options],
        }
        for info in bot.commands
    ]


def _option_json(bot: Bot, language: str | None, option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "help": bot.say(language, option.help),
        "kind": KINDS[option.kind],
        "required": option.required,
        "choices": option.choices,
        "suggests": option.suggests,
        "lowest": option.lowest,
        "highest": option.highest,
        "limit": option.limit,
        "long": option.long,
    }
