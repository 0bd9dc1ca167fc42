"""Topics of groups on Telegram: those without the right to open one, deleted ones, several."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.telegram_chat import TelegramChat
from bot.chat import PRESS
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot, play
from tests.adapters.telegram_user import Json
from tests.adapters.test_telegram_groups import group_place, secret_bot

MAY_OPEN = {"status": "administrator", "can_manage_topics": True}


def test_without_the_right_a_story_begun_in_a_topic_lives_in_replies_there(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group(forum=True, topics={900: "Chat"})
        ann.says("/story_new Tabs", room=room, topic=900)
        card = await peer.until_says(room.id, "0 lines")
        assert card["message_thread_id"] == 900
        place = group_place(room, f"r{card['message_id']}")
        await peer.until(lambda: place.key in bot.rooms)
        how = await peer.until_says(room.id, "as replies to my messages")
        ann.says("nobody listens", room=room, topic=900)
        ann.says("[Tom] a programmer", room=room, reply_to=card)
        await peer.until_says(room.id, "1 lines\n[Tom] a programmer")
        ann.says("[Tom] types", room=room, reply_to=how)
        await peer.until_says(room.id, "2 lines\n[Tom] a programmer\n[Tom] types")
        ann.presses("Draw", room)
        page = await peer.until_says(room.id, "Here is your page")
        assert (bot.calls[-1].command, bot.calls[-1].place) == (PRESS, place)
        assert page["message_thread_id"] == 900

    play(tmp_path, scene)


def links(peer: Peer, chat: int) -> list[str]:
    """The addresses of buttons in a chat, as they were sent."""
    markups: list[Json] = [message.get("markup", {}) for message in peer.shown(chat)]
    rows = [row for markup in markups for row in markup.get("inline_keyboard", ())]
    return [button["url"] for row in rows for button in row if "url" in button]


def card_in(peer: Peer, chat: int) -> Json | None:
    found = [m for m in peer.shown(chat) if m.get("text", "").startswith("0 lines")]
    return found[-1] if found else None


@pytest.mark.parametrize("may_open", [True, False])
def test_a_story_whose_topic_was_deleted_gets_another_room(tmp_path: Path, may_open: bool) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group(forum=True, me=dict(MAY_OPEN))
        ann.says("/story_new Tabs", room=room)
        await peer.until_says(room.id, "0 lines")
        await peer.until(lambda: bot.rooms)
        (deleted,) = room.topics
        peer.delete_topic(room, deleted)
        room.me["can_manage_topics"] = may_open
        before = links(peer, room.id)
        ann.says("/card", room=room)
        card = await peer.until(lambda: card_in(peer, room.id))
        thread = card["message_thread_id"] if may_open else f"r{card['message_id']}"
        await peer.until(lambda: group_place(room, thread).key in bot.rooms)
        new = [link.rpartition("/")[2] for link in links(peer, room.id)[len(before) :]]
        assert new == [str(topic) for topic in room.topics]
        ann.says("[Tom] a programmer", room=room, reply_to=card)
        await peer.until_says(room.id, "1 lines\n[Tom] a programmer")

    play(tmp_path, scene, secret_bot())


def test_an_answer_is_given_in_the_topic_where_the_question_was_asked(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group(forum=True, me=dict(MAY_OPEN))
        for number, title in enumerate(("Tabs", "Spaces"), 1):
            ann.says(f"/story_new {title}", room=room)
            await peer.until(lambda number=number: len(bot.rooms) == number)
        tabs, spaces = room.topics
        ann.says("/story_show", room=room, topic=tabs)
        await peer.until_says(room.id, "What the story is called")
        ann.says("[Tom] a programmer", room=room, topic=spaces)
        await peer.until_says(room.id, "1 lines\n[Tom] a programmer")
        ann.says("The last cup", room=room, topic=tabs)
        await peer.until(lambda: bot.calls[-1].command == "story show")
        assert bot.calls[-1].options == {"title": "The last cup"}
        assert bot.calls[-1].place == group_place(room, tabs)

    play(tmp_path, scene)


def test_what_is_said_in_a_topic_that_is_no_storys_room_is_no_answer(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group(forum=True, topics={900: "Chat"})
        ann.says("/echo", room=room, topic=900)
        question = await peer.until_says(room.id, "What to say")
        ann.says("among us", room=room, topic=900)
        ann.says("hello", room=room, reply_to=question)
        for question in ("How often", "In capital letters"):
            await peer.until_says(room.id, question)
            ann.says("/skip", room=room, topic=900)
        await peer.until(lambda: bot.calls)
        assert bot.calls[0].options == {"text": "hello"}

    play(tmp_path, scene)
