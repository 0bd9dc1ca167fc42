"""What a person sees of messages in a real browser: pointers to changes, times, titles."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Locator, Page, expect

from adapters.web_transcript import PAGE
from bot.chat import Button, File, Post
from tests.adapters.chromium import Chromium
from tests.adapters.small_bot import picture
from tests.adapters.test_web_browser import PHONE
from tests.adapters.test_web_browser import Scene as Typed
from tests.adapters.test_web_browser import perform as perform_typed
from tests.adapters.test_web_browser_kept import Scene, perform

ALT = "Comic: Tabs. Panel 1: Tom in the office, typing. Tom says: Tabs! Panel 2: The street."
CLIPPED = """box => {
    const probe = document.createElement("span");
    const style = getComputedStyle(box);
    probe.textContent = box.placeholder;
    probe.style.cssText = "position: absolute; white-space: nowrap";
    probe.style.font = style.font;
    document.body.append(probe);
    const room = box.clientWidth - 2 * parseFloat(style.paddingLeft);
    const clipped = Math.max(0, probe.offsetWidth - room);
    probe.remove();
    return clipped;
}"""  # pixels of the placeholder that do not fit
SCROLL = "(to) => (document.getElementById('scroll').scrollTop = to)"


async def a_long_talk(scene: Scene, before: int = 0) -> str:
    """A message far above the end, by its id, and many below."""
    first = await scene.chat.post(Post(scene.home, "First", buttons=((Button("A", "a"),),)))
    for number in range(30):
        await scene.chat.post(Post(scene.home, f"Message {number}\n" * 3))
    await expect(scene.page.locator(".message")).to_have_count(before + 31)
    await expect(scene.page.locator(".message").last).to_be_in_viewport()
    return first


def test_the_pointer_to_a_change_above_goes_when_the_message_was_seen(
    chromium: Chromium, tmp_path: Path
) -> None:
    async def act(scene: Scene) -> None:
        page, above = scene.page, scene.page.locator("#above")
        first = await a_long_talk(scene)
        for text in ("Changed", "Changed again"):  # the pointer goes along with the message
            await scene.chat.post(Post(scene.home, text, edit=first))
            await expect(page.locator(".message").first).to_contain_text(text)
            await expect(above).to_be_visible()
        await page.evaluate(SCROLL, 0)
        await expect(above).not_to_be_visible()
        await page.evaluate(SCROLL, 99999)
        await scene.chat.post(Post(scene.home, "Changed once more", edit=first))
        await expect(above).to_be_visible()
        await above.click()
        await expect(above).not_to_be_visible()
        await expect(page.locator(".message").first).to_be_in_viewport()
        await page.evaluate(SCROLL, 99999)
        await scene.chat.post(Post(scene.home, "And again", edit=first))
        await expect(above).to_be_visible()
        await scene.chat.remove(scene.home, first)
        await expect(above).not_to_be_visible()

    perform(act, chromium, tmp_path)


def test_a_change_of_a_message_that_is_not_loaded_hides_none_of_those_between(
    chromium: Chromium, tmp_path: Path
) -> None:
    async def act(scene: Scene) -> None:
        page, above = scene.page, scene.page.locator("#above")
        messages = page.locator(".message")
        first = await scene.chat.post(Post(scene.home, "First"))
        second = await scene.chat.post(Post(scene.home, "Second"))
        for number in range(3 * PAGE):
            await scene.chat.post(Post(scene.home, f"Message {number}"))
        await page.reload()
        await expect(messages).to_have_count(PAGE)
        await scene.chat.post(Post(scene.home, "Changed", edit=second))
        await expect(above).to_be_visible()
        await expect(messages).to_have_count(PAGE)
        await scene.chat.remove(scene.home, second)
        await expect(above).not_to_be_visible()
        await scene.chat.post(Post(scene.home, "Changed", edit=first))
        await above.click()
        await expect(messages.first).to_be_in_viewport()
        await expect(messages.first).to_contain_text("Changed")
        await expect(messages).to_have_count(1 + 3 * PAGE)
        await expect(above).not_to_be_visible()

    perform(act, chromium, tmp_path)


def test_the_end_of_a_drawing_above_is_not_pointed_to(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        drawing = await scene.chat.post(Post(scene.home, "Drawing", progress=0.5))
        await a_long_talk(scene, before=1)
        await scene.chat.post(Post(scene.home, "It is drawn", edit=drawing))
        await expect(scene.page.locator(".message").first).to_contain_text("It is drawn")
        await expect(scene.page.locator("#above")).not_to_be_visible()

    perform(act, chromium, tmp_path)


def test_a_pointer_covers_nothing_that_can_be_pressed(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        first = await a_long_talk(scene)
        rows = ((Button("Last", "last"),),)
        await scene.chat.post(Post(scene.home, "The end", buttons=rows))
        await scene.chat.post(Post(scene.home, "Changed", edit=first))
        above, last = scene.page.locator("#above"), scene.page.get_by_role("button", name="Last")
        await expect(above).to_be_visible()
        await expect(last).to_be_in_viewport(ratio=1)
        top, bottom = await box_of(above), await box_of(last)
        assert bottom["y"] + bottom["height"] <= top["y"]

    perform(act, chromium, tmp_path)


async def box_of(element: Locator) -> dict[str, float]:
    box = await element.bounding_box()
    assert box is not None
    return dict(box)


def test_how_far_a_drawing_is_stands_there_once(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.chat.post(Post(scene.home, "Number 1: drawing, 40 %.", progress=0.4))
        message = scene.page.locator(".message")
        await expect(message.locator("progress")).to_be_visible()
        assert (await message.inner_text()).count("%") == 1

    perform(act, chromium, tmp_path)


def test_the_time_of_a_picture_does_not_lie_on_it(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        file = File("meme.png", picture("meme", size=(900, 900)), "Ha")
        await scene.chat.post(Post(scene.home, files=(file,)))
        message = scene.page.locator(".message")
        await message.hover()
        shown, when = (
            await box_of(message.locator(".picture")),
            await box_of(message.locator("time")),
        )
        assert when["y"] >= shown["y"] + shown["height"]

    perform(act, chromium, tmp_path)


def test_the_viewer_has_a_short_title_and_the_picture_all_its_words(
    chromium: Chromium, tmp_path: Path
) -> None:
    async def act(scene: Scene) -> None:
        for alt in (ALT, "漫画《代码》。第1格：汤姆在办公室打字。", "Nobody: / Tom: tabs!", ""):
            file = File("page.png", picture(alt[:5]), alt)
            await scene.chat.post(Post(scene.home, files=(file,)))
        page = scene.page
        await expect(page.locator(".picture")).to_have_count(4)
        await page.locator(".picture").first.click()
        for title, alt in (
            ("Comic: Tabs.", ALT),
            ("漫画《代码》。", "漫画《代码》。第1格：汤姆在办公室打字。"),
            ("Nobody: / Tom: tabs!", "Nobody: / Tom: tabs!"),
            ("page.png", "page.png"),
        ):
            await expect(page.locator("#viewer-name")).to_have_text(title)
            await expect(page.locator("#viewer-picture")).to_have_attribute("alt", alt)
            await page.keyboard.press("ArrowRight")

    perform(act, chromium, tmp_path)


def test_the_box_says_all_of_what_it_is_for_on_a_phone(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Typed) -> None:
        await scene.new_story("Tabs")
        await says_all(scene.page)
        await scene.page.locator("#side-open").click()
        await scene.page.locator("#me").click()
        dialog = scene.page.get_by_role("dialog")
        await dialog.get_by_label("Language").select_option("zh")
        await dialog.get_by_role("button", name="Save").click()
        await expect(scene.page.locator("html")).to_have_attribute("lang", "zh-Hans")
        await says_all(scene.page)

    perform_typed(act, chromium, tmp_path, **PHONE)


async def says_all(page: Page) -> None:
    box = page.locator("#box")
    assert await box.get_attribute("placeholder")
    assert await box.evaluate(CLIPPED) == 0


def test_that_the_connection_is_lost_can_be_read(chromium: Chromium, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        state = scene.page.locator("#state")
        await state.evaluate("element => (element.textContent = 'Connecting …')")
        size, ink, paper = await state.evaluate(
            "element => { const style = getComputedStyle(element);"
            " return [style.fontSize, style.color, style.backgroundColor]; }"
        )
        assert float(size.removesuffix("px")) >= 15
        assert contrast(ink, paper) >= 7

    perform(act, chromium, tmp_path)


def contrast(one: str, other: str) -> float:
    """As WCAG 2 counts it, from "rgb(1, 2, 3)"."""
    low, high = sorted(map(lightness, (one, other)))
    return (high + 0.05) / (low + 0.05)


def lightness(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").rstrip(")").split(",")]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
