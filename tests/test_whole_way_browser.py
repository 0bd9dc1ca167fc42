"""From typed lines to a comic that is shared: the real bot and its engine, in a real browser.

Only the model is not real: one of random weights, which draws small pictures in no time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, expect

from bench.bot_process import BotProcess, is_whole, states
from bench.tiny_model import make_tiny_model
from bot.buttons import Press
from tests.adapters.chromium import chromium, need_chromium

ROOT = Path(__file__).parents[1]
LINES = [
    line
    for line in (ROOT / "examples" / "tab-or-space.en.story").read_text("utf-8").splitlines()
    if line
]
DRAWING = 60_000  # milliseconds that a drawing may take, with the start of the engine
TITLE = "Tabs or spaces"

# What somebody asks who guesses addresses: the status and the answer.
ASK = """async ([method, path, body]) => {
    const answer = await fetch(path, {method, body: body && JSON.stringify(body)});
    return [answer.status, await answer.text()];
}"""


@dataclass
class Visitor:
    """Somebody with a browser of their own."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        def heard(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.troubles.append(message.text)

        self.page.on("console", heard)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))

    @property
    def last(self) -> Locator:
        """The newest message."""
        return self.page.locator(".message").last

    @property
    def card(self) -> Locator:
        return self.page.locator(".card")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    async def say(self, text: str) -> None:
        """Types something and waits until it is answered."""
        box = self.page.locator("#box")
        await box.fill(text)
        await box.press("Enter")
        await expect(self.page.locator(".pending")).to_have_count(0)

    async def press(self, label: str, message: Locator) -> None:
        await message.get_by_role("button", name=label, exact=True).click()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """What the address answers to this person's browser."""
        status, text = await self.page.evaluate(ASK, [method, path, body])
        return status, text

    async def room(self) -> str:
        return str(await self.page.evaluate("() => location.hash.slice(2)"))

    async def home(self) -> str:
        _, session = await self.ask("POST", "/api/session", {"language": "en"})
        return next(str(room["id"]) for room in json.loads(session)["rooms"] if room["home"])

    async def files(self) -> list[str]:
        """The addresses of all files that are shown."""
        found = await self.page.evaluate(
            """() => [...document.querySelectorAll(".files img, a.download")].map(
                (one) => new URL(one.src || one.href).pathname)"""
        )
        return list(found)


@dataclass
class Scene:
    bot: BotProcess
    browser: Browser

    async def visitor(self) -> Visitor:
        context = await self.browser.new_context(locale="en-GB")
        visitor = Visitor(await context.new_page())
        await visitor.page.goto(self.bot.address)
        await expect(visitor.page.locator(".welcome")).to_be_visible()
        return visitor

    def story(self) -> str:
        """The id of the only story."""
        [(story,)] = self.rows("SELECT id FROM stories")
        return str(story)

    def panels(self) -> list[tuple[str, bytes]]:
        """Name and content of the picture of each panel, as the store has them."""
        rows = self.rows("SELECT picture FROM panels ORDER BY position")
        files = {path.name: path for path in (self.bot.folder / "store" / "pictures").rglob("*")}
        return [(sha, files[sha].read_bytes()) for (sha,) in rows]

    def rows(self, sql: str) -> list[Any]:
        uri = f"{self.bot.database.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as reader:
            return reader.execute(sql).fetchall()


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Scene]:
    """The bot, as a process with its engine, and a browser."""
    model = await asyncio.to_thread(make_tiny_model, folder / "model")
    settings = folder / "config.toml"
    settings.write_text(f'[engine]\nmodel = "{model}"\ndevice = "cpu"\npreviews = 2\n', "utf-8")
    environment: Mapping[str, str] = {
        "INKWELL_CONFIG": str(settings),
        "TOY_MODEL": str(model),
    }
    bot = BotProcess(folder, environment)
    await bot.start()
    try:
        async with chromium() as browser:
            yield Scene(bot, browser)
    finally:
        code = await bot.stop()
    assert code == 0, bot.log()
    assert "ERROR" not in bot.log(), bot.log()
    assert is_whole(bot.database)


def test_a_comic_is_made_changed_taken_away_and_shared_only_when_its_owner_says_so(
    tmp_path: Path,
) -> None:
    need_chromium()

    async def run() -> None:
        async with stage(tmp_path) as scene:
            ann, bob = await scene.visitor(), await scene.visitor()
            await types_the_story(ann)
            await draws_it(ann, scene)
            await redraws_panel_2(ann, scene)
            await changes_a_caption(ann, scene)
            await makes_a_meme(ann)
            await exports_a_pdf(ann, tmp_path)
            await finds_nothing(bob, ann, scene)
            await shares_it(ann)
            await opens_it(bob, ann, scene)
            assert states(scene.bot.database) == {"delivered": 2}
            await is_forgotten(ann, bob, scene)
            assert ann.troubles == []

    asyncio.run(run())


async def types_the_story(ann: Visitor) -> None:
    await ann.say(f"/story new title:{TITLE}")
    await expect(ann.page.locator("#title")).to_have_text(TITLE)
    await expect(ann.card).to_contain_text("Type one line at a time")
    for line in LINES:
        await ann.say(line)
    await expect(ann.card).to_contain_text("Characters (2 of")
    await expect(ann.card).to_contain_text("Panels (4 of")
    await expect(ann.card).to_have_count(1)


async def draws_it(ann: Visitor, scene: Scene) -> None:
    await ann.press("Draw", ann.card)
    await expect(ann.page.locator("progress")).to_be_visible()
    page = ann.last.locator(".picture img")
    await expect(page).to_be_visible(timeout=DRAWING)
    await expect(ann.page.locator("progress")).to_have_count(0)
    alt = await page.get_attribute("alt") or ""
    assert alt.startswith(f"Comic: {TITLE}. Panel 1: Tom ")
    assert all(words in alt for words in (" Caption: Tom is writing", " Panel 4: "))
    assert not set("[]#") & set(alt)
    assert await page.evaluate("image => image.decode().then(() => image.naturalWidth)") >= 500
    pictures = [content for _, content in scene.panels()]
    assert len(set(pictures)) == 4
    for sha, content in scene.panels():
        assert hashlib.sha256(content).hexdigest() == sha


async def redraws_panel_2(ann: Visitor, scene: Scene) -> None:
    before = scene.panels()
    [page] = await ann.last.locator("img").all()
    old = await page.get_attribute("src")
    await ann.press("Redraw", ann.last)
    await expect(ann.last).to_contain_text("Which panel shall be drawn anew?")
    await ann.press("2", ann.last)
    new = ann.last.locator(f'.picture img:not([src="{old}"])')
    await expect(new).to_be_visible(timeout=DRAWING)
    after = scene.panels()
    assert [one == other for one, other in zip(before, after, strict=True)] == [
        *(True, False, True, True)
    ]


async def changes_a_caption(ann: Visitor, scene: Scene) -> None:
    before = scene.panels()
    await ann.press("Edit words", ann.last)
    await expect(ann.last).to_contain_text("The words of which panel?")
    await ann.press("4", ann.last)
    field = ann.dialog.get_by_role("textbox")
    await expect(field).to_have_value(LINES[-1].partition("#")[2])
    await field.fill("Lisa: Let us use both!")
    await ann.press("Send", ann.dialog)
    await expect(ann.last).to_contain_text("nothing had to be drawn")
    await expect(ann.last.locator("img")).to_have_attribute("alt", ends("Let us use both!"))
    assert scene.panels() == before


def ends(words: str) -> re.Pattern[str]:
    return re.compile(f"{re.escape(words)}$")


async def makes_a_meme(ann: Visitor) -> None:
    await ann.press("Meme", ann.last)
    await expect(ann.last).to_contain_text("Which panel?")
    await ann.press("1", ann.last)
    await ann.dialog.get_by_label("Words at the top").fill("Nobody:")
    await ann.dialog.get_by_label("Words at the bottom").fill("Tom: tabs!")
    await ann.press("Send", ann.dialog)
    meme = ann.page.get_by_role("button", name="Nobody: / Tom: tabs!")
    await expect(meme).to_be_visible()
    await expect(ann.dialog).to_have_count(0)


async def exports_a_pdf(ann: Visitor, folder: Path) -> None:
    await ann.say("/story export format:pdf")
    link = ann.last.locator("a.download")
    await expect(link).to_be_visible()
    async with ann.page.expect_download() as started:
        await link.click()
    download = await started.value
    assert download.suggested_filename.endswith(".pdf")
    await download.save_as(folder / "comic.pdf")
    assert (folder / "comic.pdf").read_bytes().startswith(b"%PDF")


async def finds_nothing(bob: Visitor, ann: Visitor, scene: Scene) -> None:
    """Somebody else sees nothing of it and finds nothing by guessing: not by the addresses that
    its owner has, not by what its buttons mean, not by its name."""
    story, room, files = scene.story(), await ann.room(), await ann.files()
    home, names = await bob.home(), {Path(file).suffix for file in files}
    assert names == {".png", ".pdf"}
    await expect(bob.page.locator("#rooms a")).to_have_count(1)
    await expect(bob.page.locator(".welcome")).to_be_visible()
    for file in files:
        assert (await bob.ask("GET", file))[0] == 404
    for owners in (room, await ann.home()):
        assert (await bob.ask("GET", f"/api/rooms/{owners}/messages"))[0] == 404
        assert (await bob.ask("DELETE", f"/api/rooms/{owners}"))[0] == 404
        call = {"nonce": f"guess-{owners}", "say": "[Lisa] laughs"}
        assert (await bob.ask("POST", f"/api/rooms/{owners}/calls", call))[0] == 404
    before = scene.rows("SELECT * FROM stories")
    buttons = [
        button
        for (row,) in rows_of_web(scene, "SELECT buttons FROM messages")
        for buttons in json.loads(row)
        for button in buttons
    ]
    assert {button["data"].split(":")[0] for button in buttons} >= {"draw", "redraw", "delete"}
    guessed = {
        Press(action, story, argument).encode()
        for action, argument in (("show", ""), ("erase", ""), ("share", "everyone"))
    }
    presses = {button["data"] for button in buttons} | guessed
    for number, data in enumerate(presses):
        call = {"nonce": f"button-{number}", "press": data}
        status, answer = await bob.ask("POST", f"/api/rooms/{home}/calls", call)
        assert (status, json.loads(answer)["form"]) == (200, None), data
    _, told = await bob.ask("GET", f"/api/rooms/{home}/messages")
    assert "Lisa" not in told
    assert TITLE not in told
    refusals = json.loads(told)["messages"]
    assert len(refusals) == len(presses)
    assert not any(refusal["files"] for refusal in refusals)
    assert scene.rows("SELECT * FROM stories") == before
    await bob.page.goto(f"{scene.bot.address}/#/{room}")
    await expect(bob.page.locator("#title")).to_have_text("Chat with Inkwell")
    for name in (story, TITLE):
        await bob.say(f"/story show story:{name}")
        await expect(bob.last).to_contain_text("There is no such story")
    await expect(bob.page.locator(".picture")).to_have_count(0)


def rows_of_web(scene: Scene, sql: str) -> list[Any]:
    path = scene.bot.folder / "store" / "web" / "web.sqlite3"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reader:
        return reader.execute(sql).fetchall()


async def shares_it(ann: Visitor) -> None:
    await ann.press("Share", ann.card)
    await expect(ann.last).to_contain_text("Only you can see it now.")
    await ann.press("Everyone", ann.last)
    await expect(ann.last).to_contain_text("They see it with /story show story:")


async def opens_it(bob: Visitor, ann: Visitor, scene: Scene) -> None:
    how = (await ann.last.locator(".words").inner_text()).splitlines()[-1]
    command = how.removeprefix("They see it with ").strip()
    await bob.say(command)
    page = bob.last.locator(".picture img")
    await expect(page).to_have_attribute("alt", ends("Let us use both!"))
    assert await page.evaluate("image => image.decode().then(() => image.naturalWidth)") >= 500
    await bob.say(f"/story redraw panel:1 story:{scene.story()}")
    await expect(bob.last).to_contain_text("Only its owner can change this story")
    for file in await ann.files():  # what the owner was shown stays the owner's
        assert (await bob.ask("GET", file))[0] == 404


async def is_forgotten(ann: Visitor, bob: Visitor, scene: Scene) -> None:
    """Nothing of a person who wants to be forgotten stays, neither in the bot nor in the chat."""
    await ann.say("/forget")
    await ann.press("Delete everything", ann.last)
    await expect(ann.page.locator("#title")).to_have_text("Chat with Inkwell")
    await expect(ann.page.locator(".message")).to_have_count(1)
    await expect(ann.last).to_contain_text("Everything is deleted")
    await expect(ann.page.locator("#rooms a")).to_have_count(1)
    assert scene.rows("SELECT id FROM stories UNION ALL SELECT id FROM jobs") == []
    await bob.say("/story list")
    await expect(bob.last).to_contain_text("You have no stories yet")
