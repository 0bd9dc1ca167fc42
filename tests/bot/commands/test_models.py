"""Which model draws a story and how finely: chosen with it, frozen with its drawing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.story import content, restored
from engine.models import HOUSE, SDXL
from engine.request import DrawRequest
from tests.bot.talks import SCRIPT, Talker, talk


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `models` under [engine] would say it."""
    monkeypatch.setenv("INKWELL_ENGINE_MODELS", '["sdxl"]')


async def request(ann: Talker) -> DrawRequest:
    return DrawRequest.from_json((await ann.job()).request)


def test_a_story_is_drawn_by_the_model_and_as_finely_as_it_was_begun_with(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", script=SCRIPT, model="sdxl", quality="draft")
        await ann.asks("story draw")
        asked = await request(ann)
        draft = SDXL.preset("draft")
        assert (asked.model, asked.preset) == ("sdxl", "draft")
        assert (asked.steps, asked.guidance) == (draft.steps, draft.guidance)

    talk(tmp_path, scene)


def test_unasked_the_model_draws_in_its_own_way(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story draw")
        asked = await request(ann)
        assert (asked.model, asked.preset, asked.steps, asked.guidance) == ("house", "", None, None)

    talk(tmp_path, scene)


def test_a_model_that_is_not_offered_is_refused_with_the_names_that_are(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        said = await ann.asks("story new", script=SCRIPT, model="sd15")
        assert "There is no model “sd15”; there are: house, sdxl" in said

    talk(tmp_path, scene)


def test_styles_are_those_of_the_model_that_draws_the_story(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", script=SCRIPT, model="sdxl", style="clay")
        assert (await ann.story()).style == "clay"
        refused = await ann.asks("story edit", model="house", style="clay")
        assert "he model house has not learnt the style “clay”" in refused

    talk(tmp_path, scene)


def test_the_model_is_chosen_by_a_button(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", script=SCRIPT, style="clay", model="sdxl")
        asked = await ann.presses(ann.buttons["Model"])
        assert asked.startswith("Which model? Now it is sdxl.")
        house = ann.buttons["house"]
        assert "has not learnt the style “clay”" in await ann.presses(house)
        await ann.asks("story edit", style="comic")
        await ann.presses(house)
        assert (await ann.story()).model == "house"
        await ann.presses(house)  # again: the card, unchanged
        assert "Model" in ann.buttons

    talk(tmp_path, scene)


def test_where_there_is_one_model_there_is_no_button(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INKWELL_ENGINE_MODELS")

    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", script=SCRIPT)
        assert "Style" in ann.buttons
        assert "Model" not in ann.buttons

    talk(tmp_path, scene)


def test_a_draft_is_finished_with_the_same_seeds(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", script=SCRIPT, quality="draft")
        await ann.asks("story draw")
        draft = await request(ann)
        await ann.stage.draw_all()
        drawn = await ann.story()
        await ann.asks("story show")
        finish = ann.buttons["Finish it"]
        await asyncio.gather(ann.presses(finish), ann.presses(finish))
        fine, story = await request(ann), await ann.story()
        assert len(await ann.stage.ledger.of_person("test:ann")) == 1
        assert (fine.preset, fine.steps, fine.only) == ("fine", HOUSE.preset("fine").steps, None)
        assert (fine.seed, fine.panels, fine.characters) == (
            draft.seed, draft.panels, draft.characters,
        )  # fmt: skip
        assert story.quality == "fine"
        assert all(panel.picture for panel in drawn.panels)
        await ann.stage.draw_all()
        assert all(panel.picture for panel in (await ann.story()).panels)
        await ann.asks("story show")
        assert "Finish it" not in ann.buttons

    talk(tmp_path, scene)


def test_another_quality_can_be_chosen_later_and_undone(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.types(SCRIPT)
        await ann.asks("story draw")
        await ann.stage.draw_all()
        before = await ann.story()
        card = await ann.asks("story edit", quality="fine", model="house")
        assert "Layout: classic · Model: house · Quality: fine" in card
        changed = await ann.story()
        assert changed.quality == "fine"
        assert [panel.picture for panel in changed.panels] == [None] * 3
        await ann.asks("story undo")
        back = await ann.story()
        assert (back.model, back.quality, back.panels) == ("", "", before.panels)

    talk(tmp_path, scene)


def test_a_step_that_an_older_version_kept_can_be_gone_back_to(tmp_path: Path) -> None:
    async def scene(ann: Talker, bob: Talker) -> None:
        await ann.asks("story new", script=SCRIPT, model="house", quality="fine")
        story = await ann.story()
        old = restored(story, json.dumps(content(story)[:6]))
        assert (old.title, old.cast, old.model, old.quality) == (story.title, story.cast, "", "")

    talk(tmp_path, scene)
