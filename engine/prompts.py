"""From a panel of the request to the words a model reads. No torch here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from unicodedata import normalize

from engine.absent import without_names
from engine.request import CharacterRequest, EngineError, PanelRequest

STYLES_FILE = Path(__file__).parent / "styles.toml"
THUMBNAILS = Path(__file__).parent / "house" / "thumbnails"  # engine.house.show_styles makes them
BRACKETED = re.compile(r"[\[【［]([^\]】］]*)[\]】］]")
OUTSIDE = re.compile(r"(?:^|(?<=[\]】］]))[^\[【［]+")  # of brackets
CHINESE = re.compile(r"[㐀-鿿]")
# "The same office" says nothing of a panel drawn by itself, and reads like somebody else.
SAME = re.compile(r"同一[个间座所家处片条张]?|(?i:(?<=\bthe )same\s+)")
EDGES = " \t,，.。;；、"
CLAUSE_END = re.compile(r"[,，.。;；、]")
# Nobody sees them: zero widths, joiners (which shape the letters beside them), direction marks.
DIRECTION_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNSEEN = "\u200b\u2060\ufeff\u200c\u200d" + DIRECTION_MARKS
SHARES = (1.0, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1, 0.0)  # of a description, tried in turn


@dataclass(frozen=True)
class Style:
    """Words added to every panel of a story, and words to keep away from.

    `like` is the nearest style that takes its place with a model that has not learnt it.
    """

    name: str
    prompt: str
    prompt_zh: str
    negative: str
    like: str = ""


@cache
def load_styles() -> Mapping[str, Style]:
    """The styles of styles.toml by name."""
    table = tomllib.loads(STYLES_FILE.read_text(encoding="utf-8"))
    return {name: Style(name, **fields) for name, fields in table.items()}


def find_style(name: str) -> Style:
    styles = load_styles()
    if name not in styles:
        raise EngineError(f'there is no style "{name}"; there are {", ".join(styles)}')
    return styles[name]


def style_for(name: str, languages: Collection[str]) -> Style:
    """The style with words in languages that a model reads."""
    style = find_style(name)
    return style if "zh" in languages else replace(style, prompt_zh=style.prompt)


def styles_of(learnt: Collection[str]) -> tuple[str, ...]:
    """The styles to offer for a model that has learnt only some (`ModelSpec.styles`; none: all)."""
    return tuple(name for name in load_styles() if not learnt or name in learnt)


def drawable(name: str, learnt: Collection[str]) -> str:
    """The style itself where such a model can draw it, else the one that it is most like."""
    style = find_style(name)
    near = (style.name, style.like, *learnt) if learnt else (style.name,)
    return next(each for each in near if not learnt or each in learnt)


def thumbnail(name: str) -> bytes | None:
    """A small WebP picture in the style; None where the house artist cannot draw it."""
    path = THUMBNAILS / f"{name}.webp"
    return path.read_bytes() if path.is_file() else None


def panel_prompt(
    panel: PanelRequest, cast: Mapping[str, CharacterRequest], style: Style, share: float = 1.0
) -> str:
    """The panel's words with each name followed by its description, then the style's words.

    `share` (0..1) of each description is used: see `fitting`.

    `cast` maps `same_name(name)` to the character. "[Tom] types" becomes "Tom, a young man,
    types, comic"; a name that comes again in the panel stays a plain name; [NC] goes, and so do
    the names of those who are not in the panel.
    """
    chinese = bool(CHINESE.search(panel.text))
    comma = "，" if chinese else ", "
    described: set[str] = set()

    def expand(match: re.Match[str]) -> str:
        key = same_name(match[1])
        if key not in cast:
            return "" if key == "nc" else match[1]
        character = cast[key]
        description = shortened(character.description, share)
        if key in described or not description:
            return character.name
        described.add(key)
        return f"{character.name}{comma}{description}{comma}"

    absent = absent_names(panel, cast)
    text = OUTSIDE.sub(lambda match: SAME.sub("", without_names(match[0], absent)), panel.text)
    words = BRACKETED.sub(expand, text)
    return comma.join(filter(None, (tidy(words), style.prompt_zh if chinese else style.prompt)))


def negative_prompt(style: Style, own: str = "") -> str:
    """What to keep away from: a panel's own words, then the style's."""
    return ", ".join(filter(None, (own, style.negative)))


def absent_names(panel: PanelRequest, cast: Mapping[str, CharacterRequest]) -> list[str]:
    """The names of the cast that are no part of a name in the panel's brackets."""
    shown = [same_name(name) for name in BRACKETED.findall(panel.text)]
    return [who.name for key, who in cast.items() if not any(key in name for name in shown)]


def fitting(prompt: Callable[[float], str], fits: Callable[[str], bool]) -> tuple[str, float]:
    """The prompt with as much of the descriptions as a model can read, and the share of them.

    A model cuts what is too long at its end, where action and style stand: rather shorten what
    is said about a character, which other panels say too.
    """
    for share in SHARES:
        words = prompt(share)
        if fits(words):
            return words, share
    return prompt(0.0), 0.0


def shortened(description: str, share: float) -> str:
    """The first `share` of a description, to the end of a clause if there is one, else a word."""
    description = description.strip(EDGES)
    if share >= 1:
        return description
    head = description[: int(len(description) * share)]
    ends = [match.start() for match in CLAUSE_END.finditer(head)]
    ends = ends or [match.start() for match in re.finditer(r"\s", head)]
    chinese = bool(CHINESE.search(head))
    return (head[: ends[-1]] if ends else head if chinese else "").strip(EDGES)


def portrait_prompt(character: CharacterRequest, style: Style, share: float = 1.0) -> str:
    """Words for the private portrait of a character that has no panel alone."""
    chinese = bool(CHINESE.search(character.description))
    comma = "，" if chinese else ", "
    description = shortened(character.description, share)
    parts = (character.name, description, "站着" if chinese else "standing")
    return comma.join(filter(None, (*parts, style.prompt_zh if chinese else style.prompt)))


def same_name(name: str) -> str:
    """What two spellings of one name have in common: no case, no width, single spaces.

    Zero-width characters at the ends, which copying from web pages leaves, are not part of a name,
    and direction marks, which editors put around Arabic and Hebrew, are not wherever they stand.
    """
    folded = normalize("NFKC", normalize("NFKC", name).casefold()).replace("\ufeff", " ")
    folded = folded.translate(dict.fromkeys(map(ord, DIRECTION_MARKS)))
    return " ".join(folded.split()).strip(" " + UNSEEN)


def tidy(words: str) -> str:
    """Commas that met when names were filled in are made one, ends are trimmed."""
    words = re.sub(r"\s+", " ", words)
    words = re.sub(r"([,，])(?:\s*[,，])+", r"\1", words)
    words = re.sub(r"\s+([,，])", r"\1", words)
    return re.sub(r"，\s+", "，", words).strip(EDGES)
