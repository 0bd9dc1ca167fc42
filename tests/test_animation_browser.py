"""A story comes alive in a real browser: the GIF is shown, and the MP4 plays silently."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from bench.bot_process import BotProcess
from bot.page.moving import has_video
from tests.adapters.chromium import chromium, need_chromium
from tests.test_whole_way_browser import LINES, Visitor

DRAWING = 60_000  # milliseconds


def test_a_drawn_story_is_animated_by_a_button_and_by_a_command(tmp_path: Path) -> None:
    need_chromium()
    if not has_video():
        pytest.skip('the extra "video" is not installed')
    asyncio.run(scene(BotProcess(tmp_path, {"TOY_SECONDS": "0.02"})))


async def scene(bot: BotProcess) -> None:
    await bot.start()
    try:
        async with chromium() as browser:
            ann = Visitor(await browser.new_page(locale="en-GB"))
            await ann.page.goto(bot.address)
            await expect(ann.page.locator(".welcome")).to_be_visible()
            await ann.say("\n".join(LINES))
            await ann.press("Draw", ann.card)
            page = ann.page.locator(".message", has=ann.page.locator(".picture img[src$='.png']"))
            await expect(page.last).to_be_visible(timeout=DRAWING)
            await ann.press("Animate", page.last)
            await ann.press("From panel to panel", ann.last)
            gif = ann.page.locator(".picture img[src$='.gif']")
            await expect(gif).to_be_visible(timeout=DRAWING)
            assert await gif.evaluate("one => one.complete && one.naturalWidth") == 512
            await ann.say("/story animate format:mp4 from:1 to:2")
            film = ann.page.locator("video.film")
            await expect(film).to_be_visible(timeout=DRAWING)
            await expect(film).to_have_js_property("muted", True)
            await expect(film).to_have_js_property("loop", True)
            await expect(film).to_have_attribute("aria-label", re.compile("Moving comic"))
            playing = "one => one.readyState >= 2 && !one.error"
            await ann.page.wait_for_function(
                f"() => ({playing})(document.querySelector('video.film'))", timeout=DRAWING
            )
            await ann.page.screenshot(path=bot.folder / "animation.png", full_page=True)
            assert ann.troubles == []
    finally:
        await bot.stop()
    assert "ERROR" not in bot.log(), bot.log()
