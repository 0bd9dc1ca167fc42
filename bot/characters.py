"""Saved characters: somebody whom a person can use by name in any story."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass, replace
from typing import Any

import aiosqlite

from bot.database import Database, askable, new_id
from bot.deleting import drop_characters
from bot.errors import Refusal
from bot.limits import checked_character_name, checked_description, checked_seed
from bot.pictures import require_pictures
from bot.sharing import audiences, checked_audiences
from engine.prompts import same_name
from engine.request import PICTURE_STRENGTH

MAX_SAVED = 200  # characters a person
CHANGEABLE = {"name", "description", "seed", "reference", "strength", "shared_with"}

SELECT = """
SELECT characters.*, (
    SELECT json_group_array(audience) FROM character_shares WHERE character = characters.id
) AS audiences
FROM characters
"""
SHARED = "EXISTS (SELECT 1 FROM character_shares WHERE character = id AND audience IN (?, ?))"


STRENGTH = round(100 * PICTURE_STRENGTH)  # percent

# What a character's pictures depend on: name, description, seed, reference, strength. Without a
# seed it is nobody's: a look that is not known.
Look = tuple[str, str, int | None, str | None, int]


@dataclass(frozen=True)
class SavedCharacter:
    """Somebody saved. `reference` and `sheet` are pictures (SHA-256): uploaded, and drawn.

    `strength` says how firmly the uploaded one leads, in percent.
    """

    id: str
    owner: str  # a person's key
    name: str
    description: str
    seed: int
    reference: str | None = None
    sheet: str | None = None
    shared_with: tuple[str, ...] = ()  # "everyone" or "server:KEY"
    strength: int = STRENGTH


class Characters:
    """Every question asks as somebody: what is not theirs or shared does not exist for them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def new(
        self,
        owner: str,
        *,
        name: str,
        description: str,
        seed: int,
        reference: str | None = None,
        strength: int = STRENGTH,
    ) -> SavedCharacter:
        """Saves a character. Raises Refusal: over a limit, or the owner has one of that name."""
        character = checked_character(
            SavedCharacter(new_id(), owner, name, description, seed, reference, strength=strength)
        )
        async with self._database.tx() as db:
            await check_room(db, owner)
            await check_name(db, character)
            await require_pictures(db, [reference])
            await db.execute(
                "INSERT INTO characters VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)",
                (
                    character.id,
                    owner,
                    character.name,
                    same_name(character.name),
                    character.description,
                    seed,
                    reference,
                    time.time(),
                    strength,
                ),
            )
        return character

    async def get(
        self, character_id: str, reader: str, server: str | None = None
    ) -> SavedCharacter:
        """A character that is the reader's own or shared. Raises Refusal otherwise."""
        row = await self._database.row(
            f"{SELECT} WHERE id = ? AND (owner = ? OR {SHARED})",
            character_id,
            reader,
            *audiences(server),
        )
        if row is None:
            raise Refusal("store.no_character")
        return character_from(row)

    async def named(
        self, owner: str, name: str, server: str | None = None
    ) -> SavedCharacter | None:
        """The owner's character of that name, else the oldest of that name shared with them."""
        row = await self._database.row(
            f"{SELECT} WHERE same_name = ? AND (owner = ? OR {SHARED})"
            " ORDER BY owner <> ?, created, id",
            same_name(name),
            owner,
            *audiences(server),
            owner,
        )
        return None if row is None else character_from(row)

    async def of_owner(self, owner: str, limit: int = 25, like: str = "") -> list[SavedCharacter]:
        """A person's own characters by name; `like` is a part of the name."""
        rows = await self._database.few(
            f"{SELECT} WHERE owner = ? AND instr(same_name, ?) ORDER BY same_name LIMIT ?",
            owner,
            same_name(like),
            limit,
        )
        return [character_from(row) for row in rows]

    async def shared(
        self, reader: str, server: str | None, limit: int = 25, like: str = ""
    ) -> list[SavedCharacter]:
        """Other people's characters that the reader may use there."""
        any_shared = "SELECT 1 FROM character_shares WHERE audience IN (?, ?) LIMIT 1"
        if await self._database.row(any_shared, *audiences(server)) is None:
            return []  # known at once, where the question below looks through all characters
        rows = await self._database.rows(
            f"{SELECT} WHERE owner <> ? AND instr(same_name, ?) AND {SHARED}"
            " ORDER BY same_name, created LIMIT ?",
            reader,
            same_name(like),
            *audiences(server),
            limit,
        )
        return [character_from(row) for row in rows]

    async def change(self, character_id: str, owner: str, **fields: Any) -> SavedCharacter:
        """Changes name, description, seed, reference, strength or shared_with. Raises Refusal.

        A sheet that no longer shows the character is let go.
        """
        if not fields.keys() <= CHANGEABLE:
            raise TypeError(f"not all of these can be changed: {', '.join(fields)}")
        async with self._database.tx() as db:
            old = await owned(db, character_id, owner)
            character = checked_character(replace(old, **fields))
            await check_name(db, character)
            await require_pictures(db, [character.reference])
            if look_of(character) != look_of(old):
                character = replace(character, sheet=None)
            await update(db, character)
        return character

    async def delete(self, character_id: str, owner: str) -> list[int]:
        """Deletes a character; stories keep its name and words. Raises Refusal.

        Returns the jobs that it alone was in, for `Ledger.stop`. `Pictures.letting_go` deletes the
        pictures.
        """
        async with self._database.tx(long=True) as db:
            await owned(db, character_id, owner)
            jobs = await drop_characters(db, [character_id])
            await db.execute("DELETE FROM characters WHERE id = ?", (character_id,))
            await db.execute("INSERT INTO deleted VALUES (?, ?)", (character_id, owner))
        return jobs

    async def set_sheet(self, character_id: str, look: Look, sha: str) -> None:
        """Keeps the sheet that was drawn of a look; nothing happens if the character is gone, or
        looks otherwise by now. For the worker."""
        async with self._database.tx() as db:
            await require_pictures(db, [sha])
            await db.execute(
                "UPDATE characters SET sheet = ? WHERE id = ?"
                " AND (name, description, seed, reference, strength) IS (?, ?, ?, ?, ?)",
                (sha, character_id, *look),
            )


def look_of(character: SavedCharacter) -> Look:
    """What its pictures depend on."""
    return (
        character.name,
        character.description,
        character.seed,
        character.reference,
        character.strength,
    )


def checked_character(character: SavedCharacter) -> SavedCharacter:
    return replace(
        character,
        name=checked_character_name(character.name),
        description=checked_description(character.description),
        seed=checked_seed(character.seed),
        shared_with=checked_audiences(character.shared_with),
    )


async def check_room(db: aiosqlite.Connection, owner: str) -> None:
    counted = await db.execute_fetchall("SELECT count(*) FROM characters WHERE owner = ?", (owner,))
    if next(iter(counted))[0] >= MAX_SAVED:
        raise Refusal("store.many_characters", limit=MAX_SAVED)


async def check_name(db: aiosqlite.Connection, character: SavedCharacter) -> None:
    """Raises Refusal if another character of the same owner has the name."""
    others = await db.execute_fetchall(
        "SELECT 1 FROM characters WHERE owner = ? AND same_name = ? AND id <> ?",
        (character.owner, same_name(character.name), character.id),
    )
    if list(others):
        raise Refusal("store.name_taken", name=character.name)


async def owned(db: aiosqlite.Connection, character_id: str, owner: str) -> SavedCharacter:
    rows = await db.execute_fetchall(
        f"{SELECT} WHERE id = ? AND owner = ?", (askable(character_id), owner)
    )
    for row in rows:
        return character_from(row)
    raise Refusal("store.no_character")


async def update(db: aiosqlite.Connection, character: SavedCharacter) -> None:
    await db.execute(
        "UPDATE characters SET name = ?, same_name = ?, description = ?, seed = ?, reference = ?,"
        " sheet = ?, strength = ? WHERE id = ?",
        (
            character.name,
            same_name(character.name),
            character.description,
            character.seed,
            character.reference,
            character.sheet,
            character.strength,
            character.id,
        ),
    )
    await db.execute("DELETE FROM character_shares WHERE character = ?", (character.id,))
    await db.executemany(
        "INSERT INTO character_shares VALUES (?, ?)",
        [(character.id, audience) for audience in character.shared_with],
    )


def character_from(row: sqlite3.Row) -> SavedCharacter:
    return SavedCharacter(
        id=row["id"],
        owner=row["owner"],
        name=row["name"],
        description=row["description"],
        seed=row["seed"],
        reference=row["reference"],
        sheet=row["sheet"],
        strength=row["strength"],
        shared_with=tuple(sorted(json.loads(row["audiences"]))),
    )
