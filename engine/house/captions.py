"""Words for scenes: one picture described in many ways, in English and in Simplified Chinese.

A `Mention` says which attributes of a character the words give away, a `SceneMention` the same
for the scene; what they leave out never shows in the words, and what is said is always true.
The words stand in `tongue_en.toml` and `tongue_zh.toml`, characters are described in
`describing.py`; here both become the caption of a panel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from engine.house.describing import Mention, describe, sample_mention
from engine.house.scenes import Scene
from engine.house.tongues import TONGUES, Language, Tongue, table_key

__all__ = [
    "Language",
    "Mention",
    "SceneMention",
    "caption",
    "describe",
    "sample_caption",
    "sample_mention",
    "sample_scene_mention",
]

_ASCII_PUNCTUATION = str.maketrans({"，": ",", "。": ".", "（": "(", "）": ")", "：": ":"})
_SPACED_PUNCTUATION = str.maketrans({"，": ", ", "。": ". ", "：": ": "})


@dataclass(frozen=True)
class SceneMention:
    """What the words give away of a scene; expressions and poses for each actor."""

    place: bool
    night: bool
    framing: bool
    style: bool
    papers: bool
    expressions: tuple[bool, ...]
    poses: tuple[bool, ...]


def sample_scene_mention(random: Random, scene: Scene) -> SceneMention:
    poses = tuple(random.random() < 0.88 for _ in scene.actors)
    if len(poses) == 2 and scene.actors[0].pose == scene.actors[1].pose:
        poses = (poses[0], poses[0])  # people say "they argue", not what one of them does
    expressions = tuple(random.random() < 0.88 for _ in scene.actors)
    if len(poses) == 2 and scene.actors[0].expression == scene.actors[1].expression:
        expressions = (expressions[0], expressions[0])
    return SceneMention(
        place=not scene.actors or random.random() < 0.88,
        night=random.random() < (0.88 if scene.night else 0.2),
        framing=random.random() < (0.1 if scene.framing == "medium" else 0.6),
        style=random.random() < (0.55 if scene.style == "flat colour" else 0.9),
        papers=random.random() < 0.9,
        expressions=expressions,
        poses=poses,
    )


def sample_caption(
    scene: Scene, random: Random, language: Language | None = None
) -> tuple[str, tuple[Mention, ...], SceneMention]:
    """One wording of the scene, with what it gives away."""
    if language is None:
        language = "en" if random.random() < 0.5 else "zh"
    mentions = tuple(sample_mention(random) for _ in scene.actors)
    descriptions = tuple(
        describe(actor.character, mention, random, language)
        for actor, mention in zip(scene.actors, mentions, strict=True)
    )
    scene_mention = sample_scene_mention(random, scene)
    return caption(scene, descriptions, scene_mention, random, language), mentions, scene_mention


def caption(
    scene: Scene,
    descriptions: tuple[str, ...],
    scene_mention: SceneMention,
    random: Random,
    language: Language,
) -> str:
    """The full prompt of a panel; `descriptions` come from `describe`, the left actor's first."""
    tongue = TONGUES[language]
    writer = _Writer(scene, scene_mention, random, tongue)
    if scene.actors:
        core, setting = writer.peopled(descriptions)
    else:
        spot = random.choice(tongue.spots[scene.place])
        core, setting = [random.choice(tongue.empty).format(spot)], []
    setting += writer.time() + writer.papers()
    if random.random() < 0.09:
        setting.append(random.choice(tongue.fillers))
    pieces = writer.ordered(core, setting)
    return _finish(writer.join(pieces), random, language)


def _finish(text: str, random: Random, language: Language) -> str:
    """Habits of typing: capitals, a full stop, which punctuation."""
    if random.random() < 0.25:
        text += TONGUES[language].stop.strip()
    roll = random.random()
    if language == "zh":
        if roll < 0.2:
            narrow = _ASCII_PUNCTUATION if roll < 0.12 else _SPACED_PUNCTUATION
            return text.translate(narrow).strip()
        return text
    if roll < 0.12:
        return text.lower()
    return text[0].upper() + text[1:] if roll < 0.6 else text


class _Writer:
    """Puts one scene into one language's words."""

    def __init__(self, scene: Scene, mention: SceneMention, random: Random, tongue: Tongue) -> None:
        self.scene, self.mention, self.random, self.tongue = scene, mention, random, tongue
        self.pick = random.choice
        self.names: list[str] = []

    def peopled(self, descriptions: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """The pieces about the actors, and the place where it is not among them."""
        subjects = self.subjects(descriptions)
        place = self.place()
        sentence = self.random.random() < 0.45
        inside = place if sentence and self.random.random() < 0.4 else ""
        if len(subjects) == 1:
            core, used = self.clause(subjects[0], 0, inside, sentence)
        elif self.is_joint():
            core, used = self.joint(subjects, inside, sentence)
        else:
            core, used = self.separate(subjects, inside, sentence)
        return core, [place] if place and not used else []

    def subjects(self, descriptions: tuple[str, ...]) -> list[str]:
        """What the actors are called in the caption: described, or named and described."""
        random, tongue = self.random, self.tongue
        if random.random() < 0.45:
            return list(descriptions)
        subjects = []
        table = tongue.foreign_names if random.random() < 0.12 else tongue.names
        for actor, description in zip(self.scene.actors, descriptions, strict=True):
            name = self.new_name(table[actor.character.species])
            if random.random() < 0.1:
                subjects.append(tongue.brackets.format(name, description))
            else:
                subjects.append(f"{name}{tongue.comma}{description}" if description else name)
        return subjects

    def new_name(self, names: Sequence[str]) -> str:
        name = self.pick(names)
        while name in self.names:
            name = self.pick(names)
        self.names.append(name)
        return name

    def place(self) -> str:
        if not self.mention.place:
            return ""
        return self.tongue.at.format(self.pick(self.tongue.places[self.scene.place]))

    def is_joint(self) -> bool:
        first, second = self.scene.actors
        if self.mention.poses[0] != self.mention.poses[1]:
            return False
        same = first.pose == second.pose and self.random.random() < 0.85
        return same or not self.mention.poses[0]

    def clause(
        self, subject: str, index: int, place: str, sentence: bool
    ) -> tuple[list[str], bool]:
        """One actor's words as pieces, and whether the place is among them."""
        actor, tongue = self.scene.actors[index], self.tongue
        pose = table_key(actor.pose) if self.mention.poses[index] else ""
        face = [self.pick(tongue.faces[actor.expression])] * self.mention.expressions[index]
        if sentence and pose:
            core = self.sentence(subject, self.pick(tongue.acts[pose]), place)
            return [core, *face], bool(place)
        if sentence and face:
            core = self.sentence(subject, self.pick(tongue.looks[actor.expression]), place)
            return [core], bool(place)
        doing = [self.pick(tongue.doings[pose])] if pose else []
        pieces = doing + face if self.random.random() < 0.5 else face + doing
        if pieces and self.random.random() < 0.15 and len(self.scene.actors) == 1:
            return [*pieces, subject], False
        return [subject, *pieces], False

    def sentence(self, subject: str, act: str, place: str) -> str:
        if not self.tongue.space:
            return self.unspaced_sentence(subject, act, place)
        pause = "," if "," in subject else ""
        return f"{subject}{pause} {act} {place}" if place else f"{subject}{pause} {act}"

    def unspaced_sentence(self, subject: str, act: str, place: str) -> str:
        """Chinese: the place stands before the act, and may begin the sentence."""
        pause = "，" if "，" in subject and self.random.random() < 0.7 else ""
        if place and act.startswith("在") and not act.startswith("在笔"):
            act = act[1:]
        if place and subject.startswith("一") and self.random.random() < 0.5:
            return f"{place[self.random.randrange(2) :]}有{subject}{pause}{act}"
        return f"{subject}{pause}{place}{act}"

    def joint(self, subjects: list[str], place: str, sentence: bool) -> tuple[list[str], bool]:
        """Both actors as one subject: they do the same, or nothing is said of it."""
        tongue, actor = self.tongue, self.scene.actors[0]
        sides = self.random.random() < 0.2
        long = tongue.comma.strip() in subjects[0]
        both = tongue.long_both if long else tongue.both
        subject = self.pick(tongue.sides if sides else both).format(*subjects)
        pieces, used = [subject], False
        if self.mention.poses[0] and sentence and not sides:
            act = self.pick(tongue.joint_acts[table_key(actor.pose)])
            pieces, used = [self.sentence(subject, act, place)], bool(place)
        elif self.mention.poses[0]:
            pieces.append(self.pick(tongue.joint_doings[table_key(actor.pose)]))
        pieces += self.joint_faces()
        return pieces, used

    def joint_faces(self) -> list[str]:
        first, second = (actor.expression for actor in self.scene.actors)
        tongue, told = self.tongue, self.mention.expressions
        if all(told) and first == second and self.random.random() < 0.9:
            return [self.pick(tongue.joint_faces[first])]
        names: Sequence[str] = self.names or self.pick(tongue.side_names)
        return [
            f"{name}{tongue.space}{self.pick(tongue.looks[expression])}"
            for name, expression, tell in zip(names, (first, second), told, strict=True)
            if tell
        ]

    def separate(self, subjects: list[str], place: str, sentence: bool) -> tuple[list[str], bool]:
        """Each actor in words of its own, the left one first."""
        tongue = self.tongue
        if self.random.random() < 0.25:
            subjects = [
                side + subject for side, subject in zip(tongue.left_right, subjects, strict=True)
            ]
        first, used = self.clause(subjects[0], 0, place, sentence)
        second, _ = self.clause(subjects[1], 1, "", sentence)
        if tongue.connectors and self.random.random() < 0.5:
            second[0] = self.pick(tongue.connectors) + second[0]
        return first + second, used

    def time(self) -> list[str]:
        if not self.mention.night:
            return []
        return [self.pick(self.tongue.times["night" if self.scene.night else "day"])]

    def papers(self) -> list[str]:
        told = self.mention.papers and self.scene.papers
        return [self.pick(self.tongue.papers)] if told else []

    def ordered(self, core: list[str], setting: list[str]) -> list[str]:
        """Actors first in most captions, else the setting; framing and style mostly last."""
        if self.random.random() < 0.3:
            cut = self.random.randint(1, 2)
            pieces = setting[:cut] + core + setting[cut:]
        elif self.random.random() < 0.35 and len(core) > 1 and len(self.scene.actors) == 1:
            pieces = core[:1] + setting[:1] + core[1:] + setting[1:]
        else:
            pieces = core + setting
        look = self.look()
        return look + pieces if self.random.random() < 0.15 else pieces + look

    def look(self) -> list[str]:
        """Framing and style."""
        scene, tongue, look = self.scene, self.tongue, []
        if self.mention.framing:
            look.append(self.pick(tongue.framings[table_key(scene.framing)]))
        if self.mention.style:
            look.append(self.pick(tongue.styles[table_key(scene.style)]))
        elif self.random.random() < 0.2:
            look.append(self.pick(tongue.intros))
        return look

    def join(self, pieces: Iterable[str]) -> str:
        """Mostly one comma chain, at times short sentences."""
        roll, tongue = self.random.random(), self.tongue
        if roll < 0.85:
            return tongue.comma.join(pieces)
        text = ""
        for piece in pieces:
            if text:
                stop = self.random.random() < 0.4
                text += tongue.stop if stop else tongue.comma
                piece = piece[0].upper() + piece[1:] if stop else piece
            text += piece
        return text
