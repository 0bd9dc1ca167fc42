"""What the bot posts of its own accord on Telegram, and what goes wrong with that."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.telegram_chat import TelegramChat
from bot.chat import Button, CannotPost, File, Place, Post
from tests.adapters.small_bot import picture
from tests.adapters.telegram_peer import TOKEN, Fault, Peer
from tests.adapters.telegram_stage import TalkingBot, play
from tests.adapters.telegram_user import User

BUTTONS = ((Button("Redraw", "redraw:1", "primary"), Button("Delete", "delete:1", "danger")),)


def place_of(user: User) -> Place:
    return Place("telegram", str(user.id))


def page(number: int = 1, size: tuple[int, int] = (60, 80)) -> File:
    return File(f"page-{number}.png", picture(str(number), size=size), f"Page {number}")


async def refused(chat: TelegramChat, post: Post) -> CannotPost:
    with pytest.raises(CannotPost) as error:
        await chat.post(post)
    return error.value


def test_a_page_is_a_photo_with_its_words_and_buttons(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        id = await chat.post(Post(place_of(ann), "Tabs", (page(),), BUTTONS))
        (shown,) = peer.shown(ann.id)
        assert id == str(shown["message_id"])
        assert shown["caption"] == "Tabs"
        (row,) = shown["reply_markup"]["inline_keyboard"]
        assert [(b["text"], b["callback_data"], b.get("style")) for b in row] == [
            ("Redraw", "redraw:1", "primary"),
            ("Delete", "delete:1", "danger"),
        ]

    play(tmp_path, scene)


def test_several_pages_are_albums_of_ten_and_the_buttons_come_after(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        files = tuple(page(number) for number in range(11))
        id = await chat.post(Post(place_of(ann), "Tabs", files, BUTTONS))
        assert len(peer.requests("sendMediaGroup")[0].json("media")) == 10
        assert len(peer.requests("sendPhoto")) == 1
        assert peer.texts(ann.id) == [*[""] * 11, "Tabs"]
        assert ann.buttons() == ["Redraw", "Delete"]
        await chat.remove(place_of(ann), id)
        assert peer.shown(ann.id) == []
        await chat.remove(place_of(ann), id)  # gone already
        await chat.remove(place_of(ann), "nonsense")

    play(tmp_path, scene)


def test_what_is_no_photo_for_telegram_goes_as_a_document(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        await chat.post(Post(place_of(ann), "Strip", (page(1, (2100, 100)),)))
        assert "document" in peer.shown(ann.id)[-1]
        large = File("noise.png", page().content + bytes(10_000_001))
        await chat.post(Post(place_of(ann), "Large", (large,)))
        assert "document" in peer.shown(ann.id)[-1]
        peer.faults.append(Fault("sendPhoto", 400, "Bad Request: PHOTO_INVALID_DIMENSIONS"))
        await chat.post(Post(place_of(ann), "Odd", (page(),), BUTTONS))
        assert "document" in peer.shown(ann.id)[-1]
        assert ann.buttons() == ["Redraw", "Delete"]
        await chat.post(Post(place_of(ann), "Story", (File("tabs.pdf", b"%PDF"),)))
        assert "document" in peer.shown(ann.id)[-1]
        gif = File("tabs.gif", b"GIF89a" + bytes(20))
        await chat.post(Post(place_of(ann), "Moves", (gif,)))
        assert "animation" in peer.shown(ann.id)[-1]
        film = File("tabs.mp4", b"\0\0\0\x18ftypmp42" + bytes(20))
        await chat.post(Post(place_of(ann), "Moves smoothly", (film,), BUTTONS))
        assert peer.shown(ann.id)[-1]["animation"]["mime_type"] == "video/mp4"
        assert ann.buttons() == ["Redraw", "Delete"]

    play(tmp_path, scene)


def test_a_file_that_telegram_takes_in_no_way_is_named(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        huge = File("story.zip", bytes(50_000_001))
        await chat.post(Post(place_of(ann), "Here", (huge,)))
        assert "story.zip" in peer.texts(ann.id)[-1]

    play(tmp_path, scene)


def test_long_texts_are_split_at_the_ends_of_lines(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        lines = [f"{number} {'🎉' * 50}" for number in range(60)]
        await chat.post(Post(place_of(ann), "\n".join(lines), buttons=BUTTONS))
        texts = peer.texts(ann.id)
        assert len(texts) == 2
        assert "\n".join(texts).split("\n") == lines
        assert ann.buttons() == ["Redraw", "Delete"]
        await chat.post(Post(place_of(ann), "x" * 1100, (page(),), BUTTONS))
        assert peer.texts(ann.id)[-2:] == ["", "x" * 1100]

    play(tmp_path, scene)


def test_edits_go_from_words_to_pictures_and_survive_what_is_gone(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        place = place_of(ann)
        id = await chat.post(Post(place, "Waiting", progress=0.0))
        assert await chat.post(Post(place, "Waiting", edit=id)) == id  # not modified
        assert await chat.post(Post(place, "Drawing", (page(),), edit=id)) == id
        assert await chat.post(Post(place, "Done", edit=id)) == id
        assert peer.texts(ann.id) == ["Done"]
        await chat.remove(place, id)
        another = await chat.post(Post(place, "Anew", edit=id))
        assert another != id
        assert peer.texts(ann.id) == ["Anew"]
        assert await chat.post(Post(place, "Better", edit="nonsense")) != another

    play(tmp_path, scene)


def test_an_edit_after_a_restart_finds_out_that_it_is_a_picture(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        id = await chat.post(Post(place_of(ann), "Page", (page(),)))
        other = TelegramChat(TOKEN, tmp_path / "other", api_url=peer.address, poll_seconds=1)
        await other.start(bot)
        await other.post(Post(place_of(ann), "Deleted", edit=id))
        await other.stop()
        assert peer.texts(ann.id) == ["Deleted"]

    play(tmp_path, scene)


def test_a_pause_that_telegram_asks_for_is_kept(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        peer.faults.append(Fault("sendMessage", 429, "Too Many Requests", {"retry_after": 1}))
        began = asyncio.get_running_loop().time()
        await chat.post(Post(place_of(ann), "Hello"))
        assert asyncio.get_running_loop().time() - began >= 1
        assert peer.texts(ann.id) == ["Hello"]

    play(tmp_path, scene)


def test_a_pause_asked_for_again_and_again_is_handed_on(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        for _ in range(3):
            peer.faults.append(Fault("sendMessage", 429, "Too Many Requests", {"retry_after": 1}))
        error = await refused(chat, Post(place_of(ann), "Hello"))
        assert (error.again, error.wait, error.unknown) == (True, 1.0, False)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("fault", "again", "unknown"),
    [
        (Fault("sendMessage", 500), False, True),
        (Fault("sendMessage", 502, "Bad Gateway", done=True), False, True),
        (Fault("sendMessage", done=True, drop=True), False, True),
        (Fault("sendMessage", 401, "Unauthorized"), True, False),
        (Fault("sendMessage", 403, "Forbidden: bot was blocked by the user"), False, False),
        (Fault("sendMessage", 403, "Forbidden: bot was kicked from the group"), False, False),
        (Fault("sendMessage", 400, "Bad Request: chat not found"), False, False),
        (Fault("sendMessage", 413, "Request Entity Too Large"), False, False),
    ],
)
def test_what_telegram_answers_tells_whether_to_try_again(
    tmp_path: Path, fault: Fault, again: bool, unknown: bool
) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        peer.faults.append(fault)
        error = await refused(chat, Post(place_of(peer.person("Ann")), "Hello"))
        assert (error.again, error.unknown) == (again, unknown)
        assert TOKEN not in str(error)

    play(tmp_path, scene)


def test_where_nobody_listens_nothing_was_sent(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        await peer.hang_up()
        error = await refused(chat, Post(place_of(ann), "Hello"))
        assert (error.again, error.unknown) == (True, False)

    play(tmp_path, scene)


def test_a_part_that_came_is_not_sent_twice(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        post = Post(place_of(ann), "Tabs", (page(1), page(2)), BUTTONS)
        peer.faults.append(Fault("sendMessage", 400, "Bad Request: chat not found"))
        error = await refused(chat, post)
        assert (error.again, error.unknown) == (False, True)
        assert len(peer.requests("sendMediaGroup")) == 1

    play(tmp_path, scene)


def test_places_of_other_chats_and_a_stopped_chat_are_refused(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        assert not (await refused(chat, Post(Place("web", "1"), "Hello"))).again
        assert not (await refused(chat, Post(Place("telegram", "?"), "Hello"))).again
        other = TelegramChat(TOKEN, tmp_path / "other", api_url=peer.address)
        assert (await refused(other, Post(Place("telegram", "1"), "Hello"))).again

    play(tmp_path, scene)


def test_a_button_that_is_too_old_still_works(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/help")
        await peer.until_says(ann.id, "Or press this")
        ann.presses("Ask", too_old=True)
        await peer.until_says(ann.id, "Characters")

    play(tmp_path, scene)


def test_a_press_is_acknowledged_while_the_bot_still_works(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/help")
        await peer.until_says(ann.id, "Or press this")
        bot.hold = asyncio.Event()
        first, second = ann.presses("Ask"), ann.presses("Ask")
        await peer.until(lambda: not {first, second} & peer.open_queries)
        bot.hold.set()
        await peer.until_says(ann.id, "Characters")

    play(tmp_path, scene)
