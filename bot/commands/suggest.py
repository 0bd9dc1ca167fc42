"""What is offered while an option is being typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.card import title_of
from bot.chat import Value
from bot.commands.context import Context, Suggest
from bot.commands.stories import chosen
from bot.errors import UserError, printable
from bot.room import panel_words
from bot.sentences import cut

MOST = 25
LONGEST = 90  # characters of a label: Discord takes 100

Pairs = Sequence[tuple[str, Value]]


async def stories(context: Context, typed: str) -> Pairs:
    """The caller's stories, by title."""
    found = await context.stores.stories.of_owner(context.me, limit=MOST, like=typed)
    return [(cut(title_of(story, context.language), LONGEST), story.id) for story in found]


async def characters(context: Context, typed: str) -> Pairs:
    """Characters that the caller may use, by name; first their own."""
    saved = context.stores.characters
    own = await saved.of_owner(context.me, MOST, typed)
    shared = await saved.shared(context.me, context.server, MOST, typed)
    return [
        (cut(printable(f"{c.name}: {c.description}"), LONGEST), c.name) for c in (*own, *shared)
    ]


async def panels(context: Context, typed: str) -> Pairs:
    """The panels of the story that is meant, by number and words."""
    try:
        story = await chosen(context)
    except UserError:
        return []
    numbered = list(enumerate(story.panels, 1))
    lines = [(cut(printable(f"{n}. {panel_words(p)}"), LONGEST), n) for n, p in numbered]
    return [pair for pair in lines if typed.casefold() in pair[0].casefold()]


async def models(context: Context, typed: str) -> Pairs:
    """The models that whoever runs the bot offers."""
    offered = context.stores.config.engine.offered
    return [(cut(name, LONGEST), name) for name in offered if typed.casefold() in name.casefold()]


SUGGESTS: Mapping[str, Suggest] = {
    "story": stories,
    "character": characters,
    "panel": panels,
    "model": models,
}
