"""The web chat in a real browser: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect

from adapters.web_chat import WebChat
from tests.adapters.chromium import Chromium
from tests.adapters.small_bot import SmallBot, picture
from tests.adapters.web_client import serving, until

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@dataclass
class Scene:
    """A chat, its bot, and a browser; `page` is the first one open."""

    chat: WebChat
    bot: SmallBot
    browser: Browser
    troubles: list[str] = field(default_factory=list)
    page: Page = field(init=False)

    async def person(self, **options: Any) -> BrowserContext:
        """Somebody else: a browser of their own."""
        return await self.browser.new_context(**{"locale": "en-GB", **options})

    async def open(self, context: BrowserContext) -> Page:
        page = await context.new_page()

        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.troubles.append(message.text)

        page.on("console", heard)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        await page.goto(self.chat.address)
        return page

    async def say(self, text: str, page: Page | None = None) -> None:
        page = page or self.page
        await expect(page.locator("#title")).not_to_have_text("")  # the room is open
        box = page.locator("#box")
        await box.fill(text)
        await box.press("Enter")

    async def new_story(self, title: str) -> None:
        await self.say(f"/story new title:{title} ")
        await expect(self.page.locator("#title")).to_have_text(title)


Act = Callable[[Scene], Awaitable[None]]


def perform(
    act: Act, chromium: Chromium, tmp_path: Path, troubles: int = 0, **options: Any
) -> None:
    """Plays an act in a browser; what the browser's console complains of is a failure."""

    async def run() -> None:
        async with stage(chromium, tmp_path, options) as scene:
            await act(scene)
            assert len(scene.troubles) <= troubles, scene.troubles

    chromium.run(run())


@asynccontextmanager
async def stage(
    chromium: Chromium, tmp_path: Path, options: dict[str, Any]
) -> AsyncIterator[Scene]:
    password = options.pop("password", None)
    async with serving(tmp_path, password=password) as (chat, bot), chromium.visit() as browser:
        scene = Scene(chat, bot, browser)
        scene.page = await scene.open(await scene.person(**options))
        yield scene


def words(page: Page, text: str) -> Any:
    return page.locator(".message", has_text=text)


def test_a_story_is_typed_drawn_and_looked_at(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        page, scene.bot.pause = scene.page, 0.4
        await scene.new_story("Tabs or spaces?")
        for line in ("[Tom] a programmer", "[Lisa] a developer", "[Tom] types #Tom: Tabs!"):
            await scene.say(line)
        card = page.locator(".card")
        await expect(card).to_contain_text("3 lines")
        await expect(card).to_have_count(1)
        await expect(page.locator(".mine:not(.pending)")).to_have_count(3)
        await card.get_by_role("button", name="Draw").click()
        await expect(page.locator("progress")).to_be_visible()
        await expect(page.locator("img.preview")).to_be_visible()
        image = page.get_by_role("button", name="The page: a page")
        await expect(image).to_be_visible()
        await expect(page.locator("progress")).to_have_count(0)
        await image.click()
        full = page.locator("#viewer-picture")
        await expect(full).to_be_visible()
        await full.click()  # to its own size
        assert (await full.bounding_box() or {})["width"] == 900
        await page.keyboard.press("Escape")
        await expect(page.locator("#viewer")).not_to_be_visible()
        await expect(image).to_be_focused()

    perform(act, chromium, tmp_path)


def test_everything_can_be_done_with_the_keyboard(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        page = scene.page
        await expect(page.locator("#box")).to_be_focused()
        keys = page.keyboard
        await keys.type("/sto")
        await expect(page.get_by_role("option")).to_have_count(3)
        await keys.press("Enter")  # takes the first
        await expect(page.locator("#box")).to_have_value("/story new ")
        await keys.press("Tab")
        await keys.type("Tabs sty")
        await keys.press("Tab")
        await keys.press("ArrowDown")
        await keys.press("ArrowDown")
        await keys.press("Enter")
        await expect(page.locator("#box")).to_have_value("/story new title:Tabs style:line-art ")
        await keys.press("Escape")
        await expect(page.locator("#popup")).not_to_be_visible()
        await keys.press("Enter")
        await expect(page.locator("#title")).to_have_text("Tabs")
        await expect(page.locator(".card")).to_be_visible()
        await keys.press("Shift+Tab")
        for _ in range(12):
            if await page.locator(".card button", has_text="Edit all").evaluate(
                "element => element === document.activeElement"
            ):
                break
            await keys.press("Shift+Tab")
        await keys.press("Enter")
        dialog = page.get_by_role("dialog", name="Edit all")
        await expect(dialog).to_be_visible()
        await keys.type(" with glasses")
        await keys.press("Control+Enter")
        await expect(words(page, "with glasses")).to_be_visible()
        await expect(dialog).to_have_count(0)
        await page.locator("#box").focus()
        await keys.type("/story draw ")
        await keys.press("Enter")
        shown = page.get_by_role("button", name="The page: a page")
        await expect(shown).to_be_visible()
        await page.locator("#scroll").focus()
        for _ in range(30):
            if await shown.evaluate("element => element === document.activeElement"):
                break
            await keys.press("Tab")
        await keys.press("Enter")
        await look_at_full_size(page)
        await expect(shown).to_be_focused()

    perform(act, chromium, tmp_path)


async def look_at_full_size(page: Page) -> None:
    """In a window that is too small for the picture, with the keyboard alone; then closes it."""
    keys, full, stage = (
        page.keyboard,
        page.locator("#viewer-picture"),
        page.locator("#viewer-stage"),
    )
    zoom = page.get_by_role("button", name="Show at full size", exact=True)
    await page.set_viewport_size({"width": 400, "height": 300})
    await expect(stage).to_be_focused()

    async def width() -> float:
        return float((await full.bounding_box() or {})["width"])

    async def is_scrolled() -> bool:
        return bool(await stage.evaluate("stage => stage.scrollTop > 0"))

    natural = await full.evaluate("picture => picture.naturalWidth")
    assert await width() < natural
    await expect(zoom).to_have_attribute("aria-pressed", "false")
    await keys.press("Enter")
    assert await width() == natural
    await expect(zoom).to_have_attribute("aria-pressed", "true")
    await keys.press("ArrowDown")
    await until(is_scrolled)
    await keys.press("-")
    assert await width() < natural
    await zoom.focus()
    await keys.press("Enter")
    assert await width() == natural
    await keys.press("ArrowDown")
    await until(is_scrolled)
    await keys.press("Escape")
    await expect(page.locator("#viewer")).not_to_be_visible()


def test_suggestions_come_from_the_bot(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await asks_for_the_cup(scene.page)

    perform(act, chromium, tmp_path)


async def asks_for_the_cup(page: Page) -> None:
    box = page.locator("#box")
    await expect(box).to_be_visible()
    await box.press_sequentially("/story show title:cup")
    await page.get_by_role("option", name="The last cup").click()
    await expect(box).to_have_value("/story show title:The last cup ")


def test_what_is_typed_at_once_gets_suggestions_too(chromium: Chromium, tmp_path: Path) -> None:
    async def late(route: Route) -> None:
        await asyncio.sleep(0.7)
        await route.continue_()

    async def act(scene: Scene) -> None:
        await scene.page.route("**/api/commands*", late)
        await scene.page.reload()
        await asks_for_the_cup(scene.page)

    perform(act, chromium, tmp_path)


def test_a_form_says_what_is_missing_keeps_what_was_typed_and_sends_a_file(
    chromium: Chromium, tmp_path: Path
) -> None:
    async def act(scene: Scene) -> None:
        page = scene.page
        await page.get_by_role("button", name="/meme").click()
        dialog = page.get_by_role("dialog", name="/meme")
        await dialog.get_by_label("Words above").fill("Ha")
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog).to_contain_text("Please fill this in.")
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        await page.get_by_role("button", name="/meme").click()
        await expect(dialog.get_by_label("Words above")).to_have_value("Ha")
        photo = {"name": "photo.png", "mimeType": "image/png", "buffer": picture("x")}
        await dialog.get_by_label("A picture to start from").set_input_files([photo])
        await dialog.get_by_role("button", name="Send").click()
        await expect(words(page, f"photo.png: {len(picture('x'))} bytes")).to_be_visible()
        assert scene.bot.calls[-1].options == {"top": "Ha"}

    perform(act, chromium, tmp_path)


def test_a_file_is_sent_along_with_a_typed_command(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        photo = {"name": "cat.png", "mimeType": "image/png", "buffer": picture("cat")}
        title = scene.page.locator("#title")
        await expect(title).not_to_have_text("")  # until the room is open no file is taken
        await scene.page.locator("#file").set_input_files([photo])
        await expect(scene.page.locator("#attached")).to_contain_text("cat.png")
        await scene.say("/meme top:Meow")
        await expect(words(scene.page, "cat.png: ")).to_be_visible()
        await expect(scene.page.locator("#attached li")).to_have_count(0)

    perform(act, chromium, tmp_path)


def test_two_pages_of_one_person_stay_in_step_and_nobody_else_sees_any_of_it(
    chromium: Chromium,
    tmp_path: Path,
) -> None:
    async def act(scene: Scene) -> None:
        other = await scene.open(scene.page.context)
        stranger = await scene.open(await scene.person())
        await expect(stranger.locator(".welcome")).to_be_visible()
        await scene.new_story("Secret")
        room = other.locator("#rooms a", has_text="Secret")
        await expect(room).to_contain_text("new")
        await room.click()
        await scene.say("[Tom] walks", other)
        await expect(scene.page.locator(".card")).to_contain_text("[Tom] walks")
        await expect(stranger.locator("#rooms a")).to_have_count(1)
        await stranger.goto(scene.page.url)
        await expect(stranger.locator("#title")).to_have_text("Chat with Inkwell")
        await expect(words(stranger, "Tom")).to_have_count(0)

    perform(act, chromium, tmp_path)


def test_what_is_typed_without_a_connection_arrives_once_when_it_is_back(
    chromium: Chromium, tmp_path: Path
) -> None:
    async def run() -> None:
        async with stage(chromium, tmp_path, {}) as scene:
            await scene.say("before")
            await expect(words(scene.page, "You said: before")).to_be_visible()
            await scene.chat.stop()
            await scene.say("one")
            await scene.say("two")
            await expect(scene.page.locator("#state")).to_have_text("Connecting …")
            await expect(scene.page.locator(".pending")).to_have_count(2)
            await scene.chat.start(scene.bot)
            await expect(words(scene.page, "You said: two")).to_be_visible()
            await expect(scene.page.locator("#state")).to_have_text("")
            texts = await scene.page.locator(".message .words").all_inner_texts()
            assert texts == [
                *("before", "You said: before"),
                *("one", "You said: one"),
                *("two", "You said: two"),
            ]

    chromium.run(run())


def test_a_page_loaded_again_shows_the_same(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.new_story("Tabs")
        await scene.say("[Tom] walks")
        await expect(scene.page.locator(".card")).to_contain_text("[Tom] walks")
        await scene.page.reload()
        await expect(scene.page.locator("#title")).to_have_text("Tabs")
        await expect(scene.page.locator(".card")).to_contain_text("[Tom] walks")
        await scene.page.go_back()
        await expect(scene.page.locator("#title")).to_have_text("Chat with Inkwell")

    perform(act, chromium, tmp_path)


def test_it_fits_a_phone(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        page = scene.page
        await scene.new_story("A very long title" + ", very long" * 8)
        await scene.say("x" * 400)
        await page.get_by_role("button", name="Draw").click()
        await expect(page.locator(".picture")).to_be_visible()
        width = await page.evaluate("() => document.documentElement.scrollWidth")
        assert width == 390
        box = await page.locator(".picture").bounding_box() or {}
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        await page.get_by_role("button", name="Rooms").click()
        await expect(page.locator("#rooms a[aria-current]")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.locator("#side")).not_to_be_visible()
        await page.get_by_role("button", name="Rooms").click()
        await page.locator("#rooms a").first.click()
        await expect(page.locator("#title")).to_have_text("Chat with Inkwell")

    perform(act, chromium, tmp_path, **PHONE)


def test_settings_change_name_language_and_light_on_every_page(
    chromium: Chromium, tmp_path: Path
) -> None:
    async def act(scene: Scene) -> None:
        other = await scene.open(scene.page.context)
        background = "() => getComputedStyle(document.getElementById('main')).backgroundColor"
        before = await scene.page.evaluate(background)
        await scene.page.locator("#me").click()
        dialog = scene.page.get_by_role("dialog")
        await dialog.get_by_label("Your name").fill("安娜")
        await dialog.get_by_label("Language").select_option("zh")
        await dialog.get_by_label("Light or dark").select_option("dark")
        await dialog.get_by_role("button", name="Save").click()
        for page in (scene.page, other):
            await expect(page.locator("#me-name")).to_have_text("安娜")
            await expect(page.locator("#title")).to_have_text("与 Inkwell 聊天")
            await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        assert await scene.page.evaluate(background) != before
        await scene.say("你好")
        await expect(words(scene.page, "You said: 你好")).to_be_visible()
        assert (scene.bot.calls[-1].person.name, scene.bot.calls[-1].person.language) == (
            "安娜",
            "zh",
        )

    perform(act, chromium, tmp_path)


def test_what_people_type_is_never_html(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        evil = '<img src=x onerror="document.title=1">'
        await scene.say(evil)
        await expect(words(scene.page, f"You said: {evil}")).to_be_visible()
        await scene.say(f"/story new title:{evil}")
        await expect(scene.page.locator("#title")).to_have_text(evil)
        assert await scene.page.locator("img").count() == 1  # the viewer's own

    perform(act, chromium, tmp_path)


def test_with_a_password_the_page_asks_for_it(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        page = scene.page
        await page.get_by_label("Password").fill("guess")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("That is not the password.")
        await page.get_by_label("Password").fill("secret")
        await page.keyboard.press("Enter")
        await expect(page.locator("#box")).to_be_focused()
        await scene.say("hi")
        await expect(words(page, "You said: hi")).to_be_visible()

    # The browser itself notes the two refusals, of the session and of the wrong password.
    perform(act, chromium, tmp_path, troubles=2, password="secret")


def test_a_room_is_deleted_only_after_a_question(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        page = scene.page
        await scene.new_story("Tabs")
        await page.get_by_role("button", name="Delete this room").click()
        await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        await expect(page.locator("#title")).to_have_text("Tabs")
        await page.get_by_role("button", name="Delete this room").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete this room").click()
        await expect(page.locator("#title")).to_have_text("Chat with Inkwell")
        await expect(page.locator("#rooms a")).to_have_count(1)

    perform(act, chromium, tmp_path)
