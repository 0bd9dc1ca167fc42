"""The whole bot on the settings of the environment, with the toy engine: `python -m bench.toy_bot`.

The local chat, and Discord and Telegram where they have a token. With `TOY_NO_PACE` it makes no
pauses between requests to Telegram. Prints the local chat's address when calls can come.
"""

from __future__ import annotations

import asyncio
import logging
import os

from bench.toy_movement import let_toys_move
from bot.chat import Chat
from bot.cli import web_chat
from bot.config import Config, load_config
from bot.serve import Running, serve

PROGRAM = ("-m", "bench.toy_engine")


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    config = load_config()
    let_toys_move()

    def up(running: Running) -> None:
        print(getattr(running.chats[0], "address", ""), flush=True)

    asyncio.run(serve(config, chats_of(config), up, PROGRAM))


def chats_of(config: Config) -> list[Chat]:
    chats = [web_chat(config.web, config.store.web)]
    if config.discord.token.get_secret_value():
        chats.append(discord_chat(config))
    if config.telegram.token.get_secret_value():
        chats.append(telegram_chat(config))
    return chats


def discord_chat(config: Config) -> Chat:
    from adapters.discord_chat import DiscordChat

    return DiscordChat(
        config.discord.token.get_secret_value(),
        config.store.discord,
        api_url=config.discord.api_url,
        gateway_url=config.discord.gateway_url,
        guild_seconds=0.0,  # the peer has one server, and introduces it at once
    )


def telegram_chat(config: Config) -> Chat:
    from adapters.telegram_chat import TelegramChat
    from adapters.telegram_pace import Pace
    from bench.no_pace import NoPace

    pace = NoPace() if os.environ.get("TOY_NO_PACE") else Pace()
    token = config.telegram.token.get_secret_value()
    return TelegramChat(token, config.store.telegram, api_url=config.telegram.api_url, pace=pace)


if __name__ == "__main__":
    main()
