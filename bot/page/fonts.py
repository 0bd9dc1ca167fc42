"""The fonts of the page: which file serves which script, and what to say when one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import uharfbuzz as hb  # type: ignore[import-untyped]

from bot.errors import UserError

EM = 4096  # font units that HarfBuzz counts in one em; lettering divides by it
SHIPPED = Path(__file__).parent / "fonts"
AGAIN = "install Inkwell again, its fonts come with it"


def _cjk_file() -> Path:
    """Where `noto-cjk-sans-otc` keeps its collection; a path that does not exist without it."""
    package = find_spec("noto_cjk_sans_otc")
    folder = Path(package.origin).parent if package and package.origin else Path("missing")
    return folder / "NotoSansCJK-Regular.ttc"


@dataclass(frozen=True)
class FontSource:
    """One font file, set at `scale` of the lettering's size so that scripts look equally large.

    `bold` is the share of an em that its strokes are thickened by.
    """

    script: str  # as a person would call it
    file: Path
    remedy: str = AGAIN
    index: int = 0  # place in a collection
    bold: float = 0.0
    scale: float = 1.0


def _cjk(script: str, index: int) -> FontSource:
    remedy = "install it with: pip install noto-cjk-sans-otc"
    return FontSource(script, _cjk_file(), remedy, index, bold=0.032, scale=0.93)


FONTS: Mapping[str, FontSource] = {
    "latin": FontSource("Latin letters", SHIPPED / "ComicNeue-Bold.otf", bold=0.012),
    "hand": FontSource(
        "Cyrillic, Greek and Vietnamese", SHIPPED / "InkwellHand-Bold.ttf", bold=0.024
    ),
    "zh-hans": _cjk("Chinese", 2),
    "zh-hant": _cjk("Chinese", 3),
    "ja": _cjk("Japanese", 0),
    "ko": _cjk("Korean", 1),
    "arabic": FontSource("Arabic", SHIPPED / "NotoSansArabic-Bold.ttf"),
    "hebrew": FontSource("Hebrew", SHIPPED / "NotoSansHebrew-Bold.ttf"),
    "thai": FontSource("Thai", SHIPPED / "NotoSansThai-Bold.ttf"),
    "devanagari": FontSource("Devanagari", SHIPPED / "NotoSansDevanagari-Bold.ttf"),
    "emoji": FontSource("emoji", SHIPPED / "NotoColorEmoji.ttf", scale=0.92),
    "poster": FontSource("Latin letters of memes", SHIPPED / "Bangers-Regular.ttf", bold=0.01),
    "sans": FontSource("ancient Greek and rare signs", SHIPPED / "NotoSans-Bold.ttf", scale=0.95),
    "symbols": FontSource("symbols", SHIPPED / "NotoSansSymbols2-Regular.ttf", bold=0.02),
}


@cache
def load(source: FontSource) -> hb.Font:
    """The font of `source`, one em of the lettering being `EM` units.

    Raises `UserError` when its file is missing or no font.
    """
    try:
        face = hb.Face(hb.Blob.from_file_path(str(source.file)), source.index)
        if not face.glyph_count:
            raise ValueError("no glyphs")
    except (hb.HarfBuzzError, OSError, ValueError) as error:
        raise missing(source) from error
    font = hb.Font(face)
    font.scale = (round(EM * source.scale), round(EM * source.scale))
    font.synthetic_bold = source.bold
    return font


def missing(source: FontSource) -> UserError:
    """The sentence that says which script cannot be lettered, and what to do."""
    return UserError(f"the font for {source.script} is missing ({source.file}): {source.remedy}")


def is_readable(source: FontSource) -> bool:
    try:
        load(source)
    except UserError:
        return False
    return True


@lru_cache(maxsize=65536)
def has_letter(name: str, letter: str) -> bool:
    """Whether font `name` of `FONTS` can be read and draws this character."""
    if not is_readable(FONTS[name]):
        return False
    return bool(load(FONTS[name]).get_nominal_glyph(ord(letter)))
