"""Memes: words of any script fit on any picture, and what cannot be lettered is refused."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from bot.errors import Refusal
from bot.page.lettering import placed_glyphs
from bot.page.meme import LONGEST, TALLEST, WIDTHS, meme
from bot.page.poster import MOST_LINES, OUTLINE, Room, draw_poster, poster_block
from bot.page.writing import clean

GREEN = (90, 160, 90)
SCRIPTS = {
    "english": "One does not simply merge on a Friday ",
    "chinese": "这个需求很简单，明天就能上线吧？",
    "japanese": "「タブとスペース、どっち？」とリサは聞いた。",
    "korean": "톰은 탭을 쓰고 리사는 스페이스를 쓴다. ",
    "arabic": "عندما يعمل الكود من المحاولة الأولى ",
    "hebrew": "תום כותב קוד (עם tab)! ",
    "thai": "ตอนที่โค้ดทำงานได้ ปี่ป้า ",
    "hindi": "टॉम कोड लिख रहा है। क्षत्रिय ",
    "russian": "Когда код работает ",
    "vietnamese": "Trần Hưng Đạo nói: Không được! ",
    "emoji": "👍🏽👨‍👩‍👧‍👦🇫🇷❤️🔥 ",
    "one long word": "Donaudampfschifffahrtsgesellschaftskapitän",
    "Zalgo": "Z̸̡̛̤a̴̢͍͐̏̕l̶͙̾̓g̸̨̞̬͂́̀͋̂o̶ ",
}
HOSTILE = ["\ud83d\udc00", "a" + "\u0301" * 199, "W" * 200, "﷽" * 20, "\U0010ffff\ue000\ufffe"]


def picture(width: int = 256, height: int = 256, mode: str = "RGB", form: str = "PNG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, height), GREEN).convert(mode).save(file, form)
    return file.getvalue()


def opened(png: bytes) -> Image.Image:
    image = Image.open(BytesIO(png))
    assert image.format == "PNG"
    return image.convert("RGB")


def lettered(image: Image.Image) -> tuple[int, int, int, int]:
    """The box of all that is not the green of the picture."""
    difference = ImageChops.difference(image, Image.new("RGB", image.size, GREEN))
    box = difference.getbbox()
    assert box is not None
    return box


@pytest.mark.parametrize("length", [1, 40, LONGEST])
@pytest.mark.parametrize("script", SCRIPTS)
def test_words_of_every_script_stay_inside_the_picture_and_off_its_middle(
    script: str, length: int
) -> None:
    words = (SCRIPTS[script] * LONGEST)[:length]
    image = opened(meme(picture(), top=words, bottom=words))
    left, top, right, bottom = lettered(image)
    assert left > 0
    assert top > 0
    assert right < image.width
    assert bottom < image.height
    middle = image.crop((0, round(0.33 * image.height), image.width, round(0.67 * image.height)))
    assert middle.getcolors() == [(middle.width * middle.height, GREEN)]


@pytest.mark.parametrize("script", SCRIPTS)
def test_short_words_take_one_to_three_lines_in_letters_that_fill_the_room(script: str) -> None:
    room = Room(1000, 280, 40, 140)
    block = poster_block(clean((SCRIPTS[script] * 3)[:40]), room)
    assert 1 <= len(block.lines) <= 3
    assert block.size >= room.smallest
    assert block.size == room.largest or block.width > 800 or block.height > 240
    assert block.width + 2 * OUTLINE * block.size <= room.width + 1
    assert block.height + 2 * OUTLINE * block.size <= room.height + 1


def test_long_words_take_more_lines_before_they_get_too_small() -> None:
    block = poster_block("汤姆正在写代码，莉莎问他用的是什么。" * 11, Room(1000, 300, 36, 140))
    assert 3 < len(block.lines) <= MOST_LINES
    assert block.size >= 30


def test_latin_words_are_set_in_the_poster_face_and_others_in_their_own() -> None:
    def fonts(text: str) -> set[str]:
        block = poster_block(clean(text), Room(900, 300, 30, 120))
        return {glyph.font for glyph, _, _ in placed_glyphs(block, 0, 0)}

    assert fonts("Nope, naïve façade!") == {"poster"}
    assert fonts("赢麻了 in Python") == {"zh-hans", "poster"}
    assert fonts("код и tab") == {"hand"}


def test_letters_are_white_with_black_around_them() -> None:
    page = Image.new("RGB", (400, 200), GREEN)
    draw_poster(page, poster_block("III", Room(300, 120, 30, 120)), 100, 40)
    row = [page.getpixel((x, 100)) for x in range(400)]
    first = next(x for x, colour in enumerate(row) if colour != GREEN)
    assert row[first + 2] == (0, 0, 0)
    assert (255, 255, 255) in row[first : first + 40]


def test_cyrillic_and_greek_are_in_capitals_and_the_greek_ones_bear_no_accent() -> None:
    room = Room(900, 300, 30, 120)
    assert poster_block("код", room) == poster_block("КОД", room)
    assert poster_block("τώρα", room) == poster_block("ΤΩΡΑ", room)


def test_a_caption_stands_in_a_white_bar_above_the_whole_picture() -> None:
    bare = opened(meme(picture(), bottom="x"))
    image = opened(meme(picture(), caption="Nobody: … My linter at 3 in the morning:"))
    height = image.height - bare.height
    assert height > 60
    bar = image.crop((0, 0, image.width, height))
    assert bar.getpixel((2, 2)) == (255, 255, 255)
    assert len(bar.getcolors(100_000)) > 10
    below = image.crop((0, height, image.width, image.height))
    assert below.getcolors() == [(below.width * below.height, GREEN)]


def test_a_caption_can_stand_with_words_below() -> None:
    both = opened(meme(picture(), caption="老板：这个功能很简单。", bottom="我"))
    assert both.height > opened(meme(picture(), bottom="我")).height


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 900), (900, 1), (64, 64), (1024, 300), (400, 1024), (3000, 2000)]
)
def test_a_picture_of_any_size_becomes_one_with_room_for_letters(size: tuple[int, int]) -> None:
    image = opened(meme(picture(*size), top="Why", bottom="not"))
    assert 540 <= image.width <= WIDTHS[1]
    assert 432 <= image.height <= TALLEST


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16"])
def test_a_picture_of_any_mode_is_taken(mode: str) -> None:
    if mode == "I;16":
        file = BytesIO()
        Image.new("I;16", (40, 40)).save(file, "PNG")
        content = file.getvalue()
    else:
        content = picture(40, 40, mode)
    opened(meme(content, top="Hm"))


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF"])
def test_a_picture_of_other_formats_is_taken(form: str) -> None:
    opened(meme(picture(form=form), top="Hm"))


@pytest.mark.parametrize("content", [b"", b"no picture", picture()[:60]])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        meme(content, top="Hm")


@pytest.mark.parametrize("words", [{}, {"top": "  "}, {"bottom": "\u202e\u200b", "caption": "\n"}])
def test_a_meme_without_words_is_refused(words: dict[str, str]) -> None:
    with pytest.raises(Refusal) as caught:
        meme(picture(), **words)
    assert caught.value.key == "meme.no_words"


@pytest.mark.parametrize("place", ["top", "bottom", "caption"])
def test_longer_words_are_refused_with_the_limit_in_both_languages(place: str) -> None:
    meme(picture(), **{place: f" {'a' * LONGEST} "})
    with pytest.raises(Refusal) as caught:
        meme(picture(), **{place: "a" * (LONGEST + 1)})
    assert "200" in caught.value.say("en")
    assert "201" in caught.value.say("zh")
    assert caught.value.say("en") != caught.value.say("zh")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_break_nothing(text: str) -> None:
    opened(meme(picture(), top=text, bottom=text, caption=text))


@given(st.text(st.characters(codec=None), max_size=LONGEST))
@settings(max_examples=15, deadline=None)
def test_anything_can_be_lettered(text: str) -> None:
    opened(meme(picture(), top=text, caption="x"))


def test_several_threads_make_the_same_bytes_as_one() -> None:
    words = list(SCRIPTS.values())[1:7]
    alone = [meme(picture(), top=text) for text in words]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: meme(picture(), top=text), words)) == alone
