"""What a redraw, a saved character and a preview leave as it was, to the bit; tiny random weights.

"tiny-leading" is the tiny SD1.5 model used in the way of the house artist.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch
from diffusers import PNDMScheduler
from PIL import Image

from engine.drawing import StoryDrawing
from engine.guidance import led_away
from engine.models import HOUSE, MODELS, ModelSpec
from engine.plan import plan_shots
from engine.request import (
    CharacterRequest,
    DeviceLost,
    DrawRequest,
    EngineError,
    Event,
    PanelDrawn,
    PanelRequest,
    Preview,
    Progress,
)
from engine.story import draw_story, ready_artist

TOM, LISA = CharacterRequest("Tom", "a man typing"), CharacterRequest("Lisa", "a man")
STORY = DrawRequest(
    characters=(TOM, LISA),
    panels=(
        PanelRequest("[Tom] a typing", ("Tom",)),
        PanelRequest("[Lisa] a park", ("Lisa",)),
        PanelRequest("[Tom] and [Lisa] park", ("Tom", "Lisa")),
        PanelRequest("[NC] a park", ()),
        PanelRequest("[Tom] a park", ("Tom",)),
    ),
    steps=6,
    seed=5,
    size=64,
    micro_batch=2,
)


@pytest.fixture(params=["leading", "sd15", "sdxl"])
def story(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> DrawRequest:
    if request.param != "leading":
        folder: Path = request.getfixturevalue(f"tiny_{request.param}")
        return replace(STORY, model=str(folder))
    spec = ModelSpec(
        "tiny-leading", str(request.getfixturevalue("tiny_sd15")), sharing="leading",
        layers="all", size=64, steps=3, guidance=3.5, guidance_rescale=0.5,
    )  # fmt: skip
    monkeypatch.setitem(MODELS, spec.name, spec)
    return replace(STORY, model=spec.name)


def events(request: DrawRequest) -> list[Event]:
    return list(draw_story(request, device="cpu"))


def pictures(request: DrawRequest) -> dict[int, bytes]:
    return {e.index: e.png for e in events(request) if isinstance(e, PanelDrawn)}


def with_seed(request: DrawRequest, panel: int, seed: int) -> DrawRequest:
    panels = list(request.panels)
    panels[panel] = replace(panels[panel], seed=seed)
    return replace(request, panels=tuple(panels))


def saved(request: DrawRequest, seed: int = 3) -> DrawRequest:
    return replace(request, characters=(replace(TOM, seed=seed), LISA))


def drawing(request: DrawRequest) -> StoryDrawing:
    """The story with all its steps taken."""
    artist = ready_artist(request.model, "cpu")
    drawn = StoryDrawing(artist, request, plan_shots(request, artist.fits))
    assert list(drawn.steps())
    return drawn


@pytest.mark.parametrize("only", [(0,), (2,), (3,), (4, 1)])
def test_some_panels_are_byte_for_byte_what_the_whole_story_gives(
    story: DrawRequest, only: tuple[int, ...]
) -> None:
    whole = pictures(story)
    assert pictures(replace(story, only=only)) == {i: whole[i] for i in only}


def test_some_panels_of_a_story_with_a_saved_character_and_redrawn_panels_are_the_same_too(
    story: DrawRequest,
) -> None:
    story = with_seed(with_seed(saved(story), 1, 8), 2, 9)
    whole = pictures(story)
    for panel in (0, 2):
        assert pictures(replace(story, only=(panel,))) == {panel: whole[panel]}


def test_some_panels_take_fewer_steps_and_progress_still_comes_to_its_end(
    story: DrawRequest,
) -> None:
    def steps(request: DrawRequest) -> list[Progress]:
        found = [e for e in events(request) if isinstance(e, Progress) and e.stage == "steps"]
        assert [e.done for e in found] == list(range(1, found[-1].total + 1))
        return found

    assert len(steps(replace(story, only=(1,)))) < len(steps(story))
    panels = [e for e in events(replace(story, only=(3, 4))) if isinstance(e, PanelDrawn)]
    assert [e.index for e in panels] == [3, 4]


@pytest.mark.parametrize("panel", [0, 1, 2, 3])
def test_the_seed_of_a_panel_changes_this_panel_and_no_other(
    story: DrawRequest, panel: int
) -> None:
    before, after = pictures(story), pictures(with_seed(story, panel, 77))
    assert [i for i in range(5) if before[i] != after[i]] == [panel]
    other = pictures(with_seed(story, panel, 78))
    assert [i for i in range(5) if other[i] != after[i]] == [panel]


def test_one_panel_redrawn_does_not_change_another_redrawn_one(story: DrawRequest) -> None:
    once = with_seed(story, 0, 77)
    before, after = pictures(once), pictures(with_seed(once, 4, 78))
    assert [i for i in range(5) if before[i] != after[i]] == [4]


def test_the_portraits_of_a_saved_character_do_not_depend_on_the_story(
    story: DrawRequest,
) -> None:
    one = drawing(saved(story)).latents
    other_story = replace(
        story,
        characters=(LISA, CharacterRequest("Zoe", "a park")),
        panels=(
            PanelRequest("[Zoe] typing", ("Zoe",)),
            PanelRequest("[Lisa] [Tom] [Zoe] a man", ("Lisa", "Tom", "Zoe")),
            PanelRequest("[Tom]", ("Tom",)),
            PanelRequest("[Zoe]", ("Zoe",)),
        ),
        seed=12345,
        micro_batch=8,
    )
    tom = replace(TOM, seed=3)
    two = drawing(replace(other_story, characters=(tom, *other_story.characters))).latents
    for name in ("portrait 0 of tom", "portrait 1 of tom"):
        assert torch.equal(one[name], two[name])
        assert not torch.equal(one[name], drawing(saved(story, seed=4)).latents[name])
    assert not torch.equal(one["portrait 0 of tom"], one["portrait 1 of tom"])


def test_the_portraits_reach_the_panels_of_their_character_only(story: DrawRequest) -> None:
    three, four = (drawing(saved(story, seed=seed)).latents for seed in (3, 4))
    panels = [f"panel {number}" for number in range(5)]
    changed = [name for name in panels if not torch.equal(three[name], four[name])]
    assert changed == ["panel 0", "panel 2", "panel 4"]  # in pictures it can be less than a bit


def test_previews_are_small_pictures_of_wanted_panels_and_change_nothing(
    story: DrawRequest,
) -> None:
    plain = pictures(story)
    seen = events(replace(story, previews=2))
    assert {e.index: e.png for e in seen if isinstance(e, PanelDrawn)} == plain
    previews = [e for e in seen if isinstance(e, Preview)]
    assert sorted(e.index for e in previews) == sorted([*range(5)] * 2), "after 2 and 4 of 6 steps"
    for preview in previews:
        with Image.open(BytesIO(preview.jpeg)) as image:
            assert (image.format, image.size) == ("JPEG", (96, 96))
    some = events(replace(with_seed(story, 2, 9), previews=3, only=(2,)))
    assert [e.index for e in some if isinstance(e, Preview)] == [2]


def test_memory_that_runs_out_once_is_asked_for_in_smaller_pieces(
    story: DrawRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    artist = ready_artist(story.model, "cpu")
    forward = artist.unet.forward

    def small_only(latents: torch.Tensor, *args: object, **more: object) -> object:
        if len(latents) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return forward(latents, *args, **more)

    monkeypatch.setattr(artist.unet, "forward", small_only)
    assert set(pictures(story)) == set(range(5))


def fails(request: DrawRequest, error: Exception, monkeypatch: pytest.MonkeyPatch) -> EngineError:
    def forward(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(ready_artist(request.model, "cpu").unet, "forward", forward)
    with pytest.raises(EngineError) as caught:
        events(request)
    return caught.value


def test_memory_that_is_not_enough_and_a_lost_device_are_told_apart(
    story: DrawRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    assert fails(story, memory, monkeypatch).kind == "memory"
    lost = fails(story, torch.AcceleratorError("CUDA error: unspecified"), monkeypatch)
    assert isinstance(lost, DeviceLost)


def test_a_device_that_was_lost_between_two_stories_is_told(
    story: DrawRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> int:
        raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    monkeypatch.setattr("engine.story.panels_at_once", gone)
    with pytest.raises(DeviceLost):
        events(story)


def test_closing_early_leaves_the_unet_as_it_was(story: DrawRequest) -> None:
    unet = ready_artist(story.model, "cpu").unet
    before = dict(unet.attn_processors)
    drawn = draw_story(replace(saved(story), previews=1), device="cpu")
    assert any(isinstance(event, Preview) for event in drawn)
    drawn.close()
    assert all(unet.attn_processors[n] is p for n, p in before.items())


def test_the_words_of_a_long_story_are_read_in_parts(tiny_sdxl: Path) -> None:
    artist = ready_artist(str(tiny_sdxl), "cpu")
    asked: list[int] = []
    hook = artist.readers[0][1].register_forward_pre_hook(
        lambda module, args, named: asked.append(len(named["input_ids"])), with_kwargs=True
    )
    words = artist.read([f"a man {number} typing" for number in range(20)])
    hook.remove()
    assert asked == [8, 8, 4]
    alone = artist.read(["a man 9 typing"])
    assert words.pooled is not None
    assert alone.pooled is not None
    torch.testing.assert_close(words.states[9:10], alone.states)
    torch.testing.assert_close(words.pooled[9:10], alone.pooled)


def test_every_step_of_the_scheduler_is_taken(tiny_sd15: Path) -> None:
    artist = ready_artist(str(tiny_sd15), "cpu")
    before = artist.scheduler
    artist.scheduler = PNDMScheduler(beta_schedule="scaled_linear", skip_prk_steps=True)
    try:
        work = StoryDrawing(artist, STORY, plan_shots(STORY, artist.fits))
        steps = [event for event in work.steps() if isinstance(event, Progress)]
    finally:
        artist.scheduler = before
    assert (steps[-1].done, steps[-1].total) == (len(steps), len(steps))
    assert STORY.steps is not None
    assert len(steps) % (STORY.steps + 1) == 0  # PNDM takes one more than it is asked for


def test_guidance_ends_at_the_last_noise_levels() -> None:
    spec = replace(HOUSE, guided_above=200, guidance_rescale=0.0)
    both = torch.stack([torch.zeros(2, 4, 4), torch.ones(2, 4, 4)])
    assert torch.equal(led_away(both, 2.5, spec, torch.tensor(200)), 2.5 * both[1:])
    assert torch.equal(led_away(both, 2.5, spec, torch.tensor(199)), both[1:])


def test_a_panels_own_words_to_keep_away_from_change_that_panel_alone(story: DrawRequest) -> None:
    panels = list(story.panels)
    panels[3] = replace(panels[3], negative="tom")
    before, after = pictures(story), pictures(replace(story, panels=tuple(panels)))
    assert [number for number in before if before[number] != after[number]] == [3]
