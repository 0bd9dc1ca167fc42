"""What the web chat keeps and takes away: over restarts, backups and lost connections."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.web_chat import FILE, UPLOADS, WebChat
from adapters.web_storage import SCHEMA, STEPS
from bot.backup import backup, restore
from bot.chat import Button, CannotPost, File, Place, Post
from bot.database import Database
from tests.adapters.small_bot import picture
from tests.adapters.web_client import Browser, serving
from tests.traces import noise, traces


def home_of(person: Browser) -> Place:
    return Place("web", person.home, "here")


def page_for(person: Browser, text: str = "A page", nonce: str = "") -> Post:
    button = Button("Redraw", "redraw")
    file = File("page.png", picture("page"), "A page")
    return Post(home_of(person), text, (file,), ((button,),), nonce)


def test_a_message_that_is_removed_goes_from_open_pages_and_from_those_that_come_back(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            message = await chat.post(page_for(ann))
            await chat.post(Post(home_of(ann), "stays"))
            async with ann.page() as page:
                seen = (await page.ready())[-1]["seq"]
                await chat.remove(home_of(ann), message)
                gone = await page.next()
            assert (gone["type"], str(gone["id"]), gone["room"]) == ("gone", message, ann.home)
            async with ann.page(seen) as page:
                assert await page.ready() == [gone]
            assert await ann.texts() == ["stays"]

    asyncio.run(run())


def test_nothing_of_a_removed_message_is_left_and_it_does_not_come_back(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            message = await chat.post(page_for(ann, nonce="job 1"))
            [file] = (await ann.messages())[0]["files"]
            await chat.remove(home_of(ann), message)
            assert (await ann.ask("GET", f"/files/{file['token']}/page.png"))[0] == 404
            await chat.post(page_for(ann, nonce="job 1"))  # a second try that comes late
            assert await ann.messages() == []
            changed = await chat.post(Post(home_of(ann), "made anew", edit=message))
            assert changed != message
            assert await ann.texts() == ["made anew"]
        with closing(sqlite3.connect(tmp_path / FILE)) as rows:
            assert rows.execute("SELECT COUNT(*) FROM blobs").fetchone() == (0,)
            words = rows.execute("SELECT text, buttons FROM messages WHERE gone").fetchall()
            assert words == [("", "[]")]

    asyncio.run(run())


def test_only_a_message_of_ours_in_that_place_is_removed_and_a_gone_one_is_no_error(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann, Browser(chat) as bob:
            await ann.come_in()
            await bob.come_in()
            await ann.call(say="mine")
            [mine, answer] = [str(message["id"]) for message in await ann.messages()]
            for message in (mine, "999", "no number", "9" * 40, ""):
                await chat.remove(home_of(ann), message)
            await chat.remove(home_of(bob), answer)
            assert await ann.texts() == ["mine", "You said: mine"]
            for _ in range(2):
                await chat.remove(home_of(ann), answer)
            assert await ann.texts() == ["mine"]
        with pytest.raises(CannotPost):
            await chat.remove(home_of(ann), mine)

    asyncio.run(run())


@pytest.mark.parametrize("restarted", [False, True])
def test_a_page_that_was_away_while_its_person_was_forgotten_loads_anew_once(
    tmp_path: Path, restarted: bool
) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann, Browser(chat) as bob:
            await ann.come_in()
            await bob.come_in()
            await ann.call(say="secret")
            async with ann.page() as page:
                seen = (await page.ready())[-1]["seq"]
            assert (await ann.ask("DELETE", "/api/me"))[0] == 200
            cookies, port = ann.cookies, chat.port
            if not restarted:
                await comes_back(ann, seen)
            async with bob.page() as page:
                assert await page.ready() == []
        if restarted:
            async with serving(tmp_path, port=port) as (chat, _), Browser(chat) as ann:
                ann.cookies = cookies
                await comes_back(ann, seen)

    async def comes_back(ann: Browser, seen: int) -> None:
        async with ann.page(seen) as page:
            assert await page.next() == {"type": "reload"}
        await ann.come_in()
        async with ann.page() as page:
            assert await page.ready() == []

    asyncio.run(run())


@pytest.mark.parametrize("how", ["erase", "remove", "room", "forget"])
def test_what_is_deleted_stands_in_no_file_any_more(tmp_path: Path, how: str) -> None:
    secret = noise("secret")

    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            assert chat._app is not None
            await ann.come_in()
            page = replace(page_for(ann), files=(File("page.png", secret),), about=("story abc",))
            message = await chat.post(page)
            await chat.post(Post(home_of(ann), "stays"))
            assert traces(tmp_path, secret)
            match how:
                case "erase":
                    await chat._app.transcript.erase(["story abc"], "deleted")
                case "remove":
                    await chat.remove(home_of(ann), message)
                case "room":
                    await ann.ask("DELETE", f"/api/rooms/{ann.home}")
                case "forget":
                    await ann.ask("DELETE", "/api/me")
            assert traces(tmp_path, secret) == []

    asyncio.run(run())


def test_an_upload_lies_with_what_the_chat_keeps_and_no_longer_than_it_is_needed(
    tmp_path: Path,
) -> None:
    photo, left = noise("photo"), noise("left by a bot that was killed")
    (tmp_path / UPLOADS).mkdir()
    (tmp_path / UPLOADS / "token").write_bytes(left)

    async def run() -> None:
        async with serving(tmp_path) as (chat, bot), Browser(chat) as ann:
            assert traces(tmp_path, left) == []
            await ann.come_in()
            token = await ann.upload(photo)
            assert [path.parent.name for path in traces(tmp_path, photo)] == [UPLOADS]
            assert (tmp_path / UPLOADS).stat().st_mode & 0o077 == 0
            await ann.call(say="/meme top:Ha", uploads={"": token})
            assert bot.calls[-1].attachments["picture"].content == photo
            assert traces(tmp_path, photo) == []
            await ann.upload(photo)
            await ann.ask("DELETE", "/api/me")
            assert traces(tmp_path, photo) == []
            await ann.upload(photo)
        assert traces(tmp_path, photo) == []

    asyncio.run(run())


def test_a_file_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as older:
        older.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = 1; COMMIT;")
        older.executemany("INSERT INTO meta VALUES (?, ?)", [("secret", b"k" * 32), ("seq", 2)])
        older.execute("INSERT INTO rooms VALUES ('ann', 'ann', '', 1, 0)")
        older.execute(
            "INSERT INTO messages (room, owner, seq, at, mine, text) VALUES"
            " ('ann', 'ann', 2, 0, 0, 'kept')"
        )
        older.commit()

    async def run() -> None:
        async with serving(tmp_path) as (chat, _):
            await chat.post(Post(Place("web", "ann", "here"), "new"))

    for _ in range(2):
        asyncio.run(run())
    with closing(sqlite3.connect(tmp_path / FILE)) as newer:
        assert newer.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        texts = newer.execute("SELECT text FROM messages WHERE NOT gone").fetchall()
        assert texts == [("kept",), ("new",), ("new",)]
        assert newer.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone() == (
            b"k" * 32,
        )


def test_a_backup_brings_the_chat_back_with_its_people_still_signed_in(tmp_path: Path) -> None:
    here, there, tar = tmp_path / "here", tmp_path / "there", tmp_path / "backup.tar"

    async def run() -> None:
        database = await Database.open(here / "inkwell.sqlite3")
        async with serving(here / "web") as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            await chat.post(page_for(ann, nonce="job 1"))
            await backup(here / "inkwell.sqlite3", here / "pictures", tar)
            await ann.call(say="after the backup")
            cookies, port = ann.cookies, chat.port
        await database.close()
        await restore(tar, there / "inkwell.sqlite3", there / "pictures")
        async with serving(there / "web", port=port) as (chat, _), Browser(chat) as ann:
            ann.cookies = cookies
            await ann.come_in()
            await chat.post(page_for(ann, nonce="job 1"))  # as the restored bot may do
            [page] = await ann.messages()
            [file] = page["files"]
            assert (await ann.ask("GET", f"/files/{file['token']}/page.png"))[0] == 200

    asyncio.run(run())


@pytest.mark.parametrize("password", [None, "secret"])
def test_every_visit_makes_the_cookie_last_another_year(
    tmp_path: Path, password: str | None
) -> None:
    async def run() -> None:
        async with serving(tmp_path, password=password) as (chat, _), Browser(chat) as ann:
            if password:
                await ann.ask("POST", "/api/login", {"password": password})
            people = set()
            for _ in range(2):
                headers = {"Origin": chat.address}
                async with ann.http.post("/api/session", json={}, headers=headers) as answer:
                    [cookie] = answer.cookies.values()
                    people.add((await answer.json())["me"]["id"])
                assert int(cookie["max-age"]) >= 365 * 24 * 3600
            assert len(people) == 1

    asyncio.run(run())


def test_a_chat_that_is_not_running_says_so(tmp_path: Path) -> None:
    chat = WebChat(port=0, folder=tmp_path)
    with pytest.raises(CannotPost) as caught:
        asyncio.run(chat.remove(Place("web", "ann", "here"), "1"))
    assert caught.value.again
