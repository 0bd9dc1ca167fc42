"""Lines break where they may, and come out balanced."""

import pytest

from bot.page.breaking import Measured, balanced_lines, break_lines, fill_lines, units


def cut(text: str, language: str = "zh-hans") -> list[str]:
    return [text[unit.start : unit.end] for unit in units(text, language)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Tabs, or spaces?", "zh-hans"),
        ("他说：“你好”！用tab。", "zh-hans"),
        ("「タブ」とリサは聞いた。", "ja"),
        ("ทอมกำลังเขียนโค้ด", "zh-hans"),
        ("톰은 탭을 쓰고", "ko"),
        ("👨‍👩‍👧‍👦👍🏽", "zh-hans"),
    ],
)
def test_units_joined_are_the_text(text: str, language: str) -> None:
    assert "".join(cut(text, language)) == text


def test_no_line_begins_with_closing_punctuation_or_ends_with_opening() -> None:
    pieces = cut("他说：“你好”！（真的）「タブ、ース」")
    assert not any(piece[0] in "，。：！”）」、ー" for piece in pieces)
    assert not any(piece[-1] in "“（「" for piece in pieces)


def test_thai_breaks_between_words_though_it_has_no_spaces() -> None:
    assert cut("ทอมกำลังเขียนโค้ด") == ["ทอม", "กำลัง", "เขียน", "โค้ด"]


def measured(*widths: float, costs: tuple[float, ...] = ()) -> Measured:
    return Measured(list(costs or (0.0,) * len(widths)), [w + 0.3 for w in widths], list(widths))


def test_lines_are_about_equally_long() -> None:
    text = measured(2, 2, 2, 2, 2, 2)
    assert fill_lines(text, [11.5]) == [(0, 5), (5, 6)]
    assert balanced_lines(text, 11.5) == [(0, 3), (3, 6)]


def test_a_costly_break_is_avoided() -> None:
    text = measured(2, 2, 2, 2, costs=(0.0, 2.0, 0.0, 0.0))
    assert all(end != 2 for _, end in balanced_lines(text, 7.0))


def test_each_line_keeps_to_its_own_limit() -> None:
    text = measured(*[1.0] * 12)
    limits = [3.0, 7.0, 3.0]
    for line, limit in zip(break_lines(text, limits), limits, strict=False):
        assert text.line(*line) <= limit
