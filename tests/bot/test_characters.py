"""Saved characters: found by name, one's own before shared ones, changed by their owner only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.characters import MAX_SAVED, Characters, SavedCharacter, look_of
from bot.chat import Person
from bot.database import Database
from bot.errors import Refusal
from bot.people import People
from bot.pictures import Pictures
from bot.sharing import EVERYONE, audience_of
from tests.bot.new_store import open_database

ANN, BOB, HOME = "web:ann", "web:bob", "web:home"


@dataclass(frozen=True)
class Store:
    database: Database
    pictures: Pictures
    characters: Characters

    async def new(self, owner: str = ANN, name: str = "Tom", **fields: Any) -> SavedCharacter:
        return await self.characters.new(
            owner, **{"name": name, "description": "a tall man", "seed": 7, **fields}
        )

    async def share(self, character: SavedCharacter, *audiences: str) -> SavedCharacter:
        return await self.characters.change(character.id, character.owner, shared_with=audiences)


@asynccontextmanager
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Ann and Bob have been met."""
    database = await open_database(tmp_path / "inkwell.sqlite3")
    pictures = Pictures(tmp_path / "pictures", database)
    try:
        for name in ("ann", "bob"):
            await People(database, pictures).meet(Person("web", name, name))
        yield Store(database, pictures, Characters(database))
    finally:
        await database.close()


async def key_of(work: Any) -> str:
    """The key of the refusal that some work ends with."""
    with pytest.raises(Refusal) as caught:
        await work
    assert str(caught.value) != caught.value.key
    assert caught.value.say("zh") != str(caught.value)
    return caught.value.key


def test_a_character_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            sha = await s.pictures.add(b"reference")
            tom = await s.new(reference=sha)
            wanted = SavedCharacter(tom.id, ANN, "Tom", "a tall man", 7, sha, None, ())
            assert tom == wanted == await s.characters.get(tom.id, ANN)
            assert await s.characters.named(ANN, "Tom") == tom
            assert await s.characters.of_owner(ANN) == [tom]

    asyncio.run(run())


def test_a_name_is_found_in_every_spelling_and_given_once_a_person(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            tom = await s.new(name="Tom Lee")
            for spelling in ("tom lee", "TOM  LEE", "Ｔｏｍ Ｌｅｅ", " Tom Lee\u200b"):
                assert await s.characters.named(ANN, spelling) == tom
                assert await key_of(s.new(name=spelling)) == "store.name_taken"
            for other in ("Tom", "tom' OR ''='", "%", "", "\ud800"):
                assert await s.characters.named(ANN, other) is None
            assert (await s.new(BOB, name="Tom Lee")).owner == BOB
            lisa = await s.new(name="Lisa")
            taken = s.characters.change(lisa.id, ANN, name="TOM LEE")
            assert await key_of(taken) == "store.name_taken"
            assert (await s.characters.change(tom.id, ANN, name="TOM LEE")).name == "TOM LEE"

    asyncio.run(run())


def test_of_two_characters_of_one_name_at_once_one_is_saved(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            results = await asyncio.gather(*(s.new() for _ in range(5)), return_exceptions=True)
            assert [r.key for r in results if isinstance(r, Refusal)] == ["store.name_taken"] * 4
            assert await s.characters.of_owner(ANN) == [
                r for r in results if isinstance(r, SavedCharacter)
            ]

    asyncio.run(run())


def test_nobody_reads_or_changes_what_is_not_theirs_and_learns_not_even_that_it_exists(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            tom = await s.new()
            said = set()
            for character_id in (tom.id, "aaaaaaaaaa", "", "' OR 1=1 --", "\ud800", "\0"):
                for work in (
                    s.characters.get(character_id, BOB),
                    s.characters.get(character_id, BOB, HOME),
                    s.characters.change(character_id, BOB, description="mine"),
                    s.characters.delete(character_id, BOB),
                ):
                    with pytest.raises(Refusal) as caught:
                        await work
                    said.add(str(caught.value))
            assert len(said) == 1
            assert await s.characters.named(BOB, "Tom", HOME) is None
            assert await s.characters.shared(BOB, HOME) == []
            assert await s.characters.get(tom.id, ANN) == tom

    asyncio.run(run())


def test_a_shared_character_is_found_where_it_is_shared(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            tom = await s.share(await s.new(), audience_of(HOME))
            assert tom.shared_with == ("server:web:home",)
            assert await s.characters.get(tom.id, BOB, HOME) == tom
            assert await s.characters.named(BOB, "tom", HOME) == tom
            assert await s.characters.shared(BOB, HOME) == [tom]
            assert await s.characters.shared(BOB, HOME, like="OM") == [tom]
            assert await s.characters.shared(BOB, HOME, like="x") == []
            assert await s.characters.shared(ANN, HOME) == []
            for server in (None, "web:other", ""):
                assert await key_of(s.characters.get(tom.id, BOB, server)) == "store.no_character"
                assert await s.characters.named(BOB, "tom", server) is None
                assert await s.characters.shared(BOB, server) == []
            assert await key_of(s.characters.delete(tom.id, BOB)) == "store.no_character"

            tom = await s.share(tom, EVERYONE)
            assert await s.characters.named(BOB, "tom") == tom
            await s.share(tom)
            assert await s.characters.named(BOB, "tom") is None

    asyncio.run(run())


def test_ones_own_character_comes_before_a_shared_one(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            theirs = await s.share(await s.new(), audience_of(HOME))
            assert await s.characters.named(BOB, "Tom", HOME) == theirs
            mine = await s.new(BOB)
            assert await s.characters.named(BOB, "Tom", HOME) == mine
            await s.characters.delete(mine.id, BOB)
            assert await s.characters.named(BOB, "Tom", HOME) == theirs

    asyncio.run(run())


def test_a_sheet_is_kept_for_as_long_as_it_shows_the_character(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            sheet = await s.pictures.add(b"sheet")
            for fields in (
                {"description": "a short man"},
                {"seed": 8},
                {"name": "Tim"},
                {"reference": await s.pictures.add(b"reference")},
                {"strength": 80},
            ):
                tom = await s.new(name=f"Tom {next(iter(fields))}")
                await s.characters.set_sheet(tom.id, look_of(tom), sheet)
                tom = await s.share(tom, EVERYONE)
                assert tom.sheet == sheet
                changed = await s.characters.change(tom.id, ANN, **fields)
                assert changed == replace(tom, sheet=None, **fields)
                await s.characters.set_sheet(tom.id, look_of(tom), sheet)  # drawn before the change
                assert await s.characters.get(tom.id, ANN) == changed
            await s.characters.set_sheet("gone", look_of(tom), sheet)
            gone = s.characters.set_sheet(tom.id, look_of(tom), "0" * 64)
            assert await key_of(gone) == "store.picture_gone"

    asyncio.run(run())


def test_own_characters_are_listed_by_name_and_found_by_a_part_of_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            for name in ("zoe", "Ｔｏｍ", "anna", "100%", "李雷"):
                await s.new(name=name)
            await s.new(BOB, "tom of Bob")

            async def found(**options: Any) -> list[str]:
                return [c.name for c in await s.characters.of_owner(ANN, **options)]

            assert await found() == ["100%", "anna", "Ｔｏｍ", "zoe", "李雷"]
            assert await found(limit=2) == ["100%", "anna"]
            assert await found(like="TO") == ["Ｔｏｍ"]
            assert await found(like="%") == ["100%"]
            assert await found(like="李") == ["李雷"]

    asyncio.run(run())


@pytest.mark.parametrize(
    "name",
    [
        "Robert'); DROP TABLE characters;--",
        "<script>alert(1)</script>",
        "{limit} %s",
        "👩‍👩‍👧‍👦",
        "علی\u200cرضا",
        "x" * 40,
    ],
)
def test_strange_names_are_only_words(tmp_path: Path, name: str) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            tom = await s.new(name=name)
            assert tom.name == name
            assert await s.characters.named(ANN, name) == tom

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"name": ""}, "store.no_name"),
        ({"name": " \u200b\n"}, "store.no_name"),
        ({"name": "x" * 41}, "store.long_name"),
        ({"name": "😀" * 10_000}, "store.long_name"),
        ({"name": "T\0m"}, "store.odd_character"),
        ({"name": "T\u202em"}, "store.odd_character"),
        ({"name": "T\ud800m"}, "store.odd_character"),
        ({"name": "[Tom]"}, "store.mark_in_name"),
        ({"name": "Tom】"}, "store.mark_in_name"),
        ({"name": "Tom #2"}, "store.mark_in_name"),
        ({"name": "ＮＣ"}, "store.name_taken"),
        ({"description": "x" * 2_001}, "store.long_description"),
        ({"description": "\x1b[2J"}, "store.odd_character"),
        ({"seed": -1}, "store.seed"),
        ({"seed": 2**32}, "store.seed"),
        ({"reference": "0" * 64}, "store.picture_gone"),
    ],
)
def test_what_is_over_a_limit_is_refused_before_anything_is_stored(
    tmp_path: Path, fields: dict[str, Any], key: str
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            assert await key_of(s.new(**fields)) == key
            assert await s.characters.of_owner(ANN) == []
            tom = await s.new()
            assert await key_of(s.characters.change(tom.id, ANN, **fields)) == key
            assert await s.characters.get(tom.id, ANN) == tom

    asyncio.run(run())


@pytest.mark.parametrize("field", ["id", "owner", "sheet", "nonsense"])
def test_what_makes_a_character_that_one_cannot_be_changed(tmp_path: Path, field: str) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            tom = await s.new()
            with pytest.raises(TypeError):
                await s.characters.change(tom.id, ANN, **{field: BOB})
            with pytest.raises(ValueError, match="audience"):
                await s.share(tom, "web:bob")
            assert await s.characters.get(tom.id, ANN) == tom

    asyncio.run(run())


def test_a_person_keeps_a_bounded_number_of_characters(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            async with s.database.tx() as db:
                await db.executemany(
                    "INSERT INTO characters VALUES (?, ?, ?, ?, '', 0, NULL, NULL, 0, 100)",
                    [(f"id{n}", ANN, str(n), str(n)) for n in range(MAX_SAVED)],
                )
            assert await key_of(s.new()) == "store.many_characters"
            await s.new(BOB)
            await s.characters.delete("id1", ANN)
            await s.new()

    asyncio.run(run())
