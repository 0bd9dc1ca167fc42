"""The whole way through the engine, with tiny random weights and with the house artist."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from engine.drawing import StoryDrawing
from engine.models import HOUSE
from engine.plan import plan_shots
from engine.request import (
    CharacterRequest,
    Done,
    DrawRequest,
    EngineError,
    Note,
    PanelDrawn,
    PanelRequest,
    Progress,
)
from engine.story import draw_story, ready_artist

TOM = CharacterRequest("Tom", "a young man with glasses")
LISA = CharacterRequest("Lisa", "a woman with short hair")
STORY = DrawRequest(
    characters=(TOM, LISA),
    panels=(
        PanelRequest("[Tom] in the office, typing", ("Tom",)),
        PanelRequest("[Lisa] in the office, reading", ("Lisa",)),
        PanelRequest("[Tom] and [Lisa] argue", ("Tom", "Lisa")),
        PanelRequest("[NC] the office, papers flying", ()),
    ),
    steps=2,
    seed=5,
)


def pictures(request: DrawRequest) -> list[bytes]:
    drawn = {e.index: e.png for e in draw_story(request, device="cpu") if isinstance(e, PanelDrawn)}
    return [drawn[i] for i in range(len(request.panels))]


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png))).astype(int)


@pytest.fixture(params=["house", "sd15", "sdxl"])
def model(request: pytest.FixtureRequest) -> str:
    if request.param == "house":
        return "house"
    folder: Path = request.getfixturevalue(f"tiny_{request.param}")
    return str(folder)


@pytest.fixture
def story(model: str) -> DrawRequest:
    return replace(STORY, model=model, size=None if model == "house" else 64)


def test_every_model_family_draws_every_panel_with_progress_to_the_end(story: DrawRequest) -> None:
    events = list(draw_story(story, device="cpu"))
    assert [e.index for e in events if isinstance(e, PanelDrawn)] == [0, 1, 2, 3]
    steps = [e for e in events if isinstance(e, Progress) and e.stage == "steps"]
    assert [e.done for e in steps] == list(range(1, steps[-1].total + 1))
    assert isinstance(events[-1], Done)
    size = 256 if story.model == "house" else 64
    for event in events:
        if isinstance(event, PanelDrawn):
            assert Image.open(BytesIO(event.png)).size == (size, size)


def test_the_same_request_gives_the_same_bytes(story: DrawRequest) -> None:
    assert pictures(story) == pictures(story)


def test_another_seed_gives_other_pictures(story: DrawRequest) -> None:
    assert all(
        a != b for a, b in zip(pictures(story), pictures(replace(story, seed=6)), strict=True)
    )


def test_the_micro_batch_changes_pictures_by_rounding_only(story: DrawRequest) -> None:
    whole, single = pictures(story), pictures(replace(story, micro_batch=1))
    for a, b in zip(whole, single, strict=True):
        assert np.abs(pixels(a) - pixels(b)).mean() < 3


def test_sharing_changes_the_panels_of_a_character_but_not_a_panel_of_nobody(
    story: DrawRequest,
) -> None:
    story = replace(story, panels=(*story.panels, story.panels[0]), steps=4)
    shared, alone = latents(story), latents(replace(story, rate=0.0))
    for panel in ("panel 4", "panel 2"):  # a few random layers change less than a pixel shows
        assert not torch.equal(shared[panel], alone[panel])
    assert (shared["panel 3"] - alone["panel 3"]).abs().mean() < 0.05


def latents(story: DrawRequest) -> dict[str, torch.Tensor]:
    artist = ready_artist(story.model, "cpu")
    drawing = StoryDrawing(artist, story, plan_shots(story, artist.fits))
    assert list(drawing.steps())
    return drawing.latents


def test_the_unet_is_left_as_it_was_also_when_the_drawing_is_closed_early(
    story: DrawRequest,
) -> None:
    artist = ready_artist(story.model, "cpu")
    before = dict(artist.unet.attn_processors)
    events = draw_story(story, device="cpu")
    for event in events:
        if isinstance(event, Progress) and event.stage == "steps":
            assert any(artist.unet.attn_processors[n] is not p for n, p in before.items())
            break
    events.close()  # type: ignore[attr-defined]
    assert all(artist.unet.attn_processors[n] is p for n, p in before.items())


def test_guidance_of_one_draws_without_an_unconditional_half(story: DrawRequest) -> None:
    assert len(pictures(replace(story, guidance=1.0))) == 4


def test_an_unknown_model_names_the_nearest_and_all() -> None:
    with pytest.raises(EngineError, match=r'nearest is "house".*house, sd15, sdxl'):
        list(draw_story(replace(STORY, model="hous")))


def test_a_model_folder_without_its_parts_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"unet": ["diffusers", "UNet2DConditionModel"]}')
    with pytest.raises(EngineError, match=r"is incomplete: unet/config\.json is missing"):
        list(draw_story(replace(STORY, model=str(tmp_path)), device="cpu"))


def test_the_house_weights_are_fp16_safetensors_of_at_most_60_megabytes() -> None:
    folder = Path(HOUSE.source)
    files = [f for f in folder.rglob("*") if f.is_file()]
    weights = [f for f in files if f.suffix == ".safetensors"]
    assert {f.suffix for f in files} <= {".safetensors", ".json"}
    assert sum(f.stat().st_size for f in weights) <= 60_000_000
    for file in weights:
        kinds = {tensor.dtype for tensor in load_file(file).values()}
        assert kinds <= {torch.float16, torch.int64}, file


def test_a_device_that_is_not_there_is_refused_in_words() -> None:
    with pytest.raises(EngineError, match="has no device"):
        list(draw_story(STORY, device="cuda:77"))


def test_too_many_words_for_the_model_are_said(story: DrawRequest) -> None:
    tom = replace(TOM, description="a man, " + "very tall, " * 150)
    notes = list(draw_story(replace(story, characters=(tom, LISA)), device="cpu"))
    texts = [note.text for note in notes if isinstance(note, Note)]
    assert len(texts) == 1
    assert "the words of panel 1" in texts[0]


def test_a_broken_model_index_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{bad")
    with pytest.raises(EngineError, match="broken"):
        list(draw_story(replace(STORY, model=str(tmp_path)), device="cpu"))
