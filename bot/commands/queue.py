"""What waits, and how much is left of the day."""

from __future__ import annotations

from bot.animating import AboutAnimation
from bot.buttons import Press, button
from bot.card import in_rows
from bot.chat import CommandInfo, Reply
from bot.commands.context import Command, Context, Replies, Topic
from bot.jobs import Job, Position
from bot.memes import AboutMeme
from bot.requests import AboutPage, AboutSheet
from bot.sentences import cut, duration

QUEUE = CommandInfo("queue", "help.queue")
QUOTA = CommandInfo("quota", "help.quota")


async def queue(context: Context) -> Replies:
    """`/queue`: the caller's own jobs, and how many all people have."""
    ledger = context.stores.ledger
    jobs = await ledger.of_person(context.me)
    positions = await ledger.positions()
    everybody = context.say("job.all_waiting", count=len(positions))
    if not jobs:
        nothing = context.say("words.both", first=context.say("job.none"), second=everybody)
        return (Reply(nothing, private=True),)
    lines = [line(context, job, positions.get(job.id, Position(0, 0.0))) for job in jobs]
    cancels = [
        button(
            context.say("button.cancel_number", number=job.id), "cancel", str(job.id), look="danger"
        )
        for job in jobs
        if job.state != "drawn"
    ]
    return (Reply("\n".join([*lines, everybody]), buttons=in_rows(cancels), private=True),)


def line(context: Context, job: Job, position: Position) -> str:
    """One job: its number, what it is, and how far."""
    return context.say(
        f"job.line_{job.state}",
        number=job.id,
        what=cut(what(context, job), 60),
        ahead=position.ahead,
        time=duration(context.language, position.seconds),
    )


def what(context: Context, job: Job) -> str:
    """What a job draws, in a few words."""
    if job.kind == "sheet":
        return context.say("job.what_sheet", name=AboutSheet.from_json(job.about).name)
    if job.kind == "meme-draw":
        return context.say("job.what_meme", name=AboutMeme.from_json(job.about).name)
    if job.kind == "animate":
        moving = AboutAnimation.from_json(job.about)
        return context.say("job.what_animation", title=moving.name(context.language))
    about = AboutPage.from_json(job.about)
    title = about.name(context.language)
    if about.number is not None:
        return context.say("job.what_panel", title=title, panel=about.number)
    return context.say("job.what_page", title=title, count=job.panels)


async def quota(context: Context) -> Replies:
    """`/quota`"""
    limits = context.limits()
    used = await context.stores.ledger.used_today(context.me)
    jobs = await context.stores.ledger.of_person(context.me)
    return context.reply(
        "job.quota",
        used=used,
        limit=limits.daily_quota,
        left=max(0, limits.daily_quota - used),
        waiting=sum(job.state == "waiting" for job in jobs),
        cap=limits.waiting_cap,
    )


async def queue_pressed(context: Context, press: Press) -> Replies:
    return await queue(context)


TOPIC = Topic(
    commands=(Command(QUEUE, queue, anywhere=True), Command(QUOTA, quota, anywhere=True)),
    presses={"queue": queue_pressed},
)
