"""Comics to take away: PNG pages, PDF, CBZ, and a ZIP with everything. Same comic, same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from unicodedata import category, normalize
from xml.etree import ElementTree
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from PIL import Image

from bot.errors import Refusal, UnknownChoice
from bot.page.letter import opened_rgb

JOINERS = "\u200c\u200d"  # they shape Persian, Indic scripts and emoji
RESOLUTION = 150  # pixels an inch: a page of 1,200 pixels is as wide as a comic album
QUALITY = 93  # of the JPEG that a PDF holds; lines stay clean from about here
LONGEST_NAME = 60  # characters of a title in a file's name
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that ZIP knows: no clock in the bytes
READABLE = 0o100644 << 16  # a plain file that everybody may read, as ZIP stores it
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Book:
    """A finished comic: lettered `pages` and bare `pictures` as PNG, and its story script.

    `author` and `language` ("en", "zh") may be "" when not known.
    """

    title: str
    pages: Sequence[bytes]
    pictures: Sequence[bytes]
    script: str
    author: str = ""
    language: str = ""

    @property
    def leaves(self) -> Sequence[bytes]:
        """What a reader turns: pages, or pictures where the layout has no pages."""
        return self.pages or self.pictures


def export(book: Book, wanted: str) -> list[tuple[str, bytes]]:
    """Names and contents of the files that make a book in one of `FORMATS`.

    It is one file, save that "png" gives one for each page. Raises `Refusal` when nothing is
    drawn yet, and `UnknownChoice` for a format that does not exist.
    """
    if wanted not in FORMATS:
        raise UnknownChoice("format", wanted, FORMATS)
    if not book.leaves:
        raise Refusal("export.nothing")
    name = file_name(book.title)
    if wanted == "png":
        return [(f"{name}{number}.png", page) for number, page in numbered(book.leaves, "-{}")]
    return [(f"{name}.{wanted}", WRITERS[wanted](book))]


def pdf(book: Book) -> bytes:
    """One page of the PDF for each page, with title and author."""
    first, *others = (opened_rgb(page) for page in book.leaves)
    file = BytesIO()
    first.save(
        file,
        "PDF",
        save_all=True,
        append_images=others,
        resolution=RESOLUTION,
        quality=QUALITY,
        subsampling=0,  # colours as sharp as lines
        title=plain(book.title),
        author=plain(book.author),
        producer="Inkwell",
        creationDate=None,  # no clock in the bytes
        modDate=None,
    )
    return file.getvalue()


def cbz(book: Book) -> bytes:
    """A comic book archive: pages in the order of their names, and ComicInfo.xml."""
    pages = {f"{number}.png": page for number, page in numbered(book.leaves)}
    return archive({"ComicInfo.xml": comic_info(book), **pages})


def everything(book: Book) -> bytes:
    """A ZIP with the folders pages and pictures, and the script as UTF-8 text."""
    files = {f"pages/{number}.png": page for number, page in numbered(book.pages)}
    files |= {f"pictures/{number}.png": page for number, page in numbered(book.pictures)}
    return archive({"story.txt": book.script.encode("utf-8", "replace"), **files})


WRITERS: Mapping[str, Callable[[Book], bytes]] = {"pdf": pdf, "cbz": cbz, "zip": everything}
FORMATS = ("png", *WRITERS)


def numbered(files: Sequence[bytes], pattern: str = "{}") -> list[tuple[str, bytes]]:
    """The files with "01", "02" … in `pattern`, which sort in their order; at least two digits."""
    digits = max(2, len(str(len(files))))
    return [(pattern.format(f"{n:0{digits}}"), content) for n, content in enumerate(files, 1)]


def archive(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of named files; PNGs are stored, since they are compressed already."""
    whole = BytesIO()
    with ZipFile(whole, "w") as target:
        for name, content in files.items():
            entry = ZipInfo(name, EPOCH)
            entry.create_system = 3  # Unix, whatever this runs on
            entry.external_attr = READABLE
            entry.compress_type = ZIP_STORED if name.endswith(".png") else ZIP_DEFLATED
            target.writestr(entry, content)
    return whole.getvalue()


def comic_info(book: Book) -> bytes:
    """ComicInfo.xml, version 2.0 of the Anansi Project's schema, its elements in order."""
    root = ElementTree.Element("ComicInfo")
    facts = {
        "Title": plain(book.title),
        "Writer": plain(book.author),
        "PageCount": str(len(book.leaves)),
        "LanguageISO": book.language,
    }
    for tag, words in facts.items():
        if words:
            ElementTree.SubElement(root, tag).text = words
    pages = ElementTree.SubElement(root, "Pages")
    for number, page in enumerate(book.leaves):
        with Image.open(BytesIO(page)) as image:
            width, height = image.size
        ElementTree.SubElement(
            pages,
            "Page",
            Image=str(number),
            ImageSize=str(len(page)),
            ImageWidth=str(width),
            ImageHeight=str(height),
        )
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True))


def plain(words: str) -> str:
    """The words on one line, without what XML and PDF cannot hold or what turns text around."""
    line = " ".join(NOT_XML.sub(" ", words).split())
    return "".join(c for c in line if category(c) != "Cf" or c in JOINERS)


def file_name(title: str) -> str:
    """A name without suffix that every file system takes: letters of any script, digits, hyphens.

    At most 60 characters; "comic" when the title has nothing to name a file by.
    """
    letters = "".join(c if category(c)[0] in "LMN" else " " for c in normalize("NFC", title))
    name = "-".join(letters.split())[:LONGEST_NAME].strip("-")
    while len(name.encode()) > 3 * LONGEST_NAME:  # four-byte letters: file systems count bytes
        name = name[:-1]
    return f"{name}-comic" if RESERVED.fullmatch(name) else name or "comic"
