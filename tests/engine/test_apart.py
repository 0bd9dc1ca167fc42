"""How the models keep several characters of a panel apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from engine.apart import panel_regions, sight_in
from engine.attention.consistent import Glance, Sight
from engine.attention.regions import PanelRegions
from engine.drawing import StoryDrawing
from engine.models import HOUSE, SD15, ModelSpec
from engine.plan import Shot, plan_shots
from engine.ready import ready_artist
from engine.request import CharacterRequest, DrawRequest, PanelRequest

STORY = DrawRequest(
    characters=(
        CharacterRequest("Tom", "a man , typing"),
        CharacterRequest("Lisa", "a man"),
        CharacterRequest("Max", ""),
    ),
    panels=(
        PanelRequest("[Tom] in the park", ("Tom",)),
        PanelRequest("[Lisa] in the park", ("Lisa",)),
        PanelRequest("[Tom] on the right and [Lisa]", ("Tom", "Lisa")),
        PanelRequest("[Max], [Tom] and [Lisa]", ("Max", "Tom", "Lisa")),
    ),
    steps=4,
    size=64,
    guidance=2.0,
)


def sights(spec: ModelSpec) -> list[Sight]:
    """Those of the panels, by their numbers."""
    shots = {shot.panel: shot for shot in plan_shots(STORY) if shot.panel is not None}
    return [sight_in(spec, shots[panel]) for panel in sorted(shots)]


def test_strips_of_the_width_unmasked_and_boxes_where_the_words_say() -> None:
    alone, _, strips, _ = sights(HOUSE)
    assert alone == (Glance(()),)
    assert strips == (Glance(("panel 0",), 0, 0.5), Glance(("panel 1",), 0.5, 1))
    assert sights(replace(HOUSE, regions="none"))[2] == (Glance(("panel 0", "panel 1")),)
    tom, lisa = sights(SD15)[2]
    assert (tom.identities, lisa.identities) == (("panel 0",), ("panel 1",))
    assert lisa.left < lisa.right < tom.left < tom.right


def regions(shots: Sequence[Shot], model: str) -> dict[str, PanelRegions]:
    return panel_regions(ready_artist(model, "cpu"), shots)


def test_only_panels_of_several_have_regions_and_know_whose_words_are_where(
    tiny_sd15: Path,
) -> None:
    found = regions(plan_shots(STORY), str(tiny_sd15))
    assert list(found) == ["panel 2", "panel 3"]
    # <start> Tom , a man , typing , on the right and Lisa , a man , comic <end>
    tom, lisa = found["panel 2"].words
    assert tom.tolist() == [1, 2, 3, 4, 5, 6]
    assert lisa.tolist() == [12, 13, 17, 18]  # a chunk of 16 ends at the comma
    assert regions(plan_shots(STORY), "house") == {}


def test_the_story_reads_masks_for_panels_of_several_and_for_no_others(tiny_sd15: Path) -> None:
    artist = ready_artist(str(tiny_sd15), "cpu")
    request = replace(STORY, model=str(tiny_sd15))
    drawn = {}
    for rate in (0.5, 0.0):
        work = StoryDrawing(artist, replace(request, rate=rate), plan_shots(request))
        list(work.steps())
        drawn[rate] = work
    for name, found in drawn[0.5].regions.items():
        assert found.labels.shape == (8, 8), name  # the fineness of the decoder's first layer
    assert drawn[0.0].regions == {}
    assert not torch.equal(drawn[0.5].latents["panel 2"], drawn[0.0].latents["panel 2"])
