"""The fonts are there, and a missing one is said in a sentence."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.page.fonts import FONTS, SHIPPED, is_readable
from bot.page.lettering import check_fonts

WORDS = {
    "latin": "hello",
    "hand": "привет",
    "zh-hans": "汉语",
    "zh-hant": "漢語",
    "ja": "ひらがな",
    "ko": "한국어",
    "arabic": "مرحبا",
    "hebrew": "שלום",
    "thai": "สวัสดี",
    "devanagari": "नमस्ते",
    "emoji": "👍",
}


def test_every_font_can_be_read() -> None:
    assert all(is_readable(source) for source in FONTS.values())


def test_shipped_fonts_carry_their_licence_and_stay_under_13_megabytes() -> None:
    files = [file for file in SHIPPED.iterdir() if file.suffix in (".ttf", ".otf")]
    licence = (SHIPPED / "OFL.txt").read_text(encoding="utf-8")
    assert all(file.name in licence for file in files)
    assert sum(file.stat().st_size for file in files) < 13_000_000


def test_nothing_is_said_when_all_fonts_are_there() -> None:
    check_fonts(WORDS.values())


@pytest.mark.parametrize("name", WORDS)
def test_a_missing_font_is_named_with_its_script_and_what_to_do(name: str, tmp_path: Path) -> None:
    fonts = {**FONTS, name: replace(FONTS[name], file=tmp_path / "gone.ttf")}
    with pytest.raises(UserError) as caught:
        check_fonts([WORDS[name]], fonts)
    sentence = str(caught.value)
    assert FONTS[name].script in sentence
    assert FONTS[name].remedy in sentence
    assert "\n" not in sentence


def test_a_file_that_is_no_font_counts_as_missing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"not a font")
    fonts = {**FONTS, "thai": replace(FONTS["thai"], file=broken)}
    with pytest.raises(UserError, match="Thai"):
        check_fonts([WORDS["thai"]], fonts)


def test_fonts_that_no_text_needs_may_be_missing(tmp_path: Path) -> None:
    gone = {name: replace(FONTS[name], file=tmp_path / name) for name in FONTS if name != "latin"}
    check_fonts(["only Latin letters, 123"], {**FONTS, **gone})
