"""The training of the house artist: small, real runs on the CPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from torch import nn

import engine.house.decoder
from engine.attention.consistent import Glance, consistent_attention, views_of
from engine.house.autoencoder import SIDE, build_autoencoder, prepare, train_autoencoder
from engine.house.captions import sample_caption
from engine.house.course import Course
from engine.house.decoder import paint_again, sample_crops, train_decoder
from engine.house.drawing import draw
from engine.house.group_attention import GroupAttention
from engine.house.groups import (
    ALL,
    GROUP,
    LEFT,
    NONE,
    RIGHT,
    figure_weights,
    group_captions,
    who_sees_whom,
)
from engine.house.judge import Judge, load_judge, save_judge
from engine.house.painter import build_scheduler, noise_levels
from engine.house.scenes import sample_character, sample_scene, sample_story
from engine.house.words import answers
from engine.loading import load_model
from engine.models import HOUSE
from engine.request import EngineError

FEW = 3  # scenes are painted at a time, where the training paints eight


@pytest.fixture
def few_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.house.decoder, "SCENES", FEW)


def test_a_course_stops_on_time_and_resumes_where_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)

    def course(model: nn.Module) -> Course:
        return Course("small", {"m": model}, minutes=0.01, learning_rate=0.1, folder=tmp_path)

    first = nn.Linear(2, 1)
    run = course(first)
    for _ in run.lessons():
        run.learn(first(torch.ones(1, 2)).square().sum())
    assert run.step_number > 3
    second = nn.Linear(2, 1)
    again = course(second)
    assert again.resume()
    assert again.step_number == run.step_number
    assert torch.equal(second.weight, first.weight)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", "of another shape"])
def test_a_checkpoint_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | str) -> None:
    def course(width: int) -> Course:
        modules = {"m": nn.Linear(width, 1)}
        return Course("small", modules, minutes=0.01, learning_rate=0.1, folder=tmp_path)

    if isinstance(content, bytes):
        (tmp_path / "small.pt").write_bytes(content)
    else:
        course(3).save()
    with pytest.raises(EngineError, match=r"small\.pt cannot be read"):
        course(2).resume()


def test_a_course_without_a_checkpoint_says_that_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modules = {"m": nn.Linear(2, 1)}
    course = Course("small", modules, minutes=0.01, learning_rate=0.1, folder=tmp_path)
    assert not course.resume()
    assert "no checkpoint" in capsys.readouterr().out


def test_a_few_seconds_of_training_give_an_autoencoder_that_diffusers_loads(tmp_path: Path) -> None:
    model = train_autoencoder(
        prepare(build_autoencoder()), 0.01, tmp_path, torch.device("cpu"), resume=False
    )
    model.save_pretrained(tmp_path / "vae")
    assert build_autoencoder().from_pretrained(tmp_path / "vae").config.latent_channels == 16


@pytest.mark.usefixtures("few_scenes")
def test_only_the_decoder_learns_from_what_the_painter_paints_again(tmp_path: Path) -> None:
    artist = load_model(HOUSE, torch.device("cpu"))
    old = {name: value.clone() for name, value in artist.autoencoder.state_dict().items()}
    trained = train_decoder(artist, 0.01, tmp_path, resume=False)
    changed = {name for name, value in trained.state_dict().items() if (value != old[name]).any()}
    assert changed
    assert all(name.startswith("decoder") for name in changed)
    assert all(torch.equal(v, old[n]) for n, v in artist.autoencoder.state_dict().items())


@pytest.mark.usefixtures("few_scenes")
def test_a_scene_painted_again_is_near_the_scene_but_is_not_it() -> None:
    artist = load_model(HOUSE, torch.device("cpu"))
    torch.manual_seed(5)
    scenes = paint_again(artist, Random(5))
    assert len(scenes) == FEW
    for scene in scenes:
        error = float((scene.again - scene.latents).square().mean())
        assert 0 < error < 0.5 * float(scene.latents.square().mean())
    seen, pictures = sample_crops(scenes, Random(6))
    assert seen.shape == (FEW, 16, 8, 8)
    assert pictures.shape == (FEW, 3, 128, 128)


def test_the_judge_survives_saving_as_safetensors(tmp_path: Path) -> None:
    model = Judge()
    save_judge(model, tmp_path / "judge.safetensors")
    loaded = load_judge(tmp_path / "judge.safetensors")
    picture = torch.rand(1, 3, 256, 256)
    assert (model(picture)["pose"] - loaded(picture)["pose"]).abs().max() < 0.05


def test_a_panel_sees_only_panels_that_show_one_of_its_characters_alone() -> None:
    random = Random(1)
    a, b = sample_character(random), sample_character(random)
    scenes = tuple(sample_scene(random, cast) for cast in ((a,), (b,), (a, b), (b, a)))
    assert who_sees_whom(scenes).tolist() == [
        [NONE, NONE, NONE, NONE],
        [NONE, NONE, NONE, NONE],
        [LEFT, RIGHT, NONE, NONE],
        [RIGHT, LEFT, NONE, NONE],
    ]
    assert who_sees_whom((scenes[0], scenes[0])).tolist() == [[NONE, ALL], [ALL, NONE]]


def test_training_attention_is_the_engines_attention() -> None:
    """The mask of training and the gathered banks of drawing compute the same formula."""
    torch.manual_seed(3)
    tokens = torch.randn(GROUP, 16, 8)
    sight = torch.tensor([[[0, 0, 0, 0], [1, 0, 0, 0], [2, 3, 0, 0], [0, 0, 0, 0]]])

    class Layer(nn.Module):
        heads = 2
        to_q, to_k, to_v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        to_out = nn.ModuleList([nn.Identity()])

    layer = Layer()
    processor = GroupAttention()
    processor.sight = sight
    torch.manual_seed(4)
    trained = processor(layer, tokens)  # type: ignore[arg-type]
    torch.manual_seed(4)
    chosen = torch.randperm(16)[:8]
    names = ("0", "1")
    keys, values = (
        {n: project(tokens[int(n), chosen])[None] for n in names}
        for project in (layer.to_k, layer.to_v)
    )
    half = (Glance(("0",), 0, 0.5), Glance(("1",), 0.5, 1))
    sights = ((Glance(()),), (Glance(("0",)),), half, (Glance(()),))
    views = [views_of(sight, 16) for sight in sights]
    drawn = consistent_attention(
        layer.to_q(tokens),
        layer.to_k(tokens),
        layer.to_v(tokens),
        keys,
        values,
        views,
        heads=2,
    )
    assert (trained - drawn).abs().max() < 1e-5


def test_noise_levels_are_valid_and_often_have_a_nearly_clean_leader() -> None:
    random = Random(2)
    sight = torch.ones(GROUP, GROUP, dtype=torch.long)
    drawn = torch.stack([noise_levels(sight, random) for _ in range(400)])
    assert drawn.min() >= 0
    assert drawn.max() < build_scheduler().config.num_train_timesteps
    assert ((drawn < 30).any(1)).float().mean() > 0.4


def test_figures_weigh_more_than_the_place_behind_them() -> None:
    scene = replace(
        sample_scene(Random(5), (sample_character(Random(5)),), style="flat colour"),
        framing="medium",
        papers=False,
    )
    empty = replace(scene, actors=())
    pictures = np.stack([np.asarray(draw(s)) for s in (scene, empty)])
    weights = figure_weights((scene, empty), pictures)
    assert weights.shape == (2, 1, SIDE, SIDE)
    assert weights.mean((1, 2, 3)) == pytest.approx([1, 1])
    assert weights[0, 0, SIDE // 2, SIDE // 2] > 2 * weights[0, 0, 0, 0]
    assert (weights[1] == 1).all()


def test_the_captions_of_a_story_describe_a_character_in_the_same_words() -> None:
    random = Random(4)
    for _ in range(50):
        texts, _ = group_captions(sample_story(random, GROUP), random)
        assert len(texts) == GROUP
        assert all(texts)


@pytest.mark.parametrize("seed", range(5))
def test_what_a_caption_keeps_silent_about_is_unsaid(seed: int) -> None:
    random = Random(seed)
    scene = sample_scene(random, (sample_character(random),))
    _, mentions, about = sample_caption(scene, random)
    said = answers(scene, mentions, about)
    assert (said["0_hair"] == 0) == (
        not mentions[0].hair or scene.actors[0].character.hair_style == "bald"
    )
    assert (said["0_pose"] == 0) == (not about.poses[0])
    assert said["1_species"] == 0
    assert said["count"] == 2
