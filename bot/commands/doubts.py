"""A new name that is like a known one: the card shows it, and a question offers to take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from bot.buttons import Press, button
from bot.card import card_name, words_tag
from bot.chat import Reply
from bot.commands.begin import saved_lines
from bot.commands.context import Context, Replies, Topic
from bot.commands.stories import card, saved_card
from bot.editing import cast_lines, with_lines
from bot.errors import Refusal, printable
from bot.room import Doubt, character_words, read_lines
from bot.sentences import listed
from bot.stories import CastMember, Story
from engine.prompts import same_name


def questions(
    context: Context, story: Story, doubts: Sequence[Doubt], before: int
) -> tuple[Reply, ...]:
    """A question for each doubt about lines that stand after `before` panels of the story."""
    return tuple(question(context, story, doubt, before + doubt.panels + 1) for doubt in doubts)


def question(context: Context, story: Story, doubt: Doubt, number: int) -> Reply:
    """Keep who is new, or make the line panel `number` of the known one."""
    name, known = printable(doubt.name), printable(doubt.known)
    meant = f"{number}-{name_tag(doubt.name)}-{name_tag(doubt.known)}"
    row = (
        button(context.say("button.doubt_new", name=name), "newname", story.id, meant),
        button(context.say("button.doubt_known", name=known), "oldname", story.id, meant),
    )
    text = context.say("story.doubt", name=name, known=known)
    return Reply(text, buttons=(row,), private=True, about=(card_name(story),))


def told_new(context: Context, story: Story, names: Sequence[str]) -> tuple[Reply, ...]:
    """Who is new in a story that has panels already, and how to take them back."""
    if not names:
        return ()
    listing = listed(context.language, [printable(name) for name in names])
    undo = button(context.say("button.undo"), "undo", story.id, words_tag(story))
    text = context.say("story.newcomers", names=listing)
    return (Reply(text, buttons=((undo,),), private=True, about=(card_name(story),)),)


def name_tag(name: str) -> str:
    """Eight letters for a name, however long it is."""
    return blake2b(same_name(name).encode(errors="replace"), digest_size=4).hexdigest()


async def new_pressed(context: Context, press: Press) -> Replies:
    """Whoever is new stays."""
    story = await context.own(press.subject)
    _, new, _ = read_meant(press)
    member = member_with(story, new)
    return (card(context, story, context.say("story.doubt_new", name=printable(member.name))),)


async def known_pressed(context: Context, press: Press) -> Replies:
    """Takes the new character back, and makes a panel of its line."""
    story = await context.own(press.subject)
    number, new, known = read_meant(press)
    slip, meant = member_with(story, new), member_with(story, known)
    if any(slip.name in panel.characters for panel in story.panels):
        raise Refusal("story.doubt_over")
    fewer = replace(story, cast=tuple(member for member in story.cast if member is not slip))
    kept = await context.saved()
    line = character_words(meant.name, slip.description)
    typed = read_lines(line, cast_lines(fewer), len(fewer.panels), saved_lines(kept))
    number = min(number, len(fewer.panels) + 1)
    note = context.say("story.doubt_known", name=printable(meant.name), number=number)
    return await saved_card(context, with_lines(fewer, typed, kept, number), note)


def read_meant(press: Press) -> tuple[int, str, str]:
    """The panel's number, and the tags of the new and of the known name. Raises Refusal."""
    number, _, tags = press.argument.partition("-")
    new, _, known = tags.partition("-")
    return max(1, replace(press, argument=number).number), new, known


def member_with(story: Story, tag: str) -> CastMember:
    """Somebody of the cast. Raises Refusal where the story has changed since it was asked."""
    for member in story.cast:
        if name_tag(member.name) == tag:
            return member
    raise Refusal("story.doubt_over")


TOPIC = Topic(commands=(), presses={"newname": new_pressed, "oldname": known_pressed})
