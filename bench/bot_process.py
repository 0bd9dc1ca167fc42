"""The toy bot as a process that can be killed and started again on the same files."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

STOP_SECONDS = 90.0


@dataclass
class BotProcess:
    """`environment` goes to the bot, and from there (without INKWELL_…) to the engine."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    process: asyncio.subprocess.Process | None = None

    def __post_init__(self) -> None:
        if not self.port:
            with closing(socket.create_server(("127.0.0.1", 0))) as free:
                self.port = free.getsockname()[1]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.folder / "store" / "inkwell.sqlite3"

    async def start(self) -> None:
        """Returns when calls can come."""
        ours = {
            "INKWELL_STORE_FOLDER": str(self.folder / "store"),
            "INKWELL_WEB_PORT": str(self.port),
            "INKWELL_LIMITS_WAITING": "1000",
            "INKWELL_LIMITS_PANELS_A_DAY": "100000",
        }
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.toy_bot",
            env={**os.environ, **ours, **self.environment}, stdout=asyncio.subprocess.PIPE,
            stderr=self._log(), start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        if not await self.process.stdout.readline():
            raise RuntimeError("the bot did not start:\n" + self.log())

    def _log(self) -> int:
        return os.open(self.folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def log(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")

    async def kill(self) -> None:
        """As kill -9 does."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    def kill_engine(self) -> bool:
        """Kills the engine; False if there is none at this moment."""
        engine = self.engine()
        if engine is None:
            return False
        with suppress(psutil.NoSuchProcess):
            os.kill(engine, signal.SIGKILL)
        return True

    def engine(self) -> int | None:
        assert self.process is not None
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                return int(child.pid)
        return None

    async def stop(self) -> int:
        """As SIGTERM does; the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            return await self.process.wait()

    def processor_seconds(self) -> float:
        """That the bot's own process has used so far, of all its threads."""
        assert self.process is not None
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def megabytes(self) -> float:
        """Of the bot's own process."""
        assert self.process is not None
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6


def states(database: Path) -> dict[str, int]:
    """How many jobs are in which state."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as reader:
        return dict(reader.execute("SELECT state, COUNT(*) FROM jobs GROUP BY state").fetchall())


def is_whole(database: Path) -> bool:
    """SQLite's own opinion of a file that nobody has open."""
    with closing(sqlite3.connect(database)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])
