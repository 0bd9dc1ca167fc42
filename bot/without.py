"""What shall not be seen in a panel: `[Tom] in the street --no cars, rain #Late again.`

It stands at the end of the picture, after `--no` or `--不要`, and stays in the panel's text as it
was typed; the engine gets both halves apart.
"""

from __future__ import annotations

import re
from typing import Protocol

from engine.prompts import UNSEEN
from engine.request import PanelRequest

# Many keyboards make one long dash of two hyphens; with a space after it, it is a dash in a
# sentence. Chinese has no spaces before it.
MARK = re.compile(
    r"(?:^|(?<=[\s\]】］]))(?:-{2}|－{2}|[–—]{1,2})(?:(?i:no)(?![^\W\d_])|不要)|(?:-{2}|－{2})不要"
)
EDGES = UNSEEN + ",，、:："


class Pictured(Protocol):
    """A panel as it was read, or as a story keeps it."""

    @property
    def text(self) -> str: ...
    @property
    def characters(self) -> tuple[str, ...]: ...


def seen_and_not(text: str) -> tuple[str, str]:
    """A panel's text as what is to be seen, and what is not, with commas between."""
    if "不要" not in text and "no" not in text.casefold():
        return text, ""
    seen, *without = MARK.split(text)
    return trimmed(seen), ", ".join(filter(None, map(trimmed, without)))


def trimmed(words: str) -> str:
    while words != (shorter := words.strip().strip(EDGES)):
        words = shorter
    return words


def panel_request(panel: Pictured, seed: int | None = None) -> PanelRequest:
    """What the engine is asked for."""
    seen, negative = seen_and_not(panel.text)
    return PanelRequest(seen, panel.characters, seed, negative)
