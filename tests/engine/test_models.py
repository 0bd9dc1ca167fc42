"""The table of models: how each comes to move, and what whoever runs the engine can configure."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from engine.app import read_options
from engine.models import (
    HOUSE,
    MODELS,
    AnimateDiff,
    EndFrames,
    HouseMotion,
    find_model,
)
from engine.motion_settings import MotionSettings, motion_settings, set_motion
from engine.request import EngineError

ADAPTER = MotionSettings(motion_adapter="guoyww/adapter", video_model="./wan")


@pytest.fixture(autouse=True)
def own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with the table as it is in the code, and nothing of it stays."""
    for name, spec in list(MODELS.items()):
        monkeypatch.setitem(MODELS, name, spec)


def test_the_house_artist_moves_where_its_weights_are(tmp_path: Path) -> None:
    for folder, moves in ((tmp_path, True), (tmp_path / "none", False)):
        assert replace(HOUSE, motion=HouseMotion(folder)).moves is moves


def test_without_settings_nothing_changes() -> None:
    before = dict(MODELS)
    set_motion(MotionSettings())
    assert before == MODELS
    assert not find_model("sd15").moves
    assert not find_model("sdxl").moves


def test_an_adapter_moves_sd15_and_a_video_model_what_has_no_motion_of_its_own(
    tmp_path: Path,
) -> None:
    MODELS["house"] = replace(HOUSE, motion=HouseMotion(tmp_path))
    set_motion(ADAPTER)
    assert find_model("house").motion == HouseMotion(tmp_path)
    assert find_model("sd15").motion == AnimateDiff("guoyww/adapter", ADAPTER.ip_adapter)
    assert find_model("sdxl").motion == EndFrames("./wan")


def test_a_video_model_alone_moves_every_model(tmp_path: Path) -> None:
    MODELS["house"] = replace(HOUSE, motion=HouseMotion(tmp_path / "none"))
    set_motion(MotionSettings(video_model="./wan"))
    assert {spec.motion for spec in MODELS.values()} == {EndFrames("./wan")}


def test_a_predictor_is_a_folder() -> None:
    set_motion(replace(ADAPTER, motion_predictor="predictor"))
    motion = find_model("sd15").motion
    assert isinstance(motion, AnimateDiff)
    assert motion.predictor == Path("predictor")


def test_a_model_in_a_folder_moves_as_its_family_does(tiny_sd15: Path, tiny_sdxl: Path) -> None:
    assert not find_model(str(tiny_sd15)).moves
    set_motion(ADAPTER)
    assert isinstance(find_model(str(tiny_sd15)).motion, AnimateDiff)
    assert find_model(str(tiny_sdxl)).motion == EndFrames("./wan")


@pytest.mark.parametrize(
    "settings", [MotionSettings(), ADAPTER, MotionSettings("a", "b/c/d.safetensors", "e f", "g")]
)
def test_settings_come_to_the_engines_process_by_its_command_line(
    settings: MotionSettings,
) -> None:
    options = read_options(["--socket", os.devnull, *settings.arguments()])
    assert motion_settings(options) == settings


def test_a_name_of_no_letters_is_no_model_and_not_the_folder_one_works_in(
    tiny_sd15: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_sd15)
    with pytest.raises(EngineError, match=r'^there is no model ""; the nearest is '):
        find_model("")
