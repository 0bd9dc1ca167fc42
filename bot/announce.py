"""What the bot says of a job of its own accord, in the person's language: text and buttons.

The worker and delivery make a `Post` of these; nothing here waits or reads anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.buttons import button
from bot.card import Rows, finish_button, page_buttons
from bot.chat import Button
from bot.jobs import Job, Position
from bot.posting import person_of, place_of
from bot.sentences import as_sentence, duration
from bot.words import say

STAGES = ("waiting", "loading", "steps", "panels", "frames")  # of engine.request.Progress


@dataclass(frozen=True)
class Announcement:
    """The words of a post and the buttons under it."""

    text: str
    buttons: Rows = ()


def waiting_text(language: str | None, number: int, position: Position) -> str:
    """Number, place in the queue and how long it will take."""
    time = ready_words(language, position)
    if position.ahead == 0:
        return say(language, "job.next", number=number, time=time)
    return say(language, "job.waiting", number=number, count=position.ahead, time=time)


def ready_words(language: str | None, position: Position) -> str:
    """When it will be ready: "in about 3 minutes"."""
    return say(language, "time.ahead", time=duration(language, position.seconds))


def waiting(job: Job, position: Position) -> Announcement:
    """While it waits."""
    return Announcement(waiting_text(job.language, job.id, position), cancel_buttons(job))


def drawing(job: Job, stage: str = "loading", share: float = 0.0) -> Announcement:
    """While it is drawn; `share` 0..1 of the whole is done, a stage is one of `STAGES`."""
    doing = say(job.language, f"job.stage_{stage if stage in STAGES else 'steps'}")
    text = say(job.language, "job.drawing", number=job.id, doing=doing, percent=round(100 * share))
    return Announcement(text, cancel_buttons(job))


def finishing(job: Job) -> Announcement:
    """What becomes of the progress post when the page is posted."""
    return Announcement(say(job.language, "job.done", number=job.id))


def drawn(job: Job, title: str, panel: int | None = None, *, draft: bool = False) -> Announcement:
    """With the finished page, or the sheet or meme of the character called `title`.

    `panel` is the number (from 1) of the panel that was drawn anew, if only one was; a `draft` can
    be finished. Nothing is read of the request: whoever delivers does not have it.
    """
    if job.kind == "sheet":
        return Announcement(say(job.language, "job.sheet", name=title))
    if job.kind == "meme-draw":
        return Announcement(say(job.language, "job.meme", name=title))
    heading = title or say(job.language, "story.untitled")
    if job.kind == "animate":
        buttons = page_buttons(job.story, job.language) if job.story else ()
        return Announcement(say(job.language, "job.animation", title=heading), buttons)
    if panel is None:
        text = say(job.language, "job.page", title=heading)
    else:
        text = say(job.language, "job.panel", title=heading, panel=panel)
    if not job.story:
        return Announcement(text)
    stars = (star_row(job.id, 0),) if stands_on_server(job) else ()
    finish = ((finish_button(job.story, job.language),),) if draft and panel is None else ()
    return Announcement(text, (*finish, *page_buttons(job.story, job.language), *stars))


def stands_on_server(job: Job) -> bool:
    """Whether other people see what is posted for a job: only then can it get stars."""
    channel = place_of(job).channel
    return job.server is not None and channel != person_of(job).id  # else it is their own page


def star_row(job: int, count: int) -> tuple[Button, ...]:
    """The star under a page, with how many it has got."""
    return (button(f"⭐ {count}" if count else "⭐", "star", str(job)),)


def failed(job: Job) -> Announcement:
    """When it failed: why, and a button to try again."""
    why = job.reason.say(job.language) if job.reason else say(job.language, "job.no_reason")
    text = say(job.language, "job.failed", number=job.id, why=as_sentence(why, job.language))
    return Announcement(text, again_buttons(job))


def cancelled(job: Job) -> Announcement:
    """When it was cancelled; trying again is offered, unless its story is gone."""
    text = say(job.language, "job.was_cancelled", number=job.id)
    return Announcement(text, () if job.request == "{}" else again_buttons(job))


def unsure(job: Job) -> Announcement:
    """Where nobody knows whether the page arrived: it can be sent once more on request."""
    label = say(job.language, "button.send_again")
    text = say(job.language, "job.unsure", number=job.id)
    return Announcement(text, ((button(label, "send", str(job.id), look="primary"),),))


def cancel_buttons(job: Job) -> Rows:
    label = say(job.language, "button.cancel")
    return ((button(label, "cancel", str(job.id), look="danger"),),)


def again_buttons(job: Job) -> Rows:
    return ((button(say(job.language, "button.again"), "again", str(job.id)),),)
