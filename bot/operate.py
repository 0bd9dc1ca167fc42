"""What whoever runs the bot can do: check it, run it, save and restore what it keeps."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.chat import Chat
from bot.config import Config, load_config
from bot.errors import UserError
from bot.words import known_language, say

MISSING = 2  # exit code

app = typer.Typer()


@app.command()
def check(
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Load this model and draw one small picture with it."),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Fetch what the model needs from the hub.")
    ] = False,
) -> int:
    """Show what is configured, found and missing, and what to do about it."""
    from bot.check import Checker, Finding, table
    from bot.check_model import model_findings

    language, config = terminal_language(), load_config()
    if model is None and fetch:
        raise UserError("--fetch needs --model NAME: which model is to be fetched?")
    findings: list[Finding] = []
    if model is None:
        findings += Checker(config, language).findings()
        show(table(findings, language))
    else:
        for finding in model_findings(config, language, model, fetch=fetch):
            findings.append(finding)
            show(table([finding], language))  # at once: size and licence before anything comes
    missing = any(finding.mark == "missing" for finding in findings)
    show(say(language, "check.not_all" if missing else "check.all_there"))
    return MISSING if missing else 0


@app.command()
def backup(
    target: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A .tar file; if unsaid, one with today's date."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
) -> None:
    """Save all stories, pictures and what the chats keep to one file. The bot may run meanwhile."""
    from bot.backup import backup

    store = load_config().store
    file = target or Path(f"inkwell-{datetime.now():%Y-%m-%d-%H%M%S}.tar")
    saved = asyncio.run(backup(store.database, store.pictures, file, force=force))
    show(f"{file}: the databases and {pictures(saved.pictures)}")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `inkwell backup` saved.")],
    force: Annotated[
        bool, typer.Option("--force", help="Move a database that is there aside.")
    ] = False,
) -> None:
    """Put back what `inkwell backup` has saved. The bot must not run."""
    from bot.backup import restore

    store = load_config().store
    saved = asyncio.run(restore(source, store.database, store.pictures, force=force))
    lost = f"; {pictures(saved.missing)} were not in it" if saved.missing else ""
    show(f"{store.folder}: the databases and {pictures(saved.pictures)} are back{lost}")


def run_bot(config: Config, chats: Sequence[Chat]) -> None:
    """Runs the bot until it is told to stop. Raises UserError."""
    from bot.serve import Running, serve

    if not chats:
        raise UserError("there is no chat to serve: take `on = false` out of [web] in config.toml")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)

    def up(running: Running) -> None:
        for chat in running.chats:
            address = getattr(chat, "address", None)
            show(f"{chat.name}: {address}" if address else chat.name)
        show("Inkwell is running. Stop it with Ctrl-C.")

    asyncio.run(serve(config, chats, up))


def pictures(count: int) -> str:
    return f"{count} picture{'s' if count != 1 else ''}"


def terminal_language() -> str:
    """The language of the terminal's messages, where there is a catalogue for it."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return known_language(next(filter(None, names), None))


def show(words: str) -> None:
    """Prints to stdout at once, also what it has no letters for."""
    encoding = sys.stdout.encoding
    print(words.encode(encoding, "backslashreplace").decode(encoding), flush=True)
