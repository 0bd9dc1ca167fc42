"""The judge: a small classifier that names what a drawing shows, taught only on drawn scenes.

It judges the house artist's pictures in benches and tests, so it must never see one in training.
It reports of pictures with one character: species, hair (fur, metal) colour, clothing colour,
expression, pose, place, glasses, hat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.devices import training_autocast
from engine.house.autoencoder import as_tensor
from engine.house.course import Course
from engine.house.drawing import PIXELS, draw
from engine.house.scenes import (
    CLOTHING_COLOURS,
    EXPRESSIONS,
    HAIR_COLOURS,
    PEOPLE,
    PLACES,
    POSES,
    SPECIES,
    Scene,
    sample_character,
    sample_scene,
)  # fmt: skip

WEIGHTS = Path(__file__).parent / "judge.safetensors"  # beside the artist, not part of it
QUESTIONS: dict[str, tuple[str, ...]] = {
    "species": SPECIES, "hair": HAIR_COLOURS, "clothing": CLOTHING_COLOURS,
    "expression": EXPRESSIONS, "pose": POSES, "place": PLACES,
    "glasses": ("no glasses", "glasses"), "hat": ("no hat", "hat"),
}  # fmt: skip
UNSEEN = -100  # what a picture does not show is not asked


@dataclass(frozen=True)
class Verdict:
    """What the judge sees in one picture; one of `QUESTIONS[name]` for each name."""

    species: str
    hair: str
    clothing: str
    expression: str
    pose: str
    place: str
    glasses: str
    hat: str


def _layer(narrow: int, wide: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(narrow, wide, 3, stride=stride, padding=1, bias=False),
        nn.GroupNorm(8, wide),
        nn.SiLU(),
    )


class Judge(nn.Module):
    """256 px pictures [B, 3, 256, 256] in -1..1 to logits, one tensor a question."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(4), _layer(48, 64, 1), _layer(64, 96, 2), _layer(96, 96, 1),
            _layer(96, 128, 2), _layer(128, 128, 1), _layer(128, 160, 2),
        )  # fmt: skip
        self.pool = nn.Sequential(nn.Flatten(), nn.Linear(160 * 64, 96), nn.SiLU())
        self.heads = nn.ModuleDict({k: nn.Linear(96, len(v)) for k, v in QUESTIONS.items()})

    def forward(self, pictures: Tensor) -> dict[str, Tensor]:
        seen = self.pool(self.body(pictures))
        return {name: head(seen) for name, head in self.heads.items()}


def truth(scene: Scene) -> dict[str, int]:
    """The right answers for a scene of one actor; `UNSEEN` where the picture does not tell."""
    actor = scene.actors[0]
    who = actor.character
    grey = scene.style in ("noir", "line art")
    under_hat = who.hat != "none" and who.hair_style in ("short", "spiky", "bun")
    bare = who.species in PEOPLE and (who.hair_style == "bald" or under_hat)
    hairless = bare and not who.beard and who.species != "grandpa"  # whose moustache shows it
    answers = {
        "species": SPECIES.index(who.species),
        "hair": HAIR_COLOURS.index(who.hair_colour),
        "clothing": CLOTHING_COLOURS.index(who.clothing_colour),
        "expression": EXPRESSIONS.index(actor.expression),
        "pose": POSES.index(actor.pose),
        "place": PLACES.index(scene.place),
        "glasses": int(who.glasses != "none"),
        "hat": int(who.hat != "none"),
    }
    if grey or hairless:
        answers["hair"] = UNSEEN
    if grey:
        answers["clothing"] = UNSEEN
    if scene.framing == "close-up" and actor.pose in ("standing", "sitting", "running", "typing"):
        answers["pose"] = UNSEEN  # legs and desk are outside the picture
    return answers


def sample_cases(random: Random, count: int) -> tuple[np.ndarray, dict[str, Tensor]]:
    """Fresh pictures uint8 [B, 256, 256, 3] of one character each, and their answers."""
    scenes = [sample_scene(random, (sample_character(random),)) for _ in range(count)]
    answers = [truth(scene) for scene in scenes]
    pictures = np.stack([np.asarray(draw(scene)) for scene in scenes])
    return pictures, {name: torch.tensor([a[name] for a in answers]) for name in QUESTIONS}


def worn(pictures: Tensor, random: Random) -> Tensor:
    """Pictures a little blurred, noisy and off-colour, as an autoencoder leaves them.

    Some have lost half their pixels: who goes by a wrinkle alone does not know a grandmother whose
    wrinkles are gone, by her shawl and skirt.
    """
    roll = random.random()
    if roll < 0.3:
        pictures = F.avg_pool2d(pictures, 3, stride=1, padding=1, count_include_pad=False)
    elif roll < 0.6:
        coarse = F.interpolate(pictures, scale_factor=random.uniform(0.35, 0.7), mode="area")
        pictures = F.interpolate(coarse, pictures.shape[-2:], mode="bilinear")
    elif roll < 0.8:
        pictures = pictures + random.uniform(0, 0.12) * torch.randn_like(pictures)
    return pictures * random.uniform(0.88, 1.05) + random.uniform(-0.06, 0.06)


def train_judge(
    start: Judge, minutes: float, folder: Path, device: torch.device, *, resume: bool
) -> Judge:
    """Teach the judge on fresh scenes; returns the average of its weights."""
    model = start.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    course = Course("judge", {"judge": model}, minutes=minutes, learning_rate=2e-3, folder=folder)
    if resume:
        course.resume()
    random = Random(course.step_number + 23)
    for _ in course.lessons():
        pictures, answers = sample_cases(random, 48)
        with training_autocast(device):
            guesses = model(worn(as_tensor(pictures).to(device), random))
        losses = {
            k: F.cross_entropy(guesses[k].float(), answers[k].to(device), ignore_index=UNSEEN)
            for k in QUESTIONS
        }
        course.learn(
            torch.stack(list(losses.values())).sum(), **{k: v.item() for k, v in losses.items()}
        )
    average = course.averages["judge"]
    assert isinstance(average, Judge)
    return average


def save_judge(model: Judge, path: Path = WEIGHTS) -> None:
    save_file({k: v.half().contiguous() for k, v in model.state_dict().items()}, path)


@lru_cache(maxsize=1)
def load_judge(path: Path = WEIGHTS) -> Judge:
    model = Judge()
    model.load_state_dict({k: v.float() for k, v in load_file(path).items()})
    return model.eval()


def judge(pictures: Sequence[Image.Image]) -> list[Verdict]:
    """What each picture shows."""
    best = {name: logits.argmax(1).tolist() for name, logits in _logits(pictures).items()}
    return [
        Verdict(**{n: QUESTIONS[n][best[n][i]] for n in QUESTIONS}) for i in range(len(pictures))
    ]


def chances(pictures: Sequence[Image.Image], question: str) -> list[dict[str, float]]:
    """How likely each answer is, 0..1, picture by picture."""
    likely = _logits(pictures)[question].softmax(1).tolist()
    return [dict(zip(QUESTIONS[question], each, strict=True)) for each in likely]


@torch.no_grad()
def _logits(pictures: Sequence[Image.Image]) -> dict[str, Tensor]:
    sized = [picture.convert("RGB").resize((PIXELS, PIXELS)) for picture in pictures]
    seen: dict[str, Tensor] = load_judge()(as_tensor(np.stack([np.asarray(p) for p in sized])))
    return seen


@torch.no_grad()
def accuracy(
    model: Judge, count: int, seed: int, through: Callable[[Tensor], Tensor] | None = None
) -> dict[str, float]:
    """Share of right answers on fresh drawn scenes, question by question.

    through: what becomes of the pictures [B, 3, 256, 256], in -1..1, before the judge sees them.
    """
    random = Random(seed)
    right: dict[str, list[Tensor]] = {name: [] for name in QUESTIONS}
    for _ in range(-(-count // 100)):
        pictures, answers = sample_cases(random, 100)
        shown = as_tensor(pictures)
        guesses = model(shown if through is None else through(shown))
        for name, answer in answers.items():
            asked = answer != UNSEEN
            right[name].append((guesses[name].argmax(1) == answer)[asked].float())
    return {name: torch.cat(values).mean().item() for name, values in right.items()}
