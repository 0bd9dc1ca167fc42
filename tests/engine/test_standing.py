"""Where the words of a panel put its characters, and which of the words are theirs."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from engine.standing import HEIGHTS, Box, boxes, words_of


def order(text: str, names: str) -> str:
    """Who stands where, from left to right."""
    found = dict(zip(names, boxes(text, list(names)), strict=True))
    return "".join(sorted(found, key=lambda name: found[name].left))


def depth(box: Box) -> str:
    return next(name for name, height in HEIGHTS.items() if height == (box.top, box.bottom))


@pytest.mark.parametrize(
    ("text", "left_to_right"),
    [
        ("[a] and [b] argue", "ab"),
        ("[b] and [a] and [c] in the park", "bac"),
        ("[a] on the right, [b] on the left", "ba"),
        ("[a] on the right waves to [b]", "ba"),
        ("on the right [a], on the left [b]", "ba"),
        ("On the right, [a], on the left, [b]", "ba"),
        ("[a] (right) and [b] (left)", "ba"),
        ("right: [a], left: [b]", "ba"),
        ("[a], [b] on the left side, [c] in the middle", "bca"),
        ("[a] in the middle, [b] and [c]", "bac"),
        ("[a] to the right of [b], both wave", "ba"),
        ("[a] waves, on the far left [b] sleeps", "ba"),
        ("[a] and [b] and [c] and [d] on the left", "dabc"),
        ("[a] left the office, [b] is right", "ab"),
        ("[a] holds a cup in the right hand, [b] too", "ab"),
        ("[a] in the middle of the road, [b], [c]", "abc"),
        ("[a]在右边，[b]在左边", "ba"),
        ("右边是[a]，左边是[b]", "ba"),
        ("右：[a]，左：[b]", "ba"),
        ("[a]站在[b]的右边", "ba"),
        ("[a]、[b]和[c]，[a]在中间", "bac"),
        ("[a]看着左边的桌子，[b]在笑", "ab"),
        ("[a]和[b]在左手写字", "ab"),
    ],
)
def test_places_come_from_words_else_from_the_order_of_naming(
    text: str, left_to_right: str
) -> None:
    named = "".join(dict.fromkeys(re.findall(r"\[(\w)\]", text)))
    assert order(text, named) == left_to_right


@pytest.mark.parametrize(
    ("text", "depths"),
    [
        ("[a] and [b]", ("", "")),
        ("[a] behind [b]", ("back", "")),
        ("[a] hides behind the desk, [b] waves", ("", "")),
        ("[a] in front of [b]", ("front", "")),
        ("[a] in the background, [b] in the foreground", ("back", "front")),
        ("[a] in front of the house, [b] sits", ("", "")),
        ("[a]躲在[b]身后", ("back", "")),
        ("[a]站在[b]的前面，笑着", ("front", "")),
        ("[a]在后面，[b]在前面", ("back", "front")),
        ("背景里是[a]，[b]在看书", ("back", "")),
    ],
)
def test_behind_and_in_front_are_kept(text: str, depths: tuple[str, str]) -> None:
    assert tuple(map(depth, boxes(text, ["a", "b"]))) == depths


@pytest.mark.parametrize("count", [2, 3, 4])
def test_boxes_lie_beside_each_other_in_the_panel(count: int) -> None:
    names = "abcd"[:count]
    found = boxes(" ".join(f"[{name}]" for name in names), list(names))
    assert all(0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1 for box in found)
    assert all(a.right < b.left for a, b in pairwise(found))


def said(prompt: str, descriptions: dict[str, str]) -> dict[str, list[str]]:
    return {
        name: [prompt[start:end] for start, end in spans]
        for name, spans in words_of(prompt, descriptions).items()
    }


def test_a_characters_words_are_its_names_and_its_description() -> None:
    prompt = "Tom, a man with glasses, and Tom Sawyer, a boy, at Tom's desk, tomatoes, comic"
    assert said(prompt, {"Tom": "a man with  glasses.", "Tom Sawyer": "a boy"}) == {
        "Tom": ["Tom, a man with glasses", "Tom"],
        "Tom Sawyer": ["Tom Sawyer, a boy"],
    }


def test_a_description_that_names_another_character_stays_its_own() -> None:
    prompt = "Tom, a boy, friend of Lisa, and Lisa, a girl, walk, Lisa left of Tom"
    assert said(prompt, {"Tom": "a boy, friend of Lisa", "Lisa": "a girl"}) == {
        "Tom": ["Tom, a boy, friend of Lisa", "Tom"],
        "Lisa": ["Lisa, a girl", "Lisa"],
    }


def test_words_are_found_in_chinese_and_without_a_description() -> None:
    prompt = "丽莎，一个女人，短发，和汤姆在公园，漫画"
    assert said(prompt, {"丽莎": "一个女人，短发", "汤姆": ""}) == {
        "丽莎": ["丽莎，一个女人，短发"],
        "汤姆": ["汤姆"],
    }
