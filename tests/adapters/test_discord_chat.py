"""The Discord chat: the real discord.py against a Discord on this computer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.discord_chat import DiscordChat
from bot.chat import FORM, MESSAGE, PRESS, ROOM, CannotStart, Place, Reply
from tests.adapters.discord_peer import DiscordPeer, until
from tests.adapters.discord_people import Someone, buttons, labels, options_of
from tests.adapters.discord_stage import Stage, TalkingBot, play
from tests.adapters.discord_world import BOT_USER, GUILD, LOBBY
from tests.adapters.small_bot import picture


def test_a_command_is_answered_at_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        answer = await stage.ann.uses("echo", text="*hey* _you_", times=2, loud=True)
        assert answer.kind == 4
        assert answer.text == r"\*HEY\* \_YOU\_" * 2
        assert answer.private == [False]
        call = stage.bot.calls[0]
        assert (call.person.id, call.person.name, call.person.language) == ("7", "Ann", "en-US")
        assert call.place == Place("discord", LOBBY, GUILD)
        assert (call.roles, call.lacks, call.manager) == (("111",), (), False)

    play(tmp_path, scene)


def test_the_commands_are_told_to_discord_once_with_chinese_descriptions(tmp_path: Path) -> None:
    async def first(stage: Stage) -> None:
        assert stage.peer.world.synced == 1
        commands = {one["name"]: one for one in stage.peer.world.commands}
        assert set(commands) == {"story", "meme", "echo", "help", "break", "Make meme"}
        echo = commands["echo"]
        assert echo["contexts"] == [0, 1, 2]
        assert echo["integration_types"] == [0, 1]
        assert echo["description_localizations"] == {"zh-CN": "重复一遍"}
        times = next(o for o in echo["options"] if o["name"] == "times")
        assert (times["min_value"], times["max_value"], times["required"]) == (1, 5, False)
        style = next(o for o in options_of(stage.peer, "story new") if o["name"] == "style")
        assert [c["name"] for c in style["choices"]] == ["comic", "line-art", "noir", "pastel"]

    async def again(stage: Stage) -> None:
        assert stage.peer.world.synced == 1

    play(tmp_path, first, again)


def test_a_story_gets_a_thread_with_its_card_and_the_bot_hears_of_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        peer, ann = stage.peer, stage.ann
        answer = await ann.uses("story new", title="Tabs")
        assert answer.private == [True]
        thread = next(c for c in peer.world.channels.values() if c["type"] == 11)
        assert f"<#{thread['id']}>" in answer.text
        assert (thread["name"], thread["people"]) == ("Tabs", ["7"])
        await until(lambda: len(peer.in_channel(thread["id"])) == 2)
        card, hint = peer.in_channel(thread["id"])
        assert card["content"] == "0 lines"
        assert "@inkwell" in hint["content"]
        place = Place("discord", LOBBY, GUILD, thread["id"])
        assert [c.place for c in stage.bot.calls if c.command == ROOM] == [place]

        room = ann.at(thread["id"])
        await room.types("not for the bot")  # which cannot read it
        await room.types("<@900> [Tom] a man")
        await until(lambda: card["content"] == "1 lines\n[Tom] a man")
        await room.types("[Tom] waits", to=[Someone(peer, BOT_USER, "Inkwell")])  # as a reply
        await until(lambda: card["content"].startswith("2 lines"))
        said = [c.options["text"] for c in stage.bot.calls if c.command == MESSAGE]
        assert said == ["[Tom] a man", "[Tom] waits"]
        assert len(peer.in_channel(thread["id"])) == 5

    play(tmp_path, scene)


def test_a_story_that_is_begun_in_a_private_thread_stays_there(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        peer, world = stage.peer, stage.peer.world
        about = {"name": "Secret", "type": 12, "auto_archive_duration": 1440}
        thread = world.add_thread(LOBBY, about)
        await peer.gateway.dispatch("THREAD_CREATE", thread)
        room = stage.ann.at(thread["id"])
        answer = await room.uses("story new", title="Tabs")
        await until(lambda: len(answer.messages) == 2)
        card, hint = answer.messages
        assert (card["channel_id"], card["content"]) == (thread["id"], "0 lines")
        assert "@inkwell" in hint["content"]
        assert answer.private == [False, True]
        await room.types("<@900> [Tom] a man")
        await until(lambda: card["content"] == "1 lines\n[Tom] a man")

        second = await room.uses("story new", title="Another")  # the thread stays the first one's
        assert second.text.endswith("0 lines")
        assert "no thread of its own" in second.text
        place = Place("discord", LOBBY, GUILD, thread["id"])
        assert [c.place for c in stage.bot.calls if c.command == ROOM] == [place]
        assert list(world.channels) == [LOBBY, thread["id"]]
        assert LOBBY not in world.messages

    play(tmp_path, scene)


def test_a_card_that_is_too_long_is_one_message_that_can_be_edited(tmp_path: Path) -> None:
    class Wordy(TalkingBot):
        def card(self, card: str, room: str | None = None) -> Reply:
            text = f"{len(self.lines[card])} lines {'*' * 3000}"
            return replace(super().card(card, room), text=text)

    async def scene(stage: Stage) -> None:
        peer, dm = stage.peer, stage.ann.in_dm()
        await stage.ann.uses("story new", title="Tabs")
        await dm.uses("story new", title="Tabs")
        thread = next(c["id"] for c in peer.world.channels.values() if c["type"] == 11)
        for room in (stage.ann.at(thread), dm):
            card = next(m for m in peer.in_channel(room.where) if m["author"]["id"] == BOT_USER)
            assert card["content"].startswith("0 lines")
            assert "Draw" in labels(card)
            await room.types("<@900> [Tom] a man")
            await until(lambda card=card: card["content"].startswith("1 lines"))  # type: ignore[misc]

    play(tmp_path, scene, bot=Wordy())


def test_with_the_message_content_every_message_in_a_room_is_a_line(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        peer, ann = stage.peer, stage.ann
        await ann.types("just talking")
        await ann.uses("story new", title="Tabs")
        thread = next(c for c in peer.world.channels.values() if c["type"] == 11)
        room = ann.at(thread["id"])
        lines = [await room.types(f"[Tom] {n}", drawing=picture("x")) for n in range(3)]
        await until(lambda: lines[-1]["reactions"])
        card = peer.in_channel(thread["id"])[0]
        assert card["content"].split("\n")[0] == "3 lines"
        said = [c for c in stage.bot.calls if c.command == MESSAGE]
        assert [c.options["text"] for c in said] == ["[Tom] 0", "[Tom] 1", "[Tom] 2"]
        assert said[0].attachments["file"].content == picture("x")
        assert len(peer.in_channel(thread["id"])) == 4  # the card and three lines, no hint

    play(tmp_path, scene, message_content=True)


def test_a_direct_message_is_a_room_and_needs_no_intent(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.ann.in_dm()
        await ann.uses("story new", title="Tabs")
        await ann.types("[Tom] a man")
        card = stage.peer.in_channel(ann.where)[0]
        await until(lambda: card["edits"])
        assert card["content"].split("\n")[0] == "1 lines"
        call = stage.bot.calls[0]
        assert (call.place, call.manager) == (Place("discord", ann.where), False)

    play(tmp_path, scene)


def test_buttons_and_forms_work_after_a_restart(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        await stage.ann.in_dm().uses("story new", title="Tabs")

    async def after(stage: Stage) -> None:
        ann = stage.ann.in_dm()
        (card,) = stage.peer.in_channel(ann.where)
        assert labels(card) == ["Draw", "Edit all", "Delete"]
        asked = await ann.presses(card, "Edit all")
        fields = [label["component"] for label in asked.modal["components"]]
        assert [field["custom_id"] for field in fields] == ["cast", "panels"]
        assert fields[0]["value"] == "[Tom] a programmer"
        filled = await ann.fills(asked, panels="[Tom] works")
        assert filled.text == "edit:story:0: [Tom] a programmer / [Tom] works"
        form = next(c for c in stage.bot.calls if c.command == FORM)
        assert form.options == {
            "data": "edit:story:0",
            "cast": "[Tom] a programmer",
            "panels": "[Tom] works",
        }

    play(tmp_path, before, after)


def test_the_page_comes_as_a_message_of_its_own_with_words_for_the_blind(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.ann.in_dm()
        await ann.uses("story new", title="Tabs")
        (card,) = stage.peer.in_channel(ann.where)
        pressed = await ann.presses(card, "Draw")
        assert pressed.kind == 6
        await until(lambda: len(stage.peer.in_channel(ann.where)) == 3)
        _, progress, page = stage.peer.in_channel(ann.where)
        assert progress["content"] == "Done in 4 steps"
        assert progress["edits"] == 5
        assert progress["attachments"] == []
        assert page["attachments"][0]["description"] == "The page: a page"
        assert page["attachments"][0]["filename"] == "page.png"
        assert len(page["nonce"]) <= 25
        assert labels(page) == ["Redraw a panel", "Meme"]
        await ann.presses(page, "Meme")
        assert stage.bot.calls[-1].options == {"data": "ask"}

    play(tmp_path, scene)


def test_options_that_are_typed_are_completed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        found = await stage.ann.completes("story show", "title", "ta")
        assert found == [{"name": "Tabs or spaces", "value": "Tabs or spaces"}]

    play(tmp_path, scene)


def test_a_form_asks_for_a_picture_that_a_command_lacks(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        asked = await stage.ann.uses("meme")
        upload, top = [label["component"] for label in asked.modal["components"]]
        assert (upload["type"], upload["custom_id"], upload["required"]) == (19, "picture", True)
        assert (top["custom_id"], top["required"]) == ("top", False)
        filled = await stage.ann.fills(asked, picture=b"1234", top="Ha")
        assert filled.text == "upload.png: 4 bytes"
        assert stage.bot.calls[0].options == {"top": "Ha"}

    play(tmp_path, scene)


def test_a_message_s_menu_makes_a_meme_of_its_picture(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        message = await stage.ann.types("look", photo=b"12345")
        asked = await stage.ann.chooses(message, "Make meme")
        assert [label["component"]["custom_id"] for label in asked.modal["components"]] == ["top"]
        filled = await stage.ann.fills(asked, top="When the build is green")
        assert filled.text == "photo.png: 5 bytes"
        bare = await stage.ann.types("no picture")
        refused = await stage.ann.chooses(bare, "Make meme")
        assert (refused.private, "no picture" in refused.text) == ([True], True)

    play(tmp_path, scene)


def test_a_slow_bot_is_waited_for_and_its_form_hangs_on_a_button(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.bot.hold = asyncio.Event()
        answer = await stage.ann.uses("echo", text="at last", late=True)
        await until(lambda: answer.answers)
        assert answer.kind == 5
        assert answer.after is not None
        assert answer.after < 3
        shown = await stage.ann.uses("help", late=True)
        stage.bot.hold.set()
        await until(lambda: answer.text and shown.text)
        assert answer.text == "at last"
        message = shown.messages[0]
        stage.bot.hold = asyncio.Event()
        pressed = await stage.ann.presses(message, "Ask", late=True)
        await until(lambda: pressed.answers)
        assert pressed.kind == 6
        stage.bot.hold.set()
        await until(lambda: pressed.messages)
        assert pressed.private == [True]
        asked = await stage.ann.presses(pressed.messages[0], "Open the form")
        assert (await stage.ann.fills(asked, cast="A", panels="B")).text == "ask: A / B"

    play(tmp_path, scene, patience=0.3)


def test_what_is_broken_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        broken = await stage.ann.uses("break")
        assert (broken.private, "sorry" in broken.text) == ([True], True)
        assert (await stage.ann.uses("echo", text="still here")).text == "still here"

    play(tmp_path, scene)


def test_a_wrong_token_is_one_sentence(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            chat = DiscordChat("wrong", tmp_path, api_url=peer.api_url)
            with pytest.raises(CannotStart, match="does not know this token"):
                await chat.start(TalkingBot())

    asyncio.run(run())


def test_an_intent_that_is_not_switched_on_is_one_sentence(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            peer.gateway.allowed = False
            chat = DiscordChat(
                "the.right.token", tmp_path, message_content=True, api_url=peer.api_url
            )
            with pytest.raises(CannotStart, match="Message Content Intent"):
                await chat.start(TalkingBot())

    asyncio.run(run())


def test_a_discord_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer:
            url = peer.api_url
        with pytest.raises(CannotStart, match="cannot be reached"):
            await DiscordChat("x", tmp_path, api_url=url).start(TalkingBot())

    asyncio.run(run())


def test_presses_carry_their_data(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        shown = await stage.ann.uses("help")
        await stage.ann.presses_id(shown.messages[0], buttons(shown.messages[0])[0]["custom_id"])
        press = next(c for c in stage.bot.calls if c.command == PRESS)
        assert press.options == {"data": "ask"}

    play(tmp_path, scene)


def test_a_long_message_that_came_as_a_file_is_read(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.ann.in_dm()
        await ann.types("", message="[Tom] 一个男人\n\n[Tom] works".encode())
        await until(lambda: stage.bot.calls)
        call = stage.bot.calls[0]
        assert call.options == {"text": "[Tom] 一个男人\n\n[Tom] works"}
        assert call.attachments == {}
        await ann.types("", story="\ufeff[Tom] 一个男人".encode())
        await until(lambda: len(stage.bot.calls) > 1)
        assert stage.bot.calls[1].options == {"text": "[Tom] 一个男人"}

    play(tmp_path, scene)


def test_what_is_forwarded_counts_as_said(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bob, ann = Someone(stage.peer, "8", "Bob"), stage.ann.in_dm()
        script = await bob.types("[Tom] a man\n\n[Tom] works", tom=picture("x"))
        sent = await ann.types("", of=script)
        await until(lambda: stage.bot.calls)
        call = stage.bot.calls[0]
        assert call.options == {"text": script["content"]}
        assert call.attachments["file"].content == picture("x")
        asked = await ann.chooses(sent, "Make meme")
        answer = await ann.fills(asked, top="It works")
        assert answer.text == f"tom.png: {len(picture('x'))} bytes"

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("#Tom: nice <:cat:123456789012345678>!", "#Tom: nice :cat:!"),
        ("<a:dance_2:123456789012345678> <:a:1>", ":dance_2: :a:"),
        ("hugs <@8> and <@!8>", "hugs @Bob 1 and @Bob 1"),
        ("goes to <#101> #At last", "goes to lobby #At last"),
        ("<#555> <@9> <@&77>", "… @… @…"),
        ("3 < 4 > 2 <@> @everyone", "3 < 4 > 2 <@> @everyone"),
    ],
)
def test_a_line_has_the_names_of_emoji_people_and_channels(
    tmp_path: Path, typed: str, read: str
) -> None:
    async def scene(stage: Stage) -> None:
        bob = Someone(stage.peer, "8", "[Bob] #1")
        await stage.ann.types(f"<@900> {typed}", to=[bob])
        await until(lambda: stage.bot.calls)
        assert stage.bot.calls[0].options == {"text": read}

    play(tmp_path, scene)


def test_an_option_has_the_names_of_emoji(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        answer = await stage.ann.uses("echo", text="hey <:cat:123> <@8>", times=2)
        assert answer.text == "hey :cat: <@8>" * 2  # a mention is left for the settings

    play(tmp_path, scene)


def test_the_language_of_a_person_is_known_in_messages_too(tmp_path: Path) -> None:
    async def before(stage: Stage) -> None:
        ann = stage.ann.in_dm()
        ann.locale = "zh-CN"
        await ann.uses("echo", text="x")

    async def after(stage: Stage) -> None:
        await stage.ann.in_dm().types("hello")
        await until(lambda: stage.bot.calls[-1].command == MESSAGE)
        assert stage.bot.calls[-1].person.language == "zh-CN"

    play(tmp_path, before, after)
