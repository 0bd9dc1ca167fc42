"""Remixes: a copy of a story that somebody shared, to go on with as one's own."""

from __future__ import annotations

import secrets
from dataclasses import replace

from bot.buttons import Press
from bot.card import is_drawn
from bot.chat import CommandInfo
from bot.commands.begin import in_room
from bot.commands.checking import check_story
from bot.commands.context import Command, Context, Replies, Topic
from bot.commands.stories import STORY, chosen
from bot.editing import new_seeds, portrait, random_seed
from bot.errors import Refusal
from bot.stories import CastMember, Story

REMIX = CommandInfo("story remix", "help.story_remix", (STORY,))


async def remix(context: Context) -> Replies:
    """`/story remix`"""
    return await remix_story(context, await chosen(context))


async def remix_pressed(context: Context, press: Press) -> Replies:
    return await remix_story(context, await context.story(press.subject))


async def remix_story(context: Context, story: Story) -> Replies:
    """Makes the copy and answers with its card, in a room of its own. Raises Refusal."""
    if story.owner != context.me and not is_drawn(story):
        raise Refusal("story.nothing_to_see")
    check_story(context, story)
    cast = [await member_for(context, story, member) for member in story.cast]
    copy = with_new_panels(replace(story, cast=tuple(cast), seed=random_seed()))
    copy = replace(copy, room=context.first_room)
    made = await context.stores.stories.remix(context.me, story, copy)
    return (in_room(context, made),)


def with_new_panels(story: Story) -> Story:
    """The story with the same words, of which nothing is drawn yet."""
    seeds = new_seeds(story.seed, (), len(story.panels))
    panels = tuple(
        replace(panel, id=secrets.token_hex(4), seed=seed, picture=None)
        for panel, seed in zip(story.panels, seeds, strict=True)
    )
    return replace(story, panels=panels)


async def member_for(context: Context, story: Story, member: CastMember) -> CastMember:
    """Somebody of the cast, as far as others may see what they look like.

    A saved character stays one for whoever may use it. Everybody else looks as they were drawn:
    the story is shared, a picture that was uploaded for it is not.
    """
    if story.owner == context.me:
        return member
    if member.character is not None:
        try:
            await context.stores.characters.get(member.character, context.me, context.server)
        except Refusal:
            member = replace(member, character=None)
        else:
            return replace(member, reference=None)
    seen = {panel.picture for panel in story.panels}
    if member.reference in seen:
        return member
    return replace(member, reference=portrait(story, member.name))


TOPIC = Topic(commands=(Command(REMIX, remix),), presses={"remix": remix_pressed})
