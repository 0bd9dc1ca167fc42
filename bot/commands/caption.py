"""Changing what is written on a panel: the pages are lettered again at once, nothing is drawn."""

from __future__ import annotations

from bot.buttons import Press
from bot.chat import CommandInfo, Field, Option
from bot.commands.choosing import choose_panel, panel_with
from bot.commands.context import Command, Context, Replies, Topic, fields_of
from bot.commands.stories import PANEL, STORY, chosen_own, shown
from bot.editing import cast_lines, panel_at, with_caption
from bot.lines import MAX_LINE
from bot.room import caption_words, written_lines
from bot.script import PanelLine, read_caption
from bot.stories import Panel, Story

CAPTION = CommandInfo(
    "story caption",
    "help.story_caption",
    (PANEL, Option("words", "help.option_caption", limit=MAX_LINE), STORY),
)


async def caption(context: Context) -> Replies:
    """`/story caption`: letters the page again at once; without words, asks for them."""
    story = await chosen_own(context)
    panel = panel_at(story, context.number("panel") or 0)
    words = context.text("words")
    if words is None:
        return caption_form(context, story, panel)
    return await captioned(context, story, panel, words)


def caption_form(context: Context, story: Story, panel: Panel) -> Replies:
    words = caption_words(panel.caption, panel.kind, panel.speaker)
    return context.form(
        context.say("story.caption_title", number=story.panels.index(panel) + 1),
        Press("caption", story.id, panel.id),
        Field("words", context.say("story.field_caption"), words, True, False, MAX_LINE),
    )


async def captioned(context: Context, story: Story, panel: Panel, words: str) -> Replies:
    """The story with another caption, or none where there are no words."""
    written_lines(words.replace("\n", " ").replace("\r", " "))  # refuses what no line may hold
    line = PanelLine(panel.text, panel.characters, *read_caption(words, cast_lines(story)))
    changed = with_caption(story, story.panels.index(panel) + 1, line)
    return await shown(context, changed)


async def captions_pressed(context: Context, press: Press) -> Replies:
    """Edit words: which panel's?"""
    story = await context.own(press.subject)
    if len(story.panels) == 1:
        return caption_form(context, story, story.panels[0])
    return choose_panel(context, story, "caption", "story.which_caption")


async def caption_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    return caption_form(context, story, panel_with(story, press.argument))


async def caption_filled(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    words = fields_of(context.call).get("words", "")
    return await captioned(context, story, panel_with(story, press.argument), words)


TOPIC = Topic(
    commands=(Command(CAPTION, caption),),
    presses={"captions": captions_pressed, "caption": caption_pressed},
    forms={"caption": caption_filled},
)
