"""Emphasis as people type it for Stable Diffusion: `(red hat:1.3)`, `((rain))`, `[fog]`.

`(words)` count 1.1 times as much, `(words:1.3)` 1.3 times, `[words]` 1.1 times less; brackets
inside of each other multiply. `\\(` is a bracket and nothing else, and so are brackets without a
partner and those around what is no weight, as in "(12:30)". In a panel, square brackets hold names
and are gone before a prompt comes here.
"""

from __future__ import annotations

import re

STEP = 1.1
LOWEST, HIGHEST = 0.1, 2.0  # weights; others spoil a picture, or were never meant as weights
CLOSES = {")": "(", "]": "["}
TOKEN = re.compile(r"\\([\\()\[\]])|:\s*(\d*\.?\d+)\s*\)|([()\[\]])|([^\\()\[\]:]+|.)", re.DOTALL)

Piece = tuple[str, float]  # words and their weight


def weighted(prompt: str) -> list[Piece]:
    """The prompt in pieces of one weight each; one piece where nothing is emphasised."""
    pieces: list[Piece] = []
    opened: list[tuple[str, int]] = []  # brackets, and how many pieces stand before each
    for token in TOKEN.finditer(prompt):
        escaped, weight, bracket, words = token.groups()
        if bracket in ("(", "["):
            opened.append((bracket, len(pieces)))
        elif weight is not None and opened and opened[-1][0] == "(":
            _, start = opened.pop()
            if LOWEST <= float(weight) <= HIGHEST:
                multiply(pieces, start, float(weight))
            else:
                pieces.insert(start, ("(", 1.0))
                pieces.append((token[0], 1.0))
        elif bracket and opened and opened[-1][0] == CLOSES[bracket]:
            _, start = opened.pop()
            multiply(pieces, start, STEP if bracket == ")" else 1 / STEP)
        else:
            pieces.append((escaped or words or token[0], 1.0))
    for bracket, start in reversed(opened):
        pieces.insert(start, (bracket, 1.0))
    return merged(pieces)


def up_to(prompt: str, letter: int) -> str:
    """What stands before a letter, with those brackets closed that close after it."""
    closing, inner = "", 0  # `inner`: brackets that open and close after it
    for bracket in re.findall(r"\\.|[()\[\]]", prompt[letter:], re.DOTALL):
        if bracket in ("(", "["):
            inner += 1
        elif bracket in CLOSES and inner:
            inner -= 1
        elif bracket in CLOSES:
            closing += bracket
    return prompt[:letter] + closing


def multiply(pieces: list[Piece], start: int, weight: float) -> None:
    pieces[start:] = [(words, before * weight) for words, before in pieces[start:]]


def merged(pieces: list[Piece]) -> list[Piece]:
    """Neighbours of one weight as one piece, weights within bounds."""
    result: list[Piece] = []
    for words, weight in pieces:
        weight = min(HIGHEST, max(LOWEST, weight))
        if result and result[-1][1] == weight:
            words = result.pop()[0] + words
        result.append((words, weight))
    return result or [("", 1.0)]
