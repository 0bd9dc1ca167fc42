"""Drawing in few steps: presets, schedulers that add noise, and how much is shared then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from diffusers import EulerDiscreteScheduler
from safetensors.torch import save_file

from engine.attention.hook import sharing_chance
from engine.drawing import StoryDrawing
from engine.loading import Artist, load_model
from engine.models import HOUSE, MODELS, Lora, ModelSpec, Preset, SchedulerName, find_model
from engine.plan import plan_shots
from engine.ready import ready_artist
from engine.request import CharacterRequest, DrawRequest, EngineError, PanelDrawn, PanelRequest
from engine.schedulers import SCHEDULERS, scheduler_for
from engine.story import draw_story
from tests.engine.test_lora import TO_Q, halves

STORY = DrawRequest(
    (CharacterRequest("Tom", "a man typing"),),
    (
        PanelRequest("[Tom] a typing", ("Tom",)),
        PanelRequest("[Tom] a park", ("Tom",)),
        PanelRequest("[NC] a park", ()),
    ),
    steps=4, size=64, identity_panels=1,
)  # fmt: skip


@pytest.fixture
def spec(tiny_sd15: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """A tiny model whose draft wears a LoRA."""
    plain = load_model(find_model(str(tiny_sd15)), torch.device("cpu"))
    down, up = halves(plain.unet.get_submodule(TO_Q).weight.data)
    file = tmp_path / "lcm.safetensors"
    save_file({f"unet.{TO_Q}.lora_A.weight": down, f"unet.{TO_Q}.lora_B.weight": up}, file)
    presets = (
        Preset("draft", 2, 1.0, "lcm", (Lora(str(file)),)),
        Preset("fine", 6, 5.0),
    )
    spec = replace(find_model(str(tiny_sd15)), name="tiny-presets", presets=presets)
    monkeypatch.setitem(MODELS, spec.name, spec)
    return spec


def pictures(request: DrawRequest) -> dict[int, bytes]:
    events = draw_story(request, device="cpu")
    return {event.index: event.png for event in events if isinstance(event, PanelDrawn)}


def drawing(artist: Artist, request: DrawRequest) -> StoryDrawing:
    return StoryDrawing(artist, request, plan_shots(request, artist.fits))


def test_a_preset_gives_steps_guidance_scheduler_and_loras(spec: ModelSpec) -> None:
    artist = ready_artist(spec.name, "cpu")
    asked = replace(STORY, model=spec.name, preset="draft", steps=None)
    draft = drawing(artist, asked)
    assert (draft.count, draft.guidance, draft.way.scheduler) == (2, 1.0, "lcm")
    assert artist.wardrobe.worn == spec.presets[0].loras
    own = drawing(artist, replace(asked, steps=3, guidance=2.0))
    assert (own.count, own.guidance) == (3, 2.0)
    fine = drawing(artist, replace(asked, preset="fine"))
    assert (fine.count, fine.guidance, fine.way.scheduler) == (6, 5.0, "")
    assert artist.wardrobe.worn == ()


def test_a_draft_between_changes_nothing(spec: ModelSpec) -> None:
    fine = replace(STORY, model=spec.name, preset="fine", steps=None)
    before = pictures(fine)
    draft = pictures(replace(fine, preset="draft"))
    assert draft != before
    assert pictures(fine) == before
    assert pictures(replace(fine, preset="draft")) == draft


def test_a_preset_that_a_model_lacks_is_refused(spec: ModelSpec) -> None:
    with pytest.raises(EngineError) as caught:
        pictures(replace(STORY, model=spec.name, preset="normal"))
    assert str(caught.value).endswith('has no preset "normal"; it has: draft, fine')


@pytest.mark.parametrize("scheduler", [name for name in get_args(SchedulerName) if name])
def test_with_every_scheduler_a_panel_is_the_same_whatever_is_drawn_beside_it(
    tiny_sd15: Path, monkeypatch: pytest.MonkeyPatch, scheduler: SchedulerName
) -> None:
    spec = replace(find_model(str(tiny_sd15)), name="tiny-scheduled", scheduler=scheduler)
    monkeypatch.setitem(MODELS, spec.name, spec)
    request = replace(STORY, model=spec.name, guidance=1.0, micro_batch=1)
    whole = pictures(request)
    assert pictures(request) == whole
    assert pictures(replace(request, only=(2,)))[2] == whole[2]


def test_every_name_has_a_scheduler() -> None:
    assert set(SCHEDULERS) | {""} == set(get_args(SchedulerName))


@pytest.mark.parametrize(
    ("steps", "chances"),
    [
        (1, [0.75]),  # 0.3 of the way at 0.7 and 0.6 of it at 0.9
        (2, [0.60, 0.90]),
        (4, [0.42, 0.78, 0.90, 0.90]),
        (8, [0.14, 0.70, 0.70, 0.86, 0.90, 0.90, 0.90, 0.90]),
        (10, [0.0] + [0.7] * 3 + [0.9] * 6),
    ],
)
def test_few_steps_share_as_much_as_many(steps: int, chances: list[float]) -> None:
    found = [sharing_chance(step, steps) for step in range(steps)]
    assert found == pytest.approx(chances)
    assert sum(found) / steps == pytest.approx(0.75)


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_an_identity_panel_reaches_the_others_in_few_steps(
    tiny_sd15: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    spec = find_model(str(tiny_sd15))
    spec = replace(spec, name="tiny-few", scheduler="trailing", layers="all")
    monkeypatch.setitem(MODELS, spec.name, spec)
    request = replace(STORY, model=spec.name, steps=steps, guidance=1.0)
    shared, apart = pictures(request), pictures(replace(request, rate=0.0))
    assert shared[1] != apart[1]
    assert shared[2] == apart[2]  # nobody is in it


def test_the_house_artist_draws_normally_as_it_draws_unasked() -> None:
    assert HOUSE.way("normal") == HOUSE.way()


def test_more_steps_than_a_scheduler_can_take_are_refused(tiny_sd15: Path) -> None:
    own = load_model(find_model(str(tiny_sd15)), torch.device("cpu")).scheduler
    with pytest.raises(EngineError, match='the scheduler "lcm" cannot take 60 steps'):
        scheduler_for(own, "lcm", 60, "cpu")


@pytest.mark.parametrize("name", ["euler", "dpm++", "unipc", "trailing"])
def test_the_sigmas_of_karras_come_only_where_they_are_asked_for(name: SchedulerName) -> None:
    own = EulerDiscreteScheduler(use_karras_sigmas=True)
    assert not scheduler_for(own, name, 8, "cpu").config.use_karras_sigmas
