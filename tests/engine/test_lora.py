"""LoRAs: what is added to which weight, what does not fit, and taking it out to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.loading import Artist, load_model
from engine.lora import Addition
from engine.models import Lora, find_model
from engine.request import EngineError

CPU = torch.device("cpu")
TO_Q = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
CONV = "up_blocks.1.resnets.0.conv1"
WORDS = "encoder.layers.0.self_attn.q_proj"
RANK = 4


def halves(weight: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random A and B for a weight of this shape."""
    dice = torch.Generator().manual_seed(seed)
    down = torch.randn(RANK, *weight.shape[1:], generator=dice)
    up = torch.randn(weight.shape[0], RANK, *(1 for _ in weight.shape[2:]), generator=dice)
    return down, up


@pytest.fixture
def artist(tiny_sd15: Path) -> Artist:
    return load_model(find_model(str(tiny_sd15)), CPU)


def weight(artist: Artist, module: str) -> Tensor:
    return artist.unet.get_submodule(module).weight.data


def product(halves: tuple[Tensor, Tensor]) -> Tensor:
    return (halves[1].flatten(1) @ halves[0].flatten(1)).reshape(
        len(halves[1]), *halves[0].shape[1:]
    )


@pytest.mark.parametrize(
    ("down", "up", "alpha"),
    [
        ("unet.{}.lora_A.weight", "unet.{}.lora_B.weight", None),
        ("unet.{}.lora.down.weight", "unet.{}.lora.up.weight", None),
        ("lora_unet_{}.lora_down.weight", "lora_unet_{}.lora_up.weight", "lora_unet_{}.alpha"),
    ],
    ids=["peft", "diffusers", "kohya"],
)
def test_every_form_adds_b_times_a(
    artist: Artist, tmp_path: Path, down: str, up: str, alpha: str | None
) -> None:
    state: dict[str, Tensor] = {}
    before = {}
    for module in (TO_Q, CONV):
        before[module] = weight(artist, module).clone()
        name = module.replace(".", "_") if alpha else module
        state[down.format(name)], state[up.format(name)] = halves(before[module])
        if alpha:
            state[alpha.format(name)] = torch.tensor(2.0)
    save_file(state, tmp_path / "lora.safetensors")
    artist.wardrobe.wear((Lora(str(tmp_path / "lora.safetensors"), 0.5),))
    strength = 0.5 * (2.0 / RANK if alpha else 1)
    for module in (TO_Q, CONV):
        added = weight(artist, module) - before[module]
        torch.testing.assert_close(added, strength * product(halves(before[module])))


def test_text_encoders_wear_them_too(tiny_sdxl: Path, tmp_path: Path) -> None:
    artist = load_model(find_model(str(tiny_sdxl)), CPU)
    encoders = [encoder for _, encoder in artist.readers]
    state = {}
    for part, encoder in zip(("text_encoder", "text_encoder_2"), encoders, strict=True):
        name = next(n for n, _ in encoder.named_modules() if n.endswith(WORDS))
        down, up = halves(encoder.get_submodule(name).weight)
        key = f"{part}.text_model.{WORDS}"
        state[f"{key}.lora_linear_layer.down.weight"] = down
        state[f"{key}.lora_linear_layer.up.weight"] = up
    save_file(state, tmp_path / "lora.safetensors")
    before = artist.read(["a man"]).states
    artist.wardrobe.wear((Lora(str(tmp_path / "lora.safetensors")),))
    changed = (artist.read(["a man"]).states != before).any(dim=(0, 1))
    assert changed[:16].any()
    assert changed[16:].any()


def test_what_is_taken_off_leaves_the_weights_as_they_were_to_the_bit(
    artist: Artist, tmp_path: Path
) -> None:
    before = {key: tensor.clone() for key, tensor in artist.unet.state_dict().items()}
    loras = []
    for seed in (1, 2):
        down, up = halves(weight(artist, TO_Q), seed)
        file = tmp_path / f"{seed}.safetensors"
        save_file({f"unet.{TO_Q}.lora_A.weight": down, f"unet.{TO_Q}.lora_B.weight": up}, file)
        loras.append(Lora(str(file)))
    artist.wardrobe.wear(loras)
    both = weight(artist, TO_Q).clone()
    artist.wardrobe.wear(loras[1:])
    assert not torch.equal(weight(artist, TO_Q), both)
    artist.wardrobe.wear(())
    after = artist.unet.state_dict()
    assert [key for key, tensor in before.items() if not torch.equal(after[key], tensor)] == []


def test_those_of_the_model_itself_stay(tiny_sd15: Path, tmp_path: Path) -> None:
    spec = find_model(str(tiny_sd15))
    plain = load_model(spec, CPU)
    down, up = halves(weight(plain, TO_Q))
    file = tmp_path / "lora.safetensors"
    save_file({f"unet.{TO_Q}.lora_A.weight": down, f"unet.{TO_Q}.lora_B.weight": up}, file)
    sewn = load_model(replace(spec, loras=(Lora(str(file)),)), CPU)
    sewn.wardrobe.wear(())
    added = weight(sewn, TO_Q) - weight(plain, TO_Q)
    torch.testing.assert_close(added, product((down, up)))


@pytest.mark.parametrize(
    ("module", "shape"), [(TO_Q, (99,)), ("down_blocks.9.attentions.0.to_q", (16,))]
)
def test_one_for_another_base_is_refused_and_changes_nothing(
    artist: Artist, tmp_path: Path, module: str, shape: tuple[int, ...]
) -> None:
    before = {key: tensor.clone() for key, tensor in artist.unet.state_dict().items()}
    good = halves(weight(artist, CONV))
    state = {f"unet.{CONV}.lora_A.weight": good[0], f"unet.{CONV}.lora_B.weight": good[1]}
    state[f"unet.{module}.lora_A.weight"] = torch.ones(RANK, *shape)
    state[f"unet.{module}.lora_B.weight"] = torch.ones(16, RANK)
    save_file(state, tmp_path / "lora.safetensors")
    with pytest.raises(EngineError) as caught:
        artist.wardrobe.wear((Lora(str(tmp_path / "lora.safetensors")),))
    assert "is made for another kind of model than" in str(caught.value)
    assert f"unet.{module} does not fit" in str(caught.value)
    after = artist.unet.state_dict()
    assert [key for key, tensor in before.items() if not torch.equal(after[key], tensor)] == []


def test_what_is_no_lora_is_refused(artist: Artist, tmp_path: Path) -> None:
    file = tmp_path / "lora.safetensors"
    for key in ("anything", "lora_unet_x.hada_w1_a", "double_blocks.0.lora_A.weight"):
        save_file({key: torch.ones(2, 2)}, file)
        with pytest.raises(EngineError, match="LoRA"):
            artist.wardrobe.wear((Lora(str(file)),))
    for path, words in (("x.pt", "is pickled"), (str(tmp_path / "none.safetensors"), "is missing")):
        with pytest.raises(EngineError, match=words):
            artist.wardrobe.wear((Lora(path),))
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(EngineError, match="half downloaded"):
        artist.wardrobe.wear((Lora(str(file)),))


def test_where_memory_runs_out_half_way_nothing_is_worn(
    artist: Artist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {key: tensor.clone() for key, tensor in artist.unet.state_dict().items()}
    state: dict[str, Tensor] = {}
    for module in (TO_Q, CONV):
        halves_of = halves(weight(artist, module))
        state |= dict(zip((f"unet.{module}.lora_{h}.weight" for h in "AB"), halves_of, strict=True))
    save_file(state, tmp_path / "lora.safetensors")
    merging, left = Addition.to_weight, [1]

    def to_weight(addition: Addition, weight: Tensor, scale: float) -> Tensor:
        if scale and not left.pop():
            raise torch.OutOfMemoryError("CUDA out of memory")
        if scale:
            left.append(0)
        return merging(addition, weight, scale)

    monkeypatch.setattr(Addition, "to_weight", to_weight)
    with pytest.raises(torch.OutOfMemoryError):
        artist.wardrobe.wear((Lora(str(tmp_path / "lora.safetensors")),))
    after = artist.unet.state_dict()
    assert [key for key, tensor in before.items() if not torch.equal(after[key], tensor)] == []


def test_halves_of_different_rank_are_refused(artist: Artist, tmp_path: Path) -> None:
    down, up = halves(weight(artist, TO_Q))
    file = tmp_path / "lora.safetensors"
    save_file({f"unet.{TO_Q}.lora_A.weight": down[1:], f"unet.{TO_Q}.lora_B.weight": up}, file)
    with pytest.raises(EngineError, match="does not fit"):
        artist.wardrobe.wear((Lora(str(file)),))
