"""Debian's chromium, driven by Playwright."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
MISSING = "CHROMIUM IS MISSING: nothing tests the web chat's page. On Debian: apt install chromium"

expect.set_options(timeout=15_000)


def need_chromium() -> None:
    """Skips the test where there is no chromium, and fails it in CI."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            await browser.close()


class Chromium:
    """One browser for many tests: to start it takes longer than most of them.

    It belongs to one event loop, so all of them `run` in that.
    """

    def __init__(self, runner: asyncio.Runner, browser: Browser) -> None:
        self._runner, self._browser = runner, browser

    def run(self, work: Coroutine[None, None, None]) -> None:
        self._runner.run(work)

    @asynccontextmanager
    async def visit(self) -> AsyncIterator[Browser]:
        """The browser; what was opened in it is closed at the end, so the next finds no traces."""
        try:
            yield self._browser
        finally:
            for context in self._browser.contexts:
                await context.close()


@contextmanager
def shared_chromium() -> Iterator[Chromium]:
    with asyncio.Runner() as runner:
        opened = AsyncExitStack()
        browser = runner.run(opened.enter_async_context(chromium()))
        try:
            yield Chromium(runner, browser)
        finally:
            runner.run(opened.aclose())
