"""People whom a panel mentions but does not show: their names go from the words that a model reads.

To a model every name is somebody to draw, also in "[Lisa] looks at Tom's code". Who is to be seen
stands in brackets; of anybody else "Tom's code" leaves "the code", and "waves at Tom" "waves".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

_CJK = "㐀-鿿"
# After one of these the name is an ordinary word, as in "the Cat", and is drawn as that.
_ORDINARY = ("a", "an", "the", "this", "that", "his", "her", "its", "my", "your", "our", "their")
_ORDINARY_ZH = "个只条位头匹名朵"
_LINKS = (
    "next to", "in front of", "instead of", "away from", "about", "after", "against", "and", "at",
    "behind", "beside", "by", "for", "from", "like", "near", "of", "or", "than", "to", "towards",
    "toward", "with", "without",
)  # fmt: skip
_LINKS_ZH = "和与跟同向对给被把像为"
_SHORTEST_ZH = 2  # letters; one alone is a part of too many words


def without_names(words: str, names: Iterable[str]) -> str:
    """The words without the names: of what belongs to somebody the thing stays, and no more.

    A name that is an ordinary word stays where it is used as one: "a Rose", "一只小猫". Spaces and
    commas that meet are left to `tidy` of `engine.prompts`.
    """
    for name in sorted(names, key=len, reverse=True):  # "Tom Sawyer" before "Tom"
        for pattern, instead in _patterns(name.strip()):
            words = pattern.sub(instead, words)
    return words


@cache
def _patterns(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """What is looked for, and what takes its place, in this order."""
    letters = re.findall(f"[{_CJK}]", name)
    if not name or (len(letters) == len(name) < _SHORTEST_ZH):
        return ()
    if letters:
        found = f"(?<![{_ORDINARY_ZH}]){re.escape(name)}"
    else:
        inside_a_word = rf"[^\W{_CJK}]"
        ordinary = "".join(rf"(?<!(?i:\b{word})\s)" for word in _ORDINARY)
        found = f"(?<!{inside_a_word}){ordinary}{re.escape(name)}(?!{inside_a_word})"
    links = "|".join(map(re.escape, _LINKS))
    return (
        (re.compile(rf"[和与]\s*{found}\s*的"), "的"),
        (re.compile(rf"{found}\s*的\s*"), ""),
        (re.compile(rf"(?i:{found})(?:['’][sS]|(?<=s)['’])(?=\s+\w)"), "the"),
        (re.compile(rf"[{_LINKS_ZH}]\s*{found}|(?i:\b(?:{links}))\s+{found}(?:['’]s)?"), ""),
        (re.compile(f"{found}(?:['’]s)?"), ""),
    )
