"""Clips: two scenes and the movement from one to the other, and how training clips are sampled.

What happens between the ends follows from the two end pictures, for a predictor sees only them.
So nothing comes back within a clip to where it began; a loop is a clip played there and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from engine.house.filming import Film, Staging
from engine.house.scenes import (
    EXPRESSIONS,
    PLACES,
    POSES,
    Character,
    Scene,
    sample_actor,
    sample_character,
    sample_scene,
    sample_story,
)

KINDS = (
    "pose", "story", "expression", "walking", "waving", "nodding", "jumping", "arguing", "papers",
    "pan", "zoom", "night", "place",
)  # fmt: skip
SHARES = {"pose": 0.5, "story": 0.25}  # of the clips; the other kinds share the rest alike


@dataclass(frozen=True)
class Clip:
    """A movement; where the staging adds nothing, the ends are the pictures of the two scenes."""

    kind: str
    start: Scene
    end: Scene
    before: Staging = field(default=Staging())
    after: Staging = field(default=Staging())


def draw_clip(clip: Clip, frames: int) -> np.ndarray:
    """uint8 [frames, 256, 256, 3], 2 frames or more; frame i is at the time i / (frames - 1)."""
    return draw_moments(clip, [i / (frames - 1) for i in range(frames)])


def draw_moments(clip: Clip, moments: Sequence[float]) -> np.ndarray:
    """uint8 [moments, 256, 256, 3]: the clip at these times, 0..1."""
    film = Film(clip.start, clip.end, clip.before, clip.after)
    return np.stack([film.picture(moment) for moment in moments])


def sample_clip(random: Random, kind: str | None = None) -> Clip:
    """A random clip, of the given kind or of the mixture that training needs."""
    if kind is None:
        rest = (1 - sum(SHARES.values())) / (len(KINDS) - len(SHARES))
        kind = random.choices(KINDS, [SHARES.get(k, rest) for k in KINDS])[0]
    return _SAMPLERS[kind](random)


# -- how each kind is sampled -------------------------------------------------------------------


def _scene(random: Random, *, pairs: float = 0.3, nobody: float = 0.0) -> Scene:
    count = 0 if random.random() < nobody else (2 if random.random() < pairs else 1)
    return sample_scene(random, tuple(sample_character(random) for _ in range(count)))


def _posed(scene: Scene, *poses: str) -> Scene:
    """The scene with all actors in the given pose, or each in its own."""
    given = poses * len(scene.actors) if len(poses) == 1 else poses
    actors = tuple(replace(a, pose=p) for a, p in zip(scene.actors, given, strict=False))
    return replace(scene, actors=actors)


def _other(random: Random, values: tuple[str, ...], value: str) -> str:
    return random.choice([v for v in values if v != value])


def _pose(random: Random) -> Clip:
    """A living panel: the same moment of a story in two poses."""
    start = _scene(random)
    paired = len(start.actors) == 2
    actors = []
    for actor in start.actors:
        after = sample_actor(random, actor.character, paired=paired)
        after = replace(after, pose=_other(random, POSES, actor.pose))
        if random.random() < 0.4:
            after = replace(after, expression=actor.expression)
        actors.append(after)
    if paired and random.random() < 0.25:  # one listens
        still = random.randrange(2)
        actors[still] = replace(start.actors[still], expression=actors[still].expression)
    end = replace(start, actors=tuple(actors))
    if random.random() < 0.08:
        end = replace(end, papers=not start.papers)
    return Clip("pose", start, end)


def _story(random: Random) -> Clip:
    """From one panel of a story to another, mostly of the same person."""
    while True:
        start, end = random.sample(sample_story(random, 4), 2)
        if _cast(start) & _cast(end) or random.random() < 0.15:
            break
    if random.random() < 0.4:
        end = replace(end, place=start.place, night=start.night)
    if random.random() < 0.3 and len(start.actors) == len(end.actors):
        end = replace(end, jitter=start.jitter, framing=start.framing)
    return Clip("story", start, end)


def _cast(scene: Scene) -> set[Character]:
    return {actor.character for actor in scene.actors}


def _expression(random: Random) -> Clip:
    start = _scene(random)
    actors = tuple(
        replace(a, expression=_other(random, EXPRESSIONS, a.expression)) for a in start.actors
    )
    return Clip("expression", start, replace(start, actors=actors))


def _walking(random: Random) -> Clip:
    """Right across the picture, or in from outside, or out."""
    pose = random.choice(("standing", "standing", "running", "waving", "phoning"))
    scene = replace(_posed(_scene(random, pairs=0.0), pose), framing="medium")
    left = random.choice((-0.22, -0.18, -0.85))
    right = random.choice((0.22, 0.18) if left < -0.5 else (0.22, 0.18, 0.85))
    ways = [left, right]
    if random.random() < 0.5:
        ways.reverse()
    facing = 1 if ways[1] > ways[0] else -1
    before, after = (Staging(shift=way, facing=facing) for way in ways)
    return Clip("walking", scene, scene, before, after)


def _gestured(
    kind: str, poses: tuple[str, ...], gestures: tuple[str, str], random: Random, *, pairs: float
) -> Clip:
    scene = _posed(_scene(random, pairs=pairs), random.choice(poses))
    first, last = gestures if random.random() < 0.5 else gestures[::-1]
    return Clip(kind, scene, scene, Staging(gesture=first), Staging(gesture=last))


def _waving(random: Random) -> Clip:
    return _gestured("waving", ("waving",), ("hand in", "hand out"), random, pairs=0.2)


def _nodding(random: Random) -> Clip:
    return _gestured("nodding", POSES, ("head up", "head down"), random, pairs=0.2)


def _jumping(random: Random) -> Clip:
    poses = ("standing", "standing", "arms up", "waving")
    clip = _gestured("jumping", poses, ("crouched", "in the air"), random, pairs=0.2)
    if clip.start.framing != "close-up":
        return clip
    return replace(
        clip,
        start=replace(clip.start, framing="medium"),
        end=replace(clip.end, framing="medium"),
    )


def _arguing(random: Random) -> Clip:
    """One hits the air while the other draws back; mouths open and shut."""
    scene = _posed(_scene(random, pairs=0.8), "arguing")
    loud, quiet = random.choice((("surprised", "angry"), ("laughing", "calm"), ("angry", "sad")))
    ends = []
    for order in (1, -1):
        faces = (loud, quiet)[::order]
        actors = tuple(replace(a, expression=f) for a, f in zip(scene.actors, faces, strict=False))
        ends.append(replace(scene, actors=actors))
    hands = ["", "hand back"]
    if random.random() < 0.5:
        hands.reverse()
    before, after = Staging(gesture=hands[0]), Staging(gesture=hands[1])
    return Clip("arguing", ends[0], ends[1], before, after)


def _papers(random: Random) -> Clip:
    start = replace(_scene(random, nobody=0.1), papers=random.random() < 0.7)
    end = replace(start, papers=not start.papers or random.random() < 0.7)
    return Clip("papers", start, end, after=Staging(gust=random.getrandbits(32) | 1))


def _window(random: Random, side: float) -> tuple[float, float, float]:
    return random.uniform(0, 1 - side), random.uniform(0, 0.5 * (1 - side)), side


def _pan(random: Random) -> Clip:
    scene, side = _scene(random, nobody=0.1), random.uniform(0.6, 0.8)
    left, right = _window(random, side), _window(random, side)
    ends = [(0.0, left[1], side), (1 - side, right[1], side)]
    random.shuffle(ends)
    return Clip("pan", scene, scene, Staging(window=ends[0]), Staging(window=ends[1]))


def _zoom(random: Random) -> Clip:
    scene = _scene(random, nobody=0.1)
    ends = [Staging(), Staging(window=_window(random, random.uniform(0.5, 0.75)))]
    random.shuffle(ends)
    return Clip("zoom", scene, scene, ends[0], ends[1])


def _night(random: Random) -> Clip:
    start = _scene(random, nobody=0.1)
    if start.place == "space":  # where it is always night
        start = replace(start, place=_other(random, PLACES, "space"))
    return Clip("night", start, replace(start, night=not start.night))


def _place(random: Random) -> Clip:
    start = _scene(random, nobody=0.05)
    end = replace(start, place=_other(random, PLACES, start.place))
    if random.random() < 0.5:
        end = replace(end, jitter=random.getrandbits(32))
    return Clip("place", start, end)


_SAMPLERS = {
    "pose": _pose, "story": _story, "expression": _expression, "walking": _walking,
    "waving": _waving, "nodding": _nodding, "jumping": _jumping, "arguing": _arguing,
    "papers": _papers, "pan": _pan, "zoom": _zoom, "night": _night, "place": _place,
}  # fmt: skip
