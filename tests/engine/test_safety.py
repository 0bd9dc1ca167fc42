"""The safety checker, real but with tiny random weights, before what leaves the engine."""

from __future__ import annotations

from collections.abc import Generator
from io import BytesIO
from pathlib import Path

import pytest
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPModel

from engine.check import look
from engine.extras import Extras
from engine.request import (
    CharacterRequest,
    Done,
    DrawRequest,
    EngineError,
    Event,
    FrameDrawn,
    PanelDrawn,
    PanelRequest,
    Preview,
)
from engine.safety import guarded, load_checker
from engine.story import draw_story

EVERYTHING, NOTHING = -2.0, 2.0  # thresholds of a cosine


def small_config() -> CLIPConfig:
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
             "num_attention_heads": 2}  # fmt: skip
    return CLIPConfig(
        projection_dim=8, text_config=small,
        vision_config={**small, "image_size": 32, "patch_size": 16},
    )  # fmt: skip


def save_checker(folder: Path, threshold: float) -> Extras:
    """A checker that objects to whatever is nearer to its concepts than the threshold."""
    torch.manual_seed(0)
    checker = StableDiffusionSafetyChecker(small_config())
    checker.concept_embeds_weights.data.fill_(threshold)
    checker.special_care_embeds_weights.data.fill_(NOTHING)
    checker.save_pretrained(folder)
    return Extras(safety_checker=str(folder))


def story(model: Path) -> DrawRequest:
    panels = tuple(PanelRequest(f"[Tom] {words}", ("Tom",)) for words in ("typing", "a park"))
    return DrawRequest(
        (CharacterRequest("Tom", "a man"),), panels, model=str(model), steps=2, size=64, previews=1
    )


def picture(kind: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (40, 48), "teal").save(file, kind)
    return file.getvalue()


def test_a_picture_that_is_objected_to_ends_the_drawing_and_nothing_of_it_is_shown(
    tiny_sd15: Path, tmp_path: Path
) -> None:
    seen: list[Event] = []
    events = draw_story(story(tiny_sd15), device="cpu", extras=save_checker(tmp_path, EVERYTHING))
    with pytest.raises(EngineError, match="does not let panel 1 out") as caught:
        seen.extend(events)
    assert (caught.value.kind, caught.value.panels) == ("unsafe", (0,))
    assert not [event for event in seen if isinstance(event, PanelDrawn | Preview)]


def test_what_nobody_objects_to_comes_as_without_a_checker(tiny_sd15: Path, tmp_path: Path) -> None:
    extras = save_checker(tmp_path, NOTHING)
    checked, plain = (
        [e for e in draw_story(story(tiny_sd15), device="cpu", extras=e) if not isinstance(e, Done)]
        for e in (extras, Extras())
    )
    assert checked == plain
    assert any(isinstance(event, Preview) for event in checked)


def test_frames_of_an_animation_are_looked_at_too(tmp_path: Path) -> None:
    closed = []

    def frames() -> Generator[Event]:
        try:
            yield Preview(0, picture("JPEG"))
            yield FrameDrawn(0, picture("PNG"))
        finally:
            closed.append(True)

    checker = load_checker(save_checker(tmp_path, EVERYTHING).safety_checker, "cpu")
    with pytest.raises(EngineError, match="does not let a frame out") as caught:
        list(guarded(frames(), checker))
    assert (caught.value.kind, caught.value.panels, closed) == ("unsafe", (), [True])
    assert len(list(guarded(frames(), None))) == 2


def test_a_folder_that_is_no_checker_is_told_also_by_the_check(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.bin").write_bytes(b"")
    words = "lacks a .safetensors file: its weights are pickled"
    with pytest.raises(EngineError, match=words):
        load_checker(str(tmp_path), "cpu")
    found = look("house", "cpu", Extras(safety_checker=str(tmp_path / "nowhere")))
    assert "there is no such folder" in str(found["problem"])
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(EngineError, match="cannot be loaded"):
        load_checker(str(tmp_path), "cpu")


def test_a_plain_clip_model_is_no_checker_although_its_weights_can_be_read(tmp_path: Path) -> None:
    CLIPModel(small_config()).save_pretrained(tmp_path)
    with pytest.raises(EngineError, match=r"is no safety checker.* concept_embeds") as caught:
        load_checker(str(tmp_path), "cpu")
    assert str(tmp_path) in str(caught.value)
    assert "no safety checker" in str(look("house", "cpu", Extras(safety_checker=str(tmp_path))))


def test_a_checker_of_sd15_is_read_under_the_names_that_its_weights_have_there(
    tmp_path: Path,
) -> None:
    save_checker(tmp_path, EVERYTHING)
    file = tmp_path / "model.safetensors"
    weights = {
        f"vision_model.{name}" if name.startswith("vision_model.") else name: weight
        for name, weight in load_file(file).items()
    }
    weights["vision_model.vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    save_file(weights, file, {"format": "pt"})
    assert load_checker(str(tmp_path), "cpu").objects_to(picture("PNG"))
