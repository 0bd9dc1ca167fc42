"""`inkwell check`: what is configured, found and missing, each with what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unicodedata import east_asian_width
from urllib.parse import quote

from bot.config import DEFAULT_FILE, FILE_VARIABLE, Config
from bot.draw import MEMORY_NEEDED, free_memory
from bot.durable import Lock
from bot.errors import Refusal, UnknownChoice, UserError
from bot.files import try_writing
from bot.migrate import check_database, connected, load_migrations, pending
from bot.page.fonts import FONTS, FontSource, is_readable
from bot.page.layouts import LAYOUTS
from bot.safety import safe_words
from bot.words import say
from engine.model_settings import model_arguments
from engine.prompts import load_styles

DISK_NEEDED, DISK_WANTED = 0.2e9, 2e9  # bytes: below the first nothing can be kept for long
ENGINE_SECONDS = 300.0  # loading torch and a large model from a slow disk
GIGABYTE = 1e9
DISCORD = "https://discord.com/api/v10"
TELEGRAM = "https://api.telegram.org"
Mark = Literal["ok", "note", "missing"]


@dataclass(frozen=True)
class Finding:
    """One row: what was looked at, how it is, and what to do where it is not as it should be."""

    what: str
    mark: Mark
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Checker:
    """Looks at everything that the settings name. Sentences are in `language`."""

    config: Config
    language: str | None = None

    def findings(self) -> Iterator[Finding]:
        """Every row, the quick ones first."""
        yield self._settings()
        yield from self._drawing()
        yield self._safety()
        yield from self._chats()
        yield self._discord()
        yield self._telegram()
        yield self._fonts()
        yield self._disk()
        yield self._database()
        if self.config.engine.url:
            yield self._engine_elsewhere()
        else:
            yield self._memory()
            yield from self._engine_here()
            yield from self._further_models()

    def _finding(
        self, what: str, mark: Mark, found: str, remedy: str | None = None, **values: object
    ) -> Finding:
        """A row in words: `what`, `found` and `remedy` are keys of [check]."""
        return Finding(
            self._say(what), mark, self._say(found, **values),
            "" if remedy is None else self._say(remedy, **values),
        )  # fmt: skip

    def _say(self, key: str, /, **values: object) -> str:
        return say(self.language, f"check.{key}", **values)

    def _settings(self) -> Finding:
        path = Path(os.environ.get(FILE_VARIABLE) or DEFAULT_FILE)
        if path.exists():
            return self._finding("settings", "ok", "settings_read", path=path)
        return self._finding("settings", "ok", "settings_default", path=path)

    def _drawing(self) -> Iterator[Finding]:
        """The style and layout that are drawn where nobody says otherwise."""
        draw = self.config.draw
        wrong = False
        for kind, name, names in (
            ("style", draw.style, load_styles()),
            ("layout", draw.layout, LAYOUTS),
        ):
            if name not in names:
                wrong = True
                words = UnknownChoice(kind, name, names).say(self.language)
                remedy = self._say("drawing_do", key=kind, variable=f"INKWELL_DRAW_{kind.upper()}")
                yield Finding(self._say("drawing"), "missing", words, remedy)
        if not wrong:
            yield self._finding("drawing", "ok", "drawing_ok", style=draw.style, layout=draw.layout)

    def _safety(self) -> Finding:
        """The lists of words that are not drawn."""
        safety = self.config.safety
        try:
            safe_words(safety.folder)
        except UserError as error:
            return Finding(self._say("safety"), "missing", str(error), self._say("safety_do"))
        strictness = say(self.language, f"safety.{safety.strictness}")
        return self._finding("safety", "ok", "safety_ok", strictness=strictness)

    def _chats(self) -> Iterator[Finding]:
        web = self.config.web
        if not web.on:
            if not self._has_another_chat():
                yield self._finding("web", "missing", "web_off", "web_off_do")
            return
        values: dict[str, Any] = {"host": web.host, "port": web.port}
        if web.password is None and web.host not in ("127.0.0.1", "::1", "localhost"):
            yield self._finding("web", "missing", "web_open", "web_open_do", **values)
        elif not is_free(web.host, web.port) and not self._is_running():
            yield self._finding("web", "missing", "web_taken", "web_taken_do", **values)
        else:
            locked = "web_password" if web.password else "web_ok"
            yield self._finding("web", "ok", locked, **values)

    def _has_another_chat(self) -> bool:
        """Whether a chat other than the local one has a token."""
        others = (self.config.discord, self.config.telegram)
        return any(chat.token.get_secret_value() for chat in others)

    def _discord(self) -> Finding:
        """Asks Discord whether it knows the token."""
        discord = self.config.discord
        token = discord.token.get_secret_value()
        if not token:
            return self._finding("discord", "note", "discord_none", "discord_none_do")
        request = urllib.request.Request(f"{discord.api_url or DISCORD}/users/@me")
        request.add_header("Authorization", f"Bot {token}")
        request.add_header("User-Agent", "DiscordBot (inkwell, 1)")  # it refuses Python's own
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                name = dict(json.load(response)).get("username")
        except urllib.error.HTTPError as error:
            key = "discord_token" if error.code == 401 else "discord_away"
            return self._finding("discord", "missing", key, f"{key}_do", why=error)
        except (OSError, ValueError) as error:
            return self._finding("discord", "missing", "discord_away", "discord_away_do", why=error)
        reads = "discord_reads" if discord.message_content else "discord_named"
        return self._finding("discord", "ok", reads, name=name)

    def _telegram(self) -> Finding:
        """Asks Telegram whether it knows the token."""
        token = self.config.telegram.token.get_secret_value()
        if not token:
            return self._finding("telegram", "note", "telegram_none", "telegram_none_do")
        url = self.config.telegram.api_url or TELEGRAM
        try:
            with urllib.request.urlopen(f"{url}/bot{quote(token)}/getMe", timeout=10) as response:
                me = dict(json.load(response)["result"])
        except urllib.error.HTTPError as error:
            key = "telegram_token" if error.code in (401, 404) else "telegram_away"
            return self._finding("telegram", "missing", key, f"{key}_do", why=error)
        except (OSError, ValueError, KeyError) as error:
            key = "telegram_away"
            return self._finding("telegram", "missing", key, f"{key}_do", why=error)
        inline = None if me.get("supports_inline_queries") else "telegram_inline_do"
        mark: Mark = "note" if inline else "ok"
        return self._finding("telegram", mark, "telegram_ok", inline, name=me.get("username"))

    def _fonts(self) -> Finding:
        missing = [font for font in FONTS.values() if not is_readable(font)]
        if not missing:
            scripts = ", ".join(scripts_of(list(FONTS.values())))
            return self._finding("fonts", "ok", "fonts_all", scripts=scripts)
        without, remedies = scripts_of(missing), sorted({font.remedy for font in missing})
        return Finding(
            self._say("fonts"),
            "missing",
            self._say("fonts_missing", scripts=", ".join(without)),
            "; ".join(remedies),
        )

    def _disk(self) -> Finding:
        folder = self.config.store.folder
        try:
            try_writing(folder, "trial")
        except UserError as error:
            return Finding(self._say("disk"), "missing", str(error), self._say("folder_do"))
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(there).free
        values: dict[str, Any] = {"folder": folder, "free": free / GIGABYTE}
        if free < DISK_NEEDED:
            return self._finding("disk", "missing", "disk_free", "disk_do", **values)
        if free < DISK_WANTED:
            return self._finding("disk", "note", "disk_free", "disk_do", **values)
        return self._finding("disk", "ok", "disk_free", **values)

    def _database(self) -> Finding:
        path = self.config.store.database
        if not path.exists():
            return self._finding("database", "ok", "database_new", path=path)
        try:
            check_database(path)
            with connected(path, read_only=True) as connection:
                missing = pending(connection, load_migrations())
        except Refusal as refusal:
            words = refusal.say(self.language)
            return Finding(self._say("database"), "missing", words, self._say("database_do"))
        key = "database_old" if missing else "database_ok"
        return self._finding("database", "ok", key, path=path, count=len(missing))

    def _is_running(self) -> bool:
        """Whether an Inkwell of these settings is up already: then the port is its own."""
        if not self.config.store.database.exists():
            return False
        try:
            Lock(self.config.store.database).release()
        except Refusal:
            return True
        return False

    def _memory(self) -> Finding:
        free = free_memory()
        free = max(free, 0)
        shown = free // 10**8 / 10  # never rounded up to what drawing needs
        values: dict[str, Any] = {"free": shown, "needed": MEMORY_NEEDED / GIGABYTE}
        if free < MEMORY_NEEDED:
            return self._finding("memory", "missing", "memory_free", "memory_do", **values)
        return self._finding("memory", "ok", "memory_free", **values)

    def _engine_elsewhere(self) -> Finding:
        url = self.config.engine.url
        request = urllib.request.Request(f"{url}/health")
        token = self.config.engine.token.get_secret_value()
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                health = dict(json.load(response))
        except (OSError, ValueError) as error:
            values: dict[str, Any] = {"url": url, "why": error}
            return self._finding("engine", "missing", "engine_away", "engine_away_do", **values)
        return self._finding(
            "engine", "ok", "engine_there", url=url,
            model=health.get("model"), device=health.get("device"),
        )  # fmt: skip

    def _engine_here(self) -> Iterator[Finding]:
        """Asks in a process of its own, for this one is not to load torch."""
        engine = self.config.engine
        seen = ask_engine(self.config, engine.model)
        if not isinstance(seen, dict):
            yield Finding(self._say("model"), "missing", seen, self._say("model_do"))
            return
        device = str(seen["device"])
        if device.startswith("cuda"):
            values: dict[str, Any] = {"name": seen["name"], "memory": seen["memory"] / GIGABYTE}
            yield self._finding("gpu", "ok", "gpu_cuda", **values)
        elif device == "mps":
            yield self._finding("gpu", "ok", "gpu_mps")
        else:
            yield self._finding("gpu", "note", "gpu_none")
        if seen["problem"]:
            problem = str(seen["problem"])
            remedy = "model_fetch_do" if seen.get("missing") else "model_do"
            say_remedy = self._say(remedy, model=engine.model)
            yield Finding(self._say("model"), "missing", problem, say_remedy)
        else:
            yield self._finding("model", "ok", "model_ok", model=seen["model"])

    def _further_models(self) -> Iterator[Finding]:
        """Those that people may choose besides: whether each is known, and what has to be fetched.

        They are not loaded: that is for `inkwell check --model NAME`.
        """
        for model in self.config.engine.offered[1:]:
            seen = ask_engine(self.config, model, "--terms")
            problem = seen["problem"] if isinstance(seen, dict) else seen
            if problem or not isinstance(seen, dict):
                yield Finding(self._say("model"), "missing", str(problem), self._say("models_do"))
            elif seen["missing"]:
                remedy = self._say("model_fetch_do", model=model)
                yield Finding(self._say("model"), "note", "; ".join(seen["missing"]), remedy)
            else:
                yield self._finding("model", "ok", "model_here", model=model)


def ask_engine(
    config: Config, model: str, *more: str, seconds: float = ENGINE_SECONDS
) -> dict[str, Any] | str:
    """What `engine.check` answers, or why it does not; `more` are options of its own."""
    engine = config.engine
    configured = (
        *engine.motion.arguments(), *engine.extras.arguments(), *engine.memory.arguments(),
    )  # fmt: skip
    chosen = ("--model", model, "--device", engine.device, *configured)
    command = (sys.executable, "-m", "engine.check", *chosen, *model_arguments(config.models))
    try:
        answer = subprocess.run(
            (*command, *more), capture_output=True, text=True, timeout=seconds, check=False
        )
        return dict(json.loads(answer.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        return f"no answer within {seconds:g} s"
    except (OSError, ValueError, IndexError):
        last = answer.stderr.strip().splitlines()[-1:]
        return " ".join(last) or f"exit code {answer.returncode}"


def scripts_of(fonts: Sequence[FontSource]) -> list[str]:
    return list(dict.fromkeys(font.script for font in fonts))


def is_free(host: str, port: int) -> bool:
    """Whether one could listen there."""
    if port == 0:
        return True
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def table(findings: Sequence[Finding], language: str | None) -> str:
    """The rows under each other; what to do stands below what is missing."""
    marks = {mark: say(language, f"check.{mark}") for mark in ("ok", "note", "missing")}
    wide = max(width(finding.what) for finding in findings)
    left = max(map(width, marks.values()))
    lines = []
    for finding in findings:
        lines.append(
            f"{padded(marks[finding.mark], left)}  {padded(finding.what, wide)}  {finding.found}"
        )
        if finding.remedy:
            lines.append(f"{'':{left}}  {'':{wide}}  → {finding.remedy}")
    return "\n".join(lines)


def padded(words: str, columns: int) -> str:
    return words + " " * (columns - width(words))


def width(words: str) -> int:
    """Columns in a terminal: Chinese letters take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in words)
