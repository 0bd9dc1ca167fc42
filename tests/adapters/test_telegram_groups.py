"""Groups on Telegram: rooms of stories, topics, questions, what only one may see, who manages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.telegram_chat import GROUP_EDIT_SECONDS, TelegramChat
from bot.chat import (
    MESSAGE,
    PRESS,
    ROOM,
    Button,
    Call,
    CannotPost,
    CommandInfo,
    Person,
    Place,
    Post,
    Reply,
)
from tests.adapters.small_bot import picture
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot, play
from tests.adapters.telegram_user import Json, Room, administrator


class SecretBot(TalkingBot):
    """Also answers what only the one who asked may see."""

    async def answer(self, call: Call) -> Sequence[Reply]:
        if call.command == "secret" or call.options.get("data") == "more":
            self.calls.append(call)
            button = Button("More", "more")
            return (Reply("Only for you", buttons=((button,),), private=True),)
        if call.command == "card":
            return (self.card(next(iter(self.lines))),)
        if call.options.get("data") == "star":
            if self.hold is not None:
                await self.hold.wait()
            return (Reply("1 star, see /story show", private=True),)
        return await super().answer(call)


class WordyBot(TalkingBot):
    """Its cards are longer than a message."""

    def card(self, card: str, room: str | None = None) -> Reply:
        return replace(
            super().card(card, room), text=f"{len(self.lines[card])} lines {'🎉' * 3000}"
        )


def secret_bot() -> SecretBot:
    more = [CommandInfo(name, "help.help") for name in ("secret", "card")]
    return SecretBot(commands=(*TalkingBot().commands, *more))


def group_place(room: Room, thread: object = None) -> Place:
    return Place("telegram", str(room.id), str(room.id), None if thread is None else str(thread))


def test_without_topics_the_replies_to_its_card_are_a_storys_room(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob, room = peer.person("Ann"), peer.person("Bob"), peer.group()
        asked = ann.says("/story_new Tabs", room=room)
        card = await peer.until_says(room.id, "0 lines")
        assert card["reply_to_message"]["message_id"] == asked["message_id"]
        place = group_place(room, f"r{card['message_id']}")
        await peer.until_says(room.id, "as replies to my messages")
        assert (bot.calls[-1].command, bot.calls[-1].place) == (ROOM, place)
        bob.says("/story_new Spaces", room=room)
        await peer.until(lambda: len(peer.shown(room.id)) == 4)  # two cards, two explanations
        other = peer.shown(room.id)[-2]
        ann.says("nobody listens", room=room)
        ann.says("[Tom] a programmer", room=room, reply_to=card)
        bob.says("[Lisa] a cook", room=room, reply_to=other)
        await peer.until_says(room.id, "1 lines\n[Tom] a programmer")
        await peer.until_says(room.id, "1 lines\n[Lisa] a cook")
        lines = {c.options["text"] for c in bot.calls if c.command == MESSAGE}
        assert lines == {"[Tom] a programmer", "[Lisa] a cook"}
        ann.press(card, "draw")
        page = await peer.until_says(room.id, "Here is your page")
        assert bot.calls[-1].place == place
        assert page["reply_to_message"]["from"]["is_bot"]

    play(tmp_path, scene)


def test_a_card_that_is_too_long_is_one_message_and_a_room_all_the_same(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        ann.says("/story_new Tabs", room=room)
        card = await peer.until_says(room.id, "0 lines")
        assert card["text"].endswith("🎉…")
        await peer.until_says(room.id, "as replies to my messages")
        assert len(peer.shown(room.id)) == 2  # the card and the explanation
        ann.says("[Tom] a programmer", room=room, reply_to=card)
        await peer.until(lambda: card["text"].startswith("1 lines"))

    play(tmp_path, scene, WordyBot())


def test_in_a_forum_a_story_gets_a_topic_of_its_own(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        rights = {"status": "administrator", "can_manage_topics": True}
        room = peer.group(forum=True, me=rights)
        ann.says("/story_new Tabs", room=room)
        card = await peer.until_says(room.id, "0 lines")
        ((topic, title),) = room.topics.items()
        assert (title, card["message_thread_id"]) == ("Tabs", topic)
        await peer.until(lambda: bot.rooms)
        assert bot.calls[-1].place == group_place(room, topic)
        pointer = await peer.until_says(room.id, "“Tabs” has a topic of its own")
        button = pointer["markup"]["inline_keyboard"][0][0]
        assert button["url"] == f"https://t.me/c/{str(room.id)[4:]}/{topic}"
        ann.says("in general", room=room)
        ann.says("[Tom] a programmer", room=room, topic=topic)
        await peer.until_says(room.id, "1 lines\n[Tom] a programmer")
        assert sum(call.command == MESSAGE for call in bot.calls) == 1
        ann.presses("Draw", room)
        page = await peer.until_says(room.id, "Here is your page")
        assert page["message_thread_id"] == topic
        ann.says("/card", room=room)  # from elsewhere: it comes in its topic, with a link to it
        await peer.until_says(room.id, "“1 lines” has a topic of its own")
        assert (room.id, card["message_id"]) not in peer.messages
        assert len(room.topics) == 1

    play(tmp_path, scene, secret_bot())


def test_a_direct_message_with_topics_gives_each_story_one(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/story_new Tabs")
        await peer.until_says(ann.id, "0 lines")
        ((topic, title),) = peer.rooms[ann.id].topics.items()
        assert title == "Tabs"
        await peer.until_says(ann.id, "“Tabs” has a topic of its own")
        ann.says("[Tom] a programmer", topic=topic)
        card = await peer.until_says(ann.id, "1 lines\n[Tom] a programmer")
        assert card["message_thread_id"] == topic
        assert bot.calls[-1].place == Place("telegram", str(ann.id), None, str(topic))
        ann.says("/story_show", topic=topic)
        question = await peer.until_says(ann.id, "What the story is called")
        assert question["message_thread_id"] == topic

    play(tmp_path, scene, me={"has_topics_enabled": True})


def test_a_deleted_topic_and_a_missing_right_do_not_lose_a_story(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group(forum=True)
        ann.says("/story_new Tabs", room=room)
        card = await peer.until_says(room.id, "0 lines")
        await peer.until(lambda: bot.rooms)
        assert bot.calls[-1].place.thread == f"r{card['message_id']}"
        await chat.post(Post(group_place(room, 999), "The topic is gone"))
        assert "message_thread_id" not in peer.shown(room.id)[-1]

    play(tmp_path, scene)


def test_questions_in_a_group_are_answered_by_reply(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob, room = peer.person("Ann"), peer.person("Bob"), peer.group()
        ann.says("/story_new", room=room)
        question = await peer.until_says(room.id, "What the story is called")
        assert question["markup"]["selective"]
        bob.says("Mine!", room=room, reply_to=question)
        ann.says("among us", room=room)
        ann.says("Tabs", room=room, reply_to=question)
        await peer.until_says(room.id, "The whole story")
        ann.says("/skip@inkwell_bot", room=room)
        await peer.until_says(room.id, "How the pictures look")
        bob.presses("noir", room)
        await peer.until_says(room.id, "This question is over")
        ann.presses("noir", room)
        await peer.until_says(room.id, "A picture to start from")
        ann.says("/skip", room=room)
        await peer.until_says(room.id, "0 lines")
        made = [call for call in bot.calls if call.command == "story new"]
        assert [call.options for call in made] == [{"title": "Tabs", "style": "noir"}]
        assert made[0].person.name == "Ann"

    play(tmp_path, scene)


def test_a_form_in_a_group_calls_the_one_who_pressed(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        ann.says("/help", room=room)
        await peer.until_says(room.id, "Or press this")
        ann.presses("Ask", room)
        question = await peer.until_says(room.id, "Characters")
        assert question["text"].startswith("Ann: ")
        assert question["entities"][0]["type"] == "text_mention"
        assert question["markup"]["selective"]
        ann.says("[Mia] a cook", room=room, reply_to=question)
        question = await peer.until_says(room.id, "Panels")
        ann.says("/skip", room=room)
        await peer.until_says(room.id, "ask: [Mia] a cook / ")

    play(tmp_path, scene)


def test_what_only_one_may_see_waits_until_they_open_the_bot(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann", started=False), peer.group()
        ann.says("/secret", room=room)
        notice = await peer.until_says(room.id, "The answer is for you alone")
        url = notice["markup"]["inline_keyboard"][0][0]["url"]
        assert url == "https://t.me/inkwell_bot?start=hello"
        ann.says("/start hello")
        await peer.until_says(ann.id, "Only for you")
        ann.presses("More")
        await peer.until(lambda: len(bot.calls) == 2)
        assert (bot.calls[1].command, bot.calls[1].place) == (PRESS, group_place(room))
        await peer.until(lambda: len(peer.shown(ann.id)) == 2)
        assert len(peer.shown(room.id)) == 1

    play(tmp_path, scene, secret_bot())


def test_a_short_answer_to_a_press_is_shown_over_the_group_to_one_alone(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann", started=False), peer.group()
        star = Button("⭐", "star")
        await chat.post(Post(group_place(room), "The page", buttons=((star,),)))
        ann.presses("⭐", room)
        (asked,) = await peer.until(lambda: peer.requests("answerCallbackQuery"))
        assert (asked.given["text"], asked.given["show_alert"]) == (
            "1 star, see /story_show",
            "true",
        )
        bot.hold = asyncio.Event()
        ann.presses("⭐", room)
        await peer.until(lambda: len(peer.requests("answerCallbackQuery")) == 2)
        bot.hold.set()
        await peer.until_says(room.id, "The answer is for you alone")

    play(tmp_path, scene, secret_bot())


def test_who_has_blocked_the_bot_is_asked_in_the_group_to_open_it(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        ann.says("/start")
        await peer.until_says(ann.id, "Hello!")
        peer.rooms[ann.id].refuses = "bot was blocked by the user"
        ann.says("/secret", room=room)
        await peer.until_says(room.id, "The answer is for you alone")

    play(tmp_path, scene, secret_bot())


def test_admins_manage_and_what_the_bot_lacks_is_known(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob, room = peer.person("Ann"), peer.person("Bob"), peer.group()
        room.admins.append(administrator(ann.json))
        room.permissions["can_send_photos"] = False
        ann.says("/echo 1", room=room)
        bob.says("/echo 2", room=room)
        bob.says("/echo 3")
        await peer.until(lambda: len(bot.calls) == 3)
        by_text = {call.options["text"]: call for call in bot.calls}
        assert [by_text[text].manager for text in "123"] == [True, False, False]
        assert [by_text[text].lacks for text in "123"] == [("files",), ("files",), ()]
        assert len(peer.requests("getChatAdministrators")) <= 2

    play(tmp_path, scene)


def test_commands_for_other_bots_and_unknown_ones_are_not_ours_in_a_group(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        ann.says("/echo@another_bot hi", room=room)
        ann.says("/roll 6", room=room)
        ann.says("@inkwell_bot Hello", room=room)
        await peer.until_says(room.id, "You said: Hello")
        assert len(bot.calls) == 1

    play(tmp_path, scene)


def test_a_whole_script_among_other_people_is_handed_on(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        ann.says("one line", room=room)
        ann.says("[Tom] a man\n\n[Tom] walks", room=room)
        await peer.until(lambda: bot.calls)
        assert [call.options["text"] for call in bot.calls] == ["[Tom] a man\n\n[Tom] walks"]

    play(tmp_path, scene)


def test_an_anonymous_admin_is_asked_to_show_who_they_are(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        group: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
        ann.says("/echo hi", room=room, sender_chat=room.to_json(), **{"from": group})
        await peer.until_says(room.id, "Stop being anonymous")
        assert bot.calls == []

    play(tmp_path, scene)


def test_a_finished_page_mentions_its_owner_by_name(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ännchen 🎉"), peer.group()
        ann.says("/echo hi", room=room)
        await peer.until_says(room.id, "hi")
        mention = Person("telegram", str(ann.id), "")
        await chat.post(Post(group_place(room), "Done", mention=mention))
        shown = peer.shown(room.id)[-1]
        (entity,) = shown["entities"]
        assert shown["text"] == "Ännchen 🎉: Done"
        assert (entity["type"], entity["offset"], entity["length"]) == ("text_mention", 0, 10)
        assert entity["user"]["id"] == ann.id

    play(tmp_path, scene)


def test_a_group_that_moves_keeps_its_place(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, old, new = peer.person("Ann"), peer.group(), peer.group()
        place = group_place(old)
        ann.says("/echo 1", room=old)
        await peer.until_says(old.id, "1")
        old.moved_to = new.id
        await chat.post(Post(place, "Are you there?"))
        assert peer.texts(new.id) == ["Are you there?"]
        ann.says("/echo 2", room=new)
        await peer.until_says(new.id, "2")
        assert [call.place for call in bot.calls] == [place, place]
        await chat.post(Post(place, "Yes"))
        assert peer.texts(new.id)[-1] == "Yes"

    play(tmp_path, scene)


def test_progress_in_a_group_is_shown_seldom_and_the_end_always(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        room = peer.group()
        message = await chat.post(Post(group_place(room), "Waiting", progress=0.0))
        await chat.post(Post(group_place(room), "Your turn next", progress=0.0, edit=message))
        for share in (0.0, 0.4):
            with pytest.raises(CannotPost) as caught:
                await chat.post(Post(group_place(room), "Drawing", progress=share, edit=message))
            assert caught.value.again
            assert 0 < (caught.value.wait or 0) <= GROUP_EDIT_SECONDS
        assert peer.texts(room.id) == ["Your turn next"]
        await chat.post(Post(group_place(room), "Done", edit=message))
        assert peer.texts(room.id) == ["Done"]

    play(tmp_path, scene)


def test_a_new_character_from_a_photo_and_a_meme_from_a_reply_in_a_group(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob, room = peer.person("Ann"), peer.person("Bob"), peer.group()
        shown = bob.says("look", photo=picture("cat"), room=room)
        ann.says("/meme When", room=room, reply_to=shown)
        await peer.until_says(room.id, "photo.jpg")
        assert bot.calls[-1].options == {"top": "When"}

    play(tmp_path, scene)
