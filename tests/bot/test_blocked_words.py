"""Words that a server does not want to see."""

from __future__ import annotations

import pytest

from bot.blocked_words import blocked_word, folded_words


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("Tabs", "tabs!"),
        ("tabs", "use ＴＡＢＳ."),
        ("tabs", "[Tom] types tabs #Tabs?"),
        ("tabs", "ta\u200bbs"),
        ("ta\u00adbs", "tabs"),
        ("straße", "STRASSE"),
        ("bad word", "a  bad\n word"),
        ("傻瓜", "你是傻瓜吗"),
        ("ばか", "ばかだ"),
        ("tabs", "用tabs吧"),
        ("कम", "यह कम है"),
        ("дурак", "Дурак!"),
        ("💩", "a💩b"),
        ("c#", "in C# it is"),
        ("tabs", "stabs, but tabs too"),
    ],
)
def test_a_word_is_found_in_any_spelling(word: str, text: str) -> None:
    folded = folded_words(word)
    assert blocked_word(["other", folded], ["nothing", text]) == folded


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("tabs", "stabs"),
        ("tabs", "tabsy"),
        ("tabs", "tabs2"),
        ("ass", "class"),
        ("कम", "कमी"),
        ("дурак", "дураками"),
        ("바보", "바보가"),
        ("傻瓜", "傻 瓜"),
        ("tabs", ""),
    ],
)
def test_a_part_of_a_longer_word_is_not(word: str, text: str) -> None:
    assert blocked_word([folded_words(word)], [text]) is None


def test_without_blocked_words_nothing_is_looked_at() -> None:
    assert blocked_word([], iter(["anything"])) is None
    assert blocked_word([""], ["anything"]) is None
