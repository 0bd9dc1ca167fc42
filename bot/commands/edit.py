"""Changing a story's words and order: add, edit, undo, move.

A press and a form of one name belong together: the press opens the form, with the same data.
"""

from __future__ import annotations

from dataclasses import replace

from bot.buttons import Press
from bot.card import words_tag
from bot.chat import CommandInfo, Field, Option
from bot.commands.begin import (
    LAYOUT_NAMES,
    MAX_SCRIPT,
    MODEL,
    QUALITY,
    STYLES,
    chosen_model,
    saved_lines,
)
from bot.commands.checking import check_style
from bot.commands.choosing import number_of, panel_with
from bot.commands.context import Command, Context, Replies, Topic, fields_of
from bot.commands.room import add_lines
from bot.commands.stories import PANEL, STORY, card, chosen_own, shown
from bot.editing import (
    cast_lines,
    drawn_by,
    keep_pictures,
    moved,
    panel_at,
    with_lines,
    with_panel,
    with_script,
    with_style,
)
from bot.errors import Refusal
from bot.limits import MAX_TITLE
from bot.lines import MAX_LINE
from bot.room import (
    cast_of,
    character_words,
    panel_words,
    read_cast,
    read_lines,
    read_panels,
)
from bot.script import MAX_PANELS
from bot.stories import Panel, Story

FORM_LIMIT = 4_000  # characters of a form's field: Discord's limit

ADD = CommandInfo(
    "story add",
    "help.story_add",
    (
        Option("line", "help.option_line", required=True, limit=MAX_SCRIPT, long=True),
        Option("at", "help.option_at", int, lowest=1, highest=MAX_PANELS),
        STORY,
    ),
)
EDIT = CommandInfo(
    "story edit",
    "help.story_edit",
    (
        replace(PANEL, required=False),
        Option("line", "help.option_new_line", limit=MAX_LINE, long=True),
        Option("title", "help.option_title", limit=MAX_TITLE),
        Option("style", "help.option_style", choices=STYLES),
        Option("layout", "help.option_layout", choices=LAYOUT_NAMES),
        MODEL,
        QUALITY,
        STORY,
    ),
)
LOOKS = ("title", "style", "layout", "model", "quality")
UNDO = CommandInfo("story undo", "help.story_undo", (STORY,))
MOVE = CommandInfo(
    "story move",
    "help.story_move",
    (
        PANEL,
        Option("to", "help.option_to", int, required=True, lowest=1, highest=MAX_PANELS),
        STORY,
    ),
)


async def add(context: Context) -> Replies:
    """`/story add`"""
    story = await chosen_own(context)
    return await add_lines(context, story, context.words("line"), context.number("at"))


async def edit(context: Context) -> Replies:
    """`/story edit`: what its options say; without any, a form with everything."""
    story = await chosen_own(context)
    number, line = context.number("panel"), context.text("line")
    changed = with_looks(context, story)
    if number is not None and line is not None:
        return await shown(context, await changed_panel(context, changed, number, line))
    if changed != story or any(context.text(name) for name in LOOKS):  # told also if it was so
        return await shown(context, changed)
    if number is not None:
        return panel_form(context, story, panel_at(story, number))
    if line is not None:
        raise Refusal("story.which_panel")
    return edit_form(context, story)


def with_looks(context: Context, story: Story) -> Story:
    """The story with the title and looks that the options give."""
    title, layout = context.text("title"), context.text("layout")
    style, quality = context.text("style"), context.text("quality")
    model = chosen_model(context) or story.model
    check_style(context, style, model)
    changed = with_style(story, style) if style and style != story.style else story
    changed = drawn_by(changed, model, quality or story.quality)
    return replace(changed, title=title or story.title, layout=layout or story.layout)


async def changed_panel(context: Context, story: Story, number: int, line: str) -> Story:
    """The story with other words for a panel. Raises Refusal."""
    panel_at(story, number)
    kept = await context.saved()
    typed = read_lines(line, cast_lines(story), saved=saved_lines(kept))
    if not typed.panels and len(typed.characters) == 1:
        read_panels(line, cast_lines(story))  # refused: it begins with a name that nobody has
    if len(typed.panels) != 1:
        raise Refusal("story.one_panel")
    introduced = replace(typed, panels=())
    return with_panel(with_lines(story, introduced, kept), number, typed.panels[0])


def edit_form(context: Context, story: Story) -> Replies:
    """Everything at once: the cast in one field, the panels in the other."""
    cast = "\n".join(character_words(member.name, member.description) for member in story.cast)
    panels = "\n".join(panel_words(panel) for panel in story.panels)
    if max(len(cast), len(panels)) > FORM_LIMIT:
        raise Refusal("story.long_for_form", limit=FORM_LIMIT)
    return context.form(
        context.say("story.edit_title"),
        Press("edit", story.id),
        Field("characters", context.say("story.field_characters"), cast, True, True, FORM_LIMIT),
        Field("panels", context.say("story.field_panels"), panels, True, False, FORM_LIMIT),
    )


async def edit_pressed(context: Context, press: Press) -> Replies:
    return edit_form(context, await context.own(press.subject))


async def edit_filled(context: Context, press: Press) -> Replies:
    """The form with everything came back."""
    story = await context.own(press.subject)
    fields = fields_of(context.call)
    characters = read_cast(fields.get("characters", ""))
    panels = read_panels(fields.get("panels", ""), cast_of(characters))
    changed = with_script(story, characters, panels, await context.saved())
    return (card(context, story),) if changed == story else await shown(context, changed)


def panel_form(context: Context, story: Story, panel: Panel) -> Replies:
    line = panel_words(panel)
    return context.form(
        context.say("story.panel_title", number=story.panels.index(panel) + 1),
        Press("panel", story.id, panel.id),
        Field("line", context.say("story.field_panel"), line, True, True, MAX_LINE),
    )


async def panel_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    return panel_form(context, story, panel_with(story, press.argument))


async def panel_filled(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    number = number_of(story, press.argument)
    line = fields_of(context.call).get("line", "")
    return await shown(context, await changed_panel(context, story, number, line))


async def undo(context: Context) -> Replies:
    """`/story undo`"""
    return await one_step_back(context, await chosen_own(context))


async def undo_pressed(context: Context, press: Press) -> Replies:
    """Undo, unless the story is no longer what the card showed: two presses undo one step."""
    story = await context.own(press.subject)
    if press.argument != words_tag(story):
        return (card(context, story, context.say("story.changed_since")),)
    return await one_step_back(context, story)


async def one_step_back(context: Context, story: Story) -> Replies:
    earlier = await context.stores.stories.undo(story.id, context.me)
    for old, panel in zip(earlier.panels, keep_pictures(story, earlier).panels, strict=True):
        if old.picture is None and panel.picture is not None:  # drawn since then
            await context.stores.stories.set_picture(story.id, panel.id, panel.picture)
    # Not a note on the card, which would still say so after a drawing.
    return (card(context, await context.own(story.id)), *context.reply("story.undone"))


async def move(context: Context) -> Replies:
    """`/story move`"""
    story = await chosen_own(context)
    changed = moved(story, context.number("panel") or 0, context.number("to") or 0)
    return (card(context, story),) if changed == story else await shown(context, changed)


TOPIC = Topic(
    commands=(
        Command(ADD, add),
        Command(EDIT, edit),
        Command(UNDO, undo),
        Command(MOVE, move),
    ),
    presses={
        "edit": edit_pressed,
        "panel": panel_pressed,
        "undo": undo_pressed,
    },
    forms={"edit": edit_filled, "panel": panel_filled},
)
