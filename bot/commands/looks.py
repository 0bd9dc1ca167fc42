"""Style, layout and model, chosen by buttons."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.buttons import Press
from bot.chat import File
from bot.commands.begin import LAYOUT_NAMES, STYLES
from bot.commands.checking import check_style
from bot.commands.choosing import check_choice, choose
from bot.commands.context import Context, Replies, Topic
from bot.commands.stories import card, shown
from bot.editing import drawn_by, with_style
from bot.page.style_sheet import style_sheet
from bot.sentences import listed
from engine.prompts import styles_of, thumbnail


async def styles_pressed(context: Context, press: Press) -> Replies:
    """The styles that the model can draw: what each is, a picture of those there are, buttons."""
    story = await context.own(press.subject)
    names = styles_of(context.model(story.model).styles)
    [question] = choose(context, story, "style", names, story.style)
    lines = [context.say("style.line", name=n, look=context.say(f"style.{n}")) for n in names]
    files = await asyncio.to_thread(pictured, context, names)
    return (replace(question, text="\n".join([question.text, *lines]), files=files),)


def pictured(context: Context, names: tuple[str, ...]) -> tuple[File, ...]:
    """One picture of all styles that the house artist can show."""
    sheet = style_sheet(names)
    if sheet is None:
        return ()
    shown = listed(context.language, [name for name in names if thumbnail(name)])
    return (File("styles.png", sheet, context.say("style.sheet_alt", names=shown)),)


async def layouts_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    return choose(context, story, "layout", LAYOUT_NAMES, story.layout)


async def style_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    check_choice("style", press.argument, STYLES)
    check_style(context, press.argument, story.model)
    if press.argument == story.style:
        return (card(context, story),)
    return await shown(context, with_style(story, press.argument))


async def layout_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    check_choice("layout", press.argument, LAYOUT_NAMES)
    if press.argument == story.layout:
        return (card(context, story),)
    return await shown(context, replace(story, layout=press.argument))


async def models_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    engine = context.stores.config.engine
    return choose(context, story, "model", engine.offered, engine.drawing_with(story.model))


async def model_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    engine = context.stores.config.engine
    check_choice("model", press.argument, engine.offered)
    if press.argument == engine.drawing_with(story.model):
        return (card(context, story),)
    check_style(context, story.style, press.argument)
    return await shown(context, drawn_by(story, press.argument, story.quality))


TOPIC = Topic(
    commands=(),
    presses={
        "styles": styles_pressed,
        "style": style_pressed,
        "layouts": layouts_pressed,
        "layout": layout_pressed,
        "models": models_pressed,
        "model": model_pressed,
    },
)
