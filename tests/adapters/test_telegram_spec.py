"""The check of requests against the published description of the Bot API finds what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.adapters.telegram_spec import description, problems

PHOTO = {"type": "photo", "media": "attach://one"}


@pytest.mark.skipif(description() is None, reason="the description is not at hand")
@pytest.mark.parametrize(
    ("method", "given", "words"),
    [
        ("sendMessage", {"chat_id": "1", "text": "Hello"}, ""),
        ("sendMessage", {"chat_id": "1"}, "lacks text"),
        ("sendMessage", {"chat_id": "1", "text": "x", "colour": "red"}, "no parameter colour"),
        ("sendMessage", {"chat_id": "1", "text": "🎉" * 2049}, "4098 characters"),
        ("deleteMessage", {"chat_id": "1", "message_id": "two"}, "no Integer"),
        ("sendMagic", {}, "no method"),
        ("sendMediaGroup", {"chat_id": "1", "media": [PHOTO, PHOTO]}, ""),
        ("sendMediaGroup", {"chat_id": "1", "media": [{**PHOTO, "alt": "x"}]}, "no alt"),
        ("setMyCommands", {"commands": [{"command": "x" * 33, "description": "y"}]}, "33"),
        (
            "sendMessage",
            {
                "chat_id": "1",
                "text": "x",
                "reply_markup": {
                    "inline_keyboard": [[{"text": "Draw", "callback_data": "é" * 33}]]
                },
            },
            "66 bytes",
        ),
    ],
)
def test_a_request_is_judged(method: str, given: dict[str, Any], words: str) -> None:
    fields = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in given.items()
    }
    found = list(problems(method, fields, {"one": b""}))
    assert words in "\n".join(found)
    assert bool(found) == bool(words)
