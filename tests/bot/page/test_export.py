"""Exports: ordered, complete, readable by others, and the same bytes every time."""

import time
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from PIL import Image
from PIL.PdfParser import PdfParser

from bot.errors import Refusal, UnknownChoice
from bot.page.export import FORMATS, Book, export, file_name
from bot.script import parse_script

SCRIPT = "[Tom] a programmer with glasses\n\n[Tom] at a desk #他疯了吗？\n"


def flat(number: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (120 + number, 80), (20 * number % 256, 90, 200)).save(file, "PNG")
    return file.getvalue()


def book(pages: int = 3, pictures: int = 12) -> Book:
    drawn = [flat(50 + number) for number in range(pictures)]
    return Book("Tab or space? 制表符", [flat(n) for n in range(pages)], drawn, SCRIPT, "Ann", "en")


def only(files: list[tuple[str, bytes]]) -> bytes:
    assert len(files) == 1
    return files[0][1]


def test_a_pdf_has_every_page_in_order_at_its_size_and_the_title() -> None:
    with PdfParser(buf=only(export(book(), "pdf"))) as parsed:
        widths = [parsed.read_indirect(page)[b"MediaBox"][2] for page in parsed.pages]
        assert widths == pytest.approx([(120 + n) * 72 / 150 for n in range(3)], abs=0.01)
        assert parsed.info.Title == "Tab or space? 制表符"
        assert parsed.info.Author == "Ann"


def test_a_cbz_has_its_pages_in_the_order_of_their_names() -> None:
    many = [flat(number) for number in range(120)]
    with ZipFile(BytesIO(only(export(replace(book(), pages=many), "cbz")))) as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
        assert names == sorted(names)
        assert [archive.read(name) for name in names] == many
        assert archive.testzip() is None


def test_the_comic_info_tells_title_writer_language_and_pages() -> None:
    hard = replace(book(), title="<b>\x00 & \ud800\u202e“x”\ufffe", language="zh")
    with ZipFile(BytesIO(only(export(hard, "cbz")))) as archive:
        root = ElementTree.fromstring(archive.read("ComicInfo.xml"))
    facts = {child.tag: child.text for child in root if child.tag != "Pages"}
    expected = {"Title": "<b> & “x”", "Writer": "Ann", "PageCount": "3", "LanguageISO": "zh"}
    assert facts == expected
    sizes = [page.get("ImageWidth") for page in root.iter("Page")]
    assert sizes == ["120", "121", "122"]


def test_a_zip_has_pages_pictures_and_a_script_that_can_be_drawn_again() -> None:
    with ZipFile(BytesIO(only(export(book(), "zip")))) as archive:
        names = archive.namelist()
        assert names[0] == "story.txt"
        assert names[1:5] == ["pages/01.png", "pages/02.png", "pages/03.png", "pictures/01.png"]
        assert names[-1] == "pictures/12.png"
        assert archive.read("pictures/12.png") == flat(61)
        script = archive.read("story.txt").decode("utf-8")
    assert parse_script(script) == parse_script(SCRIPT)


def test_png_gives_one_file_a_page() -> None:
    files = export(book(), "png")
    assert [name for name, _ in files] == [f"Tab-or-space-制表符-0{n}.png" for n in (1, 2, 3)]
    assert [content for _, content in files] == [flat(n) for n in range(3)]


@pytest.mark.parametrize("wanted", FORMATS)
def test_the_same_comic_gives_the_same_bytes(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = export(book(), wanted)
    later = time.time() + 100_000
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(time, "gmtime", lambda *_: time.struct_time((2030, *[1] * 8)))
    assert export(book(), wanted) == first


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_layout_without_pages_gives_its_pictures(wanted: str) -> None:
    assert export(book(pages=0), wanted)


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_story_that_is_not_drawn_is_refused(wanted: str) -> None:
    with pytest.raises(Refusal) as caught:
        export(book(0, 0), wanted)
    assert caught.value.key == "export.nothing"


def test_an_unknown_format_names_the_nearest_and_all() -> None:
    with pytest.raises(UnknownChoice, match=r"format.*pdf.*cbz, pdf, png, zip"):
        export(book(), "pfd")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Tab or space?", "Tab-or-space"),
        ("../../etc/passwd", "etc-passwd"),
        ("制表符还是空格？", "制表符还是空格"),
        ("हिन्दी", "हिन्दी"),
        ("😀😀", "comic"),
        ("", "comic"),
        ("CON", "CON-comic"),
        ("a\u202egnp\x00", "a-gnp"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_title_becomes_a_name_that_every_file_system_takes(title: str, name: str) -> None:
    assert file_name(title) == name


def test_a_name_is_short_in_bytes_too() -> None:
    assert len(file_name("𠀀" * 60).encode()) <= 180
