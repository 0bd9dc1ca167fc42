"""Files that cannot be loaded: one sentence says which, and what is wrong with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.models import SD15, AnimateDiff
from engine.motion.animatediff import load_animatediff
from engine.motion.predictor import SemanticMotionPredictor, save_predictor
from engine.ready import ready_artist
from engine.request import EngineError
from tests.engine.motion.tiny_animatediff import make_adapter, make_image_encoder, make_ip_adapter

IP_ADAPTER = "ip-adapter.safetensors"
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def whole(tiny_sd15: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that can be loaded: adapter/, ip/ (basic)."""
    torch.manual_seed(4)
    folder = tmp_path_factory.mktemp("whole")
    make_adapter(folder / "adapter")
    make_ip_adapter(folder / "ip" / IP_ADAPTER, tiny_sd15 / "unet", "basic")
    make_image_encoder(folder / "ip" / "image_encoder")
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy to be broken."""
    shutil.copytree(whole, tmp_path / "weights")
    return tmp_path / "weights"


def load(model: Path, folder: Path, **changes: object) -> None:
    motion = AnimateDiff(str(folder / "adapter"), str(folder / "ip"))
    motion = replace(motion, **changes)  # type: ignore[arg-type]
    load_animatediff(ready_artist(str(model), "cpu"), motion)


def trouble(model: Path, folder: Path, **changes: object) -> str:
    with pytest.raises(EngineError) as caught:
        load(model, folder, **changes)
    said = str(caught.value)
    assert "\n" not in said
    return said


def pickle_instead(file: Path) -> None:
    file.rename(file.with_suffix(".bin"))


def with_wider_projection(file: Path) -> None:
    """An IP-Adapter for a base model with other words."""
    weights = load_file(file)
    wide = {k: torch.zeros(v.shape[0], 24) for k, v in weights.items() if "ip_adapter" in k}
    save_file(weights | wide, file)


def for_faces(file: Path) -> None:
    weights = load_file(file)
    weights["image_proj.proj.0.weight"] = weights.pop("image_proj.proj.weight")
    save_file(weights, file)


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no adapter": (
        lambda f: shutil.rmtree(f / "adapter"),
        '/adapter" is missing: there is no such folder',
    ),
    "no adapter's config": (
        lambda f: (f / "adapter" / "config.json").unlink(), '/adapter" lacks config.json'
    ),
    "no adapter's weights": (
        lambda f: (f / "adapter" / WEIGHTS).unlink(), '/adapter" lacks a .safetensors file'
    ),
    "pickled adapter": (
        lambda f: pickle_instead(f / "adapter" / WEIGHTS),
        'lacks a .safetensors file: its weights are pickled, and such are not read',
    ),
    "broken adapter": (
        lambda f: (f / "adapter" / WEIGHTS).write_bytes(b"nonsense"),
        '/adapter" cannot be loaded: ',
    ),
    "adapter of another model": (
        lambda f: (shutil.rmtree(f / "adapter"), make_adapter(
            f / "adapter", block_out_channels=(16, 32, 32))),
        'does not fit the model "',
    ),
    "wider adapter": (
        lambda f: (shutil.rmtree(f / "adapter"), make_adapter(
            f / "adapter", block_out_channels=(32, 32))),
        'does not fit the model "',
    ),
    "adapter that reads pictures": (
        lambda f: (shutil.rmtree(f / "adapter"), make_adapter(
            f / "adapter", conv_in_channels=9)),
        'does not fit the model "',
    ),
    "no IP-Adapter": (
        lambda f: shutil.rmtree(f / "ip"),
        '/ip" is missing: there is no such file or folder',
    ),
    "no IP-Adapter's weights": (
        lambda f: (f / "ip" / IP_ADAPTER).unlink(), '/ip" lacks a .safetensors file'
    ),
    "pickled IP-Adapter": (
        lambda f: pickle_instead(f / "ip" / IP_ADAPTER), "its weights are pickled"
    ),
    "two IP-Adapters": (
        lambda f: shutil.copy(f / "ip" / IP_ADAPTER, f / "ip" / "other.safetensors"),
        f"a folder of several; name one of its files: {IP_ADAPTER}, other.safetensors",
    ),
    "broken IP-Adapter": (
        lambda f: (f / "ip" / IP_ADAPTER).write_bytes(b"nonsense"), "cannot be read: "
    ),
    "IP-Adapter of another model": (
        lambda f: with_wider_projection(f / "ip" / IP_ADAPTER),
        'does not fit the model "',
    ),
    "IP-Adapter for faces": (
        lambda f: for_faces(f / "ip" / IP_ADAPTER),
        "no IP-Adapter that reads whole pictures; take a basic one",
    ),
    "no image encoder": (
        lambda f: shutil.rmtree(f / "ip" / "image_encoder"),
        '/image_encoder" is missing: there is no such folder',
    ),
    "pickled image encoder": (
        lambda f: pickle_instead(f / "ip" / "image_encoder" / "model.safetensors"),
        '/image_encoder" lacks a .safetensors file: its weights are pickled',
    ),
    "another image encoder": (
        lambda f: make_image_encoder(f / "ip" / "image_encoder", projection_dim=20),
        f'/image_encoder" is not the one that "{IP_ADAPTER}" was made for',
    ),
    "broken image encoder": (
        lambda f: (f / "ip" / "image_encoder" / "config.json").write_text("{"),
        '/image_encoder" cannot be loaded: ',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_the_file_and_what_is_wrong_with_it_are_named(
    tiny_sd15: Path, folder: Path, name: str
) -> None:
    breaks, words = BREAKS[name]
    breaks(folder)
    assert words in trouble(tiny_sd15, folder)


def test_weights_in_the_folder_models_are_found(tiny_sd15: Path, folder: Path) -> None:
    (folder / "ip").rename(folder / "models")
    load(tiny_sd15, folder, ip_adapter=str(folder))


def test_the_file_can_be_named_itself_but_not_a_pickled_one(tiny_sd15: Path, folder: Path) -> None:
    load(tiny_sd15, folder, ip_adapter=str(folder / "ip" / IP_ADAPTER))
    pickled = str(folder / "ip" / "ip-adapter.bin")
    assert "is pickled, and such weights are not read" in trouble(
        tiny_sd15, folder, ip_adapter=pickled
    )


def test_an_encoder_without_the_projection_is_refused(tiny_sd15: Path, folder: Path) -> None:
    file = folder / "ip" / "image_encoder" / "model.safetensors"
    weights = {k: v for k, v in load_file(file).items() if "visual_projection" not in k}
    save_file(weights, file, {"format": "pt"})
    assert "is no CLIP vision model with a projection" in trouble(tiny_sd15, folder)


def test_of_the_hub_the_whole_path_is_wanted(tiny_sd15: Path, folder: Path) -> None:
    said = trouble(tiny_sd15, folder, ip_adapter="h94/IP-Adapter")
    assert "the whole path is needed, such as owner/name/models/ip-adapter_sd15" in said


@pytest.mark.parametrize("key", ["adapter", "ip_adapter"])
def test_what_cannot_be_fetched_is_said(
    tiny_sd15: Path, folder: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("transformers.utils.hub.is_offline_mode", lambda: True)
    said = trouble(tiny_sd15, folder, **{key: "inkwell-test/none/models/ip.safetensors"})
    assert "cannot be fetched: " in said or "cannot be loaded: " in said


def test_a_predictor_for_other_tokens_is_refused(tiny_sd15: Path, folder: Path) -> None:
    save_predictor(SemanticMotionPredictor(5, 32, 16, 1, 2), folder / "predictor")
    said = trouble(tiny_sd15, folder, predictor=folder / "predictor")
    assert "trained for 5 tokens of 32 numbers, but this IP-Adapter reads 1 of 24" in said


def test_a_predictor_that_is_not_there_is_named(tiny_sd15: Path, folder: Path) -> None:
    said = trouble(tiny_sd15, folder, predictor=folder / "predictor")
    assert "the motion predictor in" in said
    assert "/predictor" in said


def test_the_default_ip_adapter_is_one_file_on_the_hub() -> None:
    from engine.motion_settings import MotionSettings

    name = MotionSettings().ip_adapter
    assert name.count("/") > 1
    assert name.endswith(".safetensors")
    assert SD15.motion is None
