"""People: met, forgotten, blocked; servers: what their managers have set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.characters import Characters
from bot.chat import Person, Place
from bot.database import Database
from bot.errors import Refusal
from bot.people import MAX_CAP, Account, People, ServerSettings
from bot.pictures import NEW_SECONDS, Pictures
from bot.stories import CastMember, Panel, Stories
from tests.bot.new_store import open_database

ANN, BOB = Person("web", "ann", "Ann", "zh-CN"), Person("web", "bob", "Bob")


@dataclass(frozen=True)
class Store:
    folder: Path
    database: Database
    pictures: Pictures
    people: People
    stories: Stories
    characters: Characters


@asynccontextmanager
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    database = await open_database(tmp_path / "inkwell.sqlite3")
    pictures = Pictures(tmp_path / "pictures", database)
    try:
        yield Store(
            tmp_path,
            database,
            pictures,
            People(database, pictures),
            Stories(database),
            Characters(database),
        )
    finally:
        await database.close()


def test_somebody_is_met_once_and_known_from_then_on(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            first, again = await asyncio.gather(s.people.meet(ANN), s.people.meet(ANN))
            assert first == again == Account("web:ann", "Ann", "zh-CN", first.created)
            assert await s.people.find("web:ann") == replace(first, language=None)
            assert await s.people.find("web:bob") is None
            renamed = await s.people.meet(replace(ANN, name="Anna"))
            assert (renamed.name, renamed.created) == ("Anna", first.created)

    asyncio.run(run())


def test_a_chosen_language_wins_over_what_the_chat_says(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            assert (await s.people.meet(BOB)).language is None
            await s.people.set_language("web:bob", "zh")
            assert (await s.people.meet(replace(BOB, language="en"))).language == "zh"
            assert (await s.people.meet(ANN)).language == "zh-CN"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Robert'); DROP TABLE people;--", "Robert'); DROP TABLE people;--"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("An\0n\x1b[2J\u202e", "Ann[2J"),
        ("  Ann \n Lee ", "Ann Lee"),
        ("😀" * 10_000, "😀" * 40),
        ("\ud800\u202e\x07", "ann"),
        ("", "ann"),
        ("李雷", "李雷"),
        ("علی\u200cرضا", "علی\u200cرضا"),
    ],
)
def test_any_name_that_a_chat_gives_is_harmless(tmp_path: Path, name: str, shown: str) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            assert (await s.people.meet(replace(ANN, name=name))).name == shown
            found = await s.people.find("web:ann")
            assert found is not None
            assert found.name == shown

    asyncio.run(run())


async def belongings(s: Store, key: str, picture: bytes) -> str:
    """A story and a character of somebody, an undo step and a page, all with one picture."""
    sha = await s.pictures.add(picture)
    story = await s.stories.new(key, title="T", style="comic", layout="classic", seed=1)
    story = replace(
        story,
        cast=(CastMember("Tom", "", reference=sha),),
        panels=(Panel("one", "[Tom] waves", picture=sha),),
    )
    story = await s.stories.save(story, owner=key)
    await s.stories.save(replace(story, panels=()), owner=key)
    await s.stories.add_page(story.id, 1, sha, 1)
    await s.characters.new(key, name="Tom", description="", seed=1, reference=sha)
    return sha


def test_forgetting_deletes_all_rows_and_files_of_a_person_and_of_nobody_else(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            for person in (ANN, BOB):
                await s.people.meet(person)
            mine = await belongings(s, "web:ann", b"only Ann's secret")
            await rename(s)
            shared = await belongings(s, "web:ann", b"both")
            assert await belongings(s, "web:bob", b"both") == shared
            new = await s.pictures.add(b"somebody has just added this")
            before = await tables(s)

            await s.people.forget("web:ann")
            with pytest.raises(Refusal):
                await s.pictures.read(mine)
            assert await s.pictures.read(shared) == b"both"
            assert await s.pictures.read(new)
            assert await s.people.find("web:ann") is None
            assert await s.stories.of_owner("web:ann") == []
            assert await s.characters.of_owner("web:ann") == []
            assert len(await s.stories.of_owner("web:bob")) == 1
            assert len(await s.characters.of_owner("web:bob")) == 1
            after = await tables(s)
            assert {t for t in after if before[t] and not after[t]} == set()
            for path in s.folder.rglob("*"):
                assert not path.is_file() or b"web:ann" not in path.read_bytes(), path
            await s.people.forget("web:ann")
            await s.people.forget("web:nobody")

    asyncio.run(run())


def test_pictures_that_nothing_points_to_any_more_do_not_outlive_a_forgetting(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            await s.people.meet(ANN)
            old = await s.pictures.add(b"what the story showed before")
            async with s.database.tx() as db:
                await db.execute("UPDATE pictures SET added = added - ?", (NEW_SECONDS + 1,))
            new = await s.pictures.add(b"somebody has just added this")
            await s.people.forget("web:ann")
            with pytest.raises(Refusal):
                await s.pictures.read(old)
            assert await s.pictures.read(new)

    asyncio.run(run())


async def rename(s: Store) -> None:
    """Makes room for another character called Tom."""
    [tom] = await s.characters.of_owner("web:ann")
    await s.characters.change(tom.id, "web:ann", name="Tim")


async def tables(s: Store) -> dict[str, int]:
    names = await s.database.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {
        row["name"]: (await s.database.rows(f'SELECT count(*) AS n FROM "{row["name"]}"'))[0]["n"]
        for row in names
    }


def test_every_table_that_names_a_person_is_emptied_by_forgetting(tmp_path: Path) -> None:
    """A table of somebody's things has a foreign key that cascades; a new one must, too."""

    async def run() -> None:
        async with store(tmp_path) as s:
            fields = await s.database.rows(
                "SELECT t.name AS name, c.name AS field, k.on_delete AS then_"
                " FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
                " LEFT JOIN pragma_foreign_key_list(t.name) AS k"
                """ ON k."from" = c.name AND k."table" = 'people'"""
                " WHERE t.type = 'table' AND c.name IN ('owner', 'person')"
            )
            loose = {row["name"] for row in fields if row["then_"] != "CASCADE"}
            assert len(fields) > 2
            assert loose == {"blocks"}

    asyncio.run(run())


def test_a_story_with_a_forgotten_persons_character_keeps_its_words(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            for person in (ANN, BOB):
                await s.people.meet(person)
            tom = await s.characters.new("web:ann", name="Tom", description="tall", seed=1)
            story = await s.stories.new("web:bob", title="", style="comic", layout="grid", seed=1)
            story = replace(story, cast=(CastMember("Tom", "tall", tom.id),))
            story = await s.stories.save(story, owner="web:bob")
            await s.people.forget("web:ann")
            story = await s.stories.get(story.id, "web:bob")
            assert story.cast == (CastMember("Tom", "tall"),)

    asyncio.run(run())


def test_a_block_holds_on_its_server_only_and_outlives_forgetting(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            await s.people.meet(BOB)
            for _ in range(2):
                await s.people.block("web:home", "web:bob")
            assert await s.people.is_blocked("web:home", "web:bob")
            assert not await s.people.is_blocked("web:other", "web:bob")
            assert not await s.people.is_blocked("web:home", "web:ann")
            await s.people.forget("web:bob")
            assert await s.people.is_blocked("web:home", "web:bob")
            await s.people.unblock("web:home", "web:bob")
            assert not await s.people.is_blocked("web:home", "web:bob")

    asyncio.run(run())


def test_a_server_has_defaults_and_keeps_each_change(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            assert await s.people.server("web:home") == ServerSettings()
            await asyncio.gather(
                s.people.change_server("web:home", who="managers", daily_cap=0),
                s.people.change_server("web:home", channels=("a", "b", "a"), roles=("r",)),
                s.people.change_server("web:home", waiting_cap=2, style="noir"),
            )
            wanted = ServerSettings("managers", ("a", "b"), 0, 2, "noir", ("r",))
            assert await s.people.server("web:home") == wanted
            changed = await s.people.change_server("web:home", daily_cap=None, channels=())
            assert changed == ServerSettings("managers", (), None, 2, "noir", ("r",))
            gallery = Place("web", "wall", "home")
            changed = await s.people.change_server(
                "web:home", gallery=gallery, stars=5, blocked_words=("傻", "bad", "傻")
            )
            assert (changed.gallery, changed.stars) == (gallery, 5)
            assert changed.blocked_words == ("傻", "bad")
            assert await s.people.server("web:home") == changed
            assert await s.people.server("web:other") == ServerSettings()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"daily_cap": -1}, "store.cap"),
        ({"waiting_cap": MAX_CAP + 1}, "store.cap"),
        ({"channels": tuple(map(str, range(101)))}, "store.many_channels"),
        ({"roles": tuple(map(str, range(101)))}, "store.many_roles"),
        ({"blocked_words": tuple(map(str, range(201)))}, "store.many_words"),
        ({"stars": 0}, "store.stars"),
        ({"style": "x" * 41}, "store.long_name"),
        ({"style": "\u202e"}, "store.odd_character"),
    ],
)
def test_settings_out_of_range_are_refused_and_nothing_changes(
    tmp_path: Path, fields: dict[str, object], key: str
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            with pytest.raises(Refusal) as caught:
                await s.people.change_server("web:home", **fields)
            assert caught.value.key == key
            with pytest.raises((TypeError, ValueError)):
                await s.people.change_server("web:home", who="nobody")
            with pytest.raises(TypeError):
                await s.people.change_server("web:home", nonsense=1)
            assert await s.people.server("web:home") == ServerSettings()

    asyncio.run(run())
