"""Animations: a story that moves from panel to panel, a page that comes alive, a living panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.animating import (
    FRAMES,
    KINDS,
    PLAYS,
    USUAL,
    WHATS,
    AboutAnimation,
    What,
    weight,
)
from bot.buttons import Press, button
from bot.card import card_name, is_drawn, page_title
from bot.chat import CommandInfo, Option, Reply
from bot.commands.choosing import choose_panel, number_of
from bot.commands.context import Command, Context, Replies, Topic
from bot.commands.draw import enqueue
from bot.commands.stories import STORY, chosen_own
from bot.editing import panel_at
from bot.errors import Refusal
from bot.jobs import NewJob
from bot.page.layouts import LAYOUTS
from bot.page.moving import Kind, has_video
from bot.requests import own_pictures, place_json
from bot.script import MAX_PANELS
from bot.stories import Panel, Story
from bot.without import panel_request
from engine.models import find_model
from engine.request import AnimateRequest

ANIMATE = CommandInfo(
    "story animate",
    "help.story_animate",
    (
        Option("what", "help.option_what", choices=WHATS),
        Option("from", "help.option_from", int, lowest=1, highest=MAX_PANELS),
        Option("to", "help.option_to_panel", int, lowest=1, highest=MAX_PANELS),
        Option("format", "help.option_moving_format", choices=KINDS),
        STORY,
    ),
)


@dataclass
class Wanted:
    """What is to be animated; `numbers` are panels from 1, in order. `notes` are told at once."""

    what: What
    numbers: list[int]
    kind: Kind
    notes: list[str] = field(default_factory=list)


async def animate(context: Context) -> Replies:
    """`/story animate`"""
    story = await chosen_own(context)
    check_panels(story)
    what = next((one for one in WHATS if one == context.text("what")), WHATS[0])
    first, last = context.number("from"), context.number("to")
    for number in (first, last):
        if number is not None:
            panel_at(story, number)
    numbers = in_order(first or 1, last or len(story.panels))
    return await queue(context, story, Wanted(what, numbers, wanted_kind(context)))


def check_panels(story: Story) -> None:
    if not story.panels:
        raise Refusal("story.nothing_to_draw")


def in_order(first: int, last: int) -> list[int]:
    """From one panel to another, backwards where the first has the higher number."""
    step = 1 if first <= last else -1
    return list(range(first, last + step, step))


def wanted_kind(context: Context) -> Kind:
    """The format that was asked for, else what the chat plays best."""
    asked = next((kind for kind in KINDS if kind == context.text("format")), None)
    best = PLAYS.get(context.place.chat, USUAL).kind
    if asked is None and best == "mp4" and not has_video():
        return "gif"  # plays there as well, nobody misses anything
    return asked or best


async def animates_pressed(context: Context, press: Press) -> Replies:
    """Animate: in which way?"""
    story = await context.own(press.subject)
    if not is_drawn(story):
        raise Refusal("story.draw_first")
    buttons = tuple(
        button(context.say(f"button.animate_{what}"), "animate", story.id, what) for what in WHATS
    )
    text = context.say("animate.which_way")
    return (Reply(text, buttons=(buttons,), private=True, about=(card_name(story),)),)


async def animate_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    check_panels(story)
    if press.argument not in WHATS:
        raise Refusal("commands.old_button")
    what = next(one for one in WHATS if one == press.argument)
    numbers = in_order(1, len(story.panels))
    return await queue(context, story, Wanted(what, numbers, wanted_kind(context)))


async def livings_pressed(context: Context, press: Press) -> Replies:
    """Living panel: which one?"""
    story = await context.own(press.subject)
    if not is_drawn(story):
        raise Refusal("story.draw_first")
    if len(story.panels) == 1:
        return await queue(context, story, Wanted("panels", [1], wanted_kind(context)))
    return choose_panel(context, story, "living", "animate.which_panel")


async def living_pressed(context: Context, press: Press) -> Replies:
    story = await context.own(press.subject)
    number = number_of(story, press.argument)
    return await queue(context, story, Wanted("panels", [number], wanted_kind(context)))


async def queue(context: Context, story: Story, wanted: Wanted) -> Replies:
    """Freezes what is to move and puts it into the queue; says what is done in another way."""
    fall_back(context, story, wanted)
    await check_drawn(context, story, wanted)
    await enqueue(context, await job_of(context, story, wanted))
    if not wanted.notes:
        return ()
    return (Reply("\n".join(wanted.notes), private=True, about=(card_name(story),)),)


def fall_back(context: Context, story: Story, wanted: Wanted) -> None:
    """Where something cannot be as it was asked for: the next best, and a note."""
    asked_for_more = context.text("what") or context.number("from") or context.number("to")
    if wanted.what == "page" and not LAYOUTS[story.layout].typeset:
        wanted.what = "panels"
        wanted.notes.append(context.say("animate.no_page", layout=story.layout))
    if wanted.what == "panels" and len(wanted.numbers) == 1:
        if len(story.panels) == 1:
            wanted.notes.append(context.say("animate.one_panel"))
        elif asked_for_more:
            wanted.notes.append(context.say("animate.same_panel", number=wanted.numbers[0]))
    if wanted.kind == "mp4" and not has_video():
        wanted.kind = "gif"
        wanted.notes.append(context.say("animate.no_video"))


async def check_drawn(context: Context, story: Story, wanted: Wanted) -> None:
    """Refuses what is not drawn, or is being drawn at the moment."""
    for job in await context.stores.ledger.of_person(context.me):
        is_drawing = job.kind in ("draw", "redraw") and job.state in ("waiting", "drawing")
        if job.story == story.id and is_drawing:
            raise Refusal("animate.being_drawn", number=job.id)
    if not any(panel.picture for panel in story.panels):
        raise Refusal("story.draw_first")
    shown = range(1, len(story.panels) + 1) if wanted.what == "page" else wanted.numbers
    for number in shown:
        if story.panels[number - 1].picture is None:
            raise Refusal("story.not_drawn", number=number)


async def job_of(context: Context, story: Story, wanted: Wanted) -> NewJob:
    if wanted.what == "page":
        wanted.numbers.sort()  # a page is read from its beginning
    moving = [story.panels[number - 1] for number in wanted.numbers]
    drawn = await context.stores.requests.of_story(story, context.server, ())
    if not find_model(drawn.model).moves:
        raise Refusal("animate.cannot_move", model=drawn.model)
    request = AnimateRequest(
        characters=drawn.characters,
        panels=tuple(panel_request(p, p.seed) for p in moving),
        pictures=tuple(p.picture or "" for p in moving),
        style=drawn.style,
        seed=drawn.seed,
        model=drawn.model,
        frames=FRAMES,
    )
    panels = story.panels if wanted.what == "page" else tuple(moving)
    about = AboutAnimation(
        story=story.id,
        title=page_title(story),
        layout=story.layout,
        what=wanted.what,
        kind=wanted.kind,
        most_bytes=PLAYS.get(context.place.chat, USUAL).most_bytes,
        panels=panels,
        numbers=tuple(wanted.numbers),
        sources=sources_of(panels),
        called=story.title,
        own=own_pictures(story),
    )
    return NewJob(
        person=story.owner,
        place=place_json(context.place),
        server=context.server,
        kind="animate",
        story=story.id,
        request=request.to_json(),
        about=about.to_json(),
        panels=weight(request, wanted.what),
        language=context.language,
    )


def sources_of(panels: Sequence[Panel]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(p.picture for p in panels if p.picture))


TOPIC = Topic(
    commands=(Command(ANIMATE, animate),),
    presses={
        "animates": animates_pressed,
        "animate": animate_pressed,
        "livings": livings_pressed,
        "living": living_pressed,
    },
)
