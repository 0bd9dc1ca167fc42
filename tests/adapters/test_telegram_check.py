"""`inkwell check` asks Telegram whether it knows the token."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.check import Checker, Finding
from bot.config import Config, StoreConfig, TelegramConfig, WebConfig
from tests.adapters.telegram_peer import TOKEN, Peer


def row(folder: Path, token: str, url: str) -> Finding:
    config = Config(
        telegram=TelegramConfig(token=token, api_url=url),
        store=StoreConfig(folder=folder),
        web=WebConfig(on=False),
    )
    return next(one for one in Checker(config).findings() if one.what == "Telegram")


@pytest.mark.parametrize(
    ("token", "inline", "mark", "words"),
    [
        (TOKEN, True, "ok", "@inkwell_bot"),
        (TOKEN, False, "note", "/setinline"),
        ("123:wrong one", True, "missing", "INKWELL_TELEGRAM_TOKEN"),
        ("", True, "note", "docs/telegram.md"),
    ],
)
def test_the_row_of_telegram(
    tmp_path: Path, token: str, inline: bool, mark: str, words: str
) -> None:
    async def run() -> Finding:
        async with Peer() as peer:
            peer.me["supports_inline_queries"] = inline
            return await asyncio.to_thread(row, tmp_path, token, peer.address)

    found = asyncio.run(run())
    assert found.mark == mark
    assert words in f"{found.found} {found.remedy}"
    assert not token or token not in f"{found.found} {found.remedy}"


def test_where_telegram_does_not_answer_the_token_stays_secret(tmp_path: Path) -> None:
    found = row(tmp_path, TOKEN, "http://127.0.0.1:9")
    assert found.mark == "missing"
    assert TOKEN not in found.found
