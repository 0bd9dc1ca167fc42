"""A story as plain data: what it may hold, and its shape in rows and JSON."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import Refusal
from bot.limits import (
    MAX_CAST,
    checked_description,
    checked_name,
    checked_seed,
    checked_title,
    checked_words,
)
from bot.script import MAX_PANELS, Kind
from bot.sharing import checked_audiences


@dataclass(frozen=True)
class CastMember:
    """Somebody in a story, perhaps a saved character (its id) or with an uploaded picture."""

    name: str
    description: str
    character: str | None = None
    reference: str | None = None  # SHA-256


@dataclass(frozen=True)
class Panel:
    """One panel; `id` stays when it moves. `text` keeps names in brackets, without the caption."""

    id: str
    text: str
    caption: str | None = None
    kind: Kind | None = None
    speaker: str | None = None
    characters: tuple[str, ...] = ()
    seed: int | None = None  # None: from the story's seed
    picture: str | None = None  # SHA-256, once it is drawn


@dataclass(frozen=True)
class Original:
    """What a remix is a copy of. Without a title its readers may not see it any more."""

    title: str | None = None
    author: str | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Story:
    """A story as it was read; `version` is how `Stories.save` knows whether it still is so."""

    id: str
    owner: str  # a person's key
    title: str
    style: str
    layout: str
    seed: int
    cast: tuple[CastMember, ...]
    panels: tuple[Panel, ...]
    room: str | None  # `Place.key`: plain messages there are lines of this story
    shared_with: tuple[str, ...]  # "everyone" or "server:KEY"
    parent: str | None  # the story that it continues
    created: float  # seconds since 1970
    changed: float
    version: int
    original: Original | None = None  # of a remix
    model: str = ""  # that draws it; "": the one that is configured
    quality: str = ""  # "draft", "normal" or "fine"; "": as the model does unasked


def checked_story(story: Story) -> Story:
    """The story as it can be kept. Raises Refusal over a limit."""
    if len(story.cast) > MAX_CAST:
        raise Refusal("store.many_in_cast", limit=MAX_CAST)
    if len(story.panels) > MAX_PANELS:
        raise Refusal("store.many_panels", limit=MAX_PANELS)
    return replace(
        story,
        title=checked_title(story.title),
        style=checked_name(story.style),
        layout=checked_name(story.layout),
        model=story.model and checked_name(story.model),
        quality=story.quality and checked_name(story.quality),
        seed=checked_seed(story.seed),
        cast=tuple(checked_member(member) for member in story.cast),
        panels=tuple(checked_panel(panel) for panel in story.panels),
        shared_with=checked_audiences(story.shared_with),
    )


def checked_member(member: CastMember) -> CastMember:
    return replace(
        member,
        name=checked_name(member.name),
        description=checked_description(member.description),
    )


def checked_panel(panel: Panel) -> Panel:
    return replace(
        panel,
        text=checked_words(panel.text),
        caption=None if panel.caption is None else checked_words(panel.caption),
        seed=None if panel.seed is None else checked_seed(panel.seed),
    )


def content(story: Story) -> tuple[Any, ...]:
    """What a step back brings back."""
    look = (story.title, story.style, story.layout, story.seed)
    return (*look, numbered(story.cast), numbered(story.panels), story.model, story.quality)


def restored(story: Story, text: str) -> Story:
    """The story with the content of a step.

    A picture drawn since then stays with its panel where it shows the same.
    """
    title, style, layout, seed, cast, panels, *drawn_by = json.loads(text)
    model, quality = drawn_by or ("", "")  # steps of an older version have none
    old = replace(
        story,
        title=title,
        style=style,
        layout=layout,
        seed=seed,
        cast=cast_from(cast),
        panels=panels_from(panels),
        model=model,
        quality=quality,
    )
    if looks_of(old) != looks_of(story):
        return old
    drawn = {look(panel): panel.picture for panel in story.panels if panel.picture}
    return replace(
        old, panels=tuple(replace(p, picture=drawn.get(look(p), p.picture)) for p in old.panels)
    )


def looks_of(story: Story) -> tuple[object, ...]:
    """What all pictures of a story depend on."""
    return (story.style, story.seed, story.cast, story.model, story.quality)


def look(panel: Panel) -> tuple[object, ...]:
    return (panel.id, panel.text, panel.characters, panel.seed)


def pictures_of(story: Story) -> set[str]:
    every = {member.reference for member in story.cast} | {panel.picture for panel in story.panels}
    return {sha for sha in every if sha is not None}


def numbered(parts: Sequence[CastMember | Panel]) -> list[list[Any]]:
    """Rows of position and all fields: as the tables, `SELECT` and the steps have them."""
    return [[position, *vars(part).values()] for position, part in enumerate(parts)]


def cast_from(rows: list[list[Any]]) -> tuple[CastMember, ...]:
    return tuple(CastMember(*fields) for _, *fields in sorted(rows))


def panels_from(rows: list[list[Any]]) -> tuple[Panel, ...]:
    return tuple(
        Panel(id, text, caption, kind, speaker, tuple(characters), seed, picture)
        for _, id, text, caption, kind, speaker, characters, seed, picture in sorted(rows)
    )


def story_from(row: sqlite3.Row) -> Story:
    return Story(
        id=row["id"],
        owner=row["owner"],
        title=row["title"],
        style=row["style"],
        layout=row["layout"],
        seed=row["seed"],
        cast=cast_from(json.loads(row["members"])),
        panels=panels_from(json.loads(row["panels"])),
        room=row["room"],
        shared_with=tuple(sorted(json.loads(row["audiences"]))),
        parent=row["parent"],
        created=row["created"],
        changed=row["changed"],
        version=row["version"],
        model=row["model"],
        quality=row["quality"],
        original=None if row["original"] is None else Original(*json.loads(row["original"])),
    )
