"""What the bot says of its commands, in the way that one taps them on Telegram."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.telegram_commands import word_of
from bot.chat import CommandInfo

SHARED_STORY = "story_"  # before a story's id in a deep link
SHOWN_BY_ID = re.compile(r"/story show story[:=](\w{1,58})")


def native(text: str, commands: Sequence[CommandInfo], username: str) -> str:
    """ "/story new" becomes /story_new, and the command that shows a shared story a link to it."""
    text = SHOWN_BY_ID.sub(rf"https://t.me/{username}?start={SHARED_STORY}\1", text)
    names = [info.name for info in commands if " " in info.name]
    if not names:
        return text
    two_words = re.compile(rf"/({'|'.join(map(re.escape, names))})\b")
    words = {info.name: word_of(info) for info in commands}
    return two_words.sub(lambda match: f"/{words[match[1]]}", text)
