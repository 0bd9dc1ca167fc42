"""Saved characters: somebody whom a person can use by name in any story."""

from __future__ import annotations

from dataclasses import replace

from bot.buttons import Press, button
from bot.card import card_of_character
from bot.characters import STRENGTH, SavedCharacter
from bot.chat import Attachment, CommandInfo, File, Option, Reply
from bot.commands.checking import check_words
from bot.commands.context import Command, Context, Replies, Topic
from bot.commands.draw import enqueue
from bot.commands.keep import SHARES, audience
from bot.commands.reference import consent, referenced
from bot.editing import random_seed
from bot.errors import Refusal, printable
from bot.limits import MAX_DESCRIPTION, MAX_NAME
from bot.requests import AboutSheet, character_job
from bot.sentences import cut
from bot.sharing import is_local

CHARACTER = Option(
    "character", "help.option_character", required=True, suggests=True, limit=MAX_NAME
)
NAME = Option("name", "help.option_name", limit=MAX_NAME)
DESCRIPTION = Option("description", "help.option_description", limit=MAX_DESCRIPTION, long=True)
PICTURE = Option("picture", "help.option_reference", Attachment)
STRENGTH_OPTION = Option("strength", "help.option_strength", int, lowest=0, highest=100)
MOST_LISTED = 40

NEW = CommandInfo(
    "character new",
    "help.character_new",
    (replace(NAME, required=True), replace(DESCRIPTION, required=True), PICTURE, STRENGTH_OPTION),
)
LIST = CommandInfo("character list", "help.character_list")
SHOW = CommandInfo("character show", "help.character_show", (CHARACTER,))
EDIT = CommandInfo(
    "character edit",
    "help.character_edit",
    (CHARACTER, NAME, DESCRIPTION, PICTURE, STRENGTH_OPTION),
)
SHARE = CommandInfo(
    "character share",
    "help.character_share",
    (CHARACTER, Option("with", "help.option_with", choices=SHARES)),
)
DELETE = CommandInfo("character delete", "help.character_delete", (CHARACTER,))


async def chosen(context: Context) -> SavedCharacter:
    """The character that the option names, by name or id. Raises Refusal."""
    name = context.words("character").strip()
    characters = context.stores.characters
    found = await characters.named(context.me, name.strip("[]【】"), context.server)
    return found or await characters.get(name, context.me, context.server)


async def chosen_own(context: Context) -> SavedCharacter:
    character = await chosen(context)
    if character.owner != context.me:
        raise Refusal("character.not_yours")
    return character


async def new(context: Context) -> Replies:
    """`/character new`"""
    check_words(context, context.text("name"), context.text("description"))
    strength = context.number("strength")
    if strength is not None and context.file("picture") is None:
        raise Refusal("character.strength_of_what")
    character = await context.stores.characters.new(
        context.me,
        name=context.words("name"),
        description=context.words("description"),
        seed=random_seed(),
        reference=await referenced(context, "picture"),
        strength=STRENGTH if strength is None else strength,
    )
    notes = await consent(context, character.reference)
    return described(context, character, "character.saved", *notes)


def described(context: Context, character: SavedCharacter, key: str, *notes: str) -> Replies:
    """A sentence about a character, and what can be done with it."""
    buttons = (
        button(context.say("button.sheet"), "sheet", character.id, look="primary"),
        button(context.say("button.forget_character"), "unperson", character.id, look="danger"),
    )
    text = "\n".join((context.say(key, name=character.name), *notes))
    about = (card_of_character(character.id),)
    return (Reply(text, buttons=(buttons,), private=True, about=about),)


async def list_characters(context: Context) -> Replies:
    """`/character list`"""
    stores = context.stores.characters
    own = await stores.of_owner(context.me, MOST_LISTED)
    shared = await stores.shared(context.me, context.server, MOST_LISTED)
    if not own and not shared:
        return context.reply("character.none")
    groups = [("character.list_head", own), ("character.shared_head", shared)]
    parts = ["\n".join([context.say(head), *map(line, some)]) for head, some in groups if some]
    return (Reply("\n\n".join(parts), private=True),)


def line(character: SavedCharacter) -> str:
    return cut(printable(f"[{character.name}] {character.description}"), 120)


async def show(context: Context) -> Replies:
    """`/character show`"""
    return await show_sheet(context, await chosen(context))


async def sheet_pressed(context: Context, press: Press) -> Replies:
    found = await context.stores.characters.get(press.subject, context.me, context.server)
    return await show_sheet(context, found)


async def show_sheet(context: Context, character: SavedCharacter) -> Replies:
    """The character in four poses: at once if that was drawn before, else it is queued."""
    check_words(context, character.name, character.description)
    if character.sheet is not None:
        sheet = await context.stores.pictures.read(character.sheet)
        files, about = (File("sheet.png", sheet, line(character)),), card_of_character(character.id)
        return (Reply(line(character), files, about=(about,)),)
    style = context.settings.style or context.stores.config.draw.style
    job = character_job(
        "sheet",
        AboutSheet.of(character).to_json(),
        await context.stores.requests.of_sheet(character, style),
        person=context.me,
        place=context.place,
        server=context.server,
        language=context.language,
    )
    jobs = await context.stores.ledger.of_person(context.me)
    for twin in jobs:
        if (twin.kind, twin.request) == (job.kind, job.request):
            raise Refusal("queue.already", number=twin.id)
    return await enqueue(context, job)


async def edit(context: Context) -> Replies:
    """`/character edit`"""
    character = await chosen_own(context)
    name, description = context.text("name"), context.text("description")
    check_words(context, name, description)
    strength, reference = context.number("strength"), await referenced(context, "picture")
    if strength is not None and (reference or character.reference) is None:
        raise Refusal("character.strength_of_what")
    fields = {
        "name": name, "description": description, "reference": reference, "strength": strength
    }  # fmt: skip
    changes = {name: value for name, value in fields.items() if value is not None}
    if not changes:
        raise Refusal("character.nothing_to_change")
    changed = await context.stores.characters.change(character.id, context.me, **changes)
    notes = await consent(context, reference)
    return described(context, changed, "character.changed", *notes)


async def share(context: Context) -> Replies:
    """`/character share`"""
    character = await chosen_own(context)
    wanted = context.text("with") or "server"
    shared = audience(context, character.shared_with, wanted)
    await context.stores.characters.change(character.id, context.me, shared_with=shared)
    with_whom = "local" if wanted == "server" and is_local(context.server) else wanted
    return context.reply(f"character.shared_{with_whom}", name=character.name)


async def delete(context: Context) -> Replies:
    """`/character delete`: asks first."""
    return ask_delete(context, await chosen_own(context))


async def unperson_pressed(context: Context, press: Press) -> Replies:
    found = await context.stores.characters.get(press.subject, context.me, context.server)
    return ask_delete(context, found)


def ask_delete(context: Context, character: SavedCharacter) -> Replies:
    text = context.say("character.delete_sure", name=character.name)
    erase = button(context.say("button.erase"), "gone", character.id, look="danger")
    about = (card_of_character(character.id),)
    return (Reply(text, buttons=((erase,),), private=True, about=about),)


async def gone_pressed(context: Context, press: Press) -> Replies:
    """Deletes a character for good; pressed once more it answers the same, as for stories."""
    stores = context.stores
    if not await stores.people.has_deleted(context.me, press.subject):
        async with stores.pictures.letting_go():
            stores.ledger.stop(await stores.characters.delete(press.subject, context.me))
    gone = (card_of_character(press.subject),)
    return (Reply(context.say("character.deleted"), private=True, gone=gone),)


TOPIC = Topic(
    commands=(
        Command(NEW, new),
        Command(LIST, list_characters),
        Command(SHOW, show),
        Command(EDIT, edit),
        Command(SHARE, share),
        Command(DELETE, delete),
    ),
    presses={"sheet": sheet_pressed, "unperson": unperson_pressed, "gone": gone_pressed},
)
