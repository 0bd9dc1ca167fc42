"""Style and layout, chosen by buttons."""

from __future__ import annotations

from dataclasses import replace

from bot.buttons import Press
from bot.commands.begin import LAYOUT_NAMES, STYLES
from bot.commands.choosing import check_choice, choose
from bot.commands.context import Context, Replies, Topic
from bot.commands.stories import card, shown
from bot.editing import with_style


async def styles_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    return choose(context, story, "style", STYLES, story.style)


async def layouts_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    return choose(context, story, "layout", LAYOUT_NAMES, story.layout)


async def style_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    check_choice("style", press.argument, STYLES)
    if press.argument == story.style:
        return (card(context, story),)
    return await shown(context, with_style(story, press.argument))


async def layout_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    check_choice("layout", press.argument, LAYOUT_NAMES)
    if press.argument == story.layout:
        return (card(context, story),)
    return await shown(context, replace(story, layout=press.argument))


TOPIC = Topic(
    commands=(),
    presses={
        "styles": styles_pressed,
        "style": style_pressed,
        "layouts": layouts_pressed,
        "layout": layout_pressed,
    },
)
