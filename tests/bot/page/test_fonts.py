"""The fonts are there, and a missing one, or a letter that none has, is said in a sentence."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import Refusal, UserError
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
    "sans": "μῆνιν",
}
UNLETTERED = {  # captions with letters that no font has; the letters and the script to be named
    "Tom: தமிழ் வணக்கம்": ("“தமிழ்”", "Tamil"),
    "আমি ভালো আছি": ("“আমি”", "Bengali"),
    "გამარჯობა": ("“გამ”", "Georgian"),
    "Բարեւ": ("“Բար”", "Armenian"),
    "សួស្តី": ("“សួស្តី”", "Khmer"),
    "ሰላም": ("“ሰላም”", "Ethiopic"),
    "నమస్తే": ("“నమస్తే”", "Telugu"),
    "ສະບາຍດີ": ("“ສະບ", "Lao"),
    "မင်္ဂလာပါ": ("“မင်္ဂ”", "Myanmar"),
    "ආයුබෝවන්": ("“ආයුබෝ”", "Sinhala"),
    "བཀྲ་ཤིས": ("“བཀྲ་”", "Tibetan"),
    "ᎣᏏᏲ": ("“ᎣᏏᏲ”", "Cherokee"),
    "𝓗𝓮𝓵𝓵𝓸": ("“𝓗”", "mathematical bold script capital h"),
    "fine 𝕏": ("“𝕏”", "mathematical double-struck capital x"),
    "new \U0001fae9": ("“", "U+1FAE9"),
    "\U0001faea": ("“", "U+1FAEA"),
    "👨\u200d\U0001fae9": ("“👨", "U+1FAE9"),
    "\u0bbe": ("“\u0bbe”", "Tamil"),
}
LETTERED = [
    "Tom insists on tabs; déjà vu, Ærøskøbing, Łódź, İstanbul, Țară, Þór, ŋ, ə — ﬁne!",
    "他们的争论升级成了肢体冲突，汤姆说：“你好”！《书》、……——",
    "湯姆正在編寫一段程式碼「什麼」。ㄅㄆㄇ",
    "「タブとスペース、どっち？」ﾊﾝｶｸ ・〜♪ ％＃",
    "톰은 탭을 쓰고 ㅋㅋㅋ \u1112\u1161\u11ab",
    "يكتب توم جزءًا من الشفرة، لماذا؟ ١٢٣ پژچگ می\u200cخواهم ﷺ",
    "תום כותב קוד שָׁלוֹם ״כן״ ₪",
    "ทอมกำลังเขียนโค้ดที่น้ำตก ปี่ป้า ๑๒๓ ฿",
    "Том пишет код, ёлка, їжак, ўсё, љубав, қазақ №1 ₽",
    "Ο Τομ γράφει κώδικα· τι θέλεις;",
    "टॉम कोड लिख रहा है। क्षत्रिय १२३ ₹",
    "Trần Hưng Đạo nói: “Không được!” ₫",
    "👍🏽 👨‍👩‍👧‍👦 🇫🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️ 1️⃣ #️⃣ 😀 🥹 🫨 🩷 🏳️‍🌈 ❤️‍🔥 🧑🏿‍🚀 ☕ ⚠️ ☎️ ❤︎ ✔️",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ¡¿«»‹›„“”‘’‚…–—‑·•°±×÷§¶†‡‰′″",
    "Ἀχιλλεὺς ἐν Τροίᾳ, μῆνιν ἄειδε θεά",
    "₿ ⅓ ⅔ ⅛ H₂O xⁿ ⸘ ✗ ✘ ☐ ☒ ❦ ♔ ♕ ⌥ ⌫",
    "€£¥¢©®™½¼¾²³≤≥≠≈∞√→←↑↓⇒★☆♪♫♥✓■□●○◆①㊗",
    "e\u0301 s\u0323\u0307 o\u0300\u0300\u0300 Z̸̡̛̤a̴̢͍͐̏",
    "a\u200bb\u200dc\u2060d\u00ade\ufefff\u200e",
    "a\u00a0b\u202fc\u2003d\u3000e\u2009f\x07",
    "a\ufe0f ❤\ufe0e 葛\U000e0100 x\U000e0100 \u034f \U000e0100",
    "a\u0bbe a\u0bcd",  # marks that no font has, on a letter that one has
    "",
    " \u200b ",
]


def test_every_font_can_be_read() -> None:
    assert all(is_readable(source) for source in FONTS.values())


def test_shipped_fonts_carry_their_licence_and_stay_under_14_megabytes() -> None:
    files = [file for file in SHIPPED.iterdir() if file.suffix in (".ttf", ".otf")]
    licence = (SHIPPED / "OFL.txt").read_text(encoding="utf-8")
    assert all(file.name in licence for file in files)
    assert sum(file.stat().st_size for file in files) < 14_000_000


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


@pytest.mark.parametrize("caption", UNLETTERED)
def test_a_caption_with_letters_that_no_font_has_is_refused_naming_them(caption: str) -> None:
    letters, script = UNLETTERED[caption]
    with pytest.raises(UserError) as caught:
        check_fonts(["fine", caption])
    sentence = str(caught.value)
    assert sentence.startswith("no font here has the ")
    assert letters in sentence
    assert f"({script}): " in sentence
    assert "\n" not in sentence
    refusal = caught.value
    assert isinstance(refusal, Refusal)
    assert "这里没有字体能写" in refusal.say("zh")
    assert letters in refusal.say("zh")


@pytest.mark.parametrize("caption", LETTERED)
def test_a_caption_whose_letters_some_font_has_is_not_refused(caption: str) -> None:
    check_fonts([caption])
