"""How the bench of pairs sees whether two characters are in a panel."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from bench.pairs import both_there
from engine.house.drawing import draw
from engine.house.judge import SPECIES, chances
from engine.house.scenes import Scene, sample_character, sample_scene


@pytest.fixture
def scene() -> Scene:
    random = Random(4)
    cast = (
        replace(sample_character(random), species="cat"),
        replace(sample_character(random), species="robot"),
    )
    return replace(sample_scene(random, cast), framing="medium", style="flat colour")


def test_both_are_there_where_each_stands_on_its_side(scene: Scene) -> None:
    assert both_there(draw(scene), ["cat", "robot"])
    assert not both_there(draw(scene), ["robot", "cat"])


def test_one_of_them_twice_is_not_both(scene: Scene) -> None:
    first = scene.actors[0]
    assert not both_there(draw(replace(scene, actors=(first, first))), ["cat", "robot"])


def test_the_chances_of_all_answers_are_a_whole(scene: Scene) -> None:
    [seen] = chances([draw(scene)], "species")
    assert tuple(seen) == SPECIES
    assert sum(seen.values()) == pytest.approx(1)
