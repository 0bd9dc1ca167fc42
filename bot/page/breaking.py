"""Where lines break: allowed places by UAX #14, good ones by phrase, balanced over the lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise

import budoux
from fontTools.unicodedata import script as script_of
from uniseg.graphemecluster import grapheme_clusters
from uniseg.linebreak import line_break_boundaries

IN_PHRASE = 0.25  # what a break inside a Chinese or Japanese phrase costs
IN_EOJEOL = 0.6  # … and one inside a Korean word, which may be broken but should not
EXTRA_LINE = 0.35  # … and one line more than are needed
IN_WORD = 4.0  # … and one inside a word that is wider than the line
AFTER_CLAUSE = -0.08  # … and one after a comma or a full stop earns
NOTHING = 1e-6  # ems: the width of a text without any
MOST_BALANCED = 150  # units; a longer text is a paragraph whose last line may be short
SLACKS = (1.0, 1.06, 1.12, 1.2, 1.3)  # widths to try, as shares of the narrowest
ENDS_CLAUSE = re.compile(r"[.,;:!?…،؛؟。，、！？；：][\"'”’」』）)]*\s*$")
PHRASES: dict[str, Callable[[], budoux.Parser]] = {
    "ja": budoux.load_default_japanese_parser,
    "thai": budoux.load_default_thai_parser,
    "zh-hans": budoux.load_default_simplified_chinese_parser,
    "zh-hant": budoux.load_default_traditional_chinese_parser,
}


@dataclass(frozen=True)
class Unit:
    """Characters [start, end) that stay together, trailing spaces with them.

    `cost` is what a line pays that ends here.
    """

    start: int
    end: int
    cost: float = 0.0


@cache
def _parser(name: str) -> budoux.Parser:
    return PHRASES[name]()


def units(text: str, language: str) -> list[Unit]:
    """`text` cut at every place where a line may end."""
    allowed = set(line_break_boundaries(text))
    scripts = {script_of(c) for c in text}
    phrases: set[int] = set()
    if "Thai" in scripts:
        phrases = _phrase_ends(text, "thai")
        allowed |= {end for end in phrases if _between(text, end, {"Thai"})}
    if scripts & {"Hani", "Hira", "Kana"} and language in PHRASES:
        phrases |= _phrase_ends(text, language)
    ends = sorted(allowed - {0})
    return [Unit(s, e, _cost(text, e, phrases)) for s, e in pairwise([0, *ends])]


def _phrase_ends(text: str, name: str) -> set[int]:
    return set(accumulate(len(phrase) for phrase in _parser(name).parse(text)))


def _between(text: str, place: int, scripts: set[str]) -> bool:
    """Whether the characters on both sides of `place` are of these scripts."""
    return place < len(text) and all(script_of(c) in scripts for c in text[place - 1 : place + 1])


def _cost(text: str, end: int, phrases: set[int]) -> float:
    before = text[max(0, end - 4) : end]
    if ENDS_CLAUSE.search(before):
        return AFTER_CLAUSE
    if before.endswith((" ", "-")) or end in phrases or end == len(text):
        return 0.0
    return IN_EOJEOL if script_of(before[-1]) == "Hang" else IN_PHRASE


def split_wide(
    text: str, pieces: Sequence[Unit], width_of: Callable[[int, int], float], limit: float
) -> list[Unit]:
    """`pieces` of `text` with those wider than `limit` cut into graphemes, at a high cost."""
    result = []
    for piece in pieces:
        if width_of(piece.start, piece.end) <= limit:
            result.append(piece)
            continue
        letters = list(grapheme_clusters(text[piece.start : piece.end]))
        ends = list(accumulate(map(len, letters), initial=piece.start))
        cut = [Unit(start, end, IN_WORD) for start, end in pairwise(ends)]
        result += [*cut[:-1], Unit(cut[-1].start, cut[-1].end, piece.cost)]
    return result


class Measured:
    """The widths of units, from which the width of any line of them follows."""

    def __init__(self, costs: list[float], full: list[float], bare: list[float]) -> None:
        self.costs = costs  # of a break after each unit
        self.full, self.bare = full, bare  # widths with and without trailing spaces
        self.sums = [0.0, *accumulate(full)]

    def __len__(self) -> int:
        return len(self.bare)

    def minding_clauses(self, times: float) -> Measured:
        """The same text with what a break after a clause earns multiplied."""
        return Measured([c * times if c < 0 else c for c in self.costs], self.full, self.bare)

    def line(self, start: int, end: int) -> float:
        """Width of a line of the units [start, end), its trailing space left out."""
        return self.sums[end - 1] - self.sums[start] + self.bare[end - 1]


State = tuple[int, int]  # units set so far, and the number of the next line; or a range of units


def fill_lines(text: Measured, limits: Sequence[float]) -> list[State]:
    """Greedy lines; line i is at most `limits[i]` wide, or one unit; the last limit repeats."""
    lines: list[State] = []
    start = 0
    while start < len(text):
        limit = limits[min(len(lines), len(limits) - 1)]
        end = start + 1
        while end < len(text) and text.line(start, end + 1) <= limit:
            end += 1
        lines.append((start, end))
        start = end
    return lines


def narrowest(text: Measured, profile: Sequence[float], lines: int) -> float:
    """The smallest width in which the text takes at most `lines` lines.

    Line i is `profile[i]` times that width.
    """
    low = max(text.bare, default=0.0)
    high = max(low, text.sums[-1]) / min(profile)
    for _ in range(14):
        middle = (low + high) / 2
        fits = len(fill_lines(text, [middle * share for share in profile])) <= lines
        low, high = (low, middle) if fits else (middle, high)
    return high


def balanced_lines(text: Measured, limit: float) -> list[State]:
    """As few lines as `limit` allows, about equally long and broken at good places."""
    if len(text) > MOST_BALANCED:
        return break_lines(text.minding_clauses(0), [limit])
    count = len(fill_lines(text, [limit]))
    tightest = [narrowest(text, [1.0], lines) for lines in (count, count + 1)]
    widths = {min(limit, width * slack) for width in tightest for slack in SLACKS}
    trials = [break_lines(text, [width]) for width in sorted(widths)]
    return min(
        (lines for lines in trials if len(lines) <= count + 1),
        key=lambda lines: raggedness(text, lines, [1.0]) + EXTRA_LINE * (len(lines) - count),
        default=trials[-1],
    )


def raggedness(text: Measured, lines: Sequence[State], profile: Sequence[float]) -> float:
    """How uneven the lines are, line i compared with `profile[i]`, and badly broken."""
    widths = [text.line(*line) / profile[min(i, len(profile) - 1)] for i, line in enumerate(lines)]
    widest = max(widths, default=0.0) or 1.0
    breaks = sum(text.costs[end - 1] for _, end in lines[:-1])
    return breaks + sum((1 - width / widest) ** 2 for width in widths)


def break_lines(text: Measured, limits: Sequence[float]) -> list[State]:
    """The least ragged lines, as ranges of units; line i is at most `limits[i]` wide.

    Dynamic programming over (unit, line) after Knuth and Plass, "Breaking paragraphs into
    lines", with the square of the free space as the badness. Lines beyond `limits` are as wide
    as the last of them; where all are alike the line's number is left out of the state.
    """
    last = 0 if len(set(limits)) == 1 else len(limits) - 1
    best: dict[State, tuple[float, State]] = {(0, 0): (0.0, (0, 0))}
    for start in range(len(text)):
        for line in range(last + 1):
            if (start, line) in best:
                limit = max(limits[line], NOTHING)
                _extend(best, text, (start, line), limit, min(line + 1, last))
    return _trace(best, len(text))


def _extend(
    best: dict[State, tuple[float, State]], text: Measured, state: State, limit: float, after: int
) -> None:
    """Try every line that begins at `state` and is at most `limit` wide, or one unit."""
    so_far = best[state][0]
    for end in range(state[0] + 1, len(text) + 1):
        free = 1 - text.line(state[0], end) / limit
        if free < 0 and end > state[0] + 1:
            return
        is_long_text_end = end == len(text) > MOST_BALANCED
        cost = so_far + text.costs[end - 1] + (0.0 if is_long_text_end else free**2)
        if (end, after) not in best or cost < best[end, after][0]:
            best[end, after] = (cost, state)


def _trace(best: dict[State, tuple[float, State]], count: int) -> list[State]:
    """The ranges of units that led to the cheapest way of setting all `count`."""
    state = min((key for key in best if key[0] == count), key=lambda key: best[key][0])
    lines: list[State] = []
    while state[0] > 0:
        before = best[state][1]
        lines.insert(0, (before[0], state[0]))
        state = before
    return lines
