"""A model is a folder, one file or a name on the hub; what is wrong with it is one sentence."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file

from engine.fetching import fetch_model, is_there, to_fetch, why_not
from engine.loading import Artist, load_model
from engine.models import MODELS, SD15, SDXL, Lora, find_model
from engine.request import CharacterRequest, DrawRequest, EngineError, PanelDrawn, PanelRequest
from engine.story import draw_story
from engine.vocabulary import clip_tokenizer
from engine.weights import load_vae
from tests.engine.one_file import in_one_file, make_model

CPU = torch.device("cpu")
STORY = DrawRequest(
    (CharacterRequest("Tom", "a man"),),
    (PanelRequest("[Tom] typing", ("Tom",)), PanelRequest("[Tom] in a park", ("Tom",))),
    steps=2, size=64,
)  # fmt: skip


@pytest.fixture(scope="module", params=["sd15", "sdxl"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp(request.param) / request.param, request.param)


@pytest.fixture
def file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder's model in one file; its shapes stand where those of the real ones are."""
    shapes = tmp_path / "shapes"
    ignored = shutil.ignore_patterns("*.safetensors", "tokenizer*")
    shutil.copytree(folder, shapes / folder.name, ignore=ignored)
    monkeypatch.setattr("engine.weights.SHAPES", shapes)
    return in_one_file(folder, tmp_path / "model.safetensors")


def trouble(path: Path) -> str:
    with pytest.raises(EngineError) as caught:
        load_model(find_model(str(path)), CPU)
    return str(caught.value)


def copied(folder: Path, to: Path) -> Path:
    return shutil.copytree(folder, to / "copy")


def weights(artist: Artist) -> dict[str, torch.Tensor]:
    modules = {"unet": artist.unet, "vae": artist.autoencoder}
    modules |= {f"words {i}": encoder for i, (_, encoder) in enumerate(artist.readers)}
    return {f"{part} {k}": t for part, m in modules.items() for k, t in m.state_dict().items()}


def pictures(model: Path) -> list[bytes]:
    events = draw_story(replace(STORY, model=str(model)), device="cpu")
    return [event.png for event in events if isinstance(event, PanelDrawn)]


def test_a_model_in_one_file_is_the_same_as_in_a_folder(folder: Path, file: Path) -> None:
    apart, whole = (load_model(find_model(str(p)), CPU) for p in (folder, file))
    one, other = weights(apart), weights(whole)
    assert one.keys() == other.keys()
    assert [key for key in one if not torch.equal(one[key], other[key])] == []
    assert find_model(str(file)).family == folder.name
    assert pictures(file) == pictures(folder)


def test_the_words_that_are_shipped_are_clips() -> None:
    read = clip_tokenizer()(["a photo of a cat", "Hello, world"], padding="max_length")
    assert read.input_ids[0][:7] == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert read.input_ids[1][:6] == [49406, 3306, 267, 1002, 49407, 49407]
    assert [len(ids) for ids in read.input_ids] == [77, 77]
    assert clip_tokenizer(pad="!")("a", padding="max_length").input_ids[-1] == 0


def test_weights_that_come_in_half_precision_only_are_found(folder: Path, tmp_path: Path) -> None:
    half = copied(folder, tmp_path)
    for whole in half.glob("*/*.safetensors"):
        whole.rename(whole.with_suffix(".fp16.safetensors"))
    assert weights(load_model(find_model(str(half)), CPU)).keys()


def test_another_autoencoder_takes_the_place_of_the_models_own(
    folder: Path, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    config = json.loads((folder / "vae" / "config.json").read_text())
    other = AutoencoderKL.from_config(config)
    other.save_pretrained(tmp_path / "vae")
    spec = replace(find_model(str(folder)), vae=str(tmp_path / "vae"))
    loaded = load_model(spec, CPU).autoencoder.state_dict()
    assert all(torch.equal(loaded[key], tensor) for key, tensor in other.state_dict().items())
    with pytest.raises(EngineError, match=r"the VAE .*nowhere.* is missing"):
        load_model(replace(spec, vae=str(tmp_path / "nowhere.safetensors")), CPU)


# -- bad input --------------------------------------------------------------------------------


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    assert trouble(tmp_path).endswith("is no model: the folder has no model_index.json")
    save_file({"a": torch.zeros(1)}, tmp_path / "dream.safetensors")
    assert trouble(tmp_path).endswith("to use one of its files, name it: dream.safetensors")


def test_nothing_at_a_path_is_said(tmp_path: Path) -> None:
    for nothing in (tmp_path / "nothing", tmp_path / "nothing.safetensors"):
        assert trouble(nothing).endswith("is missing: there is no such file or folder")


@pytest.mark.parametrize("suffix", ["ckpt", "bin", "pt", "pth"])
def test_pickled_weights_are_refused_by_their_name(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"model.{suffix}"
    file.write_bytes(b"anything")
    assert "is pickled, and such weights are not read: take .safetensors" in trouble(file)
    assert "is pickled" in trouble(Path(f"owner/name/model.{suffix}"))


@pytest.mark.parametrize(
    ("family", "index", "unet"),
    [
        ("SD2", {"unet": [], "text_encoder": ["transformers", "x"]}, {"cross_attention_dim": 1024}),
        ("StableDiffusion3", {"_class_name": "StableDiffusion3Pipeline", "transformer": []}, {}),
        ("Flux", {"_class_name": "FluxPipeline", "transformer": []}, {}),
        ("SDXL refiner", {"unet": [], "text_encoder": [None, None], "text_encoder_2": []}, {}),
    ],
)
def test_a_folder_of_another_family_is_refused(
    tmp_path: Path, family: str, index: dict[str, object], unet: dict[str, int]
) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps(unet))
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    said = trouble(tmp_path)
    assert said.endswith(f"is of another family ({family}); SD1.5 and SDXL models are read")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("cond_stage_model.model.positional_embedding", "another family (SD2)"),
        ("model.diffusion_model.joint_blocks.0.x", "another family (SD3)"),
        ("double_blocks.0.img_attn.proj.weight", "another family (FLUX)"),
        ("conditioner.embedders.0.model.ln_final.bias", "another family (SDXL refiner)"),
        ("lora_unet_down_blocks_0.lora_down.weight", 'is a LoRA: name it under "loras"'),
        ("down_blocks.0.resnets.0.conv1.weight", "holds no whole model"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, key: str, words: str) -> None:
    file = tmp_path / "model.safetensors"
    save_file({key: torch.zeros(2)}, file)
    assert words in trouble(file)


def test_an_inpainting_model_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
    config = copy / "unet" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "in_channels": 9}))
    assert "is made for inpainting" in trouble(copy)


def test_weights_that_are_half_downloaded_are_named(folder: Path, file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])
    assert trouble(file).endswith("half downloaded: fetch model.safetensors again")
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0")
    assert trouble(file).endswith("run `git lfs pull`")


def test_a_folder_with_half_of_a_part_is_named(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
    unet = copy / "unet" / "diffusion_pytorch_model.safetensors"
    unet.write_bytes(unet.read_bytes()[:5000])
    assert trouble(copy).endswith("fetch diffusion_pytorch_model.safetensors again")
    unet.unlink()
    assert trouble(copy).endswith("incomplete: unet lacks a .safetensors file")
    (copy / "unet" / "config.json").unlink()
    assert trouble(copy).endswith("is incomplete: unet/config.json is missing")


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_a_part_that_is_missing_is_named(folder: Path, tmp_path: Path, part: str) -> None:
    shutil.rmtree(copied(folder, tmp_path) / part)
    assert "hub" not in (said := trouble(tmp_path / "copy"))
    assert f"{part}/config.json is missing" in said or f"incomplete: {part} is missing" in said


def test_weights_of_a_part_that_are_pickled_are_called_so(folder: Path, tmp_path: Path) -> None:
    unet = copied(folder, tmp_path) / "unet"
    (unet / "diffusion_pytorch_model.safetensors").rename(unet / "diffusion_pytorch_model.bin")
    assert trouble(tmp_path / "copy").endswith(
        "incomplete: unet lacks a .safetensors file: its weights are pickled, and such are not read"
    )


def test_a_file_without_a_vae_is_no_vae(tmp_path: Path) -> None:
    save_file({"foo": torch.zeros(3)}, tmp_path / "foo.safetensors")
    with pytest.raises(EngineError, match=r"the VAE .*foo\.safetensors. cannot be loaded"):
        load_vae(str(tmp_path / "foo.safetensors"), "sdxl", torch.float32)


def test_a_home_that_nobody_has_is_no_place() -> None:
    with pytest.raises(EngineError, match="is missing: there is no such file or folder"):
        find_model("~nobody-has-this-name/x")


def test_a_hub_out_of_reach_says_how_to_go_without_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for spec in (SDXL, replace(SDXL, source="owner/name/model.safetensors")):
        with pytest.raises(EngineError) as caught:
            fetch_model(spec)
        said = str(caught.value)
        assert said.startswith(f'the model "sdxl" ({spec.source}) cannot be fetched from the hub')
        assert said.endswith("name its folder or file in config.toml instead (docs/models.md)")
        assert "from the hub: there is no connection to it; with" in said
        assert "\n" not in said


@pytest.mark.filterwarnings("ignore:The `local_dir_use_symlinks` argument")
def test_a_vae_of_a_hub_out_of_reach_says_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EngineError, match=r'the VAE "owner/vae" .*cannot be fetched from the hub'):
        load_vae("owner/vae", "sdxl", torch.float32)


def test_a_vae_in_a_folder_below_is_no_name_of_the_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "fix.safetensors").write_bytes(b"broken")
    with pytest.raises(EngineError, match=r'the VAE "models/fix.safetensors" cannot be loaded'):
        load_vae("models/fix.safetensors", "sdxl", torch.float32)


def test_a_vae_that_was_fetched_is_not_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    spec = replace(find_model(str(folder)), vae="owner/vae")
    assert to_fetch(spec) == ["owner/vae (size unknown, licence: see its page on the hub)"]
    repository = tmp_path / "models--owner--vae"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("1234")
    shutil.copytree(folder / "vae", repository / "snapshots" / "1234")
    assert to_fetch(spec) == []


def test_a_model_in_the_home_folder_is_found(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    copied(folder, tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights(load_model(find_model("~/copy"), CPU)).keys()


def test_a_model_of_the_other_family_is_refused_wherever_it_comes_from(folder: Path) -> None:
    other = SD15 if folder.name == "sdxl" else SDXL
    with pytest.raises(EngineError) as caught:
        load_model(replace(other, source=str(folder)), CPU)
    said = f'is to be of the family "{other.name}", but it is "{folder.name}"'
    assert str(caught.value) == f'the model "{other.name}" {said}'


def test_why_nothing_came_from_the_hub_is_said_in_a_few_words() -> None:
    refused = OSError("Cannot load model a/b: not fully cached (long). Please check the stacktrace")
    assert why_not(refused) == "Cannot load model a/b: not fully cached (long)"
    refused.__cause__ = RuntimeError("the client's own")
    refused.__cause__.__context__ = ConnectionRefusedError(111, "refused")
    assert why_not(refused) == "there is no connection to it"


def test_a_bare_name_is_not_looked_for_on_the_hub(folder: Path) -> None:
    spec = replace(find_model(str(folder)), loras=(Lora("pen.safetensors"),), vae="mine")
    assert to_fetch(spec) == []
    with pytest.raises(EngineError, match=r"the LoRA .*pen.* is missing: there is no such file"):
        load_model(replace(spec, vae=""), CPU)


def test_what_comes_from_the_hub_is_told_with_size_and_licence(folder: Path) -> None:
    assert not is_there(SD15.source)
    assert to_fetch(SD15, SD15.preset("draft")) == [
        f"{SD15.source} (about 2.1 GB, licence: CreativeML Open RAIL-M)",
        "latent-consistency/lcm-lora-sdv1-5/pytorch_lora_weights.safetensors"
        " (about 0.13 GB, licence: openrail++)",
    ]
    assert to_fetch(find_model(str(folder))) == []


def test_every_model_of_the_table_says_its_licence_and_size() -> None:
    for spec in MODELS.values():
        assert spec.licence
        assert spec.download or is_there(spec.source)
        assert [preset.name for preset in spec.presets] == ["draft", "normal", "fine"]
