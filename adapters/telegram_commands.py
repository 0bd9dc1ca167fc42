"""Commands as people type them on Telegram: `/story_new Tabs`, `/meme top=When … bottom=…`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from telegram import BotCommand

from bot.chat import Attachment, Bot, CommandInfo, Option, Value

LONGEST_HELP = 256  # characters of a command's line in the menu
YES = frozenset({"yes", "true", "on", "1", "y", "是", "开"})
NO = frozenset({"no", "false", "off", "0", "n", "否", "关"})
TYPED = re.compile(r"[/／]([A-Za-z0-9_]{1,64})(?:@(\w+))?(?=\s|$)[ \t]?(.*)", re.DOTALL)
TWO = ("top", "bottom")  # of a meme: "When it compiles | but not in production"
BRACKETS = ("[", "【", "［")
BETWEEN = re.compile(r"\s+[|｜]\s+")


@dataclass(frozen=True)
class Typed:
    """A command as it was typed: its word, whom it is for, and the rest."""

    word: str
    bot: str | None
    rest: str


def read_command(text: str) -> Typed | None:
    """The command that a message is, if it is one."""
    match = TYPED.fullmatch(text.strip())
    return Typed(match[1].lower(), match[2], match[3].strip(" ")) if match else None


def may_be_script(text: str) -> bool:
    """Whether it may be a whole script: several lines with a name in brackets. The bot knows."""
    return "\n" in text.strip() and any(bracket in text for bracket in BRACKETS)


def word_of(info: CommandInfo) -> str:
    """ "story new" is typed as /story_new."""
    return info.name.replace(" ", "_")


def named(commands: Sequence[CommandInfo], typed: Typed) -> tuple[CommandInfo, str] | None:
    """The command that is meant, and what follows it: /story_new and "/story new" are the same."""
    by_word = {word_of(info): info for info in commands}
    first, _, rest = typed.rest.partition(" ")
    two = by_word.get(f"{typed.word}_{first.lower()}") if first else None
    if typed.word not in by_word and two is not None:
        return two, rest
    info = by_word.get(typed.word)
    return (info, typed.rest) if info is not None else None


def group_of(commands: Sequence[CommandInfo], word: str) -> list[CommandInfo]:
    """The commands whose first word it is: all that /story may mean."""
    return [info for info in commands if info.name.split()[0] == word and " " in info.name]


def read_options(rest: str, info: CommandInfo) -> dict[str, Value]:
    """`name=value` (or `name:value`) up to the next one; what stands before goes to the rest.

    The rest are the options that were not named, in turn, those that are required first.
    """
    takes = {option.name: option for option in info.options if option.kind is not Attachment}
    names = "|".join(map(re.escape, takes)) or "(?!)"
    mark = re.compile(rf"(?:^|(?<=\s))({names})(?:\s?[=＝]\s*|[:：](?=\S))")
    found = list(mark.finditer(rest))
    before = rest[: found[0].start()] if found else rest
    values: dict[str, Value] = {}
    for match, following in zip(found, [*found[1:], None], strict=False):
        words = rest[match.end() : following.start() if following else len(rest)].strip()
        if words:
            values[match[1]] = read_value(takes[match[1]], words)
    free = [option for option in takes.values() if option.name not in values]
    in_turn = sorted(free, key=lambda option: not option.required)
    return {**read_in_turn(before.strip(" "), in_turn), **values}


def read_in_turn(words: str, options: Sequence[Option]) -> dict[str, Value]:
    """Numbers and choices take a word each; texts take the rest, parted by " | " or lines."""
    values: dict[str, Value] = {}
    left, unfit = words, ""
    for index, option in enumerate(options):
        if not left.strip():
            break
        first, _, after = left.lstrip().partition(" ")
        if is_text(option):
            return {**values, **read_texts(left, [o for o in options[index:] if is_text(o)])}
        if fits(option, first):
            values[option.name], left = read_value(option, first), after
            continue
        unfit = unfit or option.name
        if option.required:
            break
    if left.strip() and unfit:  # for the bot to say what would have been right
        values[unfit] = left.strip()
    return values


def fits(option: Option, word: str) -> bool:
    """Whether a word is a value of an option that is no text."""
    if option.kind is int:
        return word.lstrip("-").isdecimal() and len(word) < 16
    return word in option.choices or (option.kind is bool and word.lower() in YES | NO)


def is_text(option: Option) -> bool:
    return option.kind is str and not option.choices


def read_texts(words: str, options: Sequence[Option]) -> dict[str, Value]:
    """The first text; after " | " the next one; where lines follow, they are the long one's."""
    first, options = options[0], [o for o in options if o is options[0] or not o.suggests]
    if first.long:
        return {first.name: words.strip()}
    values: dict[str, Value] = {}
    head, line, lines = words.partition("\n")
    long = next((option for option in options if option.long), None)
    if line and long is not None:
        values[long.name] = lines.strip()
        words = head
    parts = BETWEEN.split(words.strip(), maxsplit=len(options) - 1)
    if len(parts) == len(TWO) and set(TWO) <= {option.name for option in options}:
        return dict(zip(TWO, parts, strict=True))
    for option, part in zip(options, parts, strict=False):
        if part.strip():
            values.setdefault(option.name, part.strip())
    return values


def read_value(option: Option, words: str) -> Value:
    """The words as the option's kind; as they are where they are none, for the bot to refuse."""
    if option.kind is int and words.lstrip("-").isdecimal() and len(words) < 16:
        return int(words)
    if option.kind is bool and words.lower() in YES | NO:
        return words.lower() in YES
    return words


def missing(info: CommandInfo, given: Collection[str]) -> list[Option]:
    """The required options that were not given."""
    return [option for option in info.options if option.required and option.name not in given]


def menu(bot: Bot, language: str | None, *, manager: bool = False) -> list[BotCommand]:
    """The commands that Telegram shows beside the field where one types."""
    start = BotCommand("start", bot.say(language, "telegram.help_start"))
    shown = [info for info in bot.commands if manager or not info.manager_only]
    return [
        start,
        *(BotCommand(word_of(i), bot.say(language, i.help)[:LONGEST_HELP]) for i in shown),
    ]
