"""The program that draws what the house artist learns from."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from engine.house.drawing import draw
from engine.house.scenes import (
    EXPRESSIONS,
    FRAMINGS,
    PLACES,
    POSES,
    SPECIES,
    STYLES,
    sample_character,
    sample_scene,
    sample_single,
    sample_story,
)


def test_the_same_scene_gives_the_same_picture() -> None:
    scene = sample_single(Random(3))
    assert np.array_equal(np.asarray(draw(scene)), np.asarray(draw(scene)))


def test_scenes_can_be_drawn_larger() -> None:
    assert draw(sample_single(Random(1)), 512).size == (512, 512)


def test_every_word_of_the_vocabulary_is_drawn_sooner_or_later() -> None:
    random = Random(0)
    scenes = [sample_single(random) for _ in range(3000)]
    actors = [actor for scene in scenes for actor in scene.actors]
    assert {s.place for s in scenes} == set(PLACES)
    assert {s.style for s in scenes} == set(STYLES)
    assert {s.framing for s in scenes} == set(FRAMINGS)
    assert {a.pose for a in actors} == set(POSES)
    assert {a.expression for a in actors} == set(EXPRESSIONS)
    assert {a.character.species for a in actors} == set(SPECIES)
    assert {len(s.actors) for s in scenes} == {0, 1, 2}


@pytest.mark.parametrize("attribute", ["expression", "pose"])
def test_each_expression_and_pose_changes_the_picture(attribute: str) -> None:
    random = Random(5)
    scene = replace(
        sample_scene(random, (sample_character(random),)), framing="medium", papers=False
    )
    values = EXPRESSIONS if attribute == "expression" else POSES
    pictures = [
        draw(replace(scene, actors=(replace(scene.actors[0], **{attribute: value}),))).tobytes()
        for value in values
    ]
    assert len(set(pictures)) == len(values)


def test_a_story_keeps_its_characters_and_its_style() -> None:
    random = Random(7)
    for _ in range(200):
        story = sample_story(random, 4)
        cast = {actor.character for scene in story for actor in scene.actors}
        assert len({scene.style for scene in story}) == 1
        assert 1 <= len(cast) <= 2
        alone = {scene.actors[0].character for scene in story if len(scene.actors) == 1}
        assert alone == cast, "everybody has a panel alone to be recognised by"


def test_noir_and_line_art_know_no_colour() -> None:
    random = Random(9)
    for style in ("noir", "line art"):
        scene = sample_scene(random, (sample_character(random),), style=style)
        picture = np.asarray(draw(scene)).astype(int)
        assert np.abs(picture - picture.mean(2, keepdims=True)).max() < 12
