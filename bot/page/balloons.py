"""Balloons fitted to their words: lines set in the shape of a lens, a superellipse around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log

from bot.page.breaking import (
    MOST_BALANCED,
    SLACKS,
    Measured,
    break_lines,
    fill_lines,
    narrowest,
    raggedness,
)
from bot.page.lettering import TextBlock, stack, text_of

Point = tuple[float, float]
PADDING = 0.6  # ems between the text and the outline at its nearest
WIDE = 2.4  # width by height that a balloon should have
ROUNDEST = 1.15  # width by height that it has at least, if there is room
JUT = 18.0  # pixels by which a thought's puffs jut out
SENSE = 3.0  # how much more than in a caption lines should end where clauses do
ENOUGH = 4  # balloons that fit, to choose from


@dataclass(frozen=True)
class Body:
    """Set text and the superellipse |x/a|^n + |y/b|^n = 1 around it; `puff` juts out beyond.

    `half_width` and `half_height` are a and b in pixels, `exponent` is n.
    """

    block: TextBlock
    half_width: float
    half_height: float
    exponent: float
    puff: float = 0.0

    @property
    def width(self) -> float:
        return 2 * (self.half_width + self.puff)

    @property
    def height(self) -> float:
        return 2 * (self.half_height + self.puff)


@lru_cache(maxsize=256)
def balloon_body(text: str, language: str, limit: float, size: float, is_thought: bool) -> Body:
    """The balloon for the clean `text`, at most `limit` pixels wide, lines longest in the middle.

    Of several numbers of lines the one that gives the best proportions is taken.
    """
    puff = JUT if is_thought else 0.0
    room = (limit - 2 * puff) / size - 2 * PADDING
    pieces, measured = text_of(text, language).measured(room * 0.7)
    measured = measured.minding_clauses(SENSE)
    least = max(1, ceil(measured.sums[-1] / room))
    bodies: list[tuple[float, int, Body]] = []
    for count in range(least, 2 * least + 6, 1 + least // 8):
        ranges = _lens(measured, count)
        lines = text_of(text, language).lines(pieces, ranges)
        body = _around(stack(lines, size, "centre"), puff, limit)
        ugliness = _ugliness(body, limit) + _unevenness(measured, ranges)
        bodies.append((ugliness, len(bodies), body))
        if sum(body.width <= limit for _, _, body in bodies) == ENOUGH:
            break
    return min(bodies)[2]


def _lens(text: Measured, count: int) -> list[tuple[int, int]]:
    """About `count` lines, the longest in the middle, broken where it reads best."""
    profile = _profile(count)
    width = narrowest(text, profile, count)
    if len(text) > MOST_BALANCED:
        return fill_lines(text, [width * share for share in profile])
    trials = [break_lines(text, [width * slack * share for share in profile]) for slack in SLACKS]
    return min(trials, key=lambda lines: _unevenness(text, lines))


def _unevenness(text: Measured, lines: list[tuple[int, int]]) -> float:
    """How far lines are from a lens and badly broken, alike for few and many of them."""
    return 2 * raggedness(text, lines, _profile(len(lines))) / max(2, len(lines))


def _ugliness(body: Body, limit: float) -> float:
    """0 for the best proportions; very much for a balloon that does not fit."""
    too_wide = max(0.0, body.width / limit - 1)
    return 0.5 * abs(log(body.width / body.height / WIDE)) + 100 * too_wide


def _exponent(lines: int) -> float:
    """2 is an ellipse; many lines need squarer shoulders."""
    return 2.2 + 0.15 * lines


def _reach(lines: int) -> float:
    """How far up the half height the top of the text may come."""
    return lines / (lines + 0.95)


def chord(height: float, exponent: float) -> float:
    """Half the width of a superellipse of half width 1 at `height` of its half height."""
    return float((1 - min(height, 0.999) ** exponent) ** (1 / exponent))


def _profile(lines: int) -> list[float]:
    """How wide each line may be, the widest being 1."""
    chords = [
        chord(_reach(lines) * (abs(2 * line + 1 - lines) + 1) / lines, _exponent(lines))
        for line in range(lines)
    ]
    return [chord / max(chords) for chord in chords]


def _around(block: TextBlock, puff: float, limit: float) -> Body:
    """The smallest superellipse that holds every line, padding included."""
    count = max(1, len(block.lines))
    exponent, padding = _exponent(count), PADDING * block.size
    half = block.height / 2
    half_height = max(half / _reach(count), half + padding)
    half_width = 0.0
    pitch = block.height / count
    for number, line in enumerate(block.lines):
        top, bottom = number * pitch - half, (number + 1) * pitch - half
        share = chord(max(abs(top), abs(bottom)) / half_height, exponent)
        needed = line.shaped.width * block.size / 2 + padding
        half_width = max(half_width, needed / share)
    half_width = max(half_width, min(half_height * ROUNDEST, limit / 2 - puff))
    return Body(block, half_width, half_height, exponent, puff)
