"""Telegram over real HTTP: what people can type and press, and what they see."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adapters.telegram_chat import FILE, TelegramChat
from bot.chat import MESSAGE, PRESS, ROOM, CannotStart, Place
from tests.adapters.small_bot import picture
from tests.adapters.telegram_peer import TOKEN, Fault, Peer
from tests.adapters.telegram_stage import TalkingBot, play, serving


def test_start_shows_an_example_and_help_is_a_command(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/start")
        await peer.until_says(ann.id, "[Tom] a young programmer with glasses")
        ann.says("/help")
        await peer.until_says(ann.id, "Type a line.")
        assert bot.calls[-1].command == "help"
        assert bot.calls[-1].person.key == f"telegram:{ann.id}"
        assert bot.calls[-1].place == Place("telegram", str(ann.id))

    play(tmp_path, scene)


def test_a_chinese_person_is_spoken_to_in_chinese(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        li = peer.person("李", language="zh-hans")
        li.says("/start")
        await peer.until_says(li.id, "你好")

    play(tmp_path, scene)


def test_a_plain_message_is_answered(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("Hello\nthere")
        await peer.until_says(ann.id, "You said: Hello\nthere")
        assert bot.calls[0].command == MESSAGE

    play(tmp_path, scene)


def test_people_see_that_the_bot_types_while_an_answer_takes_longer(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob = peer.person("Ann"), peer.person("Bob")
        ann.says("at once")
        await peer.until_says(ann.id, "You said: at once")
        bot.hold = asyncio.Event()
        bob.says("take your time")
        sign = await peer.until(lambda: next(iter(peer.requests("sendChatAction")), None))
        assert (sign.given["chat_id"], sign.given["action"]) == (str(bob.id), "typing")
        assert not peer.shown(bob.id)
        bot.hold.set()
        await peer.until_says(bob.id, "You said: take your time")
        assert len(peer.requests("sendChatAction")) == 1

    play(tmp_path, scene)


def test_an_answer_comes_though_nobody_can_see_that_the_bot_types(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        peer.faults.append(Fault("sendChatAction", 400, "Bad Request: chat not found"))
        bot.hold = asyncio.Event()
        ann.says("take your time")
        await peer.until(lambda: peer.requests("sendChatAction"))
        bot.hold.set()
        await peer.until_says(ann.id, "You said: take your time")

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("/echo hi there", {"text": "hi there"}),
        ("/echo@inkwell_bot text=hi times=3", {"text": "hi", "times": 3}),
        ("/ECHO text=a: b loud=no times = 2", {"text": "a: b", "loud": False, "times": 2}),
        ("/echo two\nlines loud＝yes", {"text": "two\nlines", "loud": True}),
    ],
)
def test_typed_commands_become_options(
    tmp_path: Path, typed: str, options: dict[str, object]
) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        peer.person("Ann").says(typed)
        await peer.until(lambda: bot.calls)
        assert (bot.calls[0].command, bot.calls[0].options) == ("echo", options)

    play(tmp_path, scene)


def test_both_ways_to_write_a_command_and_its_group_alone(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/story")
        shown = await peer.until_says(ann.id, "/story_new – Begin a new story")
        assert "/story_draw" in shown["text"]
        ann.says("/story new Tabs")
        await peer.until(lambda: bot.calls)
        assert bot.calls[0].options == {"title": "Tabs"}

    play(tmp_path, scene)


def test_the_menus_are_set_once_by_scope_and_language(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer:
            for _ in range(2):
                async with serving(peer, tmp_path, TalkingBot()):
                    pass
            assert len(peer.requests("setMyCommands")) == 6
            assert peer.wrong == []
            chinese = peer.menus[("all_private_chats", "zh")]
            assert {"command": "story_new", "description": "开始新故事"} in chinese

    asyncio.run(run())


def test_a_story_lives_in_the_direct_message_and_its_card_is_edited_in_place(
    tmp_path: Path,
) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/story_new Tabs")
        card = await peer.until_says(ann.id, "0 lines")
        assert ann.buttons() == ["Draw", "Edit all", "Delete"]
        await peer.until(lambda: bot.calls[-1].command == ROOM)
        assert bot.calls[-1].place == Place("telegram", str(ann.id))
        ann.says("[Tom] a programmer")
        await peer.until_says(ann.id, "1 lines\n[Tom] a programmer")
        assert [message["message_id"] for message in peer.shown(ann.id)] == [card["message_id"]]

    play(tmp_path, scene)


def test_a_pressed_draw_button_brings_progress_by_edits_and_then_the_page(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/story_new Tabs")
        await peer.until_says(ann.id, "0 lines")
        query = ann.presses("Draw")
        page = await peer.until_says(ann.id, "Here is your page")
        assert query not in peer.open_queries
        assert bot.calls[-1].command == PRESS
        assert "photo" in page
        progress = await peer.until_says(ann.id, "Done in 4 steps")
        assert "photo" in progress  # the last preview stays under the words
        assert len(peer.requests("editMessageMedia")) >= 1

    play(tmp_path, scene)


def test_what_is_missing_is_asked_for_and_choices_are_buttons(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/story_new")
        await peer.until_says(ann.id, "What the story is called")
        assert ann.buttons() == ["Stop"]
        ann.says("x" * 61)
        await peer.until_says(ann.id, "may have at most 60 characters")
        ann.says("Tabs")
        await peer.until_says(ann.id, "The whole story")
        assert ann.buttons() == ["Skip", "Finish", "Stop"]
        ann.presses("Skip")
        await peer.until_says(ann.id, "How the pictures look")
        assert ann.buttons() == [*("comic", "line-art", "noir", "pastel"), "Skip", "Finish", "Stop"]
        ann.presses("noir")
        await peer.until_says(ann.id, "A picture to start from")
        ann.says(photo=picture("Tom"))
        await peer.until(lambda: bot.calls)
        call = bot.calls[0]
        assert (call.command, call.options) == ("story new", {"title": "Tabs", "style": "noir"})
        assert call.attachments["picture"].content == picture("Tom")
        assert "→ noir" in "\n".join(peer.texts(ann.id))

    play(tmp_path, scene)


def test_a_dialog_goes_on_after_a_restart_and_ends_with_the_next_command(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer:
            ann, bot = peer.person("Ann"), TalkingBot()
            async with serving(peer, tmp_path, bot):
                ann.says("/story_show")
                await peer.until_says(ann.id, "What the story is called")
            async with serving(peer, tmp_path, bot):
                assert "The last cup" in ann.buttons()
                ann.presses("The last cup")
                await peer.until(lambda: bot.calls)
                assert bot.calls[0].options == {"title": "The last cup"}
                ann.says("/echo")
                await peer.until_says(ann.id, "What to say")
                ann.says("/help")
                await peer.until_says(ann.id, "Type a line.")
                ann.says("no answer")
                await peer.until_says(ann.id, "You said: no answer")
                ann.says("/cancel")
                await peer.until_says(ann.id, "There is nothing to stop")
            assert peer.wrong == []

    asyncio.run(run())


def asked_before(folder: Path, hours: float) -> None:
    """Lets the questions that are open now have been asked so many hours ago."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        at = "json_set(state, '$.asked', state ->> 'asked' - ?)"
        connection.execute(f"UPDATE dialogs SET state = {at}", (hours * 3600,))


def test_what_is_typed_a_day_after_a_question_is_no_answer_to_it(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob = peer.person("Ann"), peer.person("Bob")
        for person in (ann, bob):
            person.says("/story_show")
            await peer.until_says(person.id, "What the story is called")
        asked_before(tmp_path, 25)
        ann.says("Hello")
        await peer.until_says(ann.id, "You said: Hello")
        ann.says("/cancel")
        await peer.until_says(ann.id, "There is nothing to stop")
        bob.presses("The last cup")  # what a button means does not change
        await peer.until(lambda: bot.calls[-1].options == {"title": "The last cup"})

    play(tmp_path, scene)


def test_a_pasted_script_is_an_answer_only_where_a_long_text_was_asked_for_just_now(
    tmp_path: Path,
) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        script = "[Tom] a man\n\n[Tom] walks"
        ann, bob, cid = (peer.person(name) for name in ("Ann", "Bob", "Cid"))
        for person in (ann, bob, cid):
            person.says("/story_new")
            await peer.until_says(person.id, "What the story is called")
        ann.says(script)
        await peer.until_says(ann.id, "You said: [Tom] a man")
        for person in (bob, cid):
            person.says("Tabs")
            await peer.until_says(person.id, "The whole story")
        bob.says(script)
        await peer.until_says(bob.id, "How the pictures look")
        asked_before(tmp_path, 2)
        cid.says(script)
        await peer.until_says(cid.id, "You said: [Tom] a man")

    play(tmp_path, scene)


def test_a_form_is_asked_field_by_field_and_shows_what_stands_in_it(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/help")
        await peer.until_says(ann.id, "Or press this")
        ann.presses("Ask")
        asked = await peer.until_says(ann.id, "Characters")
        assert "[Tom] a programmer" in asked["text"]
        ann.presses("Keep it")
        await peer.until_says(ann.id, "Panels")
        ann.says("[Tom] walks")
        await peer.until_says(ann.id, "ask: [Tom] a programmer / [Tom] walks")

    play(tmp_path, scene)


def test_a_picture_comes_with_a_command_or_from_the_message_it_replies_to(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, content = peer.person("Ann"), picture("cat")
        ann.says("/meme When", photo=content)
        await peer.until_says(ann.id, f"photo.jpg: {len(content)} bytes")
        shown = ann.says(document=("cat.png", "image/png", content))
        ann.says("/meme Then", reply_to=shown)
        await peer.until_says(ann.id, f"cat.png: {len(content)} bytes")
        assert [call.options.get("top") for call in bot.calls if call.command == "meme"] == [
            "When",
            "Then",
        ]

    play(tmp_path, scene)


def test_an_old_button_of_a_question_does_nothing_and_says_so(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/story_new")
        question = await peer.until_says(ann.id, "What the story is called")
        data = question["reply_markup"]["inline_keyboard"][-1][-1]["callback_data"]
        ann.says("/cancel")
        await peer.until_says(ann.id, "Stopped")
        ann.press(question, data)
        await peer.until_says(ann.id, "This question is over")
        assert bot.calls == []

    play(tmp_path, scene)


def test_what_breaks_in_the_bot_is_said_and_the_next_message_works(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("/break")
        await peer.until_says(ann.id, "Something is broken inside of me")
        ann.says("Hello")
        await peer.until_says(ann.id, "You said: Hello")

    play(tmp_path, scene)


def test_one_persons_messages_stay_in_order_and_others_do_not_wait(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, bob = peer.person("Ann"), peer.person("Bob")
        for number in range(8):
            ann.says(str(number))
        bob.says("me")
        await peer.until_says(ann.id, "You said: 7")
        await peer.until_says(bob.id, "You said: me")
        assert peer.texts(ann.id) == [f"You said: {number}" for number in range(8)]

    play(tmp_path, scene)


def test_an_edited_message_and_another_bot_are_not_listened_to(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        message = ann.says("first")
        peer.tell(edited_message={**message, "text": "changed"})
        robot = {"id": 77, "is_bot": True, "first_name": "Robot"}
        peer.tell(message={**message, "from": robot, "text": "beep"})
        ann.says("last")
        await peer.until_says(ann.id, "You said: last")
        assert [call.options["text"] for call in bot.calls] == ["first", "last"]

    play(tmp_path, scene)


def test_an_address_where_nobody_answers_is_named(tmp_path: Path) -> None:
    async def run() -> None:
        chat = TelegramChat(TOKEN, tmp_path, api_url="http://127.0.0.1:9")
        with pytest.raises(CannotStart, match=r"cannot be reached at http://127\.0\.0\.1:9"):
            await chat.start(TalkingBot())

    asyncio.run(run())


def test_a_wrong_token_is_one_clear_sentence(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer:
            with pytest.raises(CannotStart, match="INKWELL_TELEGRAM_TOKEN") as error:
                async with serving(peer, tmp_path, TalkingBot(), token="12345:wrong"):
                    pass
            assert "12345:wrong" not in str(error.value)

    asyncio.run(run())
