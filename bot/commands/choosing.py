"""Questions that buttons answer: which panel, which style."""

from __future__ import annotations

from collections.abc import Sequence

from bot.buttons import button
from bot.card import card_name, in_rows
from bot.chat import Reply
from bot.commands.context import Context, Replies
from bot.errors import Refusal, UnknownChoice
from bot.room import panel_words
from bot.sentences import cut
from bot.stories import Panel, Story


def choose(context: Context, story: Story, kind: str, names: Sequence[str], now: str) -> Replies:
    """A button for each style or layout."""
    buttons = [
        button(name, kind, story.id, name, "primary" if name == now else "plain") for name in names
    ]
    text = context.say(f"story.which_{kind}", now=now)
    return (Reply(text, buttons=in_rows(buttons), private=True, about=(card_name(story),)),)


def choose_panel(context: Context, story: Story, action: str, question: str) -> Replies:
    """A button for each panel."""
    buttons = [
        button(str(number), action, story.id, panel.id)
        for number, panel in enumerate(story.panels, 1)
    ]
    lines = [
        f"{number}. {cut(panel_words(panel), 70)}" for number, panel in enumerate(story.panels, 1)
    ]
    text = "\n".join([context.say(question), *lines])
    return (Reply(text, buttons=in_rows(buttons), private=True, about=(card_name(story),)),)


def check_choice(kind: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise UnknownChoice(kind, name, names)


def panel_with(story: Story, panel_id: str) -> Panel:
    """The panel that a button means. Raises Refusal if it is gone."""
    return story.panels[number_of(story, panel_id) - 1]


def number_of(story: Story, panel_id: str) -> int:
    for number, panel in enumerate(story.panels, 1):
        if panel.id == panel_id:
            return number
    raise Refusal("story.panel_gone")
