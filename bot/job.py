"""One job of the ledger: something to draw, and how far it has come."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from bot.words import say

Kind = Literal["draw", "redraw", "sheet", "meme-draw", "animate"]
State = Literal["waiting", "drawing", "drawn", "delivered", "failed", "cancelled"]


@dataclass(frozen=True)
class Reason:
    """Why a job failed: a sentence of the catalogues."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def say(self, language: str | None) -> str:
        return say(language, self.key, **self.values)

    def to_json(self) -> str:
        return json.dumps([self.key, dict(self.values)], ensure_ascii=False, default=str)

    @classmethod
    def from_json(cls, text: str) -> Reason:
        return cls(*json.loads(text))


@dataclass(frozen=True)
class NewJob:
    """Something to draw, frozen: later edits of the story do not change it."""

    person: str  # Person.key
    place: str  # JSON of chat.Place: where the answer goes
    server: str | None  # "discord:123", for its cap
    kind: Kind
    story: str | None
    request: str  # JSON of DrawRequest; of "animate", AnimateRequest
    about: str  # JSON, the worker's own
    panels: int  # pictures to draw: its weight in the quota and in estimates
    language: str  # of what the person is told


@dataclass(frozen=True)
class Job(NewJob):
    """A row of the ledger. Times are seconds since 1970; `seconds` is how long drawing took."""

    id: int
    state: State
    attempts: int
    reason: Reason | None
    seconds: float | None
    created: float
    started: float | None
    message: str | None  # the platform's id of the progress post
    not_before: float

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> Job:
        values = {name: row[name] for name in NAMES}
        reason = values["reason"]
        return cls(**{**values, "reason": Reason.from_json(reason) if reason else None})


NAMES = tuple(column.name for column in fields(Job))  # of the table's columns, too
NEW_NAMES = tuple(column.name for column in fields(NewJob))
