"""Stories: kept whole, changed by their owner only, one step back at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.characters import Characters
from bot.chat import Person
from bot.database import Database
from bot.errors import Refusal
from bot.people import People
from bot.pictures import Pictures
from bot.script import MAX_CHARACTERS, MAX_PANELS
from bot.stories import MAX_STEPS, MAX_STORIES, CastMember, Panel, Stories, Story
from tests.bot.new_store import open_database

ANN, BOB = "web:ann", "web:bob"


@dataclass(frozen=True)
class Store:
    database: Database
    pictures: Pictures
    people: People
    stories: Stories
    characters: Characters

    async def new(self, owner: str = ANN, title: str = "Tabs", **fields: Any) -> Story:
        return await self.stories.new(
            owner, title=title, style="comic", layout="classic", seed=7, **fields
        )


@asynccontextmanager
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Ann and Bob have been met."""
    database = await open_database(tmp_path / "inkwell.sqlite3")
    pictures = Pictures(tmp_path / "pictures", database)
    people = People(database, pictures)
    try:
        for name in ("ann", "bob"):
            await people.meet(Person("web", name, name))
        yield Store(database, pictures, people, Stories(database), Characters(database))
    finally:
        await database.close()


def with_panels(story: Story, *texts: str) -> Story:
    return replace(story, panels=tuple(Panel(f"id-{text}", text) for text in texts))


async def key_of(work: Any) -> str:
    """The key of the refusal that some work ends with."""
    with pytest.raises(Refusal) as caught:
        await work
    assert str(caught.value) != caught.value.key
    assert caught.value.say("zh") != str(caught.value)
    return caught.value.key


def test_a_story_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            new = await s.new(room="web//chat/")
            assert (new.owner, new.title, new.cast, new.panels) == (ANN, "Tabs", (), ())
            assert (new.room, new.shared_with, new.version) == ("web//chat/", (), 1)
            sha = await s.pictures.add(b"picture")
            tom = await s.characters.new(ANN, name="Tom", description="tall", seed=1)
            story = replace(
                new,
                title="空格还是制表符？ “';--",
                style="noir",
                layout="grid",
                seed=2**32 - 1,
                cast=(CastMember("Tom", "tall", tom.id, sha), CastMember("李雷", "")),
                panels=(
                    Panel("b", "[Tom] types", "Tabs!", "speech", "Tom", ("Tom",), 3, sha),
                    Panel("a", "the office 😀", None, None, None, (), None, None),
                    Panel("c", "[Tom] and [李雷]", "Later", "box", None, ("Tom", "李雷")),
                ),
                room=None,
                shared_with=("server:web:home", "everyone"),
            )
            saved = await s.stories.save(story, owner=ANN)
            wanted = replace(
                story,
                version=2,
                changed=saved.changed,
                shared_with=("everyone", "server:web:home"),
            )
            assert saved == wanted
            assert await s.stories.get(new.id, ANN) == wanted

    asyncio.run(run())


def test_a_story_can_begin_with_its_lines_and_they_can_be_undone(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            tom = await s.characters.new(ANN, name="Tom", description="tall", seed=1)
            sha = await s.pictures.add(b"picture")
            cast = (CastMember("Tom", "tall", tom.id, sha),)
            panels = (Panel("a", "[Tom] types", "Tabs!", "speech", "Tom", ("Tom",), 3),)
            story = await s.new(cast=cast, panels=panels, room="room")
            assert (story.cast, story.panels, story.version) == (cast, panels, 1)
            assert await s.stories.of_room("room") == story
            back = await s.stories.undo(story.id, ANN)
            assert (back.cast, back.panels, back.title) == ((), (), "Tabs")
            assert await key_of(s.stories.undo(story.id, ANN)) == "store.nothing_to_undo"

    asyncio.run(run())


def test_a_story_whose_first_lines_cannot_be_kept_is_not_there_at_all(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            gone = (CastMember("Tom", "tall", None, "0" * 64),)
            assert await key_of(s.new(cast=gone)) == "store.picture_gone"
            many = tuple(Panel(str(number), "x") for number in range(MAX_PANELS + 1))
            assert await key_of(s.new(panels=many)) == "store.many_panels"
            assert await s.stories.of_owner(ANN) == []

    asyncio.run(run())


def test_nobody_reads_or_changes_what_is_not_theirs_and_learns_not_even_that_it_exists(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = await s.new(room="web//chat/")
            story = await s.stories.save(with_panels(story, "secret"), owner=ANN)
            said = set()
            for story_id in (
                story.id,
                "aaaaaaaaaa",
                "",
                "' OR 1=1 --",
                "\ud800",
                "\0",
                "x" * 10**6,
            ):
                for work in (
                    s.stories.get(story_id, BOB),
                    s.stories.get(story_id, BOB, "web:home"),
                    s.stories.get(story_id, BOB, "' OR 1=1 --"),
                    s.stories.save(replace(story, id=story_id), owner=BOB),
                    s.stories.save(replace(story, id=story_id, owner=BOB), owner=BOB),
                    s.stories.undo(story_id, BOB),
                    s.stories.delete(story_id, BOB),
                ):
                    with pytest.raises(Refusal) as caught:
                        await work
                    said.add(str(caught.value))
            assert len(said) == 1
            assert await s.stories.of_owner(BOB) == []
            assert await s.stories.get(story.id, ANN) == story

    asyncio.run(run())


@pytest.mark.parametrize(
    ("shared_with", "server", "readable"),
    [
        ((), None, False),
        ((), "web:home", False),
        (("everyone",), None, True),
        (("everyone",), "web:home", True),
        (("server:web:home",), "web:home", True),
        (("server:web:home",), "web:other", False),
        (("server:web:home",), None, False),
        (("server:everyone",), "everyone", True),
        (("server:everyone",), None, False),
    ],
)
def test_a_shared_story_is_read_where_it_is_shared_and_changed_by_its_owner_alone(
    tmp_path: Path, shared_with: tuple[str, ...], server: str | None, readable: bool
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = replace(await s.new(), shared_with=shared_with)
            story = await s.stories.save(story, owner=ANN)
            if readable:
                assert await s.stories.get(story.id, BOB, server) == story
            else:
                assert await key_of(s.stories.get(story.id, BOB, server)) == "store.no_story"
            assert await key_of(s.stories.save(story, owner=BOB)) == "store.no_story"
            assert await key_of(s.stories.delete(story.id, BOB)) == "store.no_story"
            story = await s.stories.save(replace(story, shared_with=()), owner=ANN)
            assert await key_of(s.stories.get(story.id, BOB, server)) == "store.no_story"

    asyncio.run(run())


def test_a_story_cannot_be_shared_with_nonsense(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = await s.new()
            with pytest.raises(ValueError, match="audience"):
                await s.stories.save(replace(story, shared_with=("web:bob",)), owner=ANN)

    asyncio.run(run())


def test_of_two_changes_at_once_the_second_is_refused_and_nothing_is_mixed(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = await s.new()
            saves = [s.stories.save(with_panels(story, text), owner=ANN) for text in "abcdefgh"]
            results = await asyncio.gather(*saves, return_exceptions=True)
            kept = [result for result in results if isinstance(result, Story)]
            refused = [result.key for result in results if isinstance(result, Refusal)]
            assert refused == ["store.changed_meanwhile"] * 7
            assert [await s.stories.get(story.id, ANN)] == kept
            assert await key_of(s.stories.save(story, owner=ANN)) == "store.changed_meanwhile"

    asyncio.run(run())


def test_undo_goes_back_step_by_step(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            first = await s.new()
            second = await s.stories.save(with_panels(first, "one"), owner=ANN)
            third = await s.stories.save(
                replace(second, title="Spaces", style="noir", layout="grid", seed=8), owner=ANN
            )
            third = await s.stories.save(replace(third, cast=(CastMember("T", "d"),)), owner=ANN)
            third = await s.stories.save(
                replace(third, room="room", shared_with=("everyone",)), owner=ANN
            )
            for title, cast in (("Spaces", 0), ("Tabs", 0)):
                back = await s.stories.undo(first.id, ANN)
                assert (back.title, len(back.cast), len(back.panels)) == (title, cast, 1)
            assert (back.style, back.layout, back.seed) == ("comic", "classic", 7)
            assert (back.room, back.shared_with) == ("room", ("everyone",))  # those are no steps
            back = await s.stories.undo(first.id, ANN)
            assert back.panels == ()
            assert await key_of(s.stories.undo(first.id, ANN)) == "store.nothing_to_undo"
            assert await s.stories.get(first.id, ANN) == back
            await s.stories.save(with_panels(back, "new"), owner=ANN)
            assert (await s.stories.undo(first.id, ANN)).panels == ()

    asyncio.run(run())


def test_only_the_last_steps_are_kept(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = await s.new()
            for number in range(MAX_STEPS + 5):
                story = await s.stories.save(with_panels(story, str(number)), owner=ANN)
            for number in reversed(range(4, MAX_STEPS + 4)):
                story = await s.stories.undo(story.id, ANN)
                assert story.panels[0].text == str(number)
            assert await key_of(s.stories.undo(story.id, ANN)) == "store.nothing_to_undo"

    asyncio.run(run())


def test_undo_of_a_redraw_brings_the_old_picture_back(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            old, new = await s.pictures.add(b"old"), await s.pictures.add(b"new")
            story = await s.stories.save(with_panels(await s.new(), "one"), owner=ANN)
            await s.stories.set_picture(story.id, "id-one", old)
            story = await s.stories.get(story.id, ANN)
            again = replace(story, panels=(replace(story.panels[0], seed=99),))
            await s.stories.save(again, owner=ANN)
            await s.stories.set_picture(story.id, "id-one", new)
            assert await s.pictures.sweep(older_than=0) == 0
            assert (await s.stories.undo(story.id, ANN)).panels[0].picture == old
            assert await s.pictures.sweep(older_than=0) == 1

    asyncio.run(run())


def test_undo_keeps_a_picture_that_was_drawn_since_then(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            sha = await s.pictures.add(b"one")
            story = await s.stories.save(with_panels(await s.new(), "one"), owner=ANN)
            await s.stories.save(with_panels(story, "one", "two"), owner=ANN)
            await s.stories.set_picture(story.id, "id-one", sha)
            [panel] = (await s.stories.undo(story.id, ANN)).panels
            assert (panel.text, panel.picture) == ("one", sha)

    asyncio.run(run())


def test_undo_of_another_style_does_not_mix_the_styles(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            comic, noir = await s.pictures.add(b"comic"), await s.pictures.add(b"noir")
            story = await s.stories.save(with_panels(await s.new(), "one"), owner=ANN)
            await s.stories.set_picture(story.id, "id-one", comic)
            story = await s.stories.get(story.id, ANN)
            await s.stories.save(replace(with_panels(story, "one"), style="noir"), owner=ANN)
            await s.stories.set_picture(story.id, "id-one", noir)
            back = await s.stories.undo(story.id, ANN)
            assert (back.style, back.panels[0].picture) == ("comic", comic)

    asyncio.run(run())


def test_a_picture_for_a_panel_or_a_story_that_is_gone_does_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            sha = await s.pictures.add(b"late")
            story = await s.stories.save(with_panels(await s.new(), "one"), owner=ANN)
            await s.stories.set_picture(story.id, "gone", sha)
            assert await s.stories.get(story.id, ANN) == story
            await s.stories.delete(story.id, ANN)
            await s.stories.set_picture(story.id, "id-one", sha)
            await s.stories.add_page(story.id, 1, sha, 1)
            await s.stories.set_pages(story.id, 1, [sha])
            assert await s.stories.pages(story.id) == []
            assert await s.pictures.sweep(older_than=0) == 1

    asyncio.run(run())


def test_a_picture_that_comes_while_somebody_edits_is_not_lost(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            sha = await s.pictures.add(b"picture")
            story = await s.stories.save(with_panels(await s.new(), "one"), owner=ANN)
            await s.stories.set_picture(story.id, "id-one", sha)
            late = s.stories.save(replace(story, title="Late"), owner=ANN)
            assert await key_of(late) == "store.changed_meanwhile"
            assert (await s.stories.get(story.id, ANN)).panels[0].picture == sha

    asyncio.run(run())


def test_a_picture_that_is_not_kept_cannot_be_pointed_to(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = await s.new()
            gone = replace(story, panels=(Panel("one", "", picture="0" * 64),))
            assert await key_of(s.stories.save(gone, owner=ANN)) == "store.picture_gone"
            gone = replace(story, cast=(CastMember("Tom", "", reference="0" * 64),))
            assert await key_of(s.stories.save(gone, owner=ANN)) == "store.picture_gone"
            late = s.stories.set_picture(story.id, "one", "0" * 64)
            assert await key_of(late) == "store.picture_gone"
            assert await s.stories.get(story.id, ANN) == story

    asyncio.run(run())


def test_the_pages_are_those_of_the_latest_drawing_by_number(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = await s.new()
            a, b, c = [await s.pictures.add(name) for name in (b"a", b"b", b"c")]
            assert await s.stories.pages(story.id) == []
            for sha, number in ((b, 2), (a, 1), (a, 1)):
                await s.stories.add_page(story.id, 5, sha, number)
            assert await s.stories.pages(story.id) == [a, b]
            await s.stories.add_page(story.id, 4, c, 1)  # an older job that was tried again
            assert await s.stories.pages(story.id) == [a, b]
            assert await s.stories.pages(story.id, 4) == [c]
            await s.stories.set_pages(story.id, 5, [c])  # lettered anew, on fewer pages
            assert await s.stories.pages(story.id) == [c]
            for job in range(6, 11):
                await s.stories.set_pages(story.id, job, [a, a])
            assert await s.stories.pages(story.id, 6) == [a, a]
            assert await s.stories.pages(story.id, 5) == []

    asyncio.run(run())


def test_a_room_belongs_to_the_story_that_entered_it_last(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            assert await s.stories.of_room("room") is None
            one = await s.new(title="one", room="room")
            two = await s.new(title="two", room="room")
            found = await s.stories.of_room("room")
            assert found == two
            assert (await s.stories.get(one.id, ANN)).room is None
            one = await s.stories.get(one.id, ANN)
            one = await s.stories.save(replace(one, room="room"), owner=ANN)
            assert await s.stories.of_room("room") == one
            await s.stories.delete(one.id, ANN)
            assert await s.stories.of_room("room") is None
            theirs = await s.new(BOB, room="room")
            mine = await s.new(room="room")
            assert await s.stories.of_room("room") == mine
            assert (await s.stories.get(theirs.id, BOB)).room == "room"  # not ours to take
            await s.stories.save(replace(mine, room=None), owner=ANN)
            assert await s.stories.of_room("room") == theirs

    asyncio.run(run())


def test_only_its_owner_leads_a_story_into_a_room_and_no_older_change_leads_it_out(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            before = await s.new(title="one")
            other = await s.new(title="two", room="room")
            for story_id, owner in ((before.id, BOB), ("\ud800", ANN)):
                assert await key_of(s.stories.enter(story_id, owner, "room")) == "store.no_story"
            assert await s.stories.of_room("room") == other
            await s.stories.enter(before.id, ANN, "room")
            found = await s.stories.of_room("room")
            assert found is not None
            assert found.id == before.id
            assert (await s.stories.get(other.id, ANN)).room is None
            assert await key_of(s.stories.save(before, owner=ANN)) == "store.changed_meanwhile"
            assert (await s.stories.of_owner(ANN))[0].id == before.id

    asyncio.run(run())


def test_ones_own_stories_are_listed_last_changed_first_and_found_by_a_part_of_the_title(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            await s.new(BOB, title="Tabs of Bob")
            titles = ("Tabs", "SPACES", "100% _tabs_", "Ｔａｂｓ wide", "制表符")
            stories = [await s.new(title=title) for title in titles]
            await s.stories.save(replace(stories[0], layout="grid"), owner=ANN)

            async def found(like: str = "", limit: int = 25) -> list[str]:
                return [story.title for story in await s.stories.of_owner(ANN, limit, like)]

            assert await found() == ["Tabs", "制表符", "Ｔａｂｓ wide", "100% _tabs_", "SPACES"]
            assert await found(limit=2) == ["Tabs", "制表符"]
            assert await found("TABS") == ["Tabs", "Ｔａｂｓ wide", "100% _tabs_"]
            assert await found("spaces") == ["SPACES"]
            assert await found("%") == ["100% _tabs_"]
            assert await found("_") == ["100% _tabs_"]
            assert await found("制表") == ["制表符"]
            assert await found("' OR ''='") == []
            assert await found("\ud800") == []

    asyncio.run(run())


def test_a_continued_story_outlives_the_one_it_continues(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            first = await s.new()
            second = await s.new(parent=first.id)
            assert second.parent == first.id
            await s.stories.delete(first.id, ANN)
            assert (await s.stories.get(second.id, ANN)).parent is None
            assert (await s.new(parent="gone")).parent is None

    asyncio.run(run())


@pytest.mark.parametrize(
    "title",
    [
        "Robert'); DROP TABLE stories;--",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "{limit} %s %(name)s",
        "👩‍👩‍👧‍👦 family",
        "עברית and العربية",
        "",
    ],
)
def test_strange_titles_are_only_words(tmp_path: Path, title: str) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = await s.new(title=title)
            assert (await s.stories.get(story.id, ANN)).title == title

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"title": "x" * 81}, "store.long_title"),
        ({"title": "😀" * 10_000}, "store.long_title"),
        ({"title": "a\0b"}, "store.odd_character"),
        ({"title": "a\u202eb"}, "store.odd_character"),
        ({"title": "a\ud800b"}, "store.odd_character"),
        ({"style": ""}, "store.no_name"),
        ({"layout": "x" * 41}, "store.long_name"),
        ({"seed": -1}, "store.seed"),
        ({"seed": 2**32}, "store.seed"),
        ({"cast": (CastMember("x" * 41, ""),)}, "store.long_name"),
        ({"cast": (CastMember("\u2067", ""),)}, "store.odd_character"),
        ({"cast": (CastMember(" \u200b ", ""),)}, "store.no_name"),
        ({"cast": (CastMember("Tom", "x" * 2_001),)}, "store.long_description"),
        ({"cast": (CastMember("T", ""),) * (MAX_CHARACTERS + 1)}, "store.many_in_cast"),
        ({"panels": (Panel("one", "x" * 2_001),)}, "store.long_words"),
        ({"panels": (Panel("one", "", "\x1b[2J"),)}, "store.odd_character"),
        ({"panels": (Panel("one", "", seed=2**64),)}, "store.seed"),
        ({"panels": (Panel("one", ""),) * (MAX_PANELS + 1)}, "store.many_panels"),
    ],
)
def test_what_is_over_a_limit_is_refused_before_anything_is_stored(
    tmp_path: Path, fields: dict[str, Any], key: str
) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = await s.new()
            assert await key_of(s.stories.save(replace(story, **fields), owner=ANN)) == key
            assert await s.stories.get(story.id, ANN) == story
            if set(fields) <= {"title", "style", "layout", "seed"}:
                known: dict[str, Any] = {"title": "", "style": "a", "layout": "b", "seed": 1}
                assert await key_of(s.stories.new(ANN, **{**known, **fields})) == key
            assert len(await s.stories.of_owner(ANN)) == 1

    asyncio.run(run())


def test_the_longest_that_is_allowed_is_allowed(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            story = replace(
                await s.new(),
                title="😀" * 80,
                cast=tuple(CastMember(chr(97 + n) * 40, "d" * 2_000) for n in range(12)),
                panels=tuple(Panel(str(n), "p" * 2_000, "c" * 2_000, "box") for n in range(24)),
            )
            saved = await s.stories.save(story, owner=ANN)
            assert (saved.title, saved.cast, saved.panels) == (
                story.title,
                story.cast,
                story.panels,
            )

    asyncio.run(run())


def test_a_person_keeps_a_bounded_number_of_stories(tmp_path: Path) -> None:
    async def run() -> None:
        async with store(tmp_path) as s:
            async with s.database.tx() as db:
                await db.executemany(
                    "INSERT INTO stories VALUES"
                    " (?, ?, '', 'a', 'b', 0, NULL, NULL, NULL, 0, 0, 1, '', '')",
                    [(str(number), ANN) for number in range(MAX_STORIES)],
                )
            assert await key_of(s.new()) == "store.many_stories"
            await s.new(BOB)
            await s.stories.delete("1", ANN)
            await s.new()

    asyncio.run(run())
