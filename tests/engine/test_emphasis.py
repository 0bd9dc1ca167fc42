"""Emphasis in brackets."""

from __future__ import annotations

import pytest

from engine.emphasis import HIGHEST, STEP, weighted


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a red hat", [("a red hat", 1.0)]),
        ("", [("", 1.0)]),
        ("a (red hat:1.3) on", [("a ", 1.0), ("red hat", 1.3), (" on", 1.0)]),
        ("a (red hat: 0.5)", [("a ", 1.0), ("red hat", 0.5)]),
        ("(rain)", [("rain", STEP)]),
        ("((rain))", [("rain", STEP * STEP)]),
        ("[fog], sun", [("fog", 1 / STEP), (", sun", 1.0)]),
        ("(a (b:1.5) c)", [("a ", STEP), ("b", 1.5 * STEP), (" c", STEP)]),
        (r"a \(red\) hat", [("a (red) hat", 1.0)]),
        ("((((((((((rain))))))))))", [("rain", HIGHEST)]),
        ("rain) and (fog", [("rain) and (fog", 1.0)]),
        ("a face :)", [("a face :)", 1.0)]),
        ("the station clock (12:30)", [("the station clock (12:30)", 1.0)]),
        ("a score of 3:1", [("a score of 3:1", 1.0)]),
        ("(a [b) c]", [("(a ", 1.0), ("b) c", 1 / STEP)]),
        ("夜里（下雨）", [("夜里（下雨）", 1.0)]),
        ("back\\slash\\", [("back\\slash\\", 1.0)]),
    ],
)
def test_brackets_weigh_words(prompt: str, pieces: list[tuple[str, float]]) -> None:
    assert weighted(prompt) == [(words, pytest.approx(weight)) for words, weight in pieces]
