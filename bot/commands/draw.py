"""Drawing: a story, one panel of it anew, and taking that back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import fields, replace

from bot.buttons import Press, button
from bot.card import card_name, in_rows, is_drawn, page_buttons, words_tag
from bot.chat import CommandInfo, Option, Reply
from bot.commands.checking import check_job
from bot.commands.choosing import choose_panel, number_of
from bot.commands.context import Command, Context, Replies, Topic
from bot.commands.stories import PANEL, STORY, chosen_own, pages, save
from bot.editing import all_anew, another_take, drawn_by, panel_at
from bot.errors import Refusal, UserError
from bot.jobs import NewJob
from bot.page.layouts import LAYOUTS
from bot.page.lettering import check_fonts
from bot.requests import page_job
from bot.sentences import listed
from bot.stories import Panel, Story

DRAW = CommandInfo("story draw", "help.story_draw", (STORY,))
REDRAW = CommandInfo("story redraw", "help.story_redraw", (PANEL, STORY))
CANCEL = CommandInfo(
    "story cancel", "help.story_cancel", (Option("number", "help.option_job", int, lowest=1), STORY)
)


async def draw(context: Context) -> Replies:
    """`/story draw`"""
    return await draw_story(context, await chosen_own(context))


async def draw_pressed(context: Context, press: Press) -> Replies:
    return await draw_story(context, await context.own(press.subject))


async def draw_story(context: Context, story: Story) -> Replies:
    """Queues what has no picture yet; where nothing is missing, shows the pages as they are."""
    if not story.panels:
        raise Refusal("story.nothing_to_draw")
    missing = [number for number, panel in enumerate(story.panels) if panel.picture is None]
    if missing:
        return await queue(context, story, missing)
    anew = button(context.say("button.anew"), "anew", story.id, words_tag(story))
    rows = (*page_buttons(story.id, context.language), (anew,))
    text, about = context.say("story.all_drawn"), (card_name(story),)
    return (Reply(text, await pages(context, story), rows, about=about),)


async def anew_pressed(context: Context, press: Press) -> Replies:
    """Everything again, with other seeds: other pictures of the same words."""
    story = await context.own(press.subject)
    if press.argument != words_tag(story):
        raise Refusal("story.changed_since")
    changed = await save(context, all_anew(story))
    return await queue_or_undo(context, changed, range(len(story.panels)))


async def finish_pressed(context: Context, press: Press) -> Replies:
    """The same pictures finely: same seeds, more steps."""
    story = await context.own(press.subject)
    if story.quality != "draft":
        raise Refusal("story.changed_since")
    changed = await save(context, drawn_by(story, story.model, "fine"))
    return await queue_or_undo(context, changed, range(len(story.panels)))


async def redraw(context: Context) -> Replies:
    """`/story redraw`"""
    story = await chosen_own(context)
    return await redraw_panel(context, story, context.number("panel") or 0)


async def redraws_pressed(context: Context, press: Press) -> Replies:
    """Redraw: which panel?"""
    story = await context.own(press.subject)
    if not is_drawn(story):
        raise Refusal("story.draw_first")
    asked = choose_panel(context, story, "redraw", "story.which_redraw")
    buttons = [
        button(str(number), "redraw", story.id, f"{panel.id}-{seed_tag(panel)}")
        for number, panel in enumerate(story.panels, 1)
    ]
    return (replace(asked[0], buttons=in_rows(buttons)),)


async def redraw_pressed(context: Context, press: Press) -> Replies:
    """Redraws a panel, unless it has got another seed since: two presses draw it once."""
    story = await context.own(press.subject)
    panel_id, _, seed = press.argument.partition("-")
    number = number_of(story, panel_id)
    if seed != seed_tag(panel_at(story, number)):
        raise Refusal("story.already_redrawn", number=number)
    return await redraw_panel(context, story, number)


async def redraw_panel(context: Context, story: Story, number: int) -> Replies:
    panel_at(story, number)
    if not is_drawn(story):
        raise Refusal("story.draw_first")
    changed = await save(context, another_take(story, number))
    return await queue_or_undo(context, changed, [number - 1], number)


def seed_tag(panel: Panel) -> str:
    return f"{(panel.seed or 0) & 0xFFFFFF:x}"


async def queue_or_undo(
    context: Context, story: Story, only: Sequence[int], number: int | None = None
) -> Replies:
    """Queues a story that was just given other seeds; it gets the old ones back if that fails."""
    try:
        return await queue(context, story, only, number)
    except UserError:
        await context.stores.stories.undo(story.id, context.me)
        raise


async def queue(
    context: Context, story: Story, only: Sequence[int], number: int | None = None
) -> Replies:
    """Freezes the request and puts it into the queue."""
    if LAYOUTS[story.layout].typeset:
        captions = [panel.caption for panel in story.panels if panel.caption]
        await asyncio.to_thread(check_fonts, captions)
    request = await context.stores.requests.of_story(story, context.server, only)
    job = page_job(
        story,
        request,
        place=context.place,
        server=context.server,
        language=context.language,
        number=number,
    )
    return await enqueue(context, job)


async def enqueue(context: Context, new: NewJob) -> Replies:
    """Puts a job into the queue. Raises Refusal over a limit, and where nothing can be posted.

    Nothing is answered: the job's progress post comes at once, says number, place and estimate, and
    lets it be cancelled.
    """
    check_job(context, new)
    await context.stores.ledger.enqueue(new, context.limits())
    return ()


async def cancel(context: Context) -> Replies:
    """`/story cancel`: a job by its number, else all that wait for the story."""
    number = context.number("number")
    if number is not None:
        return await cancel_job(context, number)
    story = await chosen_own(context)
    jobs = await context.stores.ledger.of_person(context.me)
    stopped = [
        job.id
        for job in jobs
        if job.story == story.id and await context.stores.ledger.cancel(job.id, context.me)
    ]
    if not stopped:
        raise Refusal("job.none_of_story")
    numbers = listed(context.language, [str(number) for number in stopped])
    return context.reply("job.cancelled", number=numbers)


async def cancel_pressed(context: Context, press: Press) -> Replies:
    return await cancel_job(context, press.job)


async def cancel_job(context: Context, number: int) -> Replies:
    done = await context.stores.ledger.cancel(number, context.me)
    return context.reply("job.cancelled" if done else "job.too_late", number=number)


async def again_pressed(context: Context, press: Press) -> Replies:
    """Tries a job once more that failed or was cancelled, just as it was."""
    job = await context.stores.ledger.get(press.job, context.me)
    if job.state not in ("failed", "cancelled"):
        raise Refusal("job.not_over", number=job.id)
    if job.request == "{}":  # what it draws was deleted
        raise Refusal("store.no_story" if job.story is not None else "store.no_character")
    if job.story is not None:
        await context.own(job.story)
    new = NewJob(**{field.name: getattr(job, field.name) for field in fields(NewJob)})
    return await enqueue(context, replace(new, language=context.language))


TOPIC = Topic(
    commands=(Command(DRAW, draw), Command(REDRAW, redraw), Command(CANCEL, cancel)),
    presses={
        "draw": draw_pressed,
        "anew": anew_pressed,
        "finish": finish_pressed,
        "redraws": redraws_pressed,
        "redraw": redraw_pressed,
        "cancel": cancel_pressed,
        "again": again_pressed,
    },
)
