"""PhotoMaker for uploaded pictures: tiny random weights by the published names, from real files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from engine.drawing import StoryDrawing
from engine.fusing import IdEncoder
from engine.identity import picture_values
from engine.loading import Artist, load_model
from engine.models import MODELS, find_model
from engine.motion.clip_encoder import prepared
from engine.photomaker import PhotoMaker, knowing_pictures, load_photomaker
from engine.plan import Shot, plan_shots
from engine.request import DrawRequest, EngineError, PanelRequest
from tests.engine.test_picture_adapter import STORY as PICTURED
from tests.engine.test_picture_adapter import differ, pictures, png

CPU = torch.device("cpu")
HIDDEN, SIDE, PATCH, LAYERS, WIDTH = 64, 32, 16, 2, 32
STORY = replace(PICTURED, rate=0.0)  # nothing but the adapter
TOM, LISA = STORY.characters


def layer(name: str, outputs: int, inputs: int) -> dict[str, Tensor]:
    weight = torch.randn(outputs, inputs) / inputs**0.5
    return {f"{name}.weight": weight, f"{name}.bias": torch.randn(outputs) / 4}


def norm(name: str, width: int) -> dict[str, Tensor]:
    return {f"{name}.weight": 1 + torch.randn(width) / 4, f"{name}.bias": torch.randn(width) / 4}


def encoder_weights(width: int) -> dict[str, Tensor]:
    """By the names of "id_encoder" in photomaker-v1.bin."""
    tower, fuse = "vision_model", "fuse_module"
    weights = {
        f"{tower}.embeddings.class_embedding": torch.randn(HIDDEN),
        f"{tower}.embeddings.patch_embedding.weight": torch.randn(HIDDEN, 3, PATCH, PATCH) / 16,
        f"{tower}.embeddings.position_embedding.weight": torch.randn(5, HIDDEN),
        "visual_projection.weight": torch.randn(width // 2, HIDDEN) / 8,
        "visual_projection_2.weight": torch.randn(width // 2, HIDDEN) / 8,
        **norm(f"{tower}.pre_layrnorm", HIDDEN),
        **norm(f"{tower}.post_layernorm", HIDDEN),
        **norm(f"{fuse}.mlp1.layernorm", 2 * width),
        **layer(f"{fuse}.mlp1.fc1", width, 2 * width),
        **layer(f"{fuse}.mlp1.fc2", width, width),
        **norm(f"{fuse}.mlp2.layernorm", width),
        **layer(f"{fuse}.mlp2.fc1", width, width),
        **layer(f"{fuse}.mlp2.fc2", width, width),
        **norm(f"{fuse}.layer_norm", width),
    }
    for number in range(LAYERS):
        own = f"{tower}.encoder.layers.{number}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            weights |= layer(f"{own}.self_attn.{part}", HIDDEN, HIDDEN)
        weights |= norm(f"{own}.layer_norm1", HIDDEN) | norm(f"{own}.layer_norm2", HIDDEN)
        weights |= layer(f"{own}.mlp.fc1", 96, HIDDEN) | layer(f"{own}.mlp.fc2", HIDDEN, 96)
    return weights


def lora_weights(unet: Path, size: float = 0.2) -> dict[str, Tensor]:
    """By the names of "lora_weights": attention's processors of an older diffusers."""
    weights = {}
    model = UNet2DConditionModel.from_pretrained(unet)
    for name in model.attn_processors:
        for part in ("to_q", "to_k", "to_v", "to_out.0"):
            module = model.get_submodule(f"{name.removesuffix('.processor')}.{part}")
            key = f"unet.{name}.{part.removesuffix('.0')}_lora"
            weights[f"{key}.down.weight"] = torch.randn(4, module.in_features) * size
            weights[f"{key}.up.weight"] = torch.randn(module.out_features, 4) * size
    return weights


def make_photomaker(file: Path, unet: Path, *, size: float = 0.2, width: int = WIDTH) -> Path:
    """`size` of the LoRA's weights; 0: the words alone know the pictures."""
    torch.manual_seed(4)
    weights = {f"id_encoder.{key}": value for key, value in encoder_weights(width).items()}
    weights |= {f"lora_weights.{key}": value for key, value in lora_weights(unet, size).items()}
    save_file(weights, file)
    return file


def configure(monkeypatch: pytest.MonkeyPatch, file: object, family: str = "sdxl") -> None:
    monkeypatch.setitem(MODELS, family, replace(MODELS[family], photomaker=str(file)))


@pytest.fixture
def file(tmp_path: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_photomaker(tmp_path / "photomaker.safetensors", tiny_sdxl / "unet")
    configure(monkeypatch, made)
    return made


@pytest.fixture
def artist(file: Path, tiny_sdxl: Path) -> Artist:
    return load_model(find_model(str(tiny_sdxl)), CPU)


def told(artist: Artist, request: DrawRequest) -> tuple[list[Shot], Tensor, Tensor]:
    """The panels, and their words before and after."""
    shots = [shot for shot in plan_shots(request, artist.fits) if shot.panel is not None]
    rows = {shot.name: row for row, shot in enumerate(shots)}
    everyone = plan_shots(request, artist.fits)
    words = artist.read([shot.prompt for shot in shots])
    rows |= {shot.name: 0 for shot in everyone if shot.panel is None}
    after = knowing_pictures(artist, everyone, load_photomaker(artist), words, rows)
    assert after.pooled is words.pooled
    return shots, words.states, after.states


def changed(before: Tensor, after: Tensor) -> list[int]:
    """Which states [T, C] differ."""
    return (before != after).any(-1).nonzero().flatten().tolist()


# -- what is seen, and where it goes -----------------------------------------------------------


def test_a_picture_is_seen_and_fused_as_the_paper_says(artist: Artist, file: Path) -> None:
    """Against the library's own CLIP, and the formula written out."""
    w = {k.removeprefix("id_encoder."): v for k, v in load_file(file).items()}
    clip = CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=HIDDEN, intermediate_size=96, num_hidden_layers=LAYERS, image_size=SIDE,
            num_attention_heads=1, patch_size=PATCH, projection_dim=WIDTH // 2,
        )
    ).eval()  # fmt: skip
    assert clip.load_state_dict(w, strict=False).missing_keys == []
    adapter = load_photomaker(artist)
    pixels = prepared(picture_values(png("red"), SIDE)[None], SIDE)
    states = torch.randn(3, WIDTH)
    with torch.no_grad():
        first = clip(pixel_values=pixels).image_embeds[0]
        pooled = clip.vision_model(pixel_values=pixels).pooler_output[0]
        identity = adapter.identity(png("red"))
        torch.testing.assert_close(identity[: WIDTH // 2], first)
        torch.testing.assert_close(identity[WIDTH // 2 :], w["visual_projection_2.weight"] @ pooled)
        for strength in (0.0, 0.5, 1.0):
            fused = adapter.fuse(states, identity, strength)
            expected = torch.lerp(states, written_out(w, states, identity), strength)
            torch.testing.assert_close(fused, expected)


def test_the_published_shapes_are_those_of_clips_large_encoder() -> None:
    tower = "vision_model"
    shapes = {
        "visual_projection.weight": [768, 1024],
        "visual_projection_2.weight": [1280, 1024],
        f"{tower}.embeddings.patch_embedding.weight": [1024, 3, 14, 14],
        f"{tower}.embeddings.position_embedding.weight": [257, 1024],
    }
    layers = [f"{tower}.encoder.layers.{number}" for number in range(24)]
    shapes |= {f"{own}.mlp.fc1.weight": [4096, 1024] for own in layers}
    with torch.device("meta"):  # no memory
        encoder = IdEncoder.like(shapes)
    config = encoder.vision_model.config
    assert (encoder.width, encoder.side) == (2048, 224)
    assert (config.num_hidden_layers, config.num_attention_heads) == (24, 16)
    state = encoder.state_dict()
    assert {key: list(state[key].shape) for key in shapes} == shapes
    assert list(state["fuse_module.mlp1.fc1.weight"].shape) == [2048, 4096]


def written_out(w: dict[str, Tensor], states: Tensor, identity: Tensor) -> Tensor:
    def mlp(name: str, x: Tensor) -> Tensor:
        f = f"fuse_module.{name}"
        x = F.layer_norm(x, x.shape[-1:], w[f"{f}.layernorm.weight"], w[f"{f}.layernorm.bias"])
        x = F.gelu(F.linear(x, w[f"{f}.fc1.weight"], w[f"{f}.fc1.bias"]))
        return F.linear(x, w[f"{f}.fc2.weight"], w[f"{f}.fc2.bias"])

    x = mlp("mlp1", torch.cat([states, identity.repeat(len(states), 1)], 1)) + states
    x = mlp("mlp2", x) + x
    last = "fuse_module.layer_norm"
    return F.layer_norm(x, x.shape[-1:], w[f"{last}.weight"], w[f"{last}.bias"])


def test_only_the_state_of_the_noun_changes_and_only_in_the_panels_of_the_character(
    artist: Artist,
) -> None:
    shots, before, after = told(artist, STORY)
    for row, shot in enumerate(shots):
        ids = artist.readers[0][0](shot.prompt).input_ids
        own = artist.states_of(shot.prompt)  # beside longer ones they come again
        man = [*range(ids.index(6), len(before[row]), own)] if "Tom" in shot.prompt else []
        assert changed(before[row], after[row]) == man  # the first "man": Tom is named first


def test_two_characters_are_fused_each_at_its_own_noun(artist: Artist) -> None:
    lisa = replace(LISA, picture=png("blue"))
    both = told(artist, replace(STORY, characters=(TOM, lisa)))
    toms = told(artist, STORY)
    place = next(i for i, shot in enumerate(both[0]) if shot.panel == 2)
    first, second = changed(both[1][place], both[2][place])
    torch.testing.assert_close(both[2][place, first], toms[2][place, first])
    assert changed(toms[1][place], toms[2][place]) == [first]
    assert not torch.allclose(both[2][place, second], both[2][place, first])


def test_a_noun_is_fused_also_where_its_words_are_repeated_beside_longer_ones(
    artist: Artist,
) -> None:
    long = PanelRequest("[NC] " + "a park, " * 10, ())
    shots, before, after = told(artist, replace(STORY, panels=(STORY.panels[0], long)))
    row = next(i for i, shot in enumerate(shots) if shot.panel == 0)
    places = changed(before[row], after[row])
    assert len(places) > 1
    assert places == [*range(places[0], before.shape[1], artist.states_of(shots[row].prompt))]
    assert all(torch.equal(after[row, place], after[row, places[0]]) for place in places)


# -- pictures ----------------------------------------------------------------------------------


def test_a_portrait_changes_the_picture_and_so_do_another_one_and_its_strength(
    file: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a LoRA's weights: what only the nouns do stays in the panels of the character."""
    make_photomaker(file, tiny_sdxl / "unet", size=0.0)
    story = replace(STORY, model=str(tiny_sdxl))
    red = pictures(story)
    for change in ({"picture": png("blue")}, {"strength": 0.5}, {"strength": 0.0}):
        tom = replace(TOM, **change)  # type: ignore[arg-type]
        assert differ(red, pictures(replace(story, characters=(tom, LISA)))) == [True, False, True]
    configure(monkeypatch, "")
    assert differ(red, pictures(story)) == [True, False, True]


def test_no_strength_is_no_picture(file: Path, tiny_sdxl: Path) -> None:
    story = replace(STORY, model=str(tiny_sdxl))
    without, none = (
        pictures(replace(story, characters=(replace(TOM, **change), LISA)))  # type: ignore[arg-type]
        for change in ({"strength": 0.0}, {"picture": None})
    )
    assert without == none


def test_the_lora_is_worn_as_firmly_as_the_picture_leads_and_taken_off_again(
    artist: Artist, file: Path
) -> None:
    key = "up_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q"
    weight = artist.unet.get_submodule(key).weight
    before = weight.clone()
    w = load_file(file)
    name = f"lora_weights.unet.{key.removesuffix('.to_q')}.processor.to_q_lora"
    added = w[f"{name}.up.weight"] @ w[f"{name}.down.weight"]
    adapter = load_photomaker(artist)
    assert torch.equal(weight, before)
    for strength in (1.0, 0.5):
        request = replace(STORY, characters=(replace(TOM, strength=strength), LISA))
        StoryDrawing(artist, request, plan_shots(request, artist.fits), None, adapter)
        torch.testing.assert_close(weight, before + strength * added)
    request = replace(STORY, characters=(replace(TOM, picture=None), LISA))
    StoryDrawing(artist, request, plan_shots(request, artist.fits), None, adapter)
    assert torch.equal(weight, before)


@pytest.mark.parametrize("steps", [5, 1])
def test_words_alone_decide_the_first_fifth_where_there_is_more_than_one_step(
    artist: Artist, steps: int
) -> None:
    request = replace(STORY, steps=steps, panels=STORY.panels[:1], guidance=1.0)
    shots = plan_shots(request, artist.fits)
    drawing = StoryDrawing(artist, request, shots, None, load_photomaker(artist))
    read: list[Tensor] = []

    def note(module: Any, given: Any, named: dict[str, Any]) -> None:
        read.append(named["encoder_hidden_states"])

    hook = artist.unet.register_forward_pre_hook(note, with_kwargs=True)
    list(drawing.steps())
    hook.remove()
    row = drawing._row["panel 0"]
    plain, fused = (words.states[row] for words in (drawing._words, drawing._fused))
    assert not torch.equal(plain, fused)
    panels = [states[0] for states in read if len(states) == 1 and states.shape[1:] == plain.shape]
    knows = [torch.equal(states, fused) for states in panels if not is_picture(states, drawing)]
    assert knows == ([False] + [True] * 4 if steps == 5 else [True])


def is_picture(states: Tensor, drawing: StoryDrawing) -> bool:
    """Whether these are the words of the picture itself, which passes for the bank."""
    return torch.equal(states, drawing._words.states[drawing._row["picture of tom"]])


def test_a_story_without_pictures_needs_no_adapter(
    tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, "/nowhere.safetensors")
    cast = (replace(TOM, picture=None), LISA)
    assert pictures(replace(STORY, characters=cast, model=str(tiny_sdxl)))


# -- what can be wrong -------------------------------------------------------------------------


def rewritten(file: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    weights = load_file(file)
    change(weights)
    save_file(weights, file)


def without(start: str) -> Callable[[Path], None]:
    def drop(weights: dict[str, Tensor]) -> None:
        for key in [key for key in weights if key.startswith(start)]:
            del weights[key]

    return lambda file: rewritten(file, drop)


def second_version(file: Path) -> None:
    extra = {"id_encoder.qformer_perceiver.token_norm.weight": torch.ones(4)}
    rewritten(file, lambda weights: weights.update(extra))


def wider(file: Path) -> None:
    """The LoRA of a larger model."""

    def widen(weights: dict[str, Tensor]) -> None:
        for key in [k for k in weights if k.endswith("to_q_lora.up.weight")]:
            weights[key] = torch.randn(99, 4)

    rewritten(file, widen)


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (Path.unlink, "is missing: there is no such file here"),
    "cut off": (lambda f: f.write_bytes(f.read_bytes()[:-100]), "only half downloaded"),
    "nonsense": (lambda f: f.write_bytes(b"nonsense"), "is broken or only half downloaded"),
    "no encoder": (without("id_encoder."), 'nothing in it is named "id_encoder.'),
    "no LoRA": (without("lora_weights."), 'nothing in it is named "lora_weights.'),
    "no fusing": (without("id_encoder.fuse_module.mlp2"), "is no PhotoMaker adapter of version 1"),
    "another encoder": (without("id_encoder.visual_projection_2"), "adapter of version 1"),
    "version 2": (second_version, "is no PhotoMaker adapter of version 1"),
    "another LoRA": (wider, "is made for another kind of model"),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_an_adapter_that_cannot_be_used_ends_the_story_in_a_sentence(
    broken: str, file: Path, tiny_sdxl: Path
) -> None:
    change, said = BREAKS[broken]
    change(file)
    with pytest.raises(EngineError, match=said):
        pictures(replace(STORY, model=str(tiny_sdxl)))


def test_the_lines_in_the_docs_make_a_file_of_the_published_form(
    file: Path, artist: Artist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = load_file(file)
    halves = {
        half: {k.split(".", 1)[1]: t for k, t in weights.items() if k.startswith(half)}
        for half in ("id_encoder", "lora_weights")
    }
    monkeypatch.chdir(tmp_path)
    torch.save(halves, "photomaker-v1.bin")
    guide = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    (lines,) = (part for part in re.findall(r"```python\n(.*?)```", guide, re.DOTALL))
    exec(lines, {})
    made = tmp_path / "photomaker-v1.safetensors"
    assert load_file(made).keys() == weights.keys()
    artist.spec = replace(artist.spec, photomaker=str(made))
    assert load_photomaker(artist).file == made


def test_a_pickled_one_is_refused(tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, "/models/photomaker-v1.bin")
    with pytest.raises(EngineError, match=r"photomaker-v1\.bin\) is pickled"):
        pictures(replace(STORY, model=str(tiny_sdxl)))


def test_a_model_of_another_family_is_told(
    file: Path, tiny_sd15: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, file, "sd15")
    with pytest.raises(EngineError, match=r"is for SDXL models, and .* is of another family"):
        pictures(replace(STORY, model=str(tiny_sd15)))


def test_a_model_that_reads_other_words_is_told(
    artist: Artist, file: Path, tiny_sdxl: Path
) -> None:
    make_photomaker(file, tiny_sdxl / "unet", width=48)
    with pytest.raises(EngineError, match="does not fit the model"):
        load_photomaker(artist)


def test_what_older_libraries_saved_beside_the_weights_does_not_matter(
    artist: Artist, file: Path
) -> None:
    counted = {"id_encoder.vision_model.embeddings.position_ids": torch.arange(5)[None]}
    rewritten(file, lambda weights: weights.update(counted))
    assert isinstance(load_photomaker(artist), PhotoMaker)
