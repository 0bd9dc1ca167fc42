"""From a panel of the request to the words a model reads. No torch here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unicodedata import normalize

from engine.request import CharacterRequest, EngineError, PanelRequest

STYLES_FILE = Path(__file__).parent / "styles.toml"
BRACKETED = re.compile(r"[\[【［]([^\]】］]*)[\]】］]")
CHINESE = re.compile(r"[㐀-鿿]")
EDGES = " \t,，.。;；、"


@dataclass(frozen=True)
class Style:
    """Words added to every panel of a story, and words to keep away from."""

    name: str
    prompt: str
    prompt_zh: str
    negative: str


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


def panel_prompt(panel: PanelRequest, cast: Mapping[str, CharacterRequest], style: Style) -> str:
    """The panel's words with each name followed by its description, then the style's words.

    `cast` maps `same_name(name)` to the character. "[Tom] types" becomes "Tom, a young man,
    types, comic"; a name that comes again in the panel stays a plain name; [NC] goes.
    """
    chinese = bool(CHINESE.search(panel.text))
    comma = "，" if chinese else ", "
    described: set[str] = set()

    def expand(match: re.Match[str]) -> str:
        key = same_name(match[1])
        if key not in cast:
            return "" if key == "nc" else match[1]
        character = cast[key]
        if key in described or not character.description:
            return character.name
        described.add(key)
        return f"{character.name}{comma}{character.description.strip(EDGES)}{comma}"

    words = BRACKETED.sub(expand, panel.text)
    return comma.join(filter(None, (tidy(words), style.prompt_zh if chinese else style.prompt)))


def portrait_prompt(character: CharacterRequest, style: Style) -> str:
    """Words for the private portrait of a character that has no panel alone."""
    chinese = bool(CHINESE.search(character.description))
    comma = "，" if chinese else ", "
    parts = (character.name, character.description.strip(EDGES), "站着" if chinese else "standing")
    return comma.join(filter(None, (*parts, style.prompt_zh if chinese else style.prompt)))


def same_name(name: str) -> str:
    """What two spellings of one name have in common: no case, no width, single spaces."""
    return " ".join(normalize("NFKC", normalize("NFKC", name).casefold()).split())


def tidy(words: str) -> str:
    """Commas that met when names were filled in are made one, ends are trimmed."""
    words = re.sub(r"\s+", " ", words)
    words = re.sub(r"([,，])(?:\s*[,，])+", r"\1", words)
    words = re.sub(r"\s+([,，])", r"\1", words)
    return re.sub(r"，\s+", "，", words).strip(EDGES)
