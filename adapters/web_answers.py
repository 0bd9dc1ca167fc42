"""What the bot's replies become: what a room shows, and what the page is told to do next."""

from __future__ import annotations

from adapters.web_rows import Json, Room, Shown
from bot.chat import Form, Reply


def shown_of(reply: Reply) -> Shown:
    return Shown(
        reply.text,
        reply.files,
        reply.buttons,
        card=reply.card,
        title=reply.room,
        heading=reply.title,
        about=reply.about,
    )


def outcome(opened: Room | None = None, form: Form | None = None) -> Json:
    return {
        "state": "done",
        "room": opened.id if opened else None,
        "form": form and form_json(form),
    }


def form_json(form: Form) -> Json:
    return {
        "title": form.title,
        "data": form.data,
        "fields": [
            {
                "name": one.name,
                "label": one.label,
                "value": one.value,
                "long": one.long,
                "required": one.required,
                "limit": one.limit,
            }
            for one in form.fields
        ],
    }
