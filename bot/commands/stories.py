"""What the commands of stories have in common: which story is meant, saving it, showing it."""

from __future__ import annotations

from bot.card import card_name, is_drawn, page_buttons, page_title, story_card, title_of
from bot.chat import File, Option, Reply
from bot.commands.checking import check_story
from bot.commands.context import Context, Replies
from bot.drawn import lettered, page_files
from bot.errors import Refusal
from bot.script import MAX_PANELS
from bot.stories import Story

STORY = Option("story", "help.option_story", suggests=True, limit=100)
PANEL = Option(
    "panel", "help.option_panel", int, required=True, suggests=True, lowest=1, highest=MAX_PANELS
)


async def chosen(context: Context) -> Story:
    """The story that the option "story" names, else the room's, else the person's latest.

    An option names it by id or by a part of its title. Raises Refusal.
    """
    typed = context.text("story")
    stories = context.stores.stories
    if typed is None:
        here = await context.here()
        if here is not None and here.owner == context.me:
            return here
        if context.place.thread is not None and here is not None:
            return await context.story(here.id)  # somebody else's room: if it is shared
        if await context.is_left():  # or another story would be drawn, changed or deleted
            raise Refusal("story.room_left")
        mine = await stories.of_owner(context.me, limit=1)
        if not mine:
            raise Refusal("story.none_yet")
        return mine[0]
    found = await stories.of_owner(context.me, limit=1, like=typed.strip())
    try:
        return await context.story(typed.strip())
    except Refusal:
        if not found:
            raise
        return found[0]


async def chosen_own(context: Context) -> Story:
    """The same, if it is the caller's own to change. Raises Refusal."""
    return await context.own((await chosen(context)).id)


async def save(context: Context, story: Story) -> Story:
    """Keeps a changed story. Raises Refusal for a blocked word, or if somebody was quicker."""
    check_story(context, story)
    return await context.stores.stories.save(story, owner=context.me)


async def saved_card(context: Context, story: Story, *notes: str) -> Replies:
    """Keeps a changed story and shows its card."""
    return (card(context, await save(context, story), *notes),)


def card(context: Context, story: Story, *notes: str) -> Reply:
    models = len(context.stores.config.engine.offered)
    return story_card(story, context.language, "\n".join(filter(None, notes)), models=models)


async def pages(context: Context, story: Story) -> tuple[File, ...]:
    """The story's pages, lettered as it is now, to show. Raises Refusal if a picture is missing."""
    check_story(context, story)
    drawn = await lettered(context.stores.pictures, story.panels, story.layout, page_title(story))
    title = title_of(story, context.language)
    return page_files(title, drawn, story.panels, context.language, story.layout)


async def shown(context: Context, story: Story) -> Replies:
    """Keeps a changed story; shows its card and, where everything is drawn, its pages."""
    story = await save(context, story)
    if not is_drawn(story):
        return (card(context, story),)
    return (card(context, story), await relettered(context, story))


async def relettered(context: Context, story: Story) -> Reply:
    """The pages as they are now; nothing is drawn for them."""
    return Reply(
        context.say("story.relettered"),
        await pages(context, story),
        page_buttons(story.id, context.language),
        about=(card_name(story),),
    )
