"""The web chat over real sockets: what people can do there, and what strangers cannot."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.web_chat import WebChat
from bot.chat import PRESS, ROOM, Button, Call, CannotPost, File, Place, Post, Reply
from tests.adapters.small_bot import SmallBot, picture
from tests.adapters.web_client import Browser, serving, until


def visit(
    tmp_path: Path, story: Callable[[Browser, SmallBot], Awaitable[None]], **options: Any
) -> None:
    """One person in a chat of their own."""

    async def run() -> None:
        async with serving(tmp_path, **options) as (chat, bot), Browser(chat) as ann:
            await ann.come_in()
            await story(ann, bot)

    asyncio.run(run())


def test_a_plain_message_is_answered_and_stays(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        assert await ann.call(say="Hello\nthere") == {"state": "done", "room": None, "form": None}
        assert await ann.texts() == ["Hello\nthere", "You said: Hello\nthere"]
        (call,) = bot.calls
        assert call.options == {"text": "Hello\nthere"}
        assert (call.person.key, call.person.language) == (f"web:{ann.home}", "en")
        assert call.place == Place("web", ann.home, "here")
        assert call.manager

    visit(tmp_path, story)


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("/echo text:hi", {"text": "hi"}),
        ("/echo hi there", {"text": "hi there"}),
        ("／ECHO hi times：3", {"text": "hi", "times": 3}),
        ('/echo text:"times:2 is text" loud:yes', {"text": "times:2 is text", "loud": True}),
        ("/echo text:a:b loud:no times: 2", {"text": "a:b", "loud": False, "times": 2}),
        ("/echo text:“quoted”", {"text": "quoted"}),
        ("/echo text:two\nlines times:1", {"text": "two\nlines", "times": 1}),
    ],
)
def test_typed_commands_become_options(
    tmp_path: Path, typed: str, options: dict[str, object]
) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        await ann.call(say=typed)
        assert bot.calls[0].command == "echo"
        assert bot.calls[0].options == options

    visit(tmp_path, story)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("/xyz", "There is no command /xyz. /help shows all of them."),
        ("/story new titel: X", "no option “titel”. The nearest is “title”; all of them are: "),
        ("/eco hi", "no command /eco hi. The nearest: /echo"),
        ("/story", "no command /story. The nearest: /story new, /story draw, /story show"),
        ("/echo text:a times:many", "times is a whole number"),
        ("/echo text:a loud:perhaps", "loud is yes or no"),
        ("/help me", "/help takes nothing after it"),
        ("/meme picture:mine", "picture is a file"),
    ],
)
def test_a_mistyped_command_is_answered_with_what_is_wrong(
    tmp_path: Path, typed: str, words: str
) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        await ann.call(say=typed)
        said, answered = await ann.texts()
        assert said == typed
        assert words in answered
        assert not bot.calls

    visit(tmp_path, story)


def test_a_command_without_what_it_needs_asks_for_it_and_says_nothing_yet(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        answer = await ann.call(say="/story new style:noir")
        assert answer == {"state": "fill", "command": "story new", "options": {"style": "noir"}}
        assert await ann.texts() == []
        assert not bot.calls

    visit(tmp_path, story)


def test_a_form_made_from_a_command_is_that_command(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        options = {"text": "hi", "times": "2", "loud": "yes", "unknown": "x"}
        await ann.call(command="echo", options=options)
        assert bot.calls[0].options == {"text": "hi", "times": 2, "loud": True}
        assert await ann.texts() == ["/echo text:hi times:2 loud:yes", "HIHI"]

    visit(tmp_path, story)


def test_a_forms_answers_come_back_with_its_data(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        answer = await ann.call(press="edit:7")
        assert answer["form"]["data"] == "edit:7"
        assert [field["label"] for field in answer["form"]["fields"]] == ["Characters", "Panels"]
        await ann.call(form="edit:7", options={"cast": "[Tom]", "panels": "walks"})
        assert await ann.texts() == ["edit:7: [Tom] / walks"]

    visit(tmp_path, story)


def test_a_story_gets_its_own_room_whose_card_is_edited_in_place(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        room = (await ann.call(say="/story new title:Tabs"))["room"]
        opening = (await ann.messages())[-1]
        assert (opening["text"], opening["opens"]) == ("Tabs", room)
        assert bot.calls[-1].command == ROOM
        assert bot.calls[-1].place.thread == room
        (card,) = await ann.messages(room)
        await ann.call(room, say="[Tom] a programmer")
        shown = await ann.messages(room)
        assert [message["text"] for message in shown] == [
            "1 lines\n[Tom] a programmer",
            "[Tom] a programmer",
        ]
        assert shown[0]["id"] == card["id"]
        await ann.come_in()
        assert [(one["title"], one["home"]) for one in ann.rooms] == [("", True), ("Tabs", False)]

    visit(tmp_path, story)


def test_a_drawing_tells_how_far_it_is_and_ends_with_the_page(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        async with ann.page() as page:
            await ann.call(press="draw")
            events = await page.until("Here is your page")
        shown = [event["message"] for event in events if event["type"] == "message"]
        progress = [one["progress"] for one in shown if one["id"] == shown[0]["id"]]
        assert progress == [0.0, 0.25, 0.5, 0.75, 1.0, None]
        file = shown[-1]["files"][0]
        assert (file["width"], file["height"], file["alt"]) == (900, 1200, "The page: a page")
        status, content = await ann.ask("GET", f"/files/{file['token']}/page.png")
        assert (status, content) == (200, picture("a page", size=(900, 1200)))

    visit(tmp_path, story)


def test_the_same_post_is_shown_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            place = Place("web", ann.home, "here")
            first = await chat.post(Post(place, "Done", nonce="job 7"))
            assert await chat.post(Post(place, "Done", nonce="job 7")) == first
            assert await chat.post(Post(place, "Done!", edit=first)) == first
            assert await chat.post(Post(place, "New", edit="999")) != first
            assert await ann.texts() == ["Done!", "New"]
            with pytest.raises(CannotPost):
                await chat.post(Post(Place("discord", "1"), "lost"))

    asyncio.run(run())


def test_a_second_try_of_a_message_is_not_said_twice(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        bot.hold = asyncio.Event()
        tries = [asyncio.create_task(ann.call(say="hi", nonce="the same one")) for _ in range(3)]
        await until(lambda: asyncio.sleep(0, bool(bot.calls)))
        bot.hold.set()
        await asyncio.gather(*tries)
        await ann.call(say="hi", nonce="the same one")
        assert await ann.texts() == ["hi", "You said: hi"]

    visit(tmp_path, story)


def test_a_bot_that_fails_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        await ann.call(say="/break")
        assert (await ann.texts())[1].startswith("Something went wrong on our side")
        assert "broken on purpose" in caplog.text

    visit(tmp_path, story)


# Several pages, lost connections, restarts


def test_all_pages_of_a_person_hear_everything_and_other_people_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann, Browser(chat) as bob:
            await ann.come_in()
            await bob.come_in()
            async with ann.page() as one, ann.page() as two, bob.page() as other:
                await other.ready()
                await ann.call(say="hi")
                assert await one.until("You said: hi") == await two.until("You said: hi")
                await bob.call(say="me too")
                heard = await other.until("You said: me too")
            texts = [event["message"]["text"] for event in heard if "message" in event]
            assert texts == ["me too", "You said: me too"]

    asyncio.run(run())


def test_a_page_that_lost_its_connection_hears_what_it_missed_once(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        async with ann.page() as page:
            await ann.call(say="one")
            seen = (await page.until("You said: one"))[-1]["seq"]
        await ann.call(say="two")
        room = (await ann.call(say="/story new title:Tabs"))["room"]
        async with ann.page(seen) as page:
            missed = await page.ready()
        numbers = [event["seq"] for event in missed]
        assert numbers == sorted(set(numbers))
        assert min(numbers) > seen
        told = [event["message"]["text"] for event in missed if event["type"] == "message"]
        assert sorted(told) == sorted(
            ["two", "You said: two", "/story new title:Tabs", "Tabs", "0 lines"]
        )
        assert [e["room"]["id"] for e in missed if e["type"] == "room"] == [room]

    visit(tmp_path, story)


@pytest.mark.parametrize("since", [99_999_999, 0])
def test_a_page_that_missed_too_much_loads_anew(tmp_path: Path, since: int) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            place = Place("web", ann.home, "here")
            await asyncio.gather(*(chat.post(Post(place, str(n))) for n in range(301)))
            async with ann.page(since) as page:
                assert await page.next() == {"type": "reload"}

    asyncio.run(run())


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            room = (await ann.call(say="/story new title:Tabs"))["room"]
            posted = await chat.post(Post(Place("web", ann.home, "here", room), nonce="job 1"))
            cookies, port = ann.cookies, chat.port
        async with serving(tmp_path, port=port) as (chat, bot), Browser(chat) as ann:
            ann.cookies = cookies
            await ann.come_in()
            assert [one["title"] for one in ann.rooms] == ["", "Tabs"]
            again = Post(Place("web", ann.home, "here", room), nonce="job 1")
            assert await chat.post(again) == posted
            await ann.call(room, press="draw")
            assert bot.calls[0].place.thread == room

    asyncio.run(run())


def test_what_the_bot_did_not_answer_before_a_crash_is_not_done_again_unasked(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            await ann.call(say="draw me", nonce="sent before")
            with sqlite3.connect(tmp_path / "web.sqlite3") as database:
                database.execute("UPDATE messages SET answered = 0")
            database.close()
            cookies, port = ann.cookies, chat.port
        async with serving(tmp_path, port=port) as (chat, bot), Browser(chat) as ann:
            ann.cookies = cookies
            await ann.come_in()
            assert await ann.call(say="draw me", nonce="sent before") == {"state": "unknown"}
            assert not bot.calls

    asyncio.run(run())


def test_older_messages_come_page_by_page(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            place = Place("web", ann.home, "here")
            for number in range(120):
                await chat.post(Post(place, str(number)))
            last = await ann.messages()
            assert [one["text"] for one in last] == [str(n) for n in range(70, 120)]
            older = await ann.messages(query=f"?before={last[0]['id']}")
            assert [one["text"] for one in older] == [str(n) for n in range(20, 70)]

    asyncio.run(run())


# Files


def test_an_uploaded_file_reaches_the_bot_as_it_is(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        content = b"\x89PNG not really" * 1000
        token = await ann.upload(content, "föto.png")
        await ann.call(say="/meme top:Ha", uploads={"?": token})
        attachment = bot.calls[0].attachments["picture"]
        assert (attachment.name, attachment.content) == ("föto.png", content)
        said, answered = await ann.messages()
        assert said["attached"] == ["föto.png"]
        assert answered["text"] == f"föto.png: {len(content)} bytes"
        status, answer = await ann.call(say="/meme", uploads={"?": token})
        assert (status, answer["key"]) == (410, "upload_gone")

    visit(tmp_path, story)


def test_a_file_that_is_too_large_is_refused_and_not_kept(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        async def endless() -> Any:
            for _ in range(41):
                yield bytes(500_000)

        status, answer = await ann.ask("POST", "/api/uploads", data=BytesIO(bytes(20_000_001)))
        assert (status, answer["error"]) == (413, "At most 20 MB a file.")
        try:  # its length is not said beforehand; the answer may come while it is still sent
            status, answer = await ann.ask("POST", "/api/uploads", data=endless())
        except aiohttp.ClientOSError:
            status = 413
        assert status == 413

    visit(tmp_path, story)


def test_the_words_of_a_text_file_are_said(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        cat = picture("cat")
        for encoding in ("utf-8-sig", "utf-16"):
            script = await ann.upload("[小明] a boy\n\n[小明] runs".encode(encoding), "my.Story")
            await ann.call(say="", uploads={"?": script, "": await ann.upload(cat, "cat.png")})
            assert bot.calls[-1].options["text"] == "[小明] a boy\n\n[小明] runs"
            assert [file.content for file in bot.calls[-1].attachments.values()] == [cat]
        await ann.call(say="first", uploads={"?": await ann.upload(b"second", "a.txt")})
        assert bot.calls[-1].options["text"] == "first\nsecond"
        files = {
            "?": await ann.upload(b"[Tom] a boy", "tom.story"),
            "": await ann.upload(cat, "c.png"),
        }
        await ann.call(say="/story new title:Cats", uploads=files)
        call = bot.calls[-2]  # before its room was opened
        assert call.options == {"title": "Cats", "script": "[Tom] a boy"}
        assert set(call.attachments) == {"picture"}
        asked = len(bot.calls)
        for content, words in ((b"\xff\0", "a.txt is no plain text"), (b"x" * 100_001, "At most")):
            await ann.call(say="", uploads={"?": await ann.upload(content, "a.txt")})
            assert (await ann.texts())[-1].startswith(words)
        assert len(bot.calls) == asked

    visit(tmp_path, story)


def test_another_persons_files_rooms_and_uploads_cannot_be_reached(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, bot), Browser(chat) as ann, Browser(chat) as bob:
            await ann.come_in()
            await bob.come_in()
            room = (await ann.call(say="/story new title:Secret"))["room"]
            upload = await ann.upload(b"mine")
            place = Place("web", ann.home, "here", room)
            await chat.post(Post(place, files=(File("page.png", picture("mine")),)))
            file = f"/files/{(await ann.messages(room))[-1]['files'][0]['token']}/page.png"
            assert (await ann.ask("GET", file))[0] == 200
            calls = len(bot.calls)
            assert (await bob.ask("GET", file))[0] == 404
            for theirs in (room, ann.home):
                assert (await bob.ask("GET", f"/api/rooms/{theirs}/messages"))[0] == 404
                assert (await bob.call(theirs, say="hi"))[0] == 404
                assert (await bob.ask("DELETE", f"/api/rooms/{theirs}"))[0] == 404
            assert (await bob.call(say="/meme", uploads={"picture": upload}))[0] == 410
            async with Browser(chat) as stranger:
                assert (await stranger.ask("GET", file))[0] == 401
            assert len(bot.calls) == calls

    asyncio.run(run())


def test_only_pictures_are_opened_in_the_browser(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            files = (
                File("page.png", picture("x")),
                File("evil.png", b"<script>alert(1)</script>"),
                File('故事 "1".pdf', b"%PDF-1.7"),
            )
            await chat.post(Post(Place("web", ann.home, "here"), files=files))
            found = []
            for file in (await ann.messages())[0]["files"]:
                async with ann.http.get(f"/files/{file['token']}/x") as answer:
                    found.append(answer.headers["Content-Disposition"].split(";")[0])
                    assert "sandbox" in answer.headers["Content-Security-Policy"]
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert found == ["inline", "attachment", "attachment"]

    asyncio.run(run())


def test_files_nobody_is_shown_any_more_are_deleted(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in()
            room = (await ann.call(say="/story new title:Tabs"))["room"]
            place = Place("web", ann.home, "here", room)
            first = await chat.post(Post(place, files=(File("a.png", picture("a")),)))
            await chat.post(Post(place, files=(File("b.png", picture("b")),), edit=first))
            await chat.post(Post(place, files=(File("b.png", picture("b")),)))
            assert blobs(tmp_path) == 1
            await ann.ask("DELETE", f"/api/rooms/{room}")
            assert blobs(tmp_path) == 0
            await ann.come_in()
            assert [one["home"] for one in ann.rooms] == [True]
            await chat.post(Post(place, "still arrives"))
            assert (await ann.texts())[-1] == "still arrives"
            await ann.ask("DELETE", "/api/me")
            assert await ann.texts() == []

    asyncio.run(run())


def blobs(folder: Path) -> int:
    with sqlite3.connect(folder / "web.sqlite3") as database:
        (count,) = database.execute("SELECT count(*) FROM blobs").fetchone()
    database.close()
    return int(count)


# Who may ask


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example:8420", "Origin": "http://evil.example:8420"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_requests_of_other_pages_are_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, bot), Browser(chat) as ann:
            await ann.come_in()
            ann.headers |= headers
            assert (await ann.call(say="hi"))[0] == 403
            assert (await ann.ask("POST", "/api/session", {}))[0] == 403
            assert (await ann.ask("GET", f"/api/rooms/{ann.home}/messages"))[0] == 403
            with pytest.raises(aiohttp.WSServerHandshakeError):
                async with ann.page():
                    pass
            assert not bot.calls

    asyncio.run(run())


def test_what_changes_something_needs_an_origin(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        del ann.headers["Origin"]
        assert (await ann.call(say="hi"))[0] == 403

    visit(tmp_path, story)


@pytest.mark.parametrize("change", ["a", "", "x.y.z"])
def test_a_cookie_that_we_did_not_sign_is_nobodys(tmp_path: Path, change: str) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann, Browser(chat) as bob:
            await ann.come_in()
            name = f"inkwell_{chat.port}"
            (cookie,) = ann.http.cookie_jar
            forged = cookie.value[:-1] + change if change != "x.y.z" else change
            if forged == cookie.value:
                forged = cookie.value[:-1] + "b"
            bob.cookies = {name: forged}
            assert (await bob.ask("GET", f"/api/rooms/{ann.home}/messages"))[0] == 401
            assert cookie["httponly"]
            assert cookie["samesite"] == "strict"

    asyncio.run(run())


def test_from_other_computers_only_with_a_password(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only with a password"):
        WebChat("0.0.0.0", folder=tmp_path)
    WebChat("0.0.0.0", password="long enough", folder=tmp_path)


def test_with_a_password_one_must_log_in_and_a_new_password_keeps_who_one_is(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with serving(tmp_path, password="first") as (chat, bot), Browser(chat) as ann:
            assert await ann.ask("POST", "/api/session", {}) == (401, {"login": True})
            status, answer = await ann.ask("POST", "/api/login", {"password": "guess"})
            assert (status, answer["error"]) == (403, "That is not the password.")
            assert (await ann.ask("POST", "/api/login", {"password": "first"}))[0] == 200
            person = (await ann.come_in()).home
            await ann.call(say="hi")
            assert bot.calls[0].manager
            async with Browser(chat, Host="chat.example", Origin="https://chat.example") as bob:
                await bob.ask("POST", "/api/login", {"password": "first"})
                await bob.come_in()
                await bob.call(say="hi")
            assert not bot.calls[1].manager
            cookies, port = ann.cookies, chat.port
        options = {"port": port, "password": "second"}
        async with serving(tmp_path, **options) as (chat, _), Browser(chat) as ann:
            ann.cookies = cookies
            assert (await ann.ask("POST", "/api/session", {}))[0] == 401
            assert (await ann.ask("POST", "/api/login", {"password": "second"}))[0] == 200
            assert (await ann.come_in()).home == person

    asyncio.run(run())


def test_guessing_the_password_is_slowed_down(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path, password="secret") as (chat, _), Browser(chat) as eve:
            for _ in range(10):
                assert (await eve.ask("POST", "/api/login", {"password": "guess"}))[0] == 403
            status, answer = await eve.ask("POST", "/api/login", {"password": "secret"})
            assert (status, answer["key"]) == (429, "too_many_logins")

    asyncio.run(run())


def test_a_page_without_a_session_is_told_to_come_in(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as eve, eve.page() as page:
            closing = await page.socket.receive()
            assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 4401)

    asyncio.run(run())


# What is wrong from the start


def test_a_port_that_is_taken_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}: another program uses this port"):
            asyncio.run(WebChat(port=port, folder=tmp_path).start(SmallBot()))


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "web.sqlite3") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(OSError, match="a newer Inkwell wrote it"):
        asyncio.run(WebChat(port=0, folder=tmp_path).start(SmallBot()))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"nonce": "short", "say": "hi"},
        {"nonce": "long enough", "say": ["hi"]},
        {"nonce": "long enough", "press": "x" * 65},
        {"nonce": "long enough", "options": "no table"},
        {"nonce": "long enough", "uploads": {"a": 1}},
        {"nonce": "long enough", "command": "no such"},
        {"nonce": "long enough", "say": "  "},
        {"nonce": "long enough", "say": "x" * 100_001},
        ["no object"],
    ],
)
def test_nonsense_is_refused(tmp_path: Path, body: object) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        status, answer = await ann.ask("POST", f"/api/rooms/{ann.home}/calls", body)
        assert status in (400, 413)
        assert answer["error"]
        assert await ann.texts() == []
        assert not bot.calls

    visit(tmp_path, story)


def test_half_an_emoji_is_no_fault_of_ours(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        await ann.call(say="\U0001f600 and \ud83d")
        assert (await ann.texts())[0] == "\U0001f600 and ?"

    visit(tmp_path, story)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ann  ", "Ann"),
        ("a\u202eb\x07c", "a b c"),
        ("<b>'; DROP TABLE people;--", "<b>'; DROP TABLE people;--"),
        ("😀" * 10_000, "😀" * 40),
        ("\u0000", "Guest"),
    ],
)
def test_names_are_made_harmless(tmp_path: Path, typed: str, kept: str) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        status, answer = await ann.ask("POST", "/api/me", {"name": typed})
        assert status == 200
        assert answer["me"]["name"].removesuffix(f" {ann.home[:4]}") == kept

    visit(tmp_path, story)


def test_the_interface_speaks_the_persons_language(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, _), Browser(chat) as ann:
            await ann.come_in("zh-Hans-CN")
            assert ann.me["language"] == "zh"
            status, commands = await ann.ask("GET", "/api/commands?language=zh")
            assert (status, commands[0]["help"]) == (200, "开始新故事")
            await ann.call(say="/nothing")
            assert "没有命令" in (await ann.texts())[1]

    asyncio.run(run())


def test_a_person_with_many_calls_under_way_must_wait(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        bot.hold = asyncio.Event()
        waiting = [asyncio.create_task(ann.call(press="ask")) for _ in range(6)]
        await until(lambda: asyncio.sleep(0, len(bot.calls) == 6))
        assert (await ann.call(say="hi"))[0] == 429
        bot.hold.set()
        await asyncio.gather(*waiting)
        assert (await ann.call(say="hi"))["state"] == "done"

    visit(tmp_path, story)


class Loud(SmallBot):
    """Answers with everything that a reply can hold, and names that mean mischief."""

    async def answer(self, call: Call) -> list[Reply]:
        buttons = ((Button("<b>\u202eok", "x", "danger"),),)
        return [Reply("<script>alert(1)</script>", buttons=buttons, room="<img src=x>" * 50)]


class Forgetful(SmallBot):
    """Forgets who presses, and says so."""

    async def answer(self, call: Call) -> Sequence[Reply]:
        if call.command == PRESS and call.options["data"] == "oblivion":
            return [Reply("Everything is deleted.", private=True, forget=True)]
        return await super().answer(call)


def test_when_the_bot_forgets_somebody_the_chat_does_too(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            serving(tmp_path, Forgetful()) as (chat, _),
            Browser(chat) as ann,
            Browser(chat) as bob,
        ):
            await ann.come_in()
            await ann.ask("POST", "/api/me", {"name": "Ann"})
            room = (await ann.call(say="/story new title:Secret"))["room"]
            await ann.call(room, say="[Tom] walks")
            await ann.call(say="/story show title:Cup")
            form = {"nonce": "once-only", "press": "edit"}
            await ann.ask("POST", f"/api/rooms/{room}/calls", form)
            [page] = [file for message in await ann.messages() for file in message["files"]]
            upload = await ann.upload(picture("cat"), "cat.png")
            await bob.come_in()
            await bob.call(say="hi")
            async with ann.page() as tab:
                await tab.ready()
                assert await ann.call(room, press="oblivion") == {
                    "state": "done", "room": None, "form": None
                }  # fmt: skip
                while (await tab.next())["type"] != "reload":
                    pass
            assert await ann.texts() == ["Everything is deleted."]
            await ann.come_in()
            assert [one["id"] for one in ann.rooms] == [ann.home]
            assert ann.me["name"] != "Ann"
            assert (await ann.ask("GET", f"/api/rooms/{room}/messages"))[0] == 404
            assert (await ann.ask("POST", f"/api/rooms/{room}/calls", form))[0] == 404
            assert (await ann.ask("GET", f"/files/{page['token']}/page.png"))[0] == 404
            assert (await ann.call(say="/meme", uploads={"": upload}))[0] == 410
            assert await bob.texts() == ["hi", "You said: hi"]
        rows = sqlite3.connect(tmp_path / "web.sqlite3")
        assert rows.execute("SELECT COUNT(*) FROM rooms").fetchone() == (2,)
        assert rows.execute("SELECT COUNT(*) FROM files").fetchone() == (0,)
        assert rows.execute("SELECT COUNT(*) FROM blobs").fetchone() == (0,)
        rows.close()

    asyncio.run(run())


def test_titles_and_words_go_through_as_they_are_cut_to_a_sane_length(tmp_path: Path) -> None:
    async def story(ann: Browser, bot: SmallBot) -> None:
        room = (await ann.call(say="x"))["room"]
        (message,) = await ann.messages(room)
        assert message["text"] == "<script>alert(1)</script>"
        await ann.come_in()
        assert len(ann.rooms[1]["title"]) == 120

    async def run() -> None:
        async with serving(tmp_path, Loud()) as (chat, bot), Browser(chat) as ann:
            await ann.come_in()
            await story(ann, bot)

    asyncio.run(run())


def test_two_hundred_people_at_once_are_all_answered(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tmp_path) as (chat, bot):

            async def comes_and_writes() -> Browser:
                person = await Browser(chat).come_in()
                await person.call(say="hi")  # at once: idle connections are closed after seconds
                return person

            people = await asyncio.gather(*(comes_and_writes() for _ in range(200)))
            assert len(bot.calls) == 200
            assert await people[-1].texts() == ["hi", "You said: hi"]
            await asyncio.gather(*(one.http.close() for one in people))

    asyncio.run(run())
