"""The noun that says what somebody is: "man" of "Tom, a young man with a red cap". No torch here.

PhotoMaker (Li et al. 2023, arXiv 2312.04461) puts what a picture shows into that word alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.prompts import EDGES, tidy

PEOPLE = re.compile(
    r"\b(?:man|woman|boy|girl|person|child|kid|baby|toddler|teenager|guy|lady|gentleman"
    r"|grandma|grandpa)\b",
    re.IGNORECASE,
)
# What follows tells more of somebody, but not what it is.
MORE = re.compile(
    r"[,，.。;；、:：(]|\b(?:with|without|in|on|at|of|from|who|whose|which|that|wearing|holding)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"\w+(?:[-'’]\w+)*")


@dataclass(frozen=True)
class Noun:
    """A noun in the prompt of a shot: its letters from `start` to `end` mean whom a picture shows.

    `picture` is the name of the shot that has that picture.
    """

    picture: str
    start: int
    end: int


def class_noun(prompt: str, name: str, mentions: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Start and end of somebody's noun, among the letters of a prompt.

    `mentions` are the stretches that name or describe it (`words_of` of `engine.standing`), at
    least one. Of the description it is the first word for a human being, such as "girl"; else the
    last word before a comma or a "with", as "dragon" in "a small dragon with green wings"; else
    the last word of all. Whoever is not described goes by the last word of the name.
    """
    start, end = max(mentions, key=lambda stretch: stretch[1] - stretch[0])
    said = prompt[start + len(tidy(name)) : end].lstrip(EDGES)
    begin = end - len(said)
    more = MORE.search(said)
    first = [*WORD.finditer(said, 0, more.start() if more else len(said))]
    found = PEOPLE.search(said) or last(first) or last([*WORD.finditer(said)])
    if found is not None:
        return begin + found.start(), begin + found.end()
    named = last([*WORD.finditer(prompt, start, end)])
    return (start, end) if named is None else named.span()


def last(words: Sequence[re.Match[str]]) -> re.Match[str] | None:
    return words[-1] if words else None
