"""What the web chat knows of its people: a name and a language."""

from __future__ import annotations

import json
import sqlite3
import time
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, replace

from adapters import web_words
from adapters.web_storage import Batch, Event, Storage
from bot.chat import Person

CHAT = "web"
LONGEST_NAME = 40  # characters
MOST_REMEMBERED = 5000


@dataclass(frozen=True)
class Profile:
    id: str
    name: str  # "": none was ever given
    language: str | None

    @property
    def shown_name(self) -> str:
        return self.name or web_words.say(self.language, "guest", number=self.id[:4])

    def json(self) -> dict[str, str | None]:
        return {"id": self.id, "name": self.shown_name, "language": self.language}

    @property
    def person(self) -> Person:
        return Person(CHAT, self.id, self.shown_name, self.language)


class People:
    """A person is only a cookie until they give a name, a language, or say something."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._known: OrderedDict[str, Profile] = OrderedDict()
        self._first: str | None = None

    async def get(self, person: str) -> Profile:
        known = self._known.get(person)
        if known is not None:
            self._known.move_to_end(person)
            return known

        def work(connection: sqlite3.Connection) -> sqlite3.Row | None:
            row: sqlite3.Row | None = connection.execute(
                "SELECT * FROM people WHERE id = ?", (person,)
            ).fetchone()
            return row

        row = await self._storage.read(work)
        return self._remember(
            Profile(person, row["name"], row["language"]) if row else Profile(person, "", None)
        )

    def _remember(self, profile: Profile) -> Profile:
        self._known[profile.id] = profile
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return profile

    async def change(
        self, person: str, *, name: str | None = None, language: str | None = None
    ) -> Profile:
        """Sets what is not None. A name loses control characters and what is over 40 characters."""
        profile = await self.get(person)
        if name is not None:
            profile = replace(profile, name=clean_name(name))
        if language is not None:
            profile = replace(profile, language=web_words.best_language(language))

        def work(batch: Batch) -> None:
            batch.connection.execute(
                "INSERT INTO people VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
                " SET name = excluded.name, language = excluded.language",
                (person, profile.name, profile.language, time.time()),
            )
            seq = batch.changed()
            event = {"type": "me", "seq": seq, "me": profile.json()}
            batch.events.append(Event(person, seq, json.dumps(event, ensure_ascii=False)))

        await self._storage.write(work)
        return self._remember(profile)

    async def is_first(self, person: str) -> bool:
        """Whether nobody was here before: where there is a password, that one manages the chat."""
        if self._first is None:

            def work(batch: Batch) -> str:
                batch.connection.execute(
                    "INSERT OR IGNORE INTO meta VALUES ('first', ?)", (person,)
                )
                row = batch.row("SELECT value FROM meta WHERE key = 'first'")
                assert row is not None
                return str(row["value"])

            self._first = await self._storage.write(work)
        return self._first == person

    def forget(self, person: str) -> None:
        self._known.pop(person, None)


def clean_name(name: str) -> str:
    """Without control characters and direction overrides, which would spoil what stands beside."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in name)
    return " ".join(kept.split())[:LONGEST_NAME].strip()
