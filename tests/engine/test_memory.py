"""How much memory a step takes, and what is drawn at the same time with so much."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from bench.memory import Live, needs
from engine.loading import load_model
from engine.memory import (
    PANEL_BYTES,
    RESERVE,
    WASTE,
    coming_bytes,
    panel_bytes,
    panels_at_once,
    with_room,
)
from engine.models import MODELS, SD15, find_model
from engine.request import CharacterRequest, DrawRequest, EngineError, PanelDrawn, PanelRequest
from engine.story import draw_story

CPU = torch.device("cpu")
STORY = DrawRequest(
    (CharacterRequest("Tom", "a man"),),
    (PanelRequest("[Tom] typing", ("Tom",)), PanelRequest("[Tom] a park", ("Tom",))),
    steps=2, size=64,
)  # fmt: skip


def pictures(request: DrawRequest) -> list[bytes]:
    return [e.png for e in draw_story(request, device="cpu") if isinstance(e, PanelDrawn)]


@pytest.mark.parametrize(
    ("panels", "free"), [(1, 0), (1, RESERVE), (3, RESERVE + 3 * WASTE * 1e9), (8, 1e12)]
)
def test_so_many_panels_as_there_is_room_for(panels: int, free: float) -> None:
    assert with_room(free, 1e9, 8) == panels


def test_a_panel_takes_more_with_guidance_and_with_its_size(tiny_sd15: Path) -> None:
    artist = load_model(find_model(str(tiny_sd15)), CPU)
    plain = panel_bytes(artist, replace(STORY, guidance=1.0))
    assert panel_bytes(artist, replace(STORY, guidance=5.0)) == 2 * plain
    assert panel_bytes(artist, replace(STORY, guidance=1.0, size=128)) == 4 * plain
    assert panels_at_once(artist, replace(STORY, micro_batch=5)) == 5


def test_live_bytes_are_those_of_tensors_that_are_still_there() -> None:
    module = nn.Linear(4, 4, device="meta")
    with Live(module) as live, torch.no_grad():
        kept = torch.empty(100, 4, device="meta")
        for _ in range(3):
            module(kept)
    assert live.most == 2 * 100 * 4 * 4


def test_the_figure_that_the_engine_reckons_with_is_the_computed_one() -> None:
    need = needs(SD15, panels=(4, 8))
    more = (need.step[8] - need.step[4]) / 4 / SD15.size**2
    assert need.least < need.step[4]
    assert more == pytest.approx(PANEL_BYTES["sd15"], rel=0.2)
    assert need.unet == pytest.approx(2 * 859.5e6, rel=0.001)  # 860 million parameters


def test_tiles_are_smaller_than_a_picture_of_sdxl(tiny_sdxl: Path) -> None:
    vae = load_model(replace(find_model(str(tiny_sdxl)), tiling=True), CPU).autoencoder
    assert (vae.use_tiling, vae.tile_sample_min_size, vae.tile_latent_min_size) == (True, 512, 64)


@pytest.mark.parametrize("changes", [{"offload": True}, {"tiling": True}])
def test_the_ways_to_take_less_change_no_picture(
    tiny_sd15: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, bool]
) -> None:
    spec = replace(find_model(str(tiny_sd15)), name="tiny-sparing", **changes)
    monkeypatch.setitem(MODELS, spec.name, spec)
    before = pictures(replace(STORY, model=str(tiny_sd15)))
    sparing = replace(STORY, model=spec.name, previews=1)
    assert pictures(sparing) == pictures(sparing) == before


def test_a_size_that_is_no_multiple_of_8_is_refused(tiny_sd15: Path) -> None:
    with pytest.raises(EngineError) as caught:
        pictures(replace(STORY, model=str(tiny_sd15), size=100))
    assert str(caught.value) == "the size of a panel must be a multiple of 8 pixels, not 100"


def test_a_size_that_the_models_own_autoencoder_cannot_make_is_refused() -> None:
    with pytest.raises(EngineError, match="must be a multiple of 16 pixels, not 264"):
        pictures(replace(STORY, model="house", size=264))


def test_parts_that_wait_for_their_turn_are_counted_before_they_come(tiny_sd15: Path) -> None:
    artist = load_model(find_model(str(tiny_sd15)), CPU)
    assert coming_bytes(artist) == 0
    artist.device = torch.device("meta")
    assert coming_bytes(artist) == sum(weight.nbytes for weight in artist.unet.parameters())
