"""How stories begin: `/story new`, a whole script, and the next page of an old one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.card import title_of
from bot.characters import SavedCharacter
from bot.chat import Attachment, CommandInfo, Option, Reply
from bot.commands.checking import check_story, check_style, check_words
from bot.commands.choosing import check_choice
from bot.commands.context import Command, Context, Replies, Topic
from bot.commands.reference import consent, referenced
from bot.commands.stories import STORY, card, chosen_own
from bot.editing import first_lines, namesakes, next_page, random_seed
from bot.errors import Refusal
from bot.limits import MAX_NAME, MAX_TITLE
from bot.lines import MAX_LINE
from bot.page.layouts import LAYOUTS
from bot.room import Cast, Typed, cast_of, read_whole
from bot.script import MAX_CHARACTERS, MAX_PANELS, CharacterLine
from bot.sentences import cut
from bot.stories import CastMember, Story
from bot.without import seen_and_not
from engine.models import PRESETS
from engine.prompts import load_styles, same_name

MAX_SCRIPT = (MAX_CHARACTERS + MAX_PANELS) * MAX_LINE  # characters
STYLES, LAYOUT_NAMES = tuple(load_styles()), tuple(LAYOUTS)
MODEL = Option("model", "help.option_model", suggests=True, limit=100)
QUALITY = Option("quality", "help.option_quality", choices=PRESETS)

NEW = CommandInfo(
    "story new",
    "help.story_new",
    (
        Option("title", "help.option_title", limit=MAX_TITLE),
        Option("script", "help.option_script", limit=MAX_SCRIPT, long=True),
        Option("style", "help.option_style", choices=STYLES),
        Option("layout", "help.option_layout", choices=LAYOUT_NAMES),
        MODEL,
        QUALITY,
        Option("picture", "help.option_picture", Attachment),
        Option("character", "help.option_pictured", limit=MAX_NAME),
    ),
)
CONTINUE = CommandInfo("story continue", "help.story_continue", (STORY,))


@dataclass(frozen=True)
class Beginning:
    """What a new story starts with."""

    typed: Typed
    title: str = ""
    style: str | None = None
    layout: str | None = None
    model: str = ""
    quality: str = ""
    pictured: str | None = None  # who is on the uploaded picture; None: the first character
    picture: str | None = None  # SHA-256


async def new(context: Context) -> Replies:
    """`/story new`"""
    script = context.text("script")
    kept = await context.saved()
    typed = read_whole(script, saved_lines(kept)) if script else Typed()
    who = context.text("character")
    if context.file("picture") and not who and not typed.characters:
        raise Refusal("story.picture_of_whom")
    beginning = Beginning(
        typed,
        context.text("title") or "",
        context.text("style"),
        context.text("layout"),
        chosen_model(context),
        context.text("quality") or "",
        who,
        await referenced(context, "picture"),
    )
    return await begin(context, beginning, kept)


def chosen_model(context: Context) -> str:
    """The model that the option names; "" for none. Raises Refusal for one that is not offered."""
    name, offered = context.text("model"), context.stores.config.engine.offered
    if name is not None:
        check_choice("model", name, offered)
    return name or ""


async def begin(
    context: Context, beginning: Beginning, kept: Mapping[str, SavedCharacter]
) -> Replies:
    """Makes the story and answers with its card, in a room of its own."""
    check_beginning(context, beginning)
    check_style(context, beginning.style, beginning.model)
    draw, seed = context.stores.config.draw, random_seed()
    cast, panels = first_lines(seed, beginning.typed, kept)
    if beginning.picture is not None:
        cast = with_picture(cast, beginning.pictured, beginning.picture)
    story = await context.stores.stories.new(
        context.me,
        title=beginning.title,
        style=beginning.style or context.settings.style or draw.style,
        layout=beginning.layout or draw.layout,
        model=beginning.model,
        quality=beginning.quality,
        seed=seed,
        room=context.first_room,
        cast=cast,
        panels=panels,
    )
    notes = [
        context.say("story.namesake", name=character.name)
        for character in namesakes(beginning.typed.characters, kept)
    ]
    return (in_room(context, story, *notes, *await consent(context, beginning.picture)),)


def check_beginning(context: Context, beginning: Beginning) -> None:
    """Refuses a story with blocked words before anything of it is kept. Raises Refusal."""
    typed = beginning.typed
    check_words(
        context,
        beginning.title,
        beginning.pictured,
        *(words for line in typed.characters for words in (line.name, line.description)),
        *(w for line in typed.panels for w in (seen_and_not(line.text)[0], line.caption)),
        kept_away=[line.negative for line in typed.panels],
    )


def with_picture(
    cast: tuple[CastMember, ...], who: str | None, picture: str
) -> tuple[CastMember, ...]:
    """The cast with an uploaded picture for one of them (None: the first), or somebody new."""
    wanted = same_name(who) if who is not None else same_name(cast[0].name)
    pictured = tuple(
        replace(member, reference=picture) if same_name(member.name) == wanted else member
        for member in cast
    )
    if pictured == cast and who is not None:
        return (*cast, CastMember(who, "", None, picture))
    return pictured


def in_room(context: Context, story: Story, *notes: str) -> Reply:
    """The card, for a place of the story's own; here, where the bot cannot make one."""
    if "threads" in context.call.lacks and not context.private:
        return card(context, story, *notes, context.say("story.no_thread"))
    return replace(card(context, story, *notes), room=title_of(story, context.language))


async def go_on(context: Context) -> Replies:
    """`/story continue`: another page with the same cast, looking as it was drawn."""
    story = await chosen_own(context)
    if not story.cast:
        raise Refusal("story.no_panels_yet")
    check_story(context, story)
    page = await context.stores.stories.new(
        context.me,
        title=next_title(story.title),
        style=story.style,
        layout=story.layout,
        model=story.model,
        quality=story.quality,
        seed=random_seed(),
        room=context.first_room,
        parent=story.id,
        cast=next_page(story),
    )
    note = context.say("story.continued", title=title_of(story, context.language))
    return (in_room(context, page, note),)


def next_title(title: str) -> str:
    """ "Tabs" is followed by "Tabs (2)", that by "Tabs (3)"; no title by none."""
    if not title:
        return ""
    counted = re.fullmatch(r"(.*) \((\d{1,4})\)", title)
    stem, number = (counted[1], int(counted[2])) if counted else (title, 1)
    end = f" ({number + 1})"
    return cut(stem, MAX_TITLE - len(end)) + end


def saved_lines(kept: Mapping[str, SavedCharacter]) -> Cast:
    """Saved characters as lines of a cast."""
    return cast_of(CharacterLine(c.name, c.description) for c in kept.values())


TOPIC = Topic(commands=(Command(NEW, new), Command(CONTINUE, go_on)))
