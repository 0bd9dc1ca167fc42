"""What people send to the Telegram chat besides words and single pictures: albums, files."""

from __future__ import annotations

from pathlib import Path

from adapters.telegram_chat import TelegramChat
from bot.chat import MESSAGE
from tests.adapters.small_bot import picture
from tests.adapters.telegram_peer import Peer
from tests.adapters.telegram_stage import TalkingBot, play
from tests.adapters.telegram_user import administrator


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


def test_a_text_file_is_read_as_if_it_had_been_typed(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann, room = peer.person("Ann"), peer.group()
        script = "[Tom] a man\n\n[Tom] 走" + " far" * 3000
        text = ("a.txt", "text/plain", script.encode())
        ann.says("", document=text)
        await peer.until(lambda: bot.calls)
        assert bot.calls[0].options == {"text": script}
        assert bot.calls[0].attachments == {}
        story = ("a.story", "application/octet-stream", b"\xef\xbb\xbf" + script.encode())
        ann.says("/story_new Tabs", document=story)
        await peer.until(lambda: len(bot.calls) > 1)
        assert bot.calls[1].options == {"title": "Tabs", "script": script}
        ann.says("", document=("b.txt", "text/plain", bytes(300_001)))
        await peer.until_says(ann.id, "I need a picture here")
        ann.says("", document=text, room=room)  # people among themselves
        ann.says("@inkwell_bot", document=text, room=room)
        await peer.until_says(room.id, "You said: [Tom] a man")
        forum = peer.group(forum=True, me=administrator() | {"can_manage_topics": True})
        ann.says("/story_new Tabs", room=forum)
        await peer.until_says(forum.id, "0 lines")
        ann.says("", document=text, room=forum, topic=next(iter(forum.topics)))
        await peer.until_says(forum.id, "1 lines")
        said = [call.options["text"] for call in bot.calls if call.command == MESSAGE]
        assert said == [script, script, script]

    play(tmp_path, scene)


def test_who_sends_a_gif_is_told_that_telegram_made_a_film_of_it(tmp_path: Path) -> None:
    async def scene(peer: Peer, bot: TalkingBot, chat: TelegramChat) -> None:
        ann = peer.person("Ann")
        film = {"file_id": "g", "file_unique_id": "g", "width": 8, "height": 8, "duration": 1}
        ann.says(animation=film)
        await peer.until_says(ann.id, "Telegram makes films of GIFs")
        assert bot.calls == []

    play(tmp_path, scene)
