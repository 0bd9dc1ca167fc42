"""The star under a page, as it is pressed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat import Button
from tests.bot.talks import SCRIPT, Talker, talk


async def page(ann: Talker) -> Button:
    """Draws a page; returns the star under it."""
    await ann.types(SCRIPT)
    await ann.asks("story draw")
    (job,) = await ann.stage.draw_all()
    return Button("⭐", f"star:{job.id}")


@pytest.mark.parametrize(
    ("language", "given", "taken"),
    [("en", "1 star now. Press again", "0 stars now"), ("zh", "现在有1颗", "现在有0颗")],
)
def test_pressing_gives_a_star_and_pressing_again_takes_it_back(
    tmp_path: Path, language: str, given: str, taken: str
) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        star = await page(ann)
        await bob.asks("language", to=language)
        assert given in await bob.presses(star)
        assert bob.replies[0].private
        assert "2" in await ann.presses(star)
        await ann.presses(star)
        assert taken in await bob.presses(star)

    talk(tmp_path, scene, server="guild")


def test_anybody_may_press_but_who_is_blocked_or_elsewhere(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        star = await page(ann)
        ann.manager = True
        await ann.asks("settings", who="managers", role="42")
        assert "1 star" in await bob.presses(star)
        here = bob.place
        for place in (replace(here, server=None), replace(here, channel="attic")):
            bob.place = place
            assert "cannot get stars" in await bob.presses(star)
        bob.place = here
        for data in ("star", "star:x", "star:9999"):
            text = await bob.presses(Button("⭐", data))
            assert "older time" in text or "cannot get stars" in text
        bob.person = replace(bob.person, id="8")
        await ann.asks("settings", block="8")
        assert "do not let you" in await bob.presses(star)

    talk(tmp_path, scene, server="guild")


def test_a_page_in_a_direct_message_has_no_stars(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        assert "cannot get stars" in await bob.presses(await page(ann))

    talk(tmp_path, scene)
