"""Pages in words, for those who cannot see them: what each panel shows, and what is said there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.errors import printable
from bot.page.layouts import LAYOUTS
from bot.sentences import as_sentence, cut
from bot.stories import Panel
from bot.without import seen_and_not
from bot.words import say

MOST_ALT = 1_024  # characters: Discord's limit

EMPHASIS = re.compile(r"\(([^()]+):[01]\.\d+\)")  # "(red hat:1.3)"
BETWEEN_NAMES = re.compile(r"[\]】］]\s*[\[【［]")  # "[Tom][Lisa]": two words all the same
BRACKETS = re.compile(r"[\[\]【】［］]")


def page_alts(
    title: str, pages: int, panels: Sequence[Panel], layout: str, language: str | None
) -> list[str]:
    """What to read out in place of each of so many pages, each at most `MOST_ALT` characters.

    Where the layout does not tell which panels are on which page, the first page has them all.
    """
    alts, gap = [], gap_between(language)
    first = 0
    for page, count in enumerate(panels_on_pages(len(panels), pages, layout), 1):
        head = say(language, "story.alt", title=title)
        if pages > 1:
            head += gap + say(language, "story.alt_page", number=page, count=pages)
        shown = enumerate(panels[first : first + count], first + 1)
        parts = [panel_alt(number, panel, language) for number, panel in shown]
        alts.append(fitted(head, parts, gap=gap))
        first += count
    return alts


def panels_on_pages(panels: int, pages: int, layout: str) -> list[int]:
    """How many panels each page has."""
    if pages == panels:  # bare pictures, or pages of one panel
        return [1] * pages
    planned = LAYOUTS[layout].pages(panels) if layout in LAYOUTS and panels else []
    counts = [sum(len(row.shares) for row in rows) for rows in planned]
    # A page that got too high went on as another one: then the plan does not say where.
    return counts if len(counts) == pages else [panels, *[0] * (pages - 1)]


def panel_alt(number: int, panel: Panel, language: str | None) -> str:
    """One panel as sentences: its picture, then its words."""
    seen, _ = seen_and_not(panel.text)
    picture = printable(without_brackets(seen)) or say(language, "story.alt_empty")
    said = say(language, "story.alt_panel", number=number, picture=as_sentence(picture, language))
    return f"{said}{gap_between(language)}{caption_alt(panel, language)}".rstrip()


def caption_alt(panel: Panel, language: str | None) -> str:
    """The words in a panel, and whose they are; "" without any."""
    if not panel.caption:
        return ""
    words = as_sentence(printable(panel.caption), language)
    if panel.kind == "speech" and panel.speaker:
        return say(language, "story.alt_speech", name=printable(panel.speaker), words=words)
    if panel.kind == "thought" and panel.speaker:
        return say(language, "story.alt_thought", name=printable(panel.speaker), words=words)
    return say(language, "story.alt_caption", words=words)


def without_brackets(text: str) -> str:
    """A panel's text with its names, and what is emphasised, as plain words."""
    return BRACKETS.sub("", BETWEEN_NAMES.sub(" ", EMPHASIS.sub(r"\1", text)))


def gap_between(language: str | None) -> str:
    """What stands between two sentences: nothing, in Chinese."""
    return say(language, "words.both", first="", second="")


def fitted(head: str, parts: Sequence[str], limit: int = MOST_ALT, gap: str = " ") -> str:
    """The head and as many parts as fit, `gap` between them; "…" stands for the others."""
    whole = gap.join([head, *parts])
    if len(whole) <= limit:
        return whole
    text = head
    for part in parts:
        if len(f"{text}{gap}{part}{gap}…") > limit:
            break
        text += gap + part
    return cut(whole, limit) if text == head else f"{text}{gap}…"
