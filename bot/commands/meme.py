"""Memes: words on one of a person's panels, or on a picture that came along."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.buttons import Press
from bot.card import is_drawn
from bot.chat import Attachment, CommandInfo, Field, File, Option, Reply
from bot.commands.choosing import choose_panel, panel_with
from bot.commands.context import Command, Context, Replies, Topic, fields_of
from bot.commands.stories import PANEL, STORY, chosen
from bot.editing import panel_at
from bot.errors import Refusal
from bot.page.meme import LONGEST, meme
from bot.stories import Panel, Story
from bot.uploads import accept_upload

MEME = CommandInfo(
    "meme",
    "help.meme",
    (
        Option("top", "help.option_top", limit=LONGEST),
        Option("bottom", "help.option_bottom", limit=LONGEST),
        Option("caption", "help.option_bar", limit=LONGEST),
        Option("picture", "help.option_meme_picture", Attachment),
        replace(PANEL, required=False),
        STORY,
    ),
)
FIELDS = {
    "top": "story.field_top",
    "bottom": "story.field_bottom",
    "caption": "story.field_caption_bar",
}
WORDS = tuple(FIELDS)


async def make(context: Context) -> Replies:
    """`/meme`: answers at once, nothing is drawn."""
    words = {name: context.text(name) or "" for name in WORDS}
    file = context.file("picture")
    if file is not None:
        picture = await asyncio.to_thread(accept_upload, file.content)
        return await made(context, picture, words)
    story = await chosen(context)
    number = context.number("panel")
    if number is None and len(story.panels) != 1:
        asked = choose_panel(context, drawn_story(story), "meme", "story.which_meme")
        context.stores.drafts.keep(context.me, waiting_words(story), words)
        return asked
    panel = panel_at(story, number or 1)
    if not any(words.values()):
        return meme_form(context, story, panel)
    return await of_panel(context, panel, words)


async def made(context: Context, picture: bytes, words: dict[str, str]) -> Replies:
    content = await asyncio.to_thread(lambda: meme(picture, **words))
    alt = " / ".join(filter(None, words.values()))
    return (Reply(files=(File("meme.png", content, alt),)),)


async def of_panel(context: Context, panel: Panel, words: dict[str, str]) -> Replies:
    if panel.picture is None:
        raise Refusal("story.draw_first")
    return await made(context, await context.stores.pictures.read(panel.picture), words)


def drawn_story(story: Story) -> Story:
    if not is_drawn(story):
        raise Refusal("story.draw_first")
    return story


def meme_form(context: Context, story: Story, panel: Panel) -> Replies:
    words = context.stores.drafts.take(context.me, waiting_words(story))
    fields = [
        Field(name, context.say(label), words.get(name, ""), required=False, limit=LONGEST)
        for name, label in FIELDS.items()
    ]
    return context.form(context.say("story.meme_title"), Press("meme", story.id, panel.id), *fields)


def waiting_words(story: Story) -> str:
    """Under which name words are kept until the panel for them is chosen."""
    return Press("memes", story.id).encode()


async def memes_pressed(context: Context, press: Press) -> Replies:
    """Meme: on which panel?"""
    story = drawn_story(await context.story(press.subject))
    if len(story.panels) == 1:
        return meme_form(context, story, story.panels[0])
    return choose_panel(context, story, "meme", "story.which_meme")


async def meme_pressed(context: Context, press: Press) -> Replies:
    story = await context.story(press.subject)
    return meme_form(context, story, panel_with(story, press.argument))


async def meme_filled(context: Context, press: Press) -> Replies:
    story = await context.story(press.subject)
    fields = fields_of(context.call)
    words = {name: fields.get(name, "") for name in WORDS}
    return await of_panel(context, panel_with(story, press.argument), words)


TOPIC = Topic(
    commands=(Command(MEME, make),),
    presses={"memes": memes_pressed, "meme": meme_pressed},
    forms={"meme": meme_filled},
)
