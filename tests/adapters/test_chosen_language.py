"""What Discord and Telegram say for the bot themselves is in the language that a person chose."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.telegram_chat import TelegramChat
from bot.chat import File, Person, Place, Post
from bot.words import say
from tests.adapters.discord_peer import DiscordPeer, until
from tests.adapters.discord_people import Someone, labels
from tests.adapters.discord_stage import Stage
from tests.adapters.discord_stage import play as play_on_discord
from tests.adapters.discord_world import MOST_FILE
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot
from tests.adapters.telegram_stage import play as play_on_telegram
from tests.adapters.test_discord_story import bounded, thread_of
from tests.adapters.test_discord_story import inkwell as on_discord
from tests.adapters.test_telegram_story import inkwell as on_telegram


def chinese(key: str, **values: object) -> str:
    return say("zh", key, **values)


@pytest.mark.parametrize("locale", ["en-US", "de"])
def test_on_discord(locale: str, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        peer, ann = stage.peer, stage.ann
        ann.locale = locale
        stage.bot.chosen["discord:7"] = "zh"
        await ann.uses("story new", title="Tabs")
        hint = peer.in_channel(thread_of(peer))[-1]
        assert hint["content"] == chinese("discord.how_to_write", bot="@inkwell")
        asked = await ann.uses("meme")
        (label, *_) = asked.modal["components"]
        assert label["component"]["type"] == 19
        answer = await ann.chooses(await ann.types("no picture here"), "Make meme")
        assert answer.text == chinese("discord.no_picture")
        button = {"type": 2, "id": 2, "style": 2, "label": "Form", "custom_id": "form:long-gone"}
        row = {"type": 1, "id": 1, "components": [button]}
        gone = await ann.presses({**hint, "components": [row]}, "Form")
        assert gone.text == chinese("discord.form_gone")
        assert (await ann.uses("break")).text == chinese("discord.broken")
        assert {call.person.language for call in stage.bot.calls} == {"zh"}

    async def after(stage: Stage) -> None:
        """What is posted later, and what is typed: the locale is not told with it."""
        stage.bot.chosen["discord:7"] = "zh"
        place = Place("discord", stage.ann.in_dm().where)
        too_large = File("story.zip", b"PK" + bytes(MOST_FILE))
        mention = Person("discord", "7", "")
        await stage.chat.post(Post(place, "Here", (too_large,), nonce="1", mention=mention))
        message = stage.peer.in_channel(place.channel)[-1]
        sizes = {"size": 10.485762, "limit": 10.48576}
        words = chinese("discord.too_large", name="story.zip", **sizes)
        assert words in message["content"].replace("\\", "")
        await stage.ann.in_dm().types("hello")
        await until(lambda: stage.bot.calls[-1].options == {"text": "hello"})
        assert stage.bot.calls[-1].person.language == "zh"

    play_on_discord(tmp_path, scene, after)


def test_on_discord_where_the_bot_is_no_member(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.bot.chosen["discord:7"] = "zh"
        answer = await stage.ann.at("group").uses("story draw")
        await until(lambda: len(answer.messages) > 1)
        shown = [label for message in answer.messages for label in labels(message)]
        assert chinese("discord.get_result") in shown
        assert say("en", "discord.get_result") not in shown

    play_on_discord(tmp_path, scene)


def test_on_telegram(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann", language="en")
        bot.chosen[f"telegram:{ann.id}"] = "zh"
        ann.says("/cancel")
        await peer.until_says(ann.id, chinese("telegram.nothing_to_cancel"))
        ann.says("/meme")
        await peer.until_says(ann.id, chinese("telegram.send_picture"))
        ann.presses(chinese("telegram.button_cancel"))
        await peer.until_says(ann.id, chinese("telegram.cancelled"))
        ann.says("/break")
        await peer.until_says(ann.id, chinese("telegram.broken"))
        query = ann.asks_inline("cats")
        asked = await peer.until(lambda: peer.inline_answers.get(query))
        assert asked.json("button")["text"] == chinese("telegram.inline_none")
        assert {call.person.language for call in bot.calls} == {"zh"}
        nothing = File("empty.zip", b"")
        await chat.post(Post(Place("telegram", str(ann.id)), "Here", (nothing,)))
        await peer.until_says(ann.id, chinese("telegram.not_sent", names="empty.zip"))
        room = peer.group()
        ann.says("/story_new Tabs", room=room)
        await peer.until_says(room.id, chinese("telegram.room_by_reply"))

    play_on_telegram(tmp_path, scene)


def test_the_real_bot_knows_what_was_chosen_on_discord(tmp_path: Path) -> None:
    async def run() -> None:
        async with DiscordPeer() as peer, on_discord(peer, tmp_path):
            ann = Someone(peer)
            await ann.uses("language", to="zh")
            answer = await ann.chooses(await ann.types("no picture here"), "Make meme")
            assert answer.text == chinese("discord.no_picture")
            bob = Someone(peer, "8", "Bob", locale="zh-CN")
            await bob.uses("language", to="en")
            answer = await bob.chooses(await bob.types("no picture here"), "Make meme")
            assert answer.text == say("en", "discord.no_picture")

    asyncio.run(bounded(run()))


def test_the_real_bot_knows_what_was_chosen_on_telegram(tmp_path: Path) -> None:
    async def run() -> None:
        async with Peer() as peer, on_telegram(peer, tmp_path):
            ann = peer.person("Ann", language="en")
            ann.says("/language zh")
            await peer.until_says(ann.id, chinese("language.chosen"))
            ann.says("/cancel")
            await peer.until_says(ann.id, chinese("telegram.nothing_to_cancel"))

    asyncio.run(bounded(run()))
