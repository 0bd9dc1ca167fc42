"""How long names and texts may be, and which characters they may not hold.

What is stored is what these return: one line, single spaces. Raises Refusal, with the limit.
"""

from __future__ import annotations

import re

from bot.errors import Refusal
from bot.lines import MAX_LINE, UNPRINTABLE, folded
from bot.script import MAX_CHARACTERS
from engine.prompts import same_name

MAX_TITLE = 80  # characters, as all of these
MAX_NAME = 40
MAX_DESCRIPTION = 2_000
MAX_WORDS = MAX_LINE  # of a panel, or its caption
MAX_CAST = MAX_CHARACTERS
MAX_SEED = 2**32 - 1
# They turn around the words that follow, also those of others on the same line.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
SCRIPT_MARKS = re.compile("[][#【】［］＃]")


def checked_title(text: str) -> str:
    """A story's title; may be empty."""
    return checked(text, "title", MAX_TITLE, turning=False)


def checked_name(text: str) -> str:
    """A name in a cast: not empty."""
    name = checked(text, "name", MAX_NAME, turning=False)
    if not name:
        raise Refusal("store.no_name")
    return name


def checked_character_name(text: str) -> str:
    """A saved character's name, which must be able to stand in the brackets of a script."""
    name = checked_name(text)
    mark = SCRIPT_MARKS.search(name)
    if mark:
        raise Refusal("store.mark_in_name", mark=mark.group())
    if same_name(name) in ("", "nc"):
        raise Refusal("store.name_taken", name=name)
    return name


def checked_description(text: str) -> str:
    """What somebody looks like; may be empty."""
    return checked(text, "description", MAX_DESCRIPTION)


def checked_words(text: str) -> str:
    """A panel's picture words or its caption."""
    return checked(text, "words", MAX_WORDS)


def checked_seed(seed: int) -> int:
    if not 0 <= seed <= MAX_SEED:
        raise Refusal("store.seed", limit=MAX_SEED)
    return seed


def checked(text: str, kind: str, limit: int, *, turning: bool = True) -> str:
    """One line of at most `limit` characters; unless `turning`, without direction overrides."""
    odd = UNPRINTABLE.search(text) or (None if turning else TURNING.search(text))
    if odd:
        raise Refusal("store.odd_character", code=f"U+{ord(odd.group()):04X}")
    line = folded(text)
    if len(line) > limit:
        raise Refusal(f"store.long_{kind}", limit=limit, length=len(line))
    return line


def harmless_name(text: str) -> str:
    """A name that a chat gives, which nobody can correct: cut and cleaned, perhaps to nothing."""
    return folded(TURNING.sub("", UNPRINTABLE.sub("", text[: 10 * MAX_NAME])))[:MAX_NAME].strip()
