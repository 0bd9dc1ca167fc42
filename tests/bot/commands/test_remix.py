"""Remixes: copies of shared stories, and what they do not give away."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.bot.talks import SCRIPT, Talker, picture, talk


async def shared(ann: Talker) -> str:
    """A story with a saved character and an uploaded picture, drawn and shared with all."""
    await ann.asks("character new", name="Tom", description="a young programmer with glasses")
    await ann.asks(
        "story new", title="Tabs", script=SCRIPT, picture=picture("blue"), character="Lisa"
    )
    await ann.asks("story draw")
    await ann.stage.draw_all()
    await ann.asks("story share", with_="everyone")
    return (await ann.story()).id


def test_a_remix_is_a_copy_of_ones_own_that_names_its_parent(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        story_id = await shared(ann)
        before = await ann.story()
        await bob.asks("story show", story=story_id)
        await bob.presses("Remix")
        assert "after “Tabs” by Ann" in bob.text
        assert bob.replies[0].room == "Tabs"
        copy = await bob.story()
        assert (copy.owner, copy.parent, copy.shared_with) == ("test:bob", None, ())
        assert [(p.text, p.caption) for p in copy.panels] == [
            (p.text, p.caption) for p in before.panels
        ]
        assert not any(panel.picture for panel in copy.panels)
        assert {p.id for p in copy.panels}.isdisjoint(p.id for p in before.panels)
        assert await ann.story() == before
        await bob.types("[NC] the street")
        assert len((await bob.story()).panels) == 4
        await bob.asks("language", to="zh")
        assert "改编自Ann的《Tabs》" in await bob.asks("story show", story=copy.id)

    talk(tmp_path, scene)


def test_uploaded_pictures_and_characters_that_are_not_shared_stay_behind(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        story_id = await shared(ann)
        before = await ann.story()
        assert all([before.cast[0].character, before.cast[1].reference])
        await bob.asks("story remix", story=story_id)
        tom, lisa = (await bob.story()).cast
        assert (tom.character, tom.reference) == (None, before.panels[0].picture)
        assert (lisa.character, lisa.reference) == (None, None)  # she is never alone in a panel
        await ann.asks("character share", character="Tom", with_="everyone")
        await bob.asks("story delete")
        await bob.presses("Delete for ever")
        await bob.asks("story remix", story=story_id)
        assert (await bob.story()).cast[0] == before.cast[0]

    talk(tmp_path, scene)


def test_nobody_remixes_what_they_cannot_see(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        story_id = await shared(ann)
        await bob.asks("story show", story=story_id)
        remix = bob.buttons["Remix"]
        await ann.asks("story share", with_="nobody")
        assert "no such story" in await bob.asks("story remix", story=story_id)
        assert "no such story" in await bob.presses(remix)
        await ann.asks("story new", title="Draft", script=SCRIPT)
        await ann.asks("story share", with_="everyone", story="Draft")
        draft = (await ann.story()).id
        assert "not drawn" in await bob.asks("story remix", story=draft)
        assert await bob.stage.stories.of_owner("test:bob") == []

    talk(tmp_path, scene)


def test_two_presses_at_once_make_one_copy(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await bob.asks("story show", story=await shared(ann))
        remix = bob.buttons["Remix"]
        await asyncio.gather(bob.presses(remix), bob.presses(remix))
        assert len(await bob.stage.stories.of_owner("test:bob")) == 1

    talk(tmp_path, scene)


def test_a_remix_outlives_its_parent_and_says_so(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        story_id = await shared(ann)
        await bob.asks("story remix", story=story_id)
        await ann.asks("story share", with_="nobody")
        await ann.asks("story edit", title="Secret")
        text = await bob.asks("story show")
        assert "after a story that is not shared any more" in text
        assert "Secret" not in text
        await ann.asks("forget")
        await ann.presses("Delete everything")
        assert "after a deleted story" in await bob.asks("story show")
        await bob.asks("story draw")
        (job,) = await bob.stage.draw_all()
        assert '"title": "Tabs"' in job.about

    talk(tmp_path, scene)
