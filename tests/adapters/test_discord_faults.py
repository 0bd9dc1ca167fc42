"""What a network and a Discord do to a bot: refusals, breakdowns, things that are gone."""

from __future__ import annotations

import asyncio
import time
from io import BytesIO
from pathlib import Path
from random import Random

import discord
import pytest
from PIL import Image

from bot.chat import Button, CannotPost, File, Person, Place, Post
from tests.adapters.discord_peer import Trouble, until
from tests.adapters.discord_stage import Stage, play
from tests.adapters.discord_world import GUILD, LOBBY, MOST_FILE
from tests.adapters.small_bot import picture

HERE = Place("discord", LOBBY, GUILD)
POST, EDIT = r"/channels/\d+/messages", r"/channels/\d+/messages/\d+"
LATER = {"retry_after": 0.3, "message": "slow down", "global": False}
LONG = {**LATER, "retry_after": 300.0}
VIA = {"Via": "1.1 google"}  # so say answers of Discord itself


async def refused(stage: Stage, post: Post) -> CannotPost:
    with pytest.raises(CannotPost) as caught:
        await stage.chat.post(post)
    return caught.value


def test_the_same_nonce_makes_one_message_also_when_the_answer_was_lost(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        post = Post(HERE, "A page", (File("page.png", picture("x")),), nonce="0123456789abcdef")
        stage.peer.trouble.append(Trouble("POST", POST, None, deaf=True))
        error = await refused(stage, post)
        assert (error.again, error.unknown) == (True, True)
        first = await stage.chat.post(post)
        assert await stage.chat.post(post) == first
        assert [m["id"] for m in stage.peer.in_channel()] == [first]

    play(tmp_path, scene)


def test_an_answer_of_500_is_unknown_and_one_of_429_is_waited_for(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.peer.trouble.append(Trouble("POST", POST, 503))
        error = await refused(stage, Post(HERE, "A", nonce="1"))
        assert (error.again, error.unknown) == (True, True)
        via = {"Via": "1.1 google"}
        stage.peer.trouble.append(Trouble("POST", POST, 429, LATER, headers=via))
        began = time.monotonic()
        await stage.chat.post(Post(HERE, "B", nonce="2"))
        assert time.monotonic() - began >= 0.3
        long = {**LATER, "retry_after": 900.0}
        stage.peer.trouble.append(Trouble("POST", POST, 429, long, headers=via))
        error = await refused(stage, Post(HERE, "C", nonce="3"))
        assert (error.again, error.unknown, error.wait) == (True, False, 900.0)

    play(tmp_path, scene)


def test_what_never_left_us_has_not_arrived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(stage: Stage) -> None:
        with monkeypatch.context() as away:
            away.setattr(discord.http.Route, "BASE", "http://127.0.0.1:9/api")
            error = await refused(stage, Post(HERE, "A", nonce="1"))
        assert (error.again, error.unknown) == (True, False)
        long = Post(HERE, "word " * 900, nonce="2")
        stage.peer.trouble.append(Trouble("POST", POST, 429, LONG, headers=VIA, skip=1))
        error = await refused(stage, long)  # a part of it has
        assert (error.again, error.unknown, error.wait) == (True, True, 300.0)

    play(tmp_path, scene)


def test_the_estimate_counts_down_by_itself(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        text = "You are next, ready in about 3 minutes."
        await stage.chat.post(Post(HERE, text, nonce="1", countdown=("in about 3 minutes", 1e9)))
        assert [m["content"] for m in stage.peer.in_channel()] == [
            "You are next, ready <t:1000000000:R>."
        ]

    play(tmp_path, scene)


def test_an_edit_of_a_deleted_message_is_posted_anew_once(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        first = await stage.chat.post(Post(HERE, "0 %", nonce="1"))
        del stage.peer.world.messages[LOBBY][first]
        second = await stage.chat.post(Post(HERE, "50 %", edit=first))
        assert second != first
        assert await stage.chat.post(Post(HERE, "80 %", edit=first)) == second
        (first_message,) = stage.peer.in_channel()
        assert first_message["content"] == "80 %"

    async def after(stage: Stage) -> None:
        first = str(int(stage.peer.in_channel()[0]["id"]) - 1)
        await stage.chat.post(Post(HERE, "100 %", edit=first))
        assert [m["content"] for m in stage.peer.in_channel()] == ["100 %"]
        await stage.chat.remove(HERE, first)
        await stage.chat.remove(HERE, first)
        assert stage.peer.in_channel() == []

    play(tmp_path, before, after)


@pytest.mark.parametrize("reads_all", [True, False])
def test_a_line_in_a_thread_that_was_put_away_is_heard(tmp_path: Path, reads_all: bool) -> None:
    async def scene(stage: Stage) -> None:
        peer, ann = stage.peer, stage.ann
        await ann.uses("story new", title="Tabs")
        thread = next(c for c in peer.world.channels.values() if c["type"] == 11)
        thread["thread_metadata"]["archived"] = True
        await peer.gateway.dispatch("THREAD_UPDATE", {**thread})
        line = await ann.at(thread["id"]).types(
            "[Tom] a man" if reads_all else "<@900> [Tom] a man"
        )
        await until(lambda: line["reactions"])
        assert stage.bot.calls[-1].options == {"text": "[Tom] a man"}
        assert stage.bot.calls[-1].place == Place("discord", LOBBY, GUILD, thread["id"])

    play(tmp_path, scene, message_content=reads_all)


def test_an_archived_thread_is_opened_again_and_a_locked_one_refuses(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ann.uses("story new", title="Tabs")
        thread = next(c for c in stage.peer.world.channels.values() if c["type"] == 11)
        place = Place("discord", LOBBY, GUILD, thread["id"])
        message = await stage.chat.post(Post(place, "0 %", nonce="1"))
        state = thread["thread_metadata"]
        state["archived"] = True
        assert await stage.chat.post(Post(place, "50 %", edit=message)) == message
        assert not state["archived"]
        state["archived"] = True
        await stage.chat.post(Post(place, "The page", nonce="2"))
        state |= {"archived": True, "locked": True}
        for post in (Post(place, "x", nonce="3"), Post(place, "x", edit=message)):
            error = await refused(stage, post)
            assert (error.again, error.unknown) == (False, False)
        del stage.peer.world.channels[thread["id"]]
        error = await refused(stage, Post(place, "x", nonce="4"))
        assert (error.again, error.unknown) == (False, False)
        await stage.chat.remove(place, message)

    play(tmp_path, scene)


def test_a_bot_that_was_thrown_out_gives_up(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.peer.world.is_member = False
        await stage.peer.gateway.dispatch("GUILD_DELETE", {"id": GUILD})
        error = await refused(stage, Post(HERE, "The page", nonce="1"))
        assert (error.again, error.unknown) == (False, False)

    play(tmp_path, scene)


def test_what_the_bot_may_not_do_is_told_with_every_call(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        world = stage.peer.world
        world.rights = discord.Permissions(view_channel=True, send_messages=True)
        await stage.ann.uses("echo", text="x")
        assert stage.bot.calls[-1].lacks == ("files", "threads", "history")
        await stage.ann.in_dm().uses("echo", text="x")
        assert stage.bot.calls[-1].lacks == ()
        error = await refused(stage, Post(HERE, "", (File("a.png", picture("x")),), nonce="1"))
        assert not error.again

    play(tmp_path, scene)


def test_without_a_thread_the_story_is_shown_where_it_was_asked_for(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        world = stage.peer.world
        world.rights = discord.Permissions(view_channel=True, send_messages=True)
        answer = await stage.ann.uses("story new", title="Tabs")
        await until(lambda: answer.messages)
        assert "no thread of its own" in answer.text
        assert [c.command for c in stage.bot.calls] == ["story new"]

    play(tmp_path, scene)


@pytest.mark.parametrize("status", [429, None])
def test_a_story_is_shown_here_while_no_thread_can_be_made(
    tmp_path: Path, status: int | None
) -> None:
    async def scene(stage: Stage) -> None:
        threads = r"/channels/\d+/threads"
        stage.peer.trouble.append(Trouble("POST", threads, status, LONG, headers=VIA))
        answer = await stage.ann.uses("story new", title="Tabs")
        await until(lambda: answer.messages)
        assert answer.text.endswith("0 lines")
        assert "no thread of its own" in answer.text
        assert answer.private == [False]
        assert stage.peer.trouble == []

    play(tmp_path, scene)


def test_a_story_goes_on_though_nobody_can_be_added_and_nothing_ticked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(stage: Stage) -> None:
        peer = stage.peer
        members, ticks = r"/channels/\d+/thread-members/\d+", POST + r"/\d+/reactions/.+"
        peer.trouble.append(Trouble("PUT", members, 429, LONG, headers=VIA))
        answer = await stage.ann.uses("story new", title="Tabs")
        thread = next(c for c in peer.world.channels.values() if c["type"] == 11)
        await until(lambda: f"<#{thread['id']}>" in answer.text)
        card = peer.in_channel(thread["id"])[0]
        peer.trouble.append(Trouble("PUT", ticks, 429, LONG, headers=VIA))
        room = stage.ann.at(thread["id"])
        await room.types("<@900> [Tom] a man")
        await room.types("<@900> [Tom] works")
        await until(lambda: card["content"].startswith("2 lines"))
        assert peer.trouble == []
        assert "went wrong" not in caplog.text

    play(tmp_path, scene)


def test_a_dropped_connection_is_resumed_and_nothing_said_meanwhile_is_lost(
    tmp_path: Path,
) -> None:
    async def scene(stage: Stage) -> None:
        peer = stage.peer
        await peer.gateway.drop()
        ann = stage.ann.in_dm()
        await ann.types("said while away")
        await until(lambda: stage.bot.calls, 20)
        assert stage.bot.calls[0].options == {"text": "said while away"}
        assert (peer.gateway.identified, peer.gateway.resumed) == (1, 1)

    play(tmp_path, scene)


def test_a_file_too_large_is_made_smaller_or_named(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        noise = File("page.png", noise_png(), "A page")
        assert len(noise.content) > MOST_FILE
        zipped = File("story.zip", b"PK" + bytes(MOST_FILE))
        await stage.chat.post(Post(HERE, "Here", (noise, zipped), nonce="1"))
        (message,) = stage.peer.in_channel()
        assert [one["filename"] for one in message["attachments"]] == ["page.jpg"]
        assert message["attachments"][0]["description"] == "A page"
        assert "story.zip has 10.5 MB, and at most 10.5 MB" in message["content"].replace("\\", "")

    play(tmp_path, scene)


def test_a_server_that_allows_larger_files_gets_them(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        world = stage.peer.world
        world.premium_tier, world.most_file = 2, 50 * 1024 * 1024
        await stage.peer.gateway.dispatch("GUILD_UPDATE", world.guild())
        await stage.ann.uses("echo", text="so that the event was heard")
        noise = File("page.png", noise_png(), "A page")
        await stage.chat.post(Post(HERE, "Here", (noise, noise, noise), nonce="1"))
        shown = stage.peer.in_channel()
        names = [[one["filename"] for one in message["attachments"]] for message in shown]
        assert names[1:] == [
            ["page.png", "page.png"],
            ["page.png"],
        ]  # 25 MiB a message all the same

    play(tmp_path, scene)


def test_many_files_and_words_come_in_several_messages_each_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        files = tuple(File(f"{n}.png", picture(str(n), size=(64, 64))) for n in range(23))
        button = ((Button("Press", "press"),),)
        ann = Person("discord", "7", "")
        post = Post(HERE, "word " * 900, files, button, nonce="many", mention=ann)
        await stage.chat.post(post)
        await stage.chat.post(post)
        shown = stage.peer.in_channel()
        assert [len(m["attachments"]) for m in shown] == [0, 0, 10, 10, 3]
        assert [bool(m["components"]) for m in shown] == [False, False, False, False, True]
        assert "<@7>" in shown[-1]["content"]
        assert shown[-1]["allowed_mentions"] == {"parse": [], "users": [7]}
        assert shown[0]["allowed_mentions"] == {"parse": []}

    play(tmp_path, scene)


def test_an_interaction_answered_too_late_is_answered_in_the_channel(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.bot.hold = asyncio.Event()
        answer = await stage.ann.uses("echo", text="late", late=True)
        answer.at -= 10  # Discord has stopped waiting
        await asyncio.sleep(0.6)
        stage.bot.hold.set()
        await until(lambda: stage.peer.in_channel())
        assert [m["content"] for m in stage.peer.in_channel()] == ["late"]

    play(tmp_path, scene, patience=0.3)


def test_a_hundred_commands_at_once_are_all_answered_in_time(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        asked = [await stage.ann.uses("echo", text=str(n), late=True) for n in range(100)]
        await until(lambda: all(one.answers for one in asked), 20)
        assert [one.text for one in asked] == [str(n) for n in range(100)]
        assert max(one.after or 0 for one in asked) < 3

    play(tmp_path, scene)


def test_a_thread_that_was_deleted_is_no_room_any_more(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ann.uses("story new", title="Tabs")
        thread = next(c for c in stage.peer.world.channels.values() if c["type"] == 11)
        gone = {"id": thread["id"], "guild_id": GUILD, "parent_id": LOBBY, "type": 11}
        await stage.peer.gateway.dispatch("THREAD_DELETE", gone)
        await stage.ann.at(thread["id"]).types("[Tom] a man")
        await stage.ann.uses("echo", text="x")
        assert [c.command for c in stage.bot.calls][-1] == "echo"
        assert not any(c.command == "(message)" for c in stage.bot.calls)

    play(tmp_path, scene, message_content=True)


def noise_png() -> bytes:
    """A PNG that cannot be packed."""
    side = 1_900
    file = BytesIO()
    pixels = Random(1).randbytes(side * side * 3)
    Image.frombytes("RGB", (side, side), pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


def test_answers_that_discord_has_already_or_loses_or_refuses(
    tmp_path: Path,
) -> None:
    async def scene(stage: Stage) -> None:
        twice = {"code": 40060, "message": "Interaction has already been acknowledged."}
        path = r"/interactions/\d+/[^/]+/callback"
        stage.peer.trouble.append(Trouble("POST", path, 400, twice, deaf=True))
        answer = await stage.ann.uses("echo", text="once")
        await until(lambda: len(answer.messages) == 2)
        stage.peer.trouble.append(Trouble("POST", path, 503))
        lost = await stage.ann.uses("echo", text="lost", late=True)
        await until(lambda: lost.answers)
        assert lost.text == "lost"  # discord.py tried again
        stage.peer.trouble.append(Trouble("POST", path, None))
        broken = await stage.ann.uses("echo", text="broken")
        assert (broken.private, "connection to Discord broke" in broken.text) == ([True], True)
        no = {"code": 50013, "message": "Missing Permissions"}
        stage.peer.trouble.append(Trouble("POST", path, 403, no))
        refused = await stage.ann.uses("echo", text="refused")
        assert (refused.private, "my permissions" in refused.text) == ([True], True)
        assert (await stage.ann.uses("echo", text="next")).text == "next"

    play(tmp_path, scene)


def test_a_picture_that_cannot_be_fetched_or_is_too_large_is_named(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        message = await stage.ann.types("look", photo=b"12345")
        stage.peer.world.files.clear()
        asked = await stage.ann.chooses(message, "Make meme")
        gone = await stage.ann.fills(asked, top="Ha")
        assert (gone.private, "photo.png" in gone.text) == ([True], True)
        message["attachments"][0]["size"] = 30_000_000
        asked = await stage.ann.chooses(message, "Make meme")
        large = await stage.ann.fills(asked, top="Ha")
        assert (large.private, "20 MB" in large.text) == ([True], True)
        assert stage.bot.calls == []

    play(tmp_path, scene)


def test_what_may_take_long_is_promised_first(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        made = await stage.ann.uses("story new", title="Tabs")
        assert (made.kind, made.private) == (5, [True])
        stage.bot.shown = (File("page.png", noise_png(), "A page"),)
        large = await stage.ann.uses("story show", title="Tabs")
        assert (large.kind, large.private, large.changed) == (5, [False], 1)
        assert large.messages[0]["attachments"][0]["filename"] == "page.jpg"

    play(tmp_path, scene)


def test_a_card_that_may_not_be_edited_is_shown_anew(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.ann.uses("story new", title="Tabs")
        thread = next(c for c in stage.peer.world.channels.values() if c["type"] == 11)
        room = stage.ann.at(thread["id"])
        refused = {"code": 50005, "message": "Cannot edit a message authored by another user"}
        stage.peer.trouble.append(Trouble("PATCH", EDIT, 403, refused))
        await room.types("<@900> [Tom] a man")
        await until(lambda: stage.peer.in_channel(room.where)[-1]["content"].startswith("1 lines"))
        await room.types("<@900> [Tom] works")
        await until(lambda: stage.peer.in_channel(room.where)[-2]["edits"])
        assert stage.peer.in_channel(room.where)[-2]["content"].startswith("2 lines")

    play(tmp_path, scene)
