"""Text fits: whatever the script and the length, its ink stays within the block."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from bot.page.lettering import TextBlock, draw_text, set_text
from bot.page.writing import cjk_language, clean

SCRIPTS = {
    "english": "Tom insists on tabs, Lisa on spaces; nobody “wins”! ",
    "chinese": "他们的争论升级成了肢体冲突，汤姆说：“你好”！",
    "traditional": "湯姆正在編寫一段程式碼，麗莎問他用的是什麼。",
    "japanese": "「タブとスペース、どっち？」とリサは聞いた。",
    "korean": "톰은 탭을 쓰고 리사는 스페이스를 쓴다. ",
    "arabic": "يكتب توم جزءًا من الشفرة البرمجية (Python 3)، لماذا؟ ",
    "hebrew": "תום כותב קוד (עם tab) ולא 4 רווחים! ",
    "thai": "ทอมกำลังเขียนโค้ดที่น้ำตก ปี่ป้า ",
    "russian": "Том пишет код, а Лиза спрашивает: tab или пробел? ",
    "greek": "Ο Τομ γράφει κώδικα. Τι θέλεις; ",
    "vietnamese": "Trần Hưng Đạo nói: “Không được!” ",
    "hindi": "टॉम कोड लिख रहा है। क्षत्रिय ",
    "emoji": "👍🏽👨‍👩‍👧‍👦🇫🇷🏴󠁧󠁢󠁥󠁮󠁧󠁿❤️1️⃣ ",
    "mixed": "Tom 👍🏽 说“tab”とリサ к тому же مرحبا 👨‍👩‍👧‍👦 ",
    "one long word": "Donaudampfschifffahrtsgesellschaftskapitän",
    "Zalgo": "Z̸̡̛̤a̴̢͍͐̏̕l̶͙̾̓g̸̨̞̬͂́̀͋̂o̶ ̷̙͝t̵̾̃̎͝e̵̢̛x̸̛̤t ",
}
EDGE = 60  # pixels around a block that must stay white


def block_of(text: str, limit: float = 420, size: float = 26) -> TextBlock:
    tidy = clean(text)
    return set_text(tidy, cjk_language(tidy), limit, size, "start")


def ink_outside(block: TextBlock) -> tuple[int, int, int, int] | None:
    """What is drawn outside the block, one pixel of rounding allowed."""
    page = Image.new("RGB", (int(block.width) + 2 * EDGE, int(block.height) + 2 * EDGE), "white")
    draw_text(page, block, EDGE, EDGE)
    page.paste(
        "white", (EDGE - 1, EDGE - 1, EDGE + int(block.width) + 2, EDGE + int(block.height) + 2)
    )
    return ImageChops.invert(page).getbbox()


@pytest.mark.parametrize("length", [1, 7, 40, 180, 700, 2000])
@pytest.mark.parametrize("script", SCRIPTS)
def test_ink_stays_inside_the_block_and_the_block_inside_its_limit(
    script: str, length: int
) -> None:
    block = block_of((SCRIPTS[script] * 2000)[:length])
    assert block.width <= 420
    assert ink_outside(block) is None


@pytest.mark.parametrize("script", [name for name in SCRIPTS if name not in ("Zalgo", "mixed")])
def test_no_text_is_cut(script: str) -> None:
    text = clean(SCRIPTS[script] * 5).replace(" ", "")
    narrow, wide = block_of(text, 300), block_of(text, 100_000)
    assert len(wide.lines) == 1
    assert sum(len(line.shaped.glyphs) for line in narrow.lines) >= len(wide.lines[0].shaped.glyphs)


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_leaves_ink(script: str) -> None:
    block = block_of(SCRIPTS[script])
    page = Image.new("RGB", (500, int(block.height) + 10), "white")
    draw_text(page, block, 5, 5)
    covered = sum(ImageChops.invert(page).convert("L").histogram()[128:])
    assert covered > 0.02 * block.width * block.height


@pytest.mark.parametrize("lacking", ["\u0378", "\U0001fae9"])
def test_a_character_that_no_font_has_becomes_a_visible_box(lacking: str) -> None:
    block = block_of(f"\U0001f9ff{lacking} \ue000")
    assert ink_outside(block) is None
    page = Image.new("RGB", (400, 100), "white")
    draw_text(page, block_of(lacking), 10, 10)
    assert ImageChops.invert(page).getbbox() is not None


def test_lines_are_balanced_so_that_none_holds_a_single_word() -> None:
    block = block_of("Lisa asks Tom whether he uses tabs or spaces.", limit=520, size=30)
    widths = [line.shaped.width for line in block.lines]
    assert len(widths) == 2
    assert min(widths) > 0.7 * max(widths)


def test_right_to_left_lines_end_at_the_same_right_edge() -> None:
    block = block_of(SCRIPTS["arabic"] * 2)
    ends = {round(line.x + line.shaped.right * block.size) for line in block.lines}
    assert len(block.lines) > 1
    assert ends == {round(block.width)}


@given(st.text(st.characters(codec=None), max_size=60))
@settings(max_examples=120, deadline=None)
def test_any_string_at_all_can_be_lettered(text: str) -> None:
    block = block_of(text, limit=300)
    assert block.width <= 300
    assert ink_outside(block) is None
