"""Memes: words on one of a person's panels, on a picture that came along, or drawn for them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.buttons import Press
from bot.card import card_name, is_drawn
from bot.characters import SavedCharacter
from bot.chat import Attachment, CommandInfo, Field, File, Option, Reply
from bot.commands.begin import saved_lines
from bot.commands.checking import check_words
from bot.commands.choosing import choose_panel, panel_with
from bot.commands.context import Command, Context, Replies, Topic, fields_of
from bot.commands.draw import enqueue
from bot.commands.stories import PANEL, STORY, chosen
from bot.editing import panel_at
from bot.errors import Refusal, quoted
from bot.limits import MAX_NAME
from bot.memes import AboutMeme, meme_request
from bot.page.lettering import check_fonts
from bot.page.meme import LONGEST, meme
from bot.requests import character_job
from bot.script import split_speaker
from bot.stories import Panel, Story
from bot.uploads import accept_upload
from engine.prompts import same_name

MEME = CommandInfo(
    "meme",
    "help.meme",
    (
        Option("words", "help.option_words", limit=LONGEST + MAX_NAME + 4),
        Option("character", "help.option_character_meme", suggests=True, limit=MAX_NAME),
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
    """`/meme`: with a character it is drawn, else it is answered at once."""
    who, words = await wanted(context)
    check_words(context, *words.values())
    if who is not None:
        return await drawn(context, who, words)
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
    return await of_panel(context, story, panel, words)


async def wanted(context: Context) -> tuple[SavedCharacter | None, dict[str, str]]:
    """Who is to be drawn, if anybody, and the words for each place. Raises Refusal."""
    words = {name: context.text(name) or "" for name in WORDS}
    said, name = (context.text("words") or "").strip(), context.text("character")
    if name is not None:
        who: SavedCharacter | None = await known(context, name)
    else:
        who, said = await somebody_says(context, said)
    if said and words["caption"]:
        raise Refusal("meme.words_twice")
    return who, words | {"caption": said or words["caption"]}


async def known(context: Context, name: str) -> SavedCharacter:
    """A character that the caller may use, by name. Raises Refusal."""
    plain = name.strip().strip("[]【】［］")
    found = await context.stores.characters.named(context.me, plain, context.server)
    if found is None:
        raise Refusal("meme.nobody", name=quoted(plain))
    return found


async def somebody_says(context: Context, said: str) -> tuple[SavedCharacter | None, str]:
    """Who is meant by "Name: words", and the words. Nobody where a picture is at hand."""
    if context.file("picture") is not None or context.number("panel") is not None:
        return None, said
    kept = await context.saved()
    parts = split_speaker(said, saved_lines(kept))
    return (None, said) if parts is None else (kept[same_name(parts[0])], parts[1])


async def drawn(context: Context, who: SavedCharacter, words: dict[str, str]) -> Replies:
    """Puts a meme into the queue: one panel of somebody, of which the words say what it shows."""
    if not any(map(str.strip, words.values())):
        raise Refusal("meme.no_words")
    for said in words.values():
        if len(said.strip()) > LONGEST:
            raise Refusal("meme.too_long", limit=LONGEST, length=len(said.strip()))
    await asyncio.to_thread(check_fonts, list(filter(None, words.values())))
    about = AboutMeme(who.name, words, who.id)
    style = context.settings.style or context.stores.config.draw.style
    job = character_job(
        "meme-draw",
        about.to_json(),
        await meme_request(context.stores.requests, who, about, style),
        person=context.me,
        place=context.place,
        server=context.server,
        language=context.language,
    )
    return await enqueue(context, job)


async def made(
    context: Context, picture: bytes, words: dict[str, str], about: tuple[str, ...] = ()
) -> Replies:
    content = await asyncio.to_thread(lambda: meme(picture, **words))
    alt = " / ".join(filter(None, words.values()))
    return (Reply(files=(File("meme.png", content, alt),), about=about),)


async def of_panel(context: Context, story: Story, panel: Panel, words: dict[str, str]) -> Replies:
    if panel.picture is None:
        raise Refusal("story.draw_first")
    picture = await context.stores.pictures.read(panel.picture)
    return await made(context, picture, words, (card_name(story),))


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
    check_words(context, *words.values())
    return await of_panel(context, story, panel_with(story, press.argument), words)


TOPIC = Topic(
    commands=(Command(MEME, make),),
    presses={"memes": memes_pressed, "meme": meme_pressed},
    forms={"meme": meme_filled},
)
