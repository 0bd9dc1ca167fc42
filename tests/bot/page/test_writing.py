"""Texts are cleaned and cut into runs of one font and one direction."""

import pytest
from bidi import get_display

from bot.page.writing import Run, cjk_language, clean, direction, in_drawing_order, runs


@pytest.mark.parametrize(
    ("dirty", "tidy"),
    [
        ("  two\t\n words ", "two words"),
        ("e\u0301te\u0301", "été"),
        ("evil\u202egnp.exe\u2066", "evilgnp.exe"),
        ("half \ud83d", "half \ufffd"),
        ("a pair \ud83d\ude00", "a pair 😀"),
        ("nul\x00 bell\x07", "nul bell"),
        ("\ufeff\u200e", ""),
        ("family 👨‍👩‍👧‍👦 stays", "family 👨‍👩‍👧‍👦 stays"),
        ("flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿 stays", "flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿 stays"),
        ("wide　space", "wide　space"),
    ],
)
def test_a_text_is_cleaned_without_losing_words(dirty: str, tidy: str) -> None:
    assert clean(dirty) == tidy


def test_a_pile_of_marks_keeps_its_letter_and_a_few_marks() -> None:
    assert clean("o" + "\u0300" * 500 + "k").replace("\u0300", "") in ("ok", "òk")
    assert len(clean("o" + "\u0300" * 500 + "k")) <= 6


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("汤姆正在编写一段代码。", "zh-hans"),
        ("湯姆正在編寫一段程式碼。", "zh-hant"),
        ("タブとスペース", "ja"),
        ("톰은 탭을 쓰고", "ko"),
        ("no ideographs at all", "zh-hans"),
    ],
)
def test_the_language_of_chinese_characters_is_seen(text: str, language: str) -> None:
    assert cjk_language(text) == language


def test_a_caption_of_chinese_characters_only_follows_the_rest_of_its_story() -> None:
    assert cjk_language("大丈夫", ["どうしたの？"]) == "ja"


def test_each_script_has_its_font_and_punctuation_follows_its_neighbours() -> None:
    found = [(run.text, run.font) for run in runs("他说“tab”。", "zh-hans")]
    assert found == [("他说", "zh-hans"), ("“tab”", "latin"), ("。", "zh-hans")]


def test_all_latin_letters_of_a_text_share_one_font() -> None:
    assert {run.font for run in runs("Trần Hưng Đạo said no", "zh-hans")} == {"hand"}
    assert {run.font for run in runs("Tom пишет код", "zh-hans")} == {"hand"}
    assert {run.font for run in runs("τι θέλεις", "zh-hans")} == {"hand"}
    assert {run.font for run in runs("μῆνιν ἄειδε", "zh-hans")} == {"sans"}


@pytest.mark.parametrize("emoji", ["👍🏽", "👨‍👩‍👧‍👦", "🇫🇷", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️", "1️⃣"])
def test_an_emoji_sequence_is_one_run_of_the_emoji_font(emoji: str) -> None:
    assert runs(f"a{emoji}b", "zh-hans")[1] == Run(emoji, "emoji", 0)


def drawn(text: str) -> list[str]:
    """The words of one line in the order in which they stand from left to right."""
    line = in_drawing_order(list(runs(text, "zh-hans")))
    return [run.text.strip() for run in line if not run.text.isspace()]


def test_arabic_reads_from_the_right_and_its_latin_words_from_the_left() -> None:
    text = "يكتب Tom كود"
    assert direction(text) == 1
    assert drawn(text) == ["كود", "Tom", "يكتب"]


def test_a_line_that_starts_in_latin_keeps_its_arabic_words_in_place() -> None:
    assert drawn("Tom يكتب كود now") == ["Tom", "يكتب كود", "now"]


def as_drawn(text: str) -> str:
    """The characters of one line from left to right; brackets are not mirrored yet."""
    line = in_drawing_order(list(runs(text, "zh-hans")))
    return "".join(run.text[::-1] if run.level % 2 else run.text for run in line)


def test_both_brackets_of_a_pair_go_the_way_of_the_line() -> None:
    assert drawn("עברית (mixed) 42%.")[-2:] == ["(", "עברית"]
    for text in (
        "עברית (mixed) 42%.",
        "مرحبا (world) hello [١٢ a]",
        "Tom said (مرحبا) and (كود a) 12",
        "abc (אבג (d) 1) ] ( אב",
        "אבג ([a) b] 「c」 d",
    ):
        assert as_drawn(text) == get_display(text), text  # the library's other way, in Rust
