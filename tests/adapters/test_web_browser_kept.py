"""What goes away, in a real browser: removed messages, forgotten people, and a lost cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, expect

from adapters.web_chat import WebChat
from bot.chat import Button, Place, Post
from tests.adapters.chromium import Chromium
from tests.adapters.small_bot import SmallBot
from tests.adapters.web_client import serving

HOME = '() => document.querySelector("#rooms a").dataset.room'
FORGET = '() => fetch("/api/me", {method: "DELETE"}).then((answer) => answer.status)'


@dataclass
class Scene:
    """A chat, somebody's page, and the place that it shows."""

    chat: WebChat
    bot: SmallBot
    page: Page
    home: Place


def perform(act: Callable[[Scene], Awaitable[None]], chromium: Chromium, tmp_path: Path) -> None:
    """Plays an act; no script of the page may fail in it."""
    troubles: list[str] = []

    async def run() -> None:
        async with serving(tmp_path) as (chat, bot), chromium.visit() as browser:
            page = await (await browser.new_context(locale="en-GB")).new_page()
            page.on("pageerror", lambda error: troubles.append(str(error)))
            await page.goto(chat.address)
            await expect(page.locator(".welcome")).to_be_visible()
            home = Place("web", await page.evaluate(HOME), "here")
            await act(Scene(chat, bot, page, home))
            assert troubles == []

    chromium.run(run())


def test_a_removed_message_goes_from_the_page_and_the_focus_to_the_box(
    chromium: Chromium, tmp_path: Path
) -> None:
    async def act(scene: Scene) -> None:
        chat, page, home = scene.chat, scene.page, scene.home
        first = await chat.post(Post(home, "A copy", buttons=((Button("Star", "star"),),)))
        second = await chat.post(Post(home, "Another"))
        await expect(page.locator(".message")).to_have_count(2)
        await page.get_by_role("button", name="Star").focus()
        await chat.remove(home, first)
        await expect(page.locator(".message")).to_have_count(1)
        await expect(page.locator("#box")).to_be_focused()
        await chat.remove(home, second)
        await expect(page.locator(".message")).to_have_count(0)
        await expect(page.locator(".welcome")).to_be_visible()

    perform(act, chromium, tmp_path)


def test_a_page_that_was_away_when_its_person_was_forgotten_forgets_too(
    chromium: Chromium, tmp_path: Path
) -> None:
    async def act(scene: Scene) -> None:
        page, context = scene.page, scene.page.context
        await scene.chat.post(Post(scene.home, "A secret"))
        await expect(page.locator(".message", has_text="A secret")).to_be_visible()
        await context.set_offline(True)
        await scene.chat.stop()  # cuts the line that was open
        await scene.chat.start(scene.bot)
        assert context.browser is not None
        elsewhere = await context.browser.new_context(storage_state=await context.storage_state())
        other = await elsewhere.new_page()
        await other.goto(scene.chat.address)
        await expect(other.locator(".message", has_text="A secret")).to_be_visible()
        assert await other.evaluate(FORGET) == 200
        await expect(other.locator(".message")).to_have_count(0)
        await expect(page.locator(".message")).to_have_count(1)
        await context.set_offline(False)
        await expect(page.locator(".message")).to_have_count(0)

    perform(act, chromium, tmp_path)


def test_the_settings_say_what_a_lost_cookie_means(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.page.locator("#me").click()
        dialog = scene.page.get_by_role("dialog")
        await expect(dialog).to_contain_text("This browser knows you by a cookie")

    perform(act, chromium, tmp_path)
