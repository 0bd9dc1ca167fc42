"""Drawn panels become pages, and pages become files to show: for commands and for the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.alt_text import page_alts
from bot.card import page_title, title_of
from bot.chat import File
from bot.errors import Refusal
from bot.page.export import Book, file_name
from bot.page.letter import DrawnPanel, letter, side_of
from bot.pictures import Pictures
from bot.room import character_words, panel_words
from bot.stories import Panel, Story


async def lettered(
    pictures: Pictures, panels: Sequence[Panel], layout: str, title: str
) -> list[bytes]:
    """The pages as PNG; the bare pictures for a layout that sets no type.

    Raises Refusal where a panel has no picture, and UserError for a missing font.
    """
    contents = await contents_of(pictures, panels)
    drawn = [
        DrawnPanel(content, panel.caption, panel.kind, side_of(panel.speaker, panel.characters))
        for content, panel in zip(contents, panels, strict=True)
    ]
    return await asyncio.to_thread(letter, drawn, layout, title or None) or contents


async def contents_of(pictures: Pictures, panels: Sequence[Panel]) -> list[bytes]:
    """Every panel's picture. Raises Refusal where one is missing."""
    missing = [number for number, panel in enumerate(panels, 1) if panel.picture is None]
    if missing:
        raise Refusal("story.not_drawn", number=missing[0])
    return [await pictures.read(panel.picture or "") for panel in panels]


def page_files(
    title: str,
    pages: Sequence[bytes],
    panels: Sequence[Panel],
    language: str | None,
    layout: str = "",
) -> tuple[File, ...]:
    """Pages as files to show, with words for those who cannot see them.

    `layout` is the one that the pages were made with; it tells which panels are on which page.
    """
    name = file_name(title)
    names = [f"{name}-{number}.png" for number in range(1, len(pages) + 1)]
    alts = page_alts(title, len(pages), panels, layout, language)
    if len(pages) == 1:
        names = [f"{name}.png"]
    return tuple(File(*parts) for parts in zip(names, pages, alts, strict=True))


async def book_of(story: Story, pictures: Pictures, author: str, language: str) -> Book:
    """A finished comic to take away. Raises Refusal where nothing is drawn yet."""
    title = title_of(story, language)
    bare = await contents_of(pictures, story.panels)
    pages = await lettered(pictures, story.panels, story.layout, page_title(story))
    return Book(title, [] if pages == bare else pages, bare, script_of(story), author, language)


def script_of(story: Story) -> str:
    """The story as a script that can be typed, or read by `inkwell draw`, again."""
    cast = [character_words(member.name, member.description) for member in story.cast]
    panels = [panel_words(panel) for panel in story.panels]
    return "\n".join([*cast, "", *panels]) + "\n"
