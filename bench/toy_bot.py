"""The whole bot on the settings of the environment, with the toy engine: `python -m bench.toy_bot`.

Prints the local chat's address when calls can come.
"""

from __future__ import annotations

import asyncio
import logging

from bot.cli import web_chat
from bot.config import load_config
from bot.serve import Running, serve

PROGRAM = ("-m", "bench.toy_engine")


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    config = load_config()

    def up(running: Running) -> None:
        print(getattr(running.chats[0], "address", ""), flush=True)

    chats = [web_chat(config.web, config.store.web)]
    asyncio.run(serve(config, chats, up, PROGRAM))


if __name__ == "__main__":
    main()
