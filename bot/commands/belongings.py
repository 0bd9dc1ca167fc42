"""Everything that a person has made, in ZIP files: one at a time, so that they never are in memory
together.

Where the next one begins stands in its button. It names a thing, not how many came before it, so
that nothing is left out when stories are made or deleted between two presses.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from zipfile import ZIP_STORED, ZipFile

from bot.buttons import Press, whole
from bot.card import card_of, card_of_character
from bot.characters import MAX_SAVED
from bot.commands.context import Context
from bot.drawn import script_of
from bot.errors import UserError
from bot.memes import AboutMeme, meme_files
from bot.page.export import file_name
from bot.room import character_words

MOST_BYTES = 10_000_000  # of an archive: Discord takes 10 MiB a file
WORDS = ""  # all characters as they are typed: the first thing
CHARACTER, MEME, STORY = "c", "m", "s"  # what the names of the others begin with

Piece = tuple[str, Callable[[], Awaitable[bytes]]]  # a file's name, and what reads it


@dataclass(frozen=True)
class Start:
    """Where an archive begins: its number, a thing, and how many files of that are given before."""

    archive: int = 1
    thing: str = ""
    given: int = 0

    @classmethod
    def of(cls, press: Press) -> Start:
        """Raises Refusal for what no button of ours ever carried."""
        if not press.argument:
            return cls()
        archive, _, given = press.argument.partition("-")
        return cls(whole(archive), press.subject, whole(given))

    @property
    def argument(self) -> str:
        return f"{self.archive}-{self.given}"


@dataclass(frozen=True)
class Archive:
    """A ZIP file, the cards of what is in it, and where the next one begins, if there is one."""

    content: bytes
    about: tuple[str, ...]
    next: Start | None


async def packed(context: Context, start: Start) -> Archive:
    """The files from there on, as many as one archive takes: the first always."""
    file, about, following = BytesIO(), list[str](), None
    with ZipFile(file, "w", ZIP_STORED) as archive:  # pictures are small already
        async with aclosing(files_from(context, start)) as files:
            async for thing, number, name, content in files:
                if file.tell() and file.tell() + len(content) > MOST_BYTES:
                    following = Start(start.archive + 1, thing, number)
                    break
                await asyncio.to_thread(archive.writestr, name, content)
                about += cards_of(thing)
    return Archive(file.getvalue(), tuple(dict.fromkeys(about)), following)


async def files_from(context: Context, start: Start) -> AsyncGenerator[tuple[str, int, str, bytes]]:
    """A thing, the number of its file from 0, the file's name and content, and so on."""
    for thing in await things_of(context, start.thing):
        for number, (name, read) in enumerate(await pieces_of(context, thing)):
            if thing == start.thing and number < start.given:
                continue
            try:
                content = await read()
            except UserError:  # the picture is gone
                continue
            yield thing, number, name, content


async def things_of(context: Context, first: str) -> list[str]:
    """The names of all things from `first` on, in an order that changes with none of them."""
    stores = context.stores
    characters = await stores.characters.of_owner(context.me, MAX_SAVED)
    every = [WORDS, *(CHARACTER + character.id for character in characters)]
    every += [f"{MEME}{number:012}" for number in await stores.ledger.memes(context.me)]
    every += [STORY + story_id for story_id in await stores.stories.ids(context.me)]
    return [thing for thing in sorted(every) if thing >= first]


def cards_of(thing: str) -> Iterator[str]:
    """The card of a character or story."""
    kind, id = thing[:1], thing[1:]
    if kind == STORY:
        yield card_of(id)
    elif kind == CHARACTER:
        yield card_of_character(id)


async def pieces_of(context: Context, thing: str) -> list[Piece]:
    """The files of a thing; none if it was deleted this moment."""
    if thing == WORDS:
        return [("characters.txt", partial(characters_in_words, context))]
    make = {CHARACTER: of_character, MEME: of_meme, STORY: of_story}[thing[0]]
    try:
        return await make(context, thing[1:])
    except UserError:
        return []


async def characters_in_words(context: Context) -> bytes:
    characters = await context.stores.characters.of_owner(context.me, MAX_SAVED)
    lines = [character_words(one.name, one.description) for one in characters]
    return "\n".join(lines).encode(errors="replace")


async def of_character(context: Context, character_id: str) -> list[Piece]:
    character = await context.stores.characters.get(character_id, context.me)
    folder = f"characters/{character.id}"
    return [
        *picture(context, f"{folder}-reference.png", character.reference),
        *picture(context, f"{folder}-sheet.png", character.sheet),
    ]


async def of_meme(context: Context, number: str) -> list[Piece]:
    """A drawn meme with its words."""
    return [(f"memes/{int(number)}.png", partial(meme_content, context, int(number)))]


async def meme_content(context: Context, number: int) -> bytes:
    job = await context.stores.ledger.get(number, context.me)
    drawn = await context.stores.ledger.pictures(number)
    about = AboutMeme.from_json(job.about)
    files = await meme_files(context.stores.pictures, about, drawn, context.language)
    return files[0].content


async def of_story(context: Context, story_id: str) -> list[Piece]:
    """Its script, its pictures, its pages and animations."""
    stories = context.stores.stories
    story = await stories.get(story_id, context.me)
    folder = f"stories/{file_name(story.title)}-{story.id}"
    script = script_of(story).encode(errors="replace")
    pieces: list[Piece] = [(f"{folder}/story.txt", partial(as_it_is, script))]
    for number, panel in enumerate(story.panels, 1):
        pieces += picture(context, f"{folder}/{number}.png", panel.picture)
    for member in story.cast:
        pieces += picture(context, f"{folder}/reference-{member.name}.png", member.reference)
    for number, sha in enumerate(await stories.pages(story.id), 1):
        pieces += picture(context, f"{folder}/page-{number}.png", sha)
    for one in await stories.animations.of(story.id):
        name = f"{folder}/animation-{one.job}-{one.number}.{one.kind}"
        pieces += picture(context, name, one.sha)
    return pieces


def picture(context: Context, name: str, sha: str | None) -> list[Piece]:
    return [] if sha is None else [(name, partial(context.stores.pictures.read, sha))]


async def as_it_is(content: bytes) -> bytes:
    return content
