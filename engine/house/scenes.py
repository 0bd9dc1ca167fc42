"""Comic scenes as plain data: what the house artist can draw, and how training scenes are sampled.

A `Scene` is the ground truth from which `drawing.draw` makes a picture and `captions.caption`
makes its words. Sampling takes a `random.Random`, so a scene is reproducible.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

PEOPLE = ("man", "woman", "boy", "girl", "grandpa", "grandma")
CHILDREN, ELDERS, WOMEN = ("boy", "girl"), ("grandpa", "grandma"), ("woman", "grandma")
ANIMALS = ("cat", "dog", "rabbit", "bear")
SPECIES = (*PEOPLE, *ANIMALS, "robot")

# Hair of people, fur of animals, metal of robots.
HAIR_COLOURS = ("black", "brown", "blonde", "orange", "white", "blue", "pink", "green")
HAIR_STYLES = ("short", "long", "spiky", "bun", "curly", "ponytail", "bald")
CLOTHING_COLOURS = (
    "red", "blue", "green", "yellow", "purple", "orange", "black", "white", "pink",
)  # fmt: skip
CLOTHES = ("T-shirt", "slogan T-shirt", "shirt", "hoodie", "suit", "dress", "striped sweater")
EXPRESSIONS = ("calm", "happy", "laughing", "sad", "angry", "surprised")
POSES = (
    "standing", "waving", "arms up", "sitting", "running", "typing", "reading", "drinking",
    "phoning", "thinking", "arguing", "fighting",
)  # fmt: skip
PLACES = (
    "office", "park", "kitchen", "street", "beach", "forest", "bedroom", "space", "classroom",
    "cafe", "library", "snow",
)  # fmt: skip
HATS = ("none", "cap", "beanie", "top hat")
GLASSES = ("none", "round", "square", "sunglasses")
BUILDS = ("slim", "average", "stout")
FRAMINGS = ("close-up", "medium", "wide")
STYLES = ("flat colour", "line art", "noir", "pastel")

# Poses whose meaning needs another person beside; alone they are drawn towards the open side.
PAIR_POSES = ("arguing", "fighting")


@dataclass(frozen=True)
class Character:
    """Who somebody is: everything that stays the same from panel to panel."""

    species: str
    hair_colour: str
    hair_style: str  # people only
    clothes: str
    clothing_colour: str
    glasses: str
    hat: str
    build: str
    skin: int  # index into drawing.SKINS, people only
    beard: bool  # men and grandfathers only
    stickers: bool  # on this person's laptop


@dataclass(frozen=True)
class Actor:
    """One character in one scene: what it does there."""

    character: Character
    expression: str
    pose: str


@dataclass(frozen=True)
class Scene:
    """One panel: nobody, one actor, or two (left one first)."""

    actors: tuple[Actor, ...]
    place: str
    night: bool
    framing: str
    style: str
    papers: bool  # papers flying through the air
    jitter: int  # seed of everything that has no name: small shifts, sizes, clouds


def sample_character(random: Random) -> Character:
    species = random.choice(SPECIES)
    styles = [s for s in HAIR_STYLES if s in _hair_styles_of(species)]
    old = species in ELDERS
    hair = (
        random.choice(("white", "white", "white", *HAIR_COLOURS))
        if old
        else random.choice(HAIR_COLOURS)
    )
    clothes = [c for c in CLOTHES if c != "dress" or species in ("woman", "girl", "grandma")]
    return Character(
        species=species,
        hair_colour=hair,
        hair_style=random.choice(styles),
        clothes=random.choice(clothes),
        clothing_colour=random.choice(CLOTHING_COLOURS),
        glasses=random.choice(GLASSES[1:]) if random.random() < 0.35 else "none",
        hat=random.choice(HATS[1:]) if random.random() < 0.25 else "none",
        build=random.choice(BUILDS),
        skin=random.randrange(4),
        beard=random.random() < {"man": 0.3, "grandpa": 0.6}.get(species, 0.0),
        stickers=random.random() < 0.4,
    )


def _hair_styles_of(species: str) -> tuple[str, ...]:
    if species in ELDERS:
        return ("short", "bald") if species == "grandpa" else ("bun", "curly")
    if species in ("man", "boy"):
        return ("short", "long", "spiky", "curly") + (("bald",) if species == "man" else ())
    if species in PEOPLE:
        return ("short", "long", "bun", "curly", "ponytail")
    return ("short",)


def sample_actor(random: Random, character: Character, *, paired: bool) -> Actor:
    poses = POSES if not paired else (*POSES, *PAIR_POSES, *PAIR_POSES, *PAIR_POSES)
    return Actor(character, random.choice(EXPRESSIONS), random.choice(poses))


def sample_scene(
    random: Random, characters: tuple[Character, ...], *, style: str | None = None
) -> Scene:
    """A scene of the given characters (none, one or two) in a random place."""
    paired = len(characters) == 2
    actors = tuple(sample_actor(random, c, paired=paired) for c in characters)
    if paired and random.random() < 0.5:  # they mostly do the same thing, as "they argue" says
        actors = (actors[0], replace(actors[1], pose=actors[0].pose))
    if paired and random.random() < 0.4:
        actors = (actors[0], replace(actors[1], expression=actors[0].expression))
    fighting = any(a.pose == "fighting" for a in actors)
    framing = random.choices(FRAMINGS, (2, 6, 2))[0]
    return Scene(
        actors=actors,
        place=random.choice(PLACES),
        night=random.random() < 0.3,
        framing="medium" if paired and framing == "close-up" else framing,
        style=style or random.choices(STYLES, (80, 6, 6, 8))[0],
        papers=random.random() < (0.5 if fighting else 0.06),
        jitter=random.getrandbits(32),
    )


def sample_single(random: Random) -> Scene:
    """A scene for training on single pictures: mostly one character, some pairs, a few empty."""
    count = random.choices((0, 1, 2), (4, 66, 30))[0]
    return sample_scene(random, tuple(sample_character(random) for _ in range(count)))


def sample_story(random: Random, panels: int) -> tuple[Scene, ...]:
    """Panels that share one style and one character, or two of whom each has a panel alone."""
    style = random.choices(STYLES, (80, 6, 6, 8))[0]
    first, second = sample_character(random), sample_character(random)
    if random.random() < 0.25:
        casts: list[tuple[Character, ...]] = [(first,)] * panels
    else:
        choices = [(first, second), (second, first), (first,), (second,)]
        later = random.choices(choices, (6, 3, 1, 1), k=panels - 2)
        casts = [(first,), (second,), *later]
    return tuple(sample_scene(random, cast, style=style) for cast in casts)
