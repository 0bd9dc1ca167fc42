"""Having stories: show, list, export, share, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.animating import AboutAnimation, animation_files
from bot.buttons import Press, button
from bot.card import card_name, card_of, cards_of_job, in_rows, is_drawn, page_buttons, title_of
from bot.chat import CommandInfo, File, Option, Place, Reply
from bot.commands.begin import in_room
from bot.commands.checking import check_story
from bot.commands.context import Command, Context, Replies, Topic
from bot.commands.stories import STORY, card, chosen, chosen_own, pages, save
from bot.drawn import book_of, page_files
from bot.errors import Refusal
from bot.memes import AboutMeme, meme_files
from bot.page.export import FORMATS, export
from bot.requests import AboutPage, AboutSheet
from bot.results import sheet_files
from bot.sentences import cut
from bot.sharing import EVERYONE, audience_of, is_local, is_local_audience
from bot.stories import Panel, Story

MOST_LISTED = 25
SHARES = ("server", "everyone", "nobody")

SHOW = CommandInfo("story show", "help.story_show", (STORY,))
LIST = CommandInfo(
    "story list", "help.story_list", (Option("title", "help.option_title_part", limit=100),)
)
EXPORT = CommandInfo(
    "story export",
    "help.story_export",
    (Option("format", "help.option_format", choices=FORMATS), STORY),
)
SHARE = CommandInfo(
    "story share", "help.story_share", (Option("with", "help.option_with", choices=SHARES), STORY)
)
DELETE = CommandInfo("story delete", "help.story_delete", (STORY,))


async def show(context: Context) -> Replies:
    """`/story show`"""
    return await show_story(context, await chosen(context))


async def show_pressed(context: Context, press: Press) -> Replies:
    return await show_story(context, await context.story(press.subject))


async def show_story(context: Context, story: Story) -> Replies:
    """The card, for its owner to go on with, and the pages; other people see the pages."""
    check_story(context, story)
    drawn = is_drawn(story)
    if story.owner != context.me:
        if not drawn:
            raise Refusal("story.nothing_to_see")
        remix = button(context.say("button.remix"), "remix", story.id)
        title, about = title_of(story, context.language), (card_name(story),)
        return (Reply(title, await pages(context, story), ((remix,),), about=about),)
    if is_direct(context.place) and story.room != context.place.key:
        story = await save(context, replace(story, room=context.place.key))
    alone = context.private and context.place.thread is None
    shown = in_room(context, story) if alone else card(context, story)
    if not drawn:
        return (shown,)
    return (shown, Reply(files=await pages(context, story), about=(card_name(story),)))


def is_direct(place: Place) -> bool:
    """A direct message that has no threads: the story that is shown is the one that is typed on."""
    return place.server is None and place.thread is None


async def list_stories(context: Context) -> Replies:
    """`/story list`"""
    like = context.text("title") or ""
    stories = await context.stores.stories.of_owner(context.me, limit=MOST_LISTED, like=like)
    if not stories:
        return context.reply("story.no_such_title" if like else "story.list_empty")
    lines = [
        context.say(
            "story.list_line",
            number=number,
            title=cut(title_of(story, context.language), 60),
            count=len(story.panels),
            state=context.say("story.state_drawn" if is_drawn(story) else "story.state_draft"),
        )
        for number, story in enumerate(stories, 1)
    ]
    buttons = [button(str(number), "show", story.id) for number, story in enumerate(stories, 1)]
    text = "\n".join([context.say("story.list_head"), *lines])
    return (Reply(text, buttons=in_rows(buttons), private=True),)


async def export_story(context: Context) -> Replies:
    """`/story export`"""
    story = await chosen(context)
    wanted = context.text("format") or "pdf"
    files, about = await exported(context, story, wanted), (card_name(story),)
    return (Reply(context.say("story.exported"), files, about=about),)


async def exported(context: Context, story: Story, wanted: str) -> tuple[File, ...]:
    """The files of a story in one of `FORMATS`. Raises Refusal."""
    check_story(context, story)
    author = context.account.name if story.owner == context.me else ""
    book = await book_of(story, context.stores.pictures, author, context.language)
    files = await asyncio.to_thread(export, book, wanted)
    alt = title_of(story, context.language)
    return tuple(File(name, content, alt) for name, content in files)


async def share(context: Context) -> Replies:
    """`/story share`"""
    story = await chosen_own(context)
    wanted = context.text("with") or ("server" if context.server else "everyone")
    return await share_with(context, story, wanted)


async def shares_pressed(context: Context, press: Press) -> Replies:
    """Share: with whom?"""
    story = await context.own(press.subject)
    names = SHARES if context.server else SHARES[1:]
    labels = {name: f"button.share_{name}" for name in names}
    if is_local(context.server):
        labels["server"] = "button.share_local"
    buttons = [button(context.say(labels[name]), "share", story.id, name) for name in names]
    text = context.say("story.which_share", now=shared_words(context, story))
    return (Reply(text, buttons=(tuple(buttons),), private=True, about=(card_name(story),)),)


async def share_pressed(context: Context, press: Press) -> Replies:
    return await share_with(context, await context.own(press.subject), press.argument)


async def share_with(context: Context, story: Story, wanted: str) -> Replies:
    """Lets others read the story; "nobody" takes everything back."""
    shared = await save(
        context, replace(story, shared_with=audience(context, story.shared_with, wanted))
    )
    text = shared_words(context, shared)
    if shared.shared_with:
        text += "\n" + context.say("story.shared_how", id=story.id)
    return (Reply(text, private=True),)


def audience(context: Context, now: tuple[str, ...], wanted: str) -> tuple[str, ...]:
    """Whom something is shared with after one of `SHARES`. Raises Refusal."""
    if wanted == "nobody":
        return ()
    if wanted == "everyone":
        return tuple(sorted({*now, EVERYONE}))
    if wanted != "server":
        raise Refusal("commands.old_button")
    if context.server is None:
        raise Refusal("story.no_server")
    return tuple(sorted({*now, audience_of(context.server)}))


def shared_words(context: Context, story: Story) -> str:
    if not story.shared_with:
        return context.say("story.shared_nobody")
    if EVERYONE in story.shared_with:
        return context.say("story.shared_everyone")
    servers = [audience for audience in story.shared_with if not is_local_audience(audience)]
    said = [] if len(servers) == len(story.shared_with) else [context.say("story.shared_local")]
    if servers:
        said.append(context.say("story.shared_servers", count=len(servers)))
    return "\n".join(said)


async def delete(context: Context) -> Replies:
    """`/story delete`: asks first."""
    return ask_delete(context, await chosen_own(context))


async def delete_pressed(context: Context, press: Press) -> Replies:
    return ask_delete(context, await context.own(press.subject))


def ask_delete(context: Context, story: Story) -> Replies:
    text = context.say("story.delete_sure", title=title_of(story, context.language))
    erase = button(context.say("button.erase"), "erase", story.id, look="danger")
    return (Reply(text, buttons=((erase,),), private=True, about=(card_name(story),)),)


async def erase_pressed(context: Context, press: Press) -> Replies:
    """Deletes a story for good, with what is being drawn for it and what chats keep of it.

    Pressed once more it answers the same: the chat may not have heard of it, if the bot was killed.
    """
    stores = context.stores
    try:
        story = await context.own(press.subject)
    except Refusal:
        if not await stores.people.has_deleted(context.me, press.subject):
            raise
        text = context.say("story.is_deleted")
    else:
        async with stores.pictures.letting_go():
            stores.ledger.stop(await stores.stories.delete(story.id, context.me))
        text = context.say("story.deleted", title=title_of(story, context.language))
    return (Reply(text, private=True, gone=(card_of(press.subject),)),)


async def send_pressed(context: Context, press: Press) -> Replies:
    """Shows what a job has drawn once more, where nobody could be sure that it arrived."""
    job = await context.stores.ledger.get(press.job, context.me)
    if job.state not in ("drawn", "delivered") or job.about == "{}":  # what it draws was deleted
        raise Refusal("job.nothing_to_send", number=job.id)
    if job.kind == "sheet":
        about = AboutSheet.from_json(job.about)
        await context.stores.characters.get(about.character, context.me, job.server)
        poses = await context.stores.ledger.pictures(job.id)
        files = await sheet_files(context.stores.pictures, about, poses, context.language)
        return (Reply(files=files, about=cards_of_job(job)),)
    if job.kind == "meme-draw":
        drawn = await context.stores.ledger.pictures(job.id)
        about_meme = AboutMeme.from_json(job.about)
        files = await meme_files(context.stores.pictures, about_meme, drawn, context.language)
        return (Reply(files=files, about=cards_of_job(job)),)
    if job.kind == "animate":
        moving, stores = AboutAnimation.from_json(job.about), context.stores
        story = await context.own(moving.story)
        files = await animation_files(
            stores.stories, stores.pictures, moving, job.id, context.language
        )
        rows = page_buttons(story.id, context.language)
        return (Reply(moving.name(context.language), files, rows, about=(card_name(story),)),)
    page = AboutPage.from_json(job.about)
    story = await context.own(page.story)
    shas = await context.stores.stories.pages(story.id, job.id)
    title = title_of(story, context.language)
    files = await shown_again(context, title, shas, page.panels, page.layout)
    rows = page_buttons(story.id, context.language)
    return (Reply(title, files, rows, about=(card_name(story),)),)


async def shown_again(
    context: Context, title: str, shas: Sequence[str], panels: Sequence[Panel], layout: str = ""
) -> tuple[File, ...]:
    """Kept pictures as files. Raises Refusal if they are gone."""
    if not shas:
        raise Refusal("store.picture_gone")
    contents = [await context.stores.pictures.read(sha) for sha in shas]
    return page_files(title, contents, panels, context.language, layout)


TOPIC = Topic(
    commands=(
        Command(SHOW, show),
        Command(LIST, list_stories),
        Command(EXPORT, export_story),
        Command(SHARE, share),
        Command(DELETE, delete),
    ),
    presses={
        "show": show_pressed,
        "shares": shares_pressed,
        "share": share_pressed,
        "delete": delete_pressed,
        "erase": erase_pressed,
        "send": send_pressed,
    },
)
