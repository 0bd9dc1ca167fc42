"""The story card: a message that lives on and shows what the story is, with its buttons."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from bot.buttons import button
from bot.chat import Button, Reply
from bot.errors import printable
from bot.job import Job
from bot.room import character_words, panel_words
from bot.script import MAX_CHARACTERS, MAX_PANELS
from bot.sentences import cut, listed
from bot.stories import Original, Panel, Story
from bot.words import say
from engine.models import MODELS

MOST_TEXT = 1_900  # characters: Discord allows 2,000 a message
SHORTEST_LINE, LONGEST_LINE = 30, 200
Rows = tuple[tuple[Button, ...], ...]


def story_card(story: Story, language: str | None, note: str = "", *, models: int = 1) -> Reply:
    """The card as it is now, `note` above it. An adapter edits the one that is there.

    With several `models` to choose from there is a button for it.
    """
    return Reply(
        text="\n\n".join(filter(None, (note, card_text(story, language)))),
        buttons=card_buttons(story, language, models),
        card=card_name(story),
        title=title_of(story, language),
    )


def card_name(story: Story) -> str:
    return card_of(story.id)


def card_of(story_id: str) -> str:
    return f"story {story_id}"


def card_of_character(character_id: str) -> str:
    """No message of this name lives on; it only tells what shows the character."""
    return f"character {character_id}"


def cards_of_job(job: Job) -> tuple[str, ...]:
    """What is posted for a job is about these."""
    if job.story is not None:
        return (card_of(job.story),)
    character = json.loads(job.about).get("character")
    return (card_of_character(character),) if character else ()


def story_of_card(name: str) -> str | None:
    """The story whose card has this name."""
    kind, _, story_id = name.partition(" ")
    return story_id if kind == "story" and story_id else None


def title_of(story: Story, language: str | None) -> str:
    """The title; without one, who is in it."""
    names = listed(language, [printable(member.name) for member in story.cast[:3]])
    return printable(story.title) or cut(names, 60) or say(language, "story.untitled")


def name_of(title: str, panels: Sequence[Panel], language: str | None) -> str:
    """A title; without one, who is in the panels."""
    names = dict.fromkeys(name for panel in panels for name in panel.characters)
    listing = listed(language, [printable(name) for name in list(names)[:3]])
    return printable(title) or cut(listing, 60) or say(language, "story.untitled")


def page_title(story: Story) -> str:
    """What is set above the first page: a story that goes on another has no heading."""
    return "" if story.parent else story.title


def card_text(story: Story, language: str | None) -> str:
    """Cast and panels in at most `MOST_TEXT` characters, however long the story is."""
    head = say(
        language,
        "story.card_head",
        title=cut(title_of(story, language), 100),
        style=story.style,
        layout=story.layout,
    )
    if story.model:
        head += say(language, "story.card_model", model=story.model)
    if story.quality:
        head += say(language, "story.card_quality", quality=story.quality)
    if story.original is not None:
        head += "\n" + original_words(story.original, language)
    if not story.cast and not story.panels:
        return f"{head}\n\n{say(language, 'story.card_empty')}"
    room = MOST_TEXT - len(head) - 200  # the headings
    limit = room // max(1, len(story.cast) + len(story.panels)) - 5  # the numbers
    limit = max(SHORTEST_LINE, min(LONGEST_LINE, limit))
    cast = [
        "• " + cut(printable(character_words(m.name, m.description)), limit) + saved_mark(m)
        for m in story.cast
    ]
    panels = [
        f"{number}. {cut(printable(panel_words(panel)), limit)}"
        for number, panel in enumerate(story.panels, 1)
    ]
    if any(map(saved_mark, story.cast)):
        cast.append(say(language, "story.card_mark"))
    cast_head = say(language, "story.card_cast", count=len(story.cast), limit=MAX_CHARACTERS)
    panel_head = say(language, "story.card_panels", count=len(panels), limit=MAX_PANELS)
    return "\n".join([head, "", cast_head, *cast, "", panel_head, *panels]).rstrip()


def original_words(original: Original, language: str | None) -> str:
    """What a remix is a copy of."""
    if original.deleted:
        return say(language, "story.after_deleted")
    if original.title is None:
        return say(language, "story.after_hidden")
    title = printable(original.title) or say(language, "story.untitled")
    return say(language, "story.after", title=title, name=printable(original.author or ""))


def saved_mark(member: object) -> str:
    """A star for whom a saved character or a picture leads."""
    leads = getattr(member, "character", None) or getattr(member, "reference", None)
    return " ★" if leads else ""


def card_buttons(story: Story, language: str | None, models: int) -> Rows:
    """Before drawing: Draw, Undo, Edit all, Style, Layout. Afterwards also what a page has."""
    first = [
        button(say(language, "button.draw"), "draw", story.id, look="primary"),
        button(say(language, "button.undo"), "undo", story.id, words_tag(story)),
        button(say(language, "button.edit"), "edit", story.id),
    ]
    second = [
        button(say(language, "button.style"), "styles", story.id),
        button(say(language, "button.layout"), "layouts", story.id),
    ]
    if models > 1:
        second.append(button(say(language, "button.model"), "models", story.id))
    drawn = page_buttons(story.id, language) if is_drawn(story) else ()
    if drawn and story.quality == "draft":
        second.append(finish_button(story.id, language))
    return (tuple(first if story.panels else first[1:]), tuple(second), *drawn)


def finish_button(story_id: str, language: str | None) -> Button:
    """Draws a draft finely."""
    return button(say(language, "button.finish"), "finish", story_id, look="primary")


def page_buttons(story_id: str, language: str | None) -> Rows:
    """What stands under a finished page."""
    rows: Rows = (
        (
            button(say(language, "button.redraw"), "redraws", story_id),
            button(say(language, "button.words"), "captions", story_id),
            button(say(language, "button.meme"), "memes", story_id),
            button(say(language, "button.share"), "shares", story_id),
            button(say(language, "button.delete"), "delete", story_id, look="danger"),
        ),
    )
    if not any(model.moves for model in MODELS.values()):
        return rows
    moving = (
        button(say(language, "button.animate"), "animates", story_id),
        button(say(language, "button.living"), "livings", story_id),
    )
    return (*rows, moving)


def words_tag(story: Story) -> str:
    """Eight letters that change with the story's words and looks, but not while it is drawn."""
    panels = tuple(replace(p, picture=None) if p.picture else p for p in story.panels)
    drawn_by = tuple(filter(None, (story.model, story.quality)))
    content = (story.title, story.style, story.layout, story.cast, panels, *drawn_by)
    return blake2b(repr(content).encode(errors="replace"), digest_size=4).hexdigest()


def is_drawn(story: Story) -> bool:
    return bool(story.panels) and all(panel.picture for panel in story.panels)


def in_rows(buttons: Sequence[Button], width: int = 5) -> Rows:
    """Buttons side by side, as many as every platform allows."""
    return tuple(tuple(buttons[first : first + width]) for first in range(0, len(buttons), width))
