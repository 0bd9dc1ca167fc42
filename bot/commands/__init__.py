"""All commands: the one table that every chat is built from, and what buttons and forms do.

A new command is a function and an entry in the `TOPIC` of its file; a new file is one more name in
`TOPICS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from bot.commands import (
    animate,
    begin,
    caption,
    characters,
    doubts,
    draw,
    edit,
    help,
    keep,
    looks,
    meme,
    personal,
    queue,
    remix,
    settings,
    star,
)
from bot.commands.context import Command, OnPress, Topic

TOPICS: tuple[Topic, ...] = (
    begin.TOPIC,
    edit.TOPIC,
    doubts.TOPIC,
    caption.TOPIC,
    looks.TOPIC,
    draw.TOPIC,
    animate.TOPIC,
    keep.TOPIC,
    remix.TOPIC,
    characters.TOPIC,
    meme.TOPIC,
    star.TOPIC,
    queue.TOPIC,
    settings.TOPIC,
    personal.TOPIC,
    help.topic(lambda: [command.info for command in COMMANDS]),
)
COMMANDS: tuple[Command, ...] = tuple(chain.from_iterable(topic.commands for topic in TOPICS))
PRESSES: Mapping[str, OnPress] = {
    name: act for topic in TOPICS for name, act in topic.presses.items()
}
FORMS: Mapping[str, OnPress] = {name: act for topic in TOPICS for name, act in topic.forms.items()}
