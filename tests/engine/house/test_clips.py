"""The house scenes animated by program: what motion learns from."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from itertools import product
from random import Random

import numpy as np
import pytest

from engine.house.clips import KINDS, Clip, draw_clip, sample_clip
from engine.house.drawing import draw
from engine.house.figures import Figure, at_rest
from engine.house.filming import Film, Staging
from engine.house.gestures import GESTURES
from engine.house.moving import between
from engine.house.pencil import Pencil, sharpest_turn
from engine.house.posture import Frame
from engine.house.scenes import (
    EXPRESSIONS,
    PLACES,
    POSES,
    STYLES,
    Actor,
    Scene,
    sample_character,
    sample_scene,
)

SAID_BY_SCENES = ("pose", "story", "expression", "night", "place")
MOMENTS = [i / 20 for i in range(21)]


def picture(scene: Scene) -> np.ndarray:
    return np.asarray(draw(scene))


def figure(pose: str, *, x: float = 0.5, radius: float = 0.19, facing: int = 1) -> Figure:
    actor = Actor(sample_character(Random(1)), "calm", pose)
    return at_rest(Frame(Pencil(64, "flat colour"), x, 0.95, radius, facing), actor)


@pytest.mark.parametrize("kind", SAID_BY_SCENES)
def test_the_ends_are_the_pictures_of_the_scenes(kind: str) -> None:
    for seed in range(20):
        clip = sample_clip(Random(seed), kind)
        frames = draw_clip(clip, 3)
        assert np.array_equal(frames[0], picture(clip.start)), seed
        assert np.array_equal(frames[-1], picture(clip.end)), seed


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_moves_and_is_reproducible(kind: str) -> None:
    for seed in range(8):
        clip = sample_clip(Random(seed), kind)
        assert clip.kind == kind
        assert clip == sample_clip(Random(seed), kind)
        assert len({clip, sample_clip(Random(seed), kind)}) == 1, "a clip can be a key"
        frames = draw_clip(clip, 8)
        assert frames.shape == (8, 256, 256, 3)
        assert frames.dtype == np.uint8
        assert np.array_equal(frames, draw_clip(clip, 8))
        assert len({frame.tobytes() for frame in frames}) >= 4, seed


def test_a_frame_depends_on_its_time_only() -> None:
    for seed in range(6):
        clip = sample_clip(Random(seed))
        assert np.array_equal(draw_clip(clip, 9)[::4], draw_clip(clip, 3))


def test_the_mixture_is_mostly_poses_and_stories_and_knows_all_kinds() -> None:
    random = Random(0)
    kinds = [sample_clip(random).kind for _ in range(3000)]
    assert set(kinds) == set(KINDS)
    assert 0.45 < kinds.count("pose") / len(kinds) < 0.55
    assert 0.2 < kinds.count("story") / len(kinds) < 0.3


def test_the_frames_of_a_clip_have_one_style() -> None:
    random = Random(2)
    clips = [sample_clip(random) for _ in range(400)]
    assert all(clip.start.style == clip.end.style for clip in clips)
    assert {clip.start.style for clip in clips} == set(STYLES)


@pytest.mark.parametrize("pose", POSES)
def test_any_pose_becomes_any_other_within_bounds(pose: str) -> None:
    scene = sample_scene(Random(4), (sample_character(Random(5)),))
    for other in POSES:
        first, last = figure(pose), figure(other, x=0.55, radius=0.21, facing=-1)
        for t in MOMENTS:
            body = between(first, last, t).body
            points = np.array([*body.arms, *body.legs]).reshape(-1, 2)
            assert np.isfinite(points).all()
            assert (np.abs(points - 0.5) < 0.75).all()
        ends = [replace(scene, actors=(replace(scene.actors[0], pose=p),)) for p in (pose, other)]
        draw_clip(Clip("pose", ends[0], ends[1]), 3)


def test_an_arm_swings_on_an_arc() -> None:
    down, up = figure("standing"), figure("arms up")
    lengths = [bones(limb) for limb in (*down.body.arms, *up.body.arms)]
    shortest, longest = np.min(lengths, 0) - 1e-9, np.max(lengths, 0) + 1e-9
    for t in MOMENTS:
        for limb in between(down, up, t).body.arms:
            assert (shortest <= bones(limb)).all()
            assert (bones(limb) <= longest).all()
    _, _, hand = between(down, up, 0.5).body.arms[1]
    ends = [f.body.arms[1][2] for f in (down, up)]
    assert hand[0] > max(x for x, _ in ends) + 0.05, "outwards, not straight from low to high"


def bones(limb: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    (ax, ay), (bx, by), (cx, cy) = limb
    return math.hypot(bx - ax, by - ay), math.hypot(cx - bx, cy - by)


def test_a_raised_arm_is_one_arm_and_no_dissolve() -> None:
    """The hand is at one place at a time: in the middle it is at neither end's."""
    who = replace(sample_character(Random(1)), species="man", clothes="T-shirt", skin=0)
    empty = Scene((), "space", False, "medium", "flat colour", False, 11)
    scenes = [replace(empty, actors=(Actor(who, "calm", p),)) for p in ("standing", "arms up")]
    frames = draw_clip(Clip("pose", scenes[0], scenes[1]), 3).astype(int)
    film = Film(scenes[0], scenes[1], Staging(), Staging())
    first, last = film.parts_at(0.5)[0]
    hands = [between(first, last, t).body.arms[1][2] for t in (0.0, 0.5, 1.0)]

    def hand_seen(frame: np.ndarray, hand: tuple[float, float]) -> bool:
        colour = frame[round(hand[1] * 256), round(hand[0] * 256)]
        return bool(np.abs(colour - first.body.skin).max() < 12)

    seen = [[hand_seen(frame, hand) for hand in hands] for frame in frames]
    assert seen == [[True, False, False], [False, True, False], [False, False, True]]


def test_eyes_are_closed_while_the_face_changes() -> None:
    first = figure("standing")
    last = replace(first, look=replace(first.look, expression="angry"))
    assert first.look.expression == "calm"
    looks = [between(first, last, t).look for t in (0.1, 0.45, 0.55, 0.9)]
    assert [look.expression for look in looks] == ["calm", "calm", "angry", "angry"]
    assert [look.closed for look in looks] == [False, True, True, False]


def test_a_chair_stays_under_who_turns_round() -> None:
    first, last = figure("sitting"), figure("sitting", x=0.52, facing=-1)
    signs = between(first, last, 0.3).signs
    assert [(sign.pose, sign.presence) for sign in signs] == [("sitting", 1.0)]


def test_elbows_stay_as_pointed_as_they_are_while_a_pose_is_held() -> None:
    first, last = figure("thinking"), figure("thinking", x=0.53)
    for t in MOMENTS:
        body = between(first, last, t).body
        turns = [sharpest_turn(arm) for arm in body.arms]
        assert all(turn >= corner for turn, corner in zip(turns, body.corners, strict=True))


def test_who_goes_far_walks() -> None:
    first, last = figure("standing", x=0.2), figure("standing", x=0.8)
    lifted = [
        first.frame.ground - foot[1]
        for t in MOMENTS
        for _, _, foot in between(first, last, t).body.legs
    ]
    assert max(lifted) > 0.3 * first.frame.radius


def test_a_newcomer_walks_in_and_who_is_missing_walks_out() -> None:
    random = Random(3)
    tom, lisa = sample_character(random), sample_character(random)
    alone = replace(sample_scene(random, (tom,)), framing="medium", style="flat colour")
    pair = replace(sample_scene(random, (tom, lisa)), framing="medium", style="flat colour")
    for start, end, moment in ((alone, pair, 0.0), (pair, alone, 1.0)):
        film = Film(start, end, Staging(), Staging())
        drawn = [between(a, b, moment) for a, b in film.parts_at(moment)]
        outside = [f.who for f in drawn if not 0 < f.frame.x < 1]
        assert outside == [lisa]
        assert np.array_equal(film.picture(0.0), picture(start))
        assert np.array_equal(film.picture(1.0), picture(end))


def test_strangers_cross() -> None:
    random = Random(8)
    scenes = [
        replace(sample_scene(random, (sample_character(random),)), framing="medium")
        for _ in range(2)
    ]
    film = Film(scenes[0], scenes[1], Staging(), Staging())
    middle = [between(a, b, 0.5).frame.x for a, b in film.parts_at(0.5)]
    assert min(middle) < 0.25
    assert max(middle) > 0.75


def test_a_jumper_leaves_the_ground() -> None:
    standing = figure("standing")
    low, high = GESTURES["crouched"](standing), GESTURES["in the air"](standing)
    assert low.body.head[1] > standing.body.head[1] > high.body.head[1]
    assert max(foot[1] for _, _, foot in high.body.legs) < standing.frame.ground - 0.05


def test_the_places_of_one_jitter_stay_where_they_are() -> None:
    """The corners that no figure reaches are the same in every frame of a living panel."""
    seen = 0
    for seed in range(60):
        clip = sample_clip(Random(seed), "pose")
        if clip.start.papers or clip.end.papers or clip.start.framing != "wide":
            continue
        seen += 1
        frames = draw_clip(clip, 5)[:, :40]
        assert (frames == frames[:1]).all(), seed
    assert seen >= 5


@pytest.mark.parametrize("place", PLACES)
def test_the_day_becomes_night_everywhere(place: str) -> None:
    day = Scene((), place, False, "medium", "flat colour", False, 5)
    frames = draw_clip(Clip("night", day, replace(day, night=True)), 5).astype(float)
    if place != "space":  # where it is always night
        light = frames.mean((1, 2, 3))
        assert (np.diff(light) < 0).all()


def test_each_expression_becomes_each_other() -> None:
    who = sample_character(Random(6))
    base = Scene((), "park", False, "close-up", "flat colour", False, 5)
    for a, b in product(EXPRESSIONS, EXPRESSIONS):
        ends = [replace(base, actors=(Actor(who, e, "standing"),)) for e in (a, b)]
        frames = draw_clip(Clip("expression", ends[0], ends[1]), 4)
        assert len({frame.tobytes() for frame in frames}) == (1 if a == b else 4)


def test_a_clip_says_only_what_can_be_compared() -> None:
    assert {f.name for f in fields(Clip)} == {"kind", "start", "end", "before", "after"}
