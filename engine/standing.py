"""Who stands where in a panel of several, and which of its words are whose. No torch here.

"[Tom] on the right, [Lisa] behind him", "右边是[丽莎]", "[Tom] behind [Lisa]": where words say a
place it is kept, and whoever has none stands where there is room, in the order of naming.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.prompts import BRACKETED, same_name, tidy

CJK = "㐀-鿿"
MARGIN = 0.03  # of a panel's width, free on both sides of a box
HEIGHTS = {"back": (0.05, 0.8), "": (0.05, 1.0), "front": (0.25, 1.0)}  # of boxes, by depth

_SIDE = r"(left|right|middle|cent(?:re|er))"
_EN_SIDE = re.compile(
    rf"\b(?:on|at|in) (?:the |his |her |their )?(?:far |very )?{_SIDE}(?:(?:[- ]hand)? side)?\b"
    r"(?![ -](?:of|hand|arm|foot|leg|eye|ear|shoulder|pocket|shoe)\b)"
    rf"|\(\s*{_SIDE}\s*\)|\b{_SIDE}\s*[:：]",
    re.IGNORECASE,
)
_EN_DEPTH = re.compile(r"\bin (?:the )?(back|front|fore)(?:ground\b|\b(?! of\b))", re.IGNORECASE)
_EN_RELATION = re.compile(
    r"(?:\b(behind)|\b(in front of)|\b(left|right)(?:(?:[- ]hand)? side)? of)\s*$", re.IGNORECASE
)
_ZH_SIDE = re.compile(r"(左|右|中)(?:手?边|侧|面|方|间|央)(?!的)|(左|右|中)\s*[:：]")
_ZH_DEPTH = re.compile(r"(后|前)(?:面|边|方|景)(?!的)|(背景|远处)|(近处)")
_ZH_RELATION = re.compile(
    r"\s*的?(?:(左|右)(?:手?边|侧|面|方)|(后面|后边|后方|背后|身后)|(前面|前边|前方|面前|身前))"
)
_ZH_AT = re.compile(r"[在于到]\s*$")
_CLAUSES = re.compile(r"[,，;；、.。]|\band\b|[和与]", re.IGNORECASE)
_WORDS = {
    "左": "left", "右": "right", "中": "middle", "centre": "middle", "center": "middle",
    "behind": "back", "in front of": "front", "fore": "front", "后": "back", "前": "front",
    "背景": "back", "远处": "back", "近处": "front",
}  # fmt: skip


@dataclass(frozen=True)
class Box:
    """A part of a panel; 0..1 of its width and height, from its left and top edge."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Figure:
    """Somebody in a panel of several: where it stands at first, and its words in the prompt.

    words: (start, end) of each stretch of letters that names or describes it.
    """

    box: Box
    words: tuple[tuple[int, int], ...]


@dataclass
class _Said:
    """What a panel's words say of places; characters go by their `same_name` keys."""

    sides: dict[str, str] = field(default_factory=dict)  # left, middle, right
    depths: dict[str, str] = field(default_factory=dict)  # back, front
    beside: list[tuple[str, str, str]] = field(default_factory=list)  # who, side, of whom


def boxes(text: str, keys: Sequence[str]) -> list[Box]:
    """A box for each of a panel's characters, whose `same_name` keys come in order of naming."""
    said = _read(text, keys)
    places = _in_order(keys, said)
    width = 1 / len(keys)
    found = []
    for key in keys:
        left = places.index(key) * width
        top, bottom = HEIGHTS[said.depths.get(key, "")]
        found.append(Box(left + MARGIN, top, left + width - MARGIN, bottom))
    return found


def _read(text: str, keys: Sequence[str]) -> _Said:
    said = _Said()
    pieces = BRACKETED.split(text)  # words, name, words, name, …, words
    names = [same_name(name) for name in pieces[1::2]]
    between = pieces[0::2]  # between[i] stands before names[i]
    for i, name in enumerate(names[:-1]):
        _read_relation(said, name, names[i + 1], between[i + 1 : i + 3])
    leads = [_lead(between[0], first=True), *(_lead(words) for words in between[1:-1])]
    for i, name in enumerate(names):
        own = between[i + 1]
        if i + 1 < len(names):
            own = own.rstrip(" ,，;；、")
            own = own[: len(own) - len(leads[i + 1])]
        if i > 0 and _ZH_AT.search(between[i]):
            own = _ZH_RELATION.sub("", own, count=1)  # "[A]在[B]后面" says nothing of B
        for words in (leads[i], own):
            _read_place(said, name, words)
    said.beside = [(a, side, b) for a, side, b in said.beside if a in keys and b in keys]
    return said


def _lead(words: str, *, first: bool = False) -> str:
    """The clause before a name, which may say where it stands: "…, on the left [Tom]"."""
    clauses = _CLAUSES.split(words.rstrip(" ,，;；、"))
    return clauses[-1] if first or len(clauses) > 1 else ""


def _read_relation(said: _Said, name: str, other: str, words: Sequence[str]) -> None:
    """For "[Tom] behind [Lisa]", "[Tom]在[丽莎]左边"; words: before and after the other's name."""
    match = _EN_RELATION.search(words[0])
    if match is None and _ZH_AT.search(words[0]):
        match = _ZH_RELATION.match(words[1])
        if match and not match[1]:
            said.depths.setdefault(name, "back" if match[2] else "front")
            return
    elif match and not match[3]:
        said.depths.setdefault(name, _meant(match))
        return
    if match:
        said.beside.append((name, _meant(match), other))


def _read_place(said: _Said, name: str, words: str) -> None:
    for pattern, into in (
        (_EN_SIDE, said.sides), (_ZH_SIDE, said.sides),
        (_EN_DEPTH, said.depths), (_ZH_DEPTH, said.depths),
    ):  # fmt: skip
        match = pattern.search(words)
        if match:
            into.setdefault(name, _meant(match))


def _meant(match: re.Match[str]) -> str:
    word = str(next(filter(None, match.groups()))).lower()
    return _WORDS.get(word, word)


def _in_order(keys: Sequence[str], said: _Said) -> list[str]:
    """The characters from left to right."""
    left = [key for key in keys if said.sides.get(key) == "left"]
    right = [key for key in keys if said.sides.get(key) == "right"]
    middle = [key for key in keys if said.sides.get(key) == "middle"]
    free = [key for key in keys if key not in said.sides]
    inner: list[str] = free
    for key in middle:
        inner.insert(max(0, (len(keys) - 1) // 2 - len(left)), key)
    order = [*left, *inner, *right]
    for who, side, other in said.beside:
        a, b = order.index(who), order.index(other)
        if (a < b) != (side == "left"):
            order[a], order[b] = order[b], order[a]
    return order


def words_of(
    prompt: str, descriptions: Mapping[str, str]
) -> dict[str, tuple[tuple[int, int], ...]]:
    """Where a prompt names or describes each of its characters: (start, end) of letters.

    `descriptions` has what is said of each name; behind the first mention it follows. What is said
    of somebody may name somebody else, and is still said of the first.
    """
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in descriptions}
    names = sorted(descriptions, key=len, reverse=True)  # "Tom Sawyer" before "Tom"
    described = [(name, descriptions[name]) for name in names if descriptions[name]]
    for name, description in (*described, *((name, "") for name in names)):
        taken = [span for spans in found.values() for span in spans]
        for match in _mention(name, description).finditer(prompt):
            if not any(start < match.end() and match.start() < end for start, end in taken):
                found[name].append(match.span())
    return {name: tuple(sorted(spans)) for name, spans in found.items()}


def _mention(name: str, description: str) -> re.Pattern[str]:
    """A name, with what is said of it where that is not ""."""
    inside_a_word = rf"[^\W{CJK}]"
    described = rf"[,，]\s*{re.escape(tidy(description))}" if description else ""
    return re.compile(
        f"(?<!{inside_a_word}){re.escape(tidy(name))}(?!{inside_a_word}){described}"
        if not re.search(f"[{CJK}]", name)
        else re.escape(tidy(name)) + described
    )
