"""What concerns a person alone: privacy, being forgotten, the language."""

from __future__ import annotations

from bot.buttons import Press, button
from bot.card import Rows, card_of, card_of_character
from bot.chat import CommandInfo, File, Option, Reply
from bot.commands.belongings import Start, packed
from bot.commands.context import Command, Context, Replies, Topic
from bot.errors import UnknownChoice
from bot.words import languages, say

MOST_STORIES = 1_000
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
    """Everything a person has made, a ZIP file at each press."""
    start = Start.of(press)
    archive = await packed(context, start)
    file = File(f"inkwell-{start.archive}.zip", archive.content)
    rows: Rows = ()
    if archive.next is not None:
        text = context.say("privacy.data_part", number=start.archive)
        more = archive.next
        rows = ((button(context.say("button.more_data"), "mydata", more.thing, more.argument),),)
    elif start.archive > 1:
        text = context.say("privacy.data_last", number=start.archive)
    else:
        text = context.say("privacy.data")
    return (Reply(text, (file,), rows, private=True, about=archive.about),)


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
    stores = context.stores
    stories = await stores.stories.ids(context.me)
    characters = await stores.characters.of_owner(context.me, limit=MOST_STORIES)
    gone = (*map(card_of, stories), *(card_of_character(one.id) for one in characters))
    await stores.ledger.cancel_all(context.me)
    stores.drafts.forget(context.me)
    stores.ledger.stop(await stores.people.forget(context.me))
    text = context.say("privacy.forgotten")
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
