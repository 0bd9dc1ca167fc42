"""The judge that is shipped is right on pictures it has never seen."""

from __future__ import annotations

from random import Random

import pytest

from engine.house.drawing import draw
from engine.house.judge import QUESTIONS, accuracy, judge, load_judge
from engine.house.scenes import sample_character, sample_scene


def test_the_judge_is_right_on_fresh_scenes() -> None:
    """97 of 100 for every attribute, as in `bench.judge`."""
    figures = accuracy(load_judge(), 600, seed=987)
    assert set(figures) == set(QUESTIONS)
    assert min(figures.values()) >= 0.97, figures


@pytest.mark.parametrize("pixels", [256, 512])
def test_the_judge_looks_at_pictures_of_any_size(pixels: int) -> None:
    random = Random(11)
    scene = sample_scene(random, (sample_character(random),), style="flat colour")
    assert judge([draw(scene, pixels)])[0].place == scene.place
