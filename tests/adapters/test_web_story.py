"""The local chat with the real bot behind it: what happens to rooms and files of a story."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters import web_words
from adapters.web_chat import FILE as STORE
from adapters.web_chat import WebChat
from adapters.web_storage import SCHEMA, TAKEN_AWAY
from bot.chat import Button, File, Post
from bot.config import Config, LimitsConfig, StoreConfig
from bot.serve import running
from bot.words import say
from tests.adapters.small_bot import picture
from tests.adapters.test_contract import PROGRAM
from tests.adapters.test_web_kept import home_of
from tests.adapters.web_client import SECONDS, Browser, serving
from tests.bot.talks import SCRIPT

GONE = web_words.say("en", "deleted")


@dataclass
class Teller:
    """Somebody with a story. `room` is the story's."""

    browser: Browser
    room: str = ""

    async def begin(self, title: str = "Tabs", place: str | None = None) -> None:
        options = {"title": title, "script": SCRIPT}
        answer = await self.browser.call(place, command="story new", options=options)
        self.room = answer["room"]

    async def draw(self, button: str = "Draw") -> None:
        await self.press(button)
        async with asyncio.timeout(SECONDS):
            while not any(m["files"] and m["progress"] is None for m in await self.messages()):
                await asyncio.sleep(0.05)

    async def press(self, label: str, place: str | None = None) -> Any:
        """The last button of that name."""
        for message in reversed(await self.browser.messages(place or self.room)):
            for row in message["buttons"]:
                for one in row:
                    if one["label"] == label:
                        return await self.browser.call(place or self.room, press=one["data"])
        raise AssertionError(f"there is no button {label}")

    async def delete(self, place: str | None = None) -> None:
        place = place or self.room
        await self.browser.call(place, command="story delete", options={"story": "Tabs"})
        await self.press("Delete for ever", place)

    async def messages(self) -> list[dict[str, Any]]:
        return await self.browser.messages(self.room)

    async def card(self) -> dict[str, Any]:
        return next(message for message in await self.messages() if message["card"])

    async def files(self) -> list[str]:
        """The addresses of all files that this person sees."""
        await self.browser.come_in()
        return [
            f"/files/{file['token']}/{file['name']}"
            for room in self.browser.rooms
            for message in await self.browser.messages(room["id"])
            for file in message["files"]
        ]

    async def statuses(self, files: list[str]) -> set[int]:
        return {(await self.browser.ask("GET", file))[0] for file in files}

    async def title(self) -> str:
        await self.browser.come_in()
        [title] = [room["title"] for room in self.browser.rooms if room["id"] == self.room]
        return str(title)


@asynccontextmanager
async def tellers(folder: Path, count: int = 1) -> AsyncIterator[list[Teller]]:
    chat = WebChat(port=0, folder=folder / "web")
    config = Config(store=StoreConfig(folder=folder / "store"), limits=LimitsConfig(stop_seconds=1))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asyncio.timeout(100))
        await stack.enter_async_context(running(config, [chat], program=PROGRAM))
        found = []
        for _ in range(count):
            browser = await stack.enter_async_context(Browser(chat))
            found.append(Teller(await browser.come_in()))
        yield found


def contents(folder: Path, *, but_of: str = "") -> int:
    """How many contents are kept, other than those that one person is or was shown."""
    of_person = "SELECT sha FROM files JOIN messages ON messages.id = message WHERE owner = ?"
    with closing(sqlite3.connect(folder / "web" / STORE)) as rows:
        sql = f"SELECT count(*) FROM blobs WHERE sha NOT IN ({of_person})"
        [(count,)] = rows.execute(sql, (but_of,)).fetchall()
    return int(count)


def test_nothing_of_a_deleted_story_can_be_fetched_and_remixes_stay(tmp_path: Path) -> None:
    async def run() -> None:
        async with tellers(tmp_path, 2) as (ann, bob):
            await ann.begin()
            await ann.draw()
            for wanted in ("pdf", "zip"):
                await ann.browser.call(ann.room, say=f"/story export format:{wanted}")
            await ann.browser.call(say="/story export story:Tabs format:png")
            await ann.browser.call(ann.room, say="/meme panel:1 top:Ha")
            await ann.browser.call(say="/privacy")
            await ann.press("Give me everything", ann.browser.home)
            await ann.press("Share")
            await ann.press("Everyone")
            shared = (await ann.messages())[-1]["text"].rpartition(":")[2]
            await bob.browser.call(say=f"/story show story:{shared}")
            seen = await bob.files()
            answer = await bob.press("Remix", bob.browser.home)
            bob.room = answer["room"]
            await bob.draw()
            remixed = sorted(set(await bob.files()) - set(seen))
            files = await ann.files()
            assert len(files) >= 6
            assert await ann.statuses(files) == {200}
            await ann.delete(ann.browser.home)
            assert await ann.files() == []
            assert await ann.statuses(files) == {404}
            assert await bob.statuses(seen) == {404}
            assert await bob.files() == remixed
            assert await bob.statuses(remixed) == {200}
            assert (await ann.card())["text"] == say("en", "story.deleted", title="Tabs")
            assert GONE in await ann.browser.texts(ann.room)
            assert GONE in await bob.browser.texts()
        assert contents(tmp_path, but_of=bob.browser.home) == 0

    asyncio.run(run())


def test_what_a_chat_did_not_hear_of_goes_with_a_second_press(tmp_path: Path) -> None:
    async def run() -> None:
        async with tellers(tmp_path) as [ann]:
            ann.browser.headers["Connection"] = "close"  # the server does so where it breaks
            await ann.begin()
            await ann.draw()
            with closing(sqlite3.connect(tmp_path / "web" / STORE, isolation_level=None)) as rows:
                refuse = "BEFORE INSERT ON deleted_cards BEGIN SELECT RAISE(ABORT, 'killed'); END"
                rows.execute(f"CREATE TRIGGER killed {refuse}")
                await ann.delete()
                rows.execute("DROP TRIGGER killed")
            assert await ann.statuses(await ann.files()) == {200}
            await ann.press("Delete for ever")
            assert await ann.files() == []
            assert (await ann.card())["text"] == say("en", "story.is_deleted")
        assert contents(tmp_path) == 0

    asyncio.run(run())


def test_what_was_drawn_of_a_deleted_character_goes_from_everybodys_rooms(tmp_path: Path) -> None:
    async def run() -> None:
        async with tellers(tmp_path, 2) as (ann, bob):
            for one in (ann, bob):
                one.room = one.browser.home
            await ann.browser.call(
                command="character new", options={"name": "Tom", "description": "a man"}
            )
            await ann.draw("Show in four poses")
            await ann.browser.call(say="/character show character:Tom")
            await ann.browser.call(say="/character share character:Tom with:everyone")
            await bob.browser.call(say="/character show character:Tom")
            files, seen = await ann.files(), await bob.files()
            assert (len(files), len(seen)) == (2, 1)
            await ann.browser.call(say="/character delete character:Tom")
            await ann.press("Delete for ever")
            assert await ann.statuses(files) == {404}
            assert await bob.statuses(seen) == {404}
            assert GONE in await bob.browser.texts()
            assert all(message["buttons"] == [] for message in await ann.messages())
        assert contents(tmp_path) == 0

    asyncio.run(run())


@pytest.mark.parametrize("in_its_room", [True, False])
def test_the_card_of_a_deleted_story_says_so_and_no_button_of_it_is_left(
    tmp_path: Path, in_its_room: bool
) -> None:
    async def run() -> None:
        async with tellers(tmp_path) as [ann]:
            await ann.begin()
            first = ann.room
            await ann.begin("Spaces", first)  # typed in the room of the first
            ann.room, second = first, ann.room
            await ann.browser.call(second, command="story show", options={"story": "Tabs"})
            await ann.press("Style")
            await ann.delete(None if in_its_room else ann.browser.home)
            deleted = say("en", "story.deleted", title="Tabs")
            assert (await ann.card())["text"] == deleted
            assert all(message["buttons"] == [] for message in await ann.messages())
            cards = [m for m in await ann.browser.messages(second) if m["card"]]
            assert [bool(card["buttons"]) for card in cards] == [True, False]
            await ann.browser.call(ann.room, say="[Tom] in the park")
            assert (await ann.messages())[-1]["text"] == say("en", "story.room_left")
            await ann.browser.call(second, say="[Tom] in the park")
            assert "in the park" in (await ann.browser.texts(second))[0]

    asyncio.run(run())


def test_what_is_shown_of_somebody_who_is_forgotten_goes_from_others_too(tmp_path: Path) -> None:
    async def run() -> None:
        async with tellers(tmp_path, 2) as (ann, bob):
            await ann.begin()
            await ann.draw()
            await ann.press("Share")
            await ann.press("Everyone")
            shared = (await ann.messages())[-1]["text"].rpartition(":")[2]
            await bob.browser.call(say=f"/story show story:{shared}")
            files, seen = await ann.files(), await bob.files()
            await ann.browser.call(say="/forget")
            await ann.press("Delete everything", ann.browser.home)
            assert await ann.statuses(files) == {404}
            assert await bob.statuses(seen) == {404}
        assert contents(tmp_path) == 0

    asyncio.run(run())


def test_a_rooms_title_follows_the_storys(tmp_path: Path) -> None:
    async def run() -> None:
        async with tellers(tmp_path) as [ann]:
            answer = await ann.browser.call(say="/story new")
            ann.room = answer["room"]
            assert await ann.title() == "Untitled"
            await ann.browser.call(ann.room, say="[Tom] a boy")
            assert await ann.title() == "Tom"
            async with ann.browser.page() as page:
                await page.ready()
                await ann.browser.call(ann.room, say="/story edit title:Tabs")
                async with asyncio.timeout(SECONDS):
                    while (heard := await page.next())["type"] != "room":
                        pass
            assert heard["room"]["title"] == "Tabs"
            await ann.browser.call(say="/story edit title:Spaces story:Tabs")  # from home
            assert await ann.title() == "Spaces"
            await ann.press("Undo", ann.browser.home)
            assert await ann.title() == "Tabs"
            room = ann.room
            await ann.begin("Other")
            await ann.browser.call(ann.room, command="story show", options={"story": "Tabs"})
            assert await ann.title() == "Other"
            answer = await ann.browser.call(command="story show", options={"story": "Tabs"})
            assert answer["room"] == room

    asyncio.run(run())


def test_what_is_posted_late_about_a_deleted_story_shows_nothing_of_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            assert chat._app is not None
            place, about = home_of(ann), ("story abc",)
            file = File("page.png", picture("page"), "A page")
            buttons = ((Button("Redraw", "redraws:abc"),),)
            early = await chat.post(Post(place, "Drawing", (file,), buttons, about=about))
            await chat._app.transcript.erase(["story abc"], "The story is deleted.")
            await chat.post(Post(place, "Still drawing", (file,), buttons, edit=early))
            await chat.post(Post(place, "Done", (file,), buttons, about=about))
            shown = [(m["text"], m["files"], m["buttons"]) for m in await ann.messages()]
            assert shown == [(GONE, [], []), (GONE, [], [])]

    asyncio.run(run())


def test_what_an_older_version_showed_of_a_story_goes_with_it(tmp_path: Path) -> None:
    add = "INSERT INTO messages (id, room, owner, seq, at, mine, text, card, buttons) VALUES "
    with closing(sqlite3.connect(tmp_path / STORE)) as older:
        older.executescript(f"BEGIN; {SCHEMA} {TAKEN_AWAY} PRAGMA user_version = 2; COMMIT;")
        older.execute("INSERT INTO rooms VALUES ('ann', 'ann', '', 1, 0), ('r', 'ann', 'T', 1, 0)")
        pressed = '[[{"label": "Remix", "data": "remix:abc:x", "look": "plain"}]]'
        older.execute(f"{add} (1, 'r', 'ann', 1, 0, 0, 'card', 'story abc', '[]')")
        older.execute(f"{add} (2, 'r', 'ann', 1, 0, 0, 'export', NULL, '[]')")
        older.execute(f"{add} (3, 'r', 'ann', 1, 0, 1, 'typed', NULL, '[]')")
        older.execute(f"{add} (4, 'ann', 'ann', 1, 0, 0, 'page', NULL, ?)", (pressed,))
        older.execute(f"{add} (5, 'ann', 'ann', 1, 0, 0, 'other', NULL, '[]')")
        for number in range(1, 6):
            older.execute("INSERT INTO blobs VALUES (?, ?)", (f"{number}", b"x"))
            values = (f"t{number}", number, f"{number}")
            older.execute("INSERT INTO files VALUES (?, ?, 0, 'a.png', '', ?, 1, 1, 1)", values)
        older.commit()

    async def run() -> None:
        async with serving(tmp_path) as (chat, _):
            assert chat._app is not None
            await chat._app.transcript.erase(["story abc"], "deleted")

    asyncio.run(run())
    with closing(sqlite3.connect(tmp_path / STORE)) as rows:
        texts = [text for (text,) in rows.execute("SELECT text FROM messages ORDER BY id")]
        assert texts == ["deleted", GONE, "typed", GONE, "other"]
        assert rows.execute("SELECT sha FROM blobs").fetchall() == [("3",), ("5",)]


def test_a_browser_asks_for_a_file_each_time_and_need_not_load_it_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            file = File("page.png", picture("page"), "A page")
            await chat.post(Post(home_of(ann), files=(file,)))
            [shown] = (await ann.messages())[0]["files"]
            path = f"/files/{shown['token']}/page.png"
            async with ann.http.get(path) as first:
                assert "no-cache" in first.headers["cache-control"]
                tag = first.headers["etag"]
            async with ann.http.get(path, headers={"if-none-match": tag}) as second:
                assert (second.status, await second.read()) == (304, b"")

    asyncio.run(run())


def test_only_the_buttons_of_a_post_are_changed_where_that_is_asked(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            place = home_of(ann)
            file = File("page.png", picture("page"), "A page")
            message = await chat.post(Post(place, "Page", (file,)))
            stars = ((Button("2 stars", "star"),),)
            changed = Post(place, buttons=stars, edit=message, buttons_only=True)
            assert await chat.post(changed) == message
            [shown] = await ann.messages()
            assert (shown["text"], len(shown["files"])) == ("Page", 1)
            assert shown["buttons"][0][0]["label"] == "2 stars"
            for gone in ("999", "no number"):
                assert await chat.post(Post(place, edit=gone, buttons_only=True)) == ""

    asyncio.run(run())
