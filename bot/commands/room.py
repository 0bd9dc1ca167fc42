"""A story's own room, where what is typed is script; elsewhere a whole script begins a story."""

from __future__ import annotations

from dataclasses import replace

from bot.card import story_of_card
from bot.chat import Reply
from bot.commands.begin import Beginning, begin, saved_lines
from bot.commands.context import Context, Replies
from bot.commands.doubts import questions, told_new
from bot.commands.reference import consent, referenced
from bot.commands.stories import card, save
from bot.editing import cast_lines, namesakes, with_lines
from bot.errors import ScriptError
from bot.room import NO_CAST, Typed, read_lines, read_whole, written_lines
from bot.stories import Story
from engine.prompts import same_name


async def opened(context: Context) -> Replies:
    """A place of its own was made for a story: from now on its plain messages are script."""
    story_id = story_of_card(str(context.call.options.get("card", "")))
    if story_id is not None:
        await context.stores.stories.enter(story_id, context.me, context.place.key)
    return ()


async def message(context: Context) -> Replies:
    """A plain message: lines of the room's story, or a whole script, or nothing of ours."""
    text = context.text("text") or ""
    story = await context.here()
    if story is None and await context.is_left():
        return (Reply(context.say("story.room_left")),)
    story = story or await left_without_room(context)
    if story is None:
        return await outside(context, text)
    if story.owner != context.me:
        return ()
    if story.panels and context.private and context.place.thread is None:
        whole = await whole_script(context, text)
        known = {same_name(member.name) for member in story.cast}
        if whole and not any(same_name(c.name) in known for c in whole.characters):
            return await begin(context, Beginning(whole), await context.saved())
    return await add_lines(context, story, text)


async def left_without_room(context: Context) -> Story | None:
    """The story that was begun one place above, if the adapter did not say that it has a room.

    Only among pages of the person's own: elsewhere people talk in threads about anything.
    """
    if context.place.thread is None or not context.private:
        return None
    above = await context.stores.stories.of_room(replace(context.place, thread=None).key)
    if above is None or above.owner != context.me:
        return None
    await context.stores.stories.enter(above.id, context.me, context.place.key)
    return await context.own(above.id)


async def add_lines(context: Context, story: Story, text: str, at: int | None = None) -> Replies:
    """Adds lines to a story; a picture that comes along shows the first character introduced."""
    kept = await context.saved()
    typed = read_lines(text, cast_lines(story), len(story.panels), saved_lines(kept))
    notes = [context.say("story.namesake", name=c.name) for c in namesakes(typed.characters, kept)]
    changed = with_lines(story, typed, kept, at)
    names, reference = list(context.call.attachments), None
    if names and typed.characters:
        first = len(story.cast)
        reference = await referenced(context, names[0])
        member = replace(changed.cast[first], reference=reference)
        cast = (*changed.cast[:first], member, *changed.cast[first + 1 :])
        changed = replace(changed, cast=cast)
    elif names:
        notes.append(context.say("story.picture_unused"))
    if changed == story:
        return (card(context, story, *notes),)
    before = len(story.panels) if at is None else min(at - 1, len(story.panels))
    asked = questions(context, story, typed.doubts, before)
    saved = await save(context, changed)
    notes += await consent(context, reference)
    new = told_new(context, saved, typed.newcomers)
    return (card(context, saved, *notes), *asked, *new)


async def outside(context: Context, text: str) -> Replies:
    """A message where no story is. Among other people only a whole script is meant for the bot."""
    whole = await whole_script(context, text)
    if whole is None and not context.private:
        return ()
    kept = await context.saved()
    if whole is None and any(line.plain.lstrip()[:1] == "[" for line in written_lines(text)):
        whole = read_lines(text, NO_CAST, saved=saved_lines(kept))
    if whole is None:
        return context.reply("commands.hint")
    return await begin(context, Beginning(whole), kept)


async def whole_script(context: Context, text: str) -> Typed | None:
    """The story that a message of several lines holds, if it holds a whole one."""
    if "[" not in text.translate({0x3010: "[", 0xFF3B: "["}) or len(text.splitlines()) < 2:
        return None
    try:
        return read_whole(text, saved_lines(await context.saved()))
    except ScriptError:
        return None
