"""What a text is made of: cleaned characters, and runs of one font and one direction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Any

from bidi import algorithm as bidi
from bidi.mirror import MIRRORED
from fontTools.unicodedata import script as script_of
from uniseg.emoji import emoji_presentation
from uniseg.graphemecluster import grapheme_clusters

from bot.page.fonts import FONTS, has_letter, is_readable, missing

JOINERS = "\u200b\u200c\u200d\u2060"  # format characters that lines and ligatures need
MOST_MARKS = 4  # marks on one letter; no language stacks more, "Zalgo" text stacks hundreds
COLOUR, KEYCAP = "\ufe0f", "\u20e3"  # the character before is an emoji; a boxed digit
NEUTRAL = {"Zyyy", "Zinh", "Zzzz"}  # characters of no script of their own
FONT_OF_SCRIPT = {
    "Arab": "arabic",
    "Hebr": "hebrew",
    "Thai": "thai",
    "Deva": "devanagari",
    "Latn": "latin",
    "Cyrl": "hand",
    "Grek": "hand",
}
CJK_SCRIPTS = {"Hani", "Hira", "Kana", "Bopo", "Hang"}


@dataclass(frozen=True)
class Run:
    """A stretch of a line in one font of `FONTS`; an odd bidi `level` reads right to left."""

    text: str
    font: str
    level: int


def clean(text: str) -> str:
    """`text` as it can be drawn: composed (NFC), spaces folded, nothing invisible or overriding.

    Broken surrogates become U+FFFD. Of a pile of marks on one letter the first `MOST_MARKS` stay.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    spaced = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", _space, unicodedata.normalize("NFC", whole))
    shown = "".join(c for c in _without_piles(spaced) if not _is_hidden(c))
    tidy = re.sub("  +", " ", "".join(map(_few_marks, grapheme_clusters(shown)))).strip()
    return tidy if any(_has_ink(c) for c in tidy) else ""


def _has_ink(character: str) -> bool:
    return unicodedata.category(character) not in ("Cf", "Zs") and not _is_selector(character)


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= COLOUR


def _without_piles(text: str) -> Iterator[str]:
    """The characters of `text`, of many marks in a row only the first: segmenting is slow then."""
    marks = 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= 4 * MOST_MARKS:
            yield character


def _space(match: re.Match[str]) -> str:
    """The first of some spaces when it is a wide or a no-break one, else a plain space."""
    first = match[0][0]
    return first if first in "\u3000\u00a0\u202f" else " "


def _is_hidden(character: str) -> bool:
    is_tag = "\U000e0020" <= character <= "\U000e007f"  # spells the flags of Scotland, Wales …
    return unicodedata.category(character) == "Cf" and character not in JOINERS and not is_tag


def _few_marks(cluster: str) -> str:
    """A grapheme without the marks that no font can put on its letter, and at most `MOST_MARKS`."""
    marks = [c for c in cluster[1:] if _is_mark(c)]
    if not marks:
        return cluster
    fonts = [name for name in FONTS if has_letter(name, cluster[0])]
    drawn = max(([m for m in marks if has_letter(f, m)] for f in fonts), key=len, default=marks)
    left = drawn[:MOST_MARKS]
    return cluster[0] + "".join(c for c in cluster[1:] if not _is_mark(c) or _take(left, c))


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me") and not _is_selector(character)


def without_marks(cluster: str) -> str:
    """What stands for itself in a grapheme: no marks, format characters or selectors."""
    return "".join(c for c in cluster if unicodedata.category(c) not in ("Mn", "Mc", "Me", "Cf"))


def _take(marks: list[str], mark: str) -> bool:
    """Whether `mark` is among `marks`; it is then taken out of them."""
    if mark not in marks:
        return False
    marks.remove(mark)
    return True


def cjk_language(text: str, others: Iterable[str] = ()) -> str:
    """Whose shapes Chinese characters take in `text`: ja, ko, zh-hant or zh-hans.

    `others` are texts of the same story; they decide when `text` has Chinese characters only.
    """
    characters = set(text)
    scripts = {script_of(c) for c in characters}
    if not scripts & {"Hira", "Kana", "Hang"}:
        characters = characters.union(*others)
        scripts = {script_of(c) for c in characters}
    if scripts & {"Hira", "Kana"}:
        return "ja"
    if "Hang" in scripts:
        return "ko"
    ideographs = "".join(c for c in characters if script_of(c) == "Hani")
    return "zh-hans" if _fits(ideographs, "gb2312") or not _fits(ideographs, "big5") else "zh-hant"


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def is_cjk(text: str) -> bool:
    return any(script_of(c) in CJK_SCRIPTS for c in text)


def direction(text: str) -> int:
    """0 when the text reads left to right, 1 when right to left: as its first letter does."""
    return int(bidi.get_base_level(text))


def needed_fonts(text: str, language: str) -> set[str]:
    """The fonts of `FONTS` that the letters of `text` ask for, there or not."""
    return set(_wanted(list(grapheme_clusters(text)), _Hand(text, language)))


@lru_cache(maxsize=1024)
def runs(text: str, language: str, face: str = "latin") -> tuple[Run, ...]:
    """The clean `text` cut where font or direction change, in reading order.

    `language` (as of `cjk_language`) says whose Chinese characters these are, `face` in which
    font of `FONTS` Latin letters are set where it has them all. Raises `UserError` when the font
    of a script is missing.
    """
    levels = _levels(text)
    start = 0
    pieces = []
    for cluster, font in _fonts(text, language, face):
        pieces.append(Run(cluster, font, levels[start]))
        start += len(cluster)
    joined = groupby(pieces, key=lambda piece: (piece.font, piece.level))
    return tuple(Run("".join(p.text for p in same), *key) for key, same in joined)


def in_drawing_order(line: list[Run]) -> list[Run]:
    """The runs of one line from left to right (UAX #9, rule L2)."""
    items: list[dict[str, int]] = [{"level": r.level, "place": i} for i, r in enumerate(line)]
    levels = [run.level for run in line]
    lowest_odd = min((level for level in levels if level % 2), default=1)
    bidi.reverse_contiguous_sequence(items, 0, len(items) - 1, max(levels, default=0), lowest_odd)
    return [line[item["place"]] for item in items]


def _levels(text: str) -> list[int]:
    """The embedding level of every character (UAX #9, rules W1 to I2)."""
    stand_in = {"BN": "\u0300", "": "A"}  # the library drops the former, fails on the unassigned
    visible = "".join(stand_in.get(unicodedata.bidirectional(c), c) for c in text)
    storage = bidi.get_empty_storage()
    storage["base_level"] = direction(text)
    bidi.get_embedding_levels(visible, storage)
    bidi.explicit_embed_and_overrides(storage)
    bidi.resolve_weak_types(storage)
    _resolve_brackets(storage["chars"], "R" if storage["base_level"] else "L")
    bidi.resolve_neutral_types(storage, False)
    bidi.resolve_implicit_levels(storage, False)
    return [character["level"] for character in storage["chars"]]


def _resolve_brackets(characters: list[dict[str, Any]], ours: str) -> None:
    """Gives both brackets of a pair one direction (UAX #9, rule N0), which the library does not.

    `ours` is the direction of the text: a pair has it unless all in it and before it is of the
    other one, or there are no letters in it.
    """
    strong = ["R" if c["type"] in ("EN", "AN") else c["type"] for c in characters]
    for opening, closing in _bracket_pairs(characters):
        inside = {kind for kind in strong[opening + 1 : closing] if kind in ("L", "R")}
        if not inside:
            continue
        before = (kind for kind in reversed(strong[:opening]) if kind in ("L", "R"))
        way = ours if ours in inside else next(before, ours)
        for place in (opening, closing):
            characters[place]["type"] = strong[place] = way


def _bracket_pairs(characters: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Where the brackets that belong together stand, in the order of the opening ones."""
    pairs = []
    waiting: list[tuple[str, int]] = []  # the closing bracket that each open one asks for
    for place, character in enumerate(characters):
        sign = character["ch"]
        category = unicodedata.category(sign) if character["type"] == "ON" else ""
        if category == "Ps" and sign in MIRRORED:
            waiting.append((MIRRORED[sign], place))
        elif category == "Pe" and (sign in [wanted for wanted, _ in waiting]):
            while waiting:
                wanted, opening = waiting.pop()
                if wanted == sign:
                    pairs.append((opening, place))
                    break
    return sorted(pairs)


class _Hand:
    """The fonts one caption is written in, so that its letters match one another."""

    def __init__(self, text: str, language: str, face: str = "latin") -> None:
        scripts = {script_of(c) for c in text}
        self.is_cjk = bool(scripts & CJK_SCRIPTS)
        self.cjk = language
        letters = [c for c in text if script_of(c) == "Latn" and c < "\uff00"]
        faces = () if scripts & {"Cyrl", "Grek"} else (face, "latin")
        readable = [name for name in faces if is_readable(FONTS[name])]
        whole = [name for name in readable if all(has_letter(name, c) for c in letters)]
        last = "hand" if is_readable(FONTS["latin"]) else "latin"
        self.latin = whole[0] if whole else last
        greek = [c for c in text if script_of(c) == "Grek"]
        self.is_ancient = not all(has_letter("hand", c) for c in greek)  # then all in one font

    def font(self, script: str) -> str:
        if script in CJK_SCRIPTS:
            return self.cjk
        if script == "Grek" and self.is_ancient:
            return "sans"
        name = FONT_OF_SCRIPT.get(script, self.latin)
        return self.latin if name == "latin" else name


def _fonts(text: str, language: str, face: str) -> Iterator[tuple[str, str]]:
    """Every grapheme cluster of `text` with the font that draws it."""
    hand = _Hand(text, language, face)
    clusters = list(grapheme_clusters(text))
    for cluster, wanted in zip(clusters, _wanted(clusters, hand), strict=True):
        if not is_readable(FONTS[wanted]):
            raise missing(FONTS[wanted])
        yield cluster, _covering(cluster, wanted, hand)


def _wanted(clusters: list[str], hand: _Hand) -> list[str]:
    """The font that should draw each cluster.

    Characters of no script follow the letter before them; opening brackets and quotes, and those
    with no letter before, the letter after.
    """
    own = [_own_font(cluster, hand) for cluster in clusters]
    after = _filled(own[::-1], hand.latin)[::-1]
    before = _filled(own, "")
    opens = [unicodedata.category(cluster[0]) in ("Pi", "Ps") for cluster in clusters]
    return [
        font or (a if is_open or not b else b)
        for font, b, a, is_open in zip(own, before, after, opens, strict=True)
    ]


def _filled(fonts: list[str], first: str) -> list[str]:
    """`fonts` with gaps and emoji replaced by what came before them."""
    return list(accumulate(fonts, lambda a, b: a if b in ("", "emoji") else b, initial=first))[1:]


def _own_font(cluster: str, hand: _Hand) -> str:
    """The font its script or its being an emoji gives a cluster; "" when it has none."""
    if emoji_presentation(cluster[0]) or COLOUR in cluster or KEYCAP in cluster:
        return "emoji"
    script = script_of(cluster[0])
    return "" if script in NEUTRAL else hand.font(script)


def _covering(cluster: str, wanted: str, hand: _Hand) -> str:
    """`wanted` when it has all of `cluster`, else the first font that has, or has all but marks.

    Of what no font has, `wanted` makes a visible box; the emoji font would leave nothing there.
    """
    drawn = [c for c in cluster if c not in JOINERS and not _is_selector(c)]
    for letters in (drawn, list(without_marks(cluster)) or drawn):
        for name in (wanted, hand.latin, "hand", hand.cjk, *FONTS):
            if all(has_letter(name, c) for c in letters):
                return name
    return wanted if wanted != "emoji" and is_readable(FONTS[wanted]) else "latin"
