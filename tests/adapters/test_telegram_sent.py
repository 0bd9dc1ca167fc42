"""What people send to the Telegram chat besides words and single pictures: albums, files."""

from __future__ import annotations

from pathlib import Path

from adapters.telegram_chat import TelegramChat
from bot.chat import MESSAGE
from tests.adapters.small_bot import picture
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot, play


def test_of_an_album_the_first_picture_is_taken_and_every_word(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        for words in ("first", "", "second", ""):
            ann.says(words, photo=picture("x"), media_group_id="1")
        ann.says("", photo=picture("x"), media_group_id="2")
        ann.says("/meme")
        await peer.until_says(ann.id, "A picture to start from")
        ann.says("", photo=picture("x"), media_group_id="3")
        ann.says("", photo=picture("x"), media_group_id="3")
        await peer.until_says(ann.id, "Words above")
        ann.says("It compiles")
        await peer.until_says(ann.id, "photo.jpg: ")
        assert not any("is missing" in text for text in peer.texts(ann.id))
        said = [call.options["text"] for call in bot.calls if call.command == MESSAGE]
        assert said == ["first", "second", ""]
        assert bot.calls[-1].options == {"top": "It compiles"}

    play(tmp_path, scene)


def test_a_picture_that_was_chosen_in_inline_mode_is_not_said_to_the_bot(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        ann.says("Tabs", photo=picture("x"), via_bot=peer.me)
        ann.says("hello", via_bot={"id": 5, "is_bot": True, "first_name": "Gif"})
        await peer.until_says(ann.id, "You said: hello")
        assert [call.options for call in bot.calls] == [{"text": "hello"}]

    play(tmp_path, scene)
