"""What concerns a person alone: privacy, being forgotten, the language."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

from bot.buttons import Press, button
from bot.card import Rows, card_name
from bot.chat import CommandInfo, File, Option, Reply
from bot.commands.context import Command, Context, Replies, Topic
from bot.drawn import script_of
from bot.errors import Refusal, UnknownChoice, UserError
from bot.job import Job
from bot.memes import AboutMeme, meme_files
from bot.page.export import file_name
from bot.room import character_words
from bot.stories import Story
from bot.words import languages, say

MOST_STORIES = 1_000
MOST_BYTES = 24_000_000  # of one file: Discord takes 25 MiB a message; the rest are other files
PRIVACY = CommandInfo("privacy", "help.privacy")
FORGET = CommandInfo("forget", "help.forget")
LANGUAGE = CommandInfo(
    "language", "help.language", (Option("to", "help.option_language", choices=languages()),)
)


async def privacy(context: Context) -> Replies:
    """`/privacy`: in one screen, what is kept."""
    stores = context.stores
    stories = await stores.stories.of_owner(context.me, limit=MOST_STORIES)
    characters = await stores.characters.of_owner(context.me, limit=MOST_STORIES)
    shares = [one.shared_with for one in stories] + [one.shared_with for one in characters]
    text = context.say(
        "privacy.text",
        stories=len(stories),
        characters=len(characters),
        shared=sum(map(bool, shares)),
    )
    return (Reply(text, buttons=buttons(context), private=True),)


def buttons(context: Context) -> Rows:
    return (
        (
            button(context.say("button.my_data"), "mydata"),
            button(context.say("button.forget_me"), "forget", look="danger"),
        ),
    )


async def my_data(context: Context, press: Press) -> Replies:
    """Everything a person has made, as ZIP files."""
    stores = context.stores
    stories = await stores.stories.of_owner(context.me, limit=MOST_STORIES)
    characters = await stores.characters.of_owner(context.me, limit=MOST_STORIES)
    parts: list[tuple[str, bytes]] = [
        (
            "characters.txt",
            "\n".join(character_words(c.name, c.description) for c in characters).encode(),
        )
    ]
    for character in characters:
        for kind, sha in (("reference", character.reference), ("sheet", character.sheet)):
            parts += await picture(context, f"characters/{character.id}-{kind}.png", sha)
    for story in stories:
        parts += await story_parts(context, story)
    for job in await stores.ledger.memes(context.me):
        parts += await meme_parts(context, job)
    archives = await asyncio.to_thread(archived, parts)
    files = tuple(
        File(f"inkwell-{number}.zip", content) for number, content in enumerate(archives, 1)
    )
    about = tuple(map(card_name, stories))
    return (Reply(context.say("privacy.data"), files, private=True, about=about),)


async def story_parts(context: Context, story: Story) -> list[tuple[str, bytes]]:
    """The files of one story: its script, its pictures and its pages."""
    folder = f"stories/{file_name(story.title)}-{story.id}"
    parts = [(f"{folder}/story.txt", script_of(story).encode(errors="replace"))]
    for number, panel in enumerate(story.panels, 1):
        parts += await picture(context, f"{folder}/{number}.png", panel.picture)
    for member in story.cast:
        parts += await picture(context, f"{folder}/reference-{member.name}.png", member.reference)
    for number, sha in enumerate(await context.stores.stories.pages(story.id), 1):
        parts += await picture(context, f"{folder}/page-{number}.png", sha)
    for one in await context.stores.stories.animations.of(story.id):
        name = f"{folder}/animation-{one.job}-{one.number}.{one.kind}"
        parts += await picture(context, name, one.sha)
    return parts


async def meme_parts(context: Context, job: Job) -> list[tuple[str, bytes]]:
    """A drawn meme with its words; nothing if its picture is gone."""
    drawn = await context.stores.ledger.pictures(job.id)
    about = AboutMeme.from_json(job.about)
    try:
        files = await meme_files(context.stores.pictures, about, drawn, context.language)
    except UserError:
        return []
    return [(f"memes/{job.id}.png", file.content) for file in files]


async def picture(context: Context, name: str, sha: str | None) -> list[tuple[str, bytes]]:
    """A picture under a name; nothing if there is none or it is gone."""
    if sha is None:
        return []
    try:
        return [(name, await context.stores.pictures.read(sha))]
    except Refusal:
        return []


def archived(parts: Sequence[tuple[str, bytes]]) -> list[bytes]:
    """The parts in as few ZIP files as the size of each allows."""
    groups: list[list[tuple[str, bytes]]] = [[]]
    size = 0
    for name, content in parts:
        if groups[-1] and size + len(content) > MOST_BYTES:
            groups.append([])
            size = 0
        groups[-1].append((name, content))
        size += len(content)
    return [zipped(group) for group in groups]


def zipped(parts: Sequence[tuple[str, bytes]]) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_STORED) as archive:  # pictures are small already
        for name, content in parts:
            archive.writestr(name, content)
    return file.getvalue()


async def forget(context: Context) -> Replies:
    """`/forget`: asks first."""
    rows = (
        (
            button(context.say("button.my_data"), "mydata"),
            button(context.say("button.forget_for_ever"), "oblivion", look="danger"),
        ),
    )
    return (Reply(context.say("privacy.forget_sure"), buttons=rows, private=True),)


async def forget_pressed(context: Context, press: Press) -> Replies:
    return await forget(context)


async def oblivion(context: Context, press: Press) -> Replies:
    """Deletes everything of a person, pictures too, and lets the chat do the same."""
    stories = await context.stores.stories.of_owner(context.me, limit=MOST_STORIES)
    await context.stores.ledger.cancel_all(context.me)
    context.stores.drafts.forget(context.me)
    await context.stores.people.forget(context.me)
    text, gone = context.say("privacy.forgotten"), tuple(map(card_name, stories))
    return (Reply(text, private=True, forget=True, gone=gone),)


async def language(context: Context) -> Replies:
    """`/language`: without an option, a button for each."""
    wanted = context.text("to")
    if wanted is not None:
        return await speak(context, wanted)
    rows = (tuple(button(say(name, "language.name"), "speak", name) for name in languages()),)
    return (Reply(context.say("language.which"), buttons=rows, private=True),)


async def speak_pressed(context: Context, press: Press) -> Replies:
    return await speak(context, press.subject)


async def speak(context: Context, wanted: str) -> Replies:
    if wanted not in languages():
        raise UnknownChoice("language", wanted, languages())
    await context.stores.people.set_language(context.me, wanted)
    return (Reply(say(wanted, "language.chosen"), private=True),)


TOPIC = Topic(
    commands=(
        Command(PRIVACY, privacy, anywhere=True),
        Command(FORGET, forget, anywhere=True),
        Command(LANGUAGE, language, anywhere=True),
    ),
    presses={
        "mydata": my_data,
        "forget": forget_pressed,
        "oblivion": oblivion,
        "speak": speak_pressed,
    },
)
