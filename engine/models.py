"""The models Inkwell can draw with: a table without torch, so that the bot can read it."""

from __future__ import annotations

import difflib
import json
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from engine.request import EngineError

HOUSE_WEIGHTS = Path(__file__).parent / "house" / "weights"
MOTION_WEIGHTS = Path(__file__).parent / "house" / "motion"


@dataclass(frozen=True)
class HouseMotion:
    """Motion modules, image encoder and predictor that were trained for the house artist."""

    weights: Path
    steps: int = 8


@dataclass(frozen=True)
class AnimateDiff:
    """AnimateDiff's motion modules in SD1.5, whose frames read semantic tokens by an IP-Adapter.

    `adapter` is a folder or a name on the hub. `ip_adapter` is a .safetensors file with the folder
    image_encoder beside it, on this computer or on the hub ("owner/name/path/of/the.safetensors").
    `predictor` is a folder that `engine.motion.train --clips` wrote; without it the path is linear.
    """

    adapter: str
    ip_adapter: str
    predictor: Path | None = None
    steps: int = 25


@dataclass(frozen=True)
class EndFrames:
    """A video model of its own that draws what lies between a first and a last picture."""

    source: str  # a folder in diffusers format, or a name on the hub


Regions = Literal["masks", "strips", "none"]
Motion = HouseMotion | AnimateDiff | EndFrames


@dataclass(frozen=True)
class ModelSpec:
    """A base model and how it is used.

    `sharing` is how identity reaches the panels. "noise-matched": training-free, every panel at
    the noise level of the step, as in the paper (SD1.5, SDXL). "leading": the identity panels are
    finished first and their nearly clean latents are seen at every step, for models trained so.

    `regions` is how several characters in a panel are kept apart. "masks": each in the region where
    the picture shows it, training-free. "strips": each in its share of the width, in the order of
    naming, for models trained so. "none": not at all.
    """

    name: str
    source: str  # a folder in diffusers format, or a name on the hub
    sharing: Literal["noise-matched", "leading"]
    layers: Literal["up", "all"]  # which self-attention layers share tokens
    size: int  # pixels a side
    steps: int
    guidance: float
    guidance_rescale: float = 0.0  # Lin et al. 2023, arXiv 2305.08891, section 3.4
    guided_above: int = 0  # the noise level (0..999) below which guidance ends
    reads_negatives: bool = True
    languages: tuple[str, ...] = ("en",)  # that it reads
    long_prompts: bool = True  # read in chunks, with emphasis (engine/reading.py)
    leading_timestep: int = 20  # noise level at which finished identity panels are seen
    regions: Regions = "masks"
    guides_attention: bool = False  # guidance strengthens identity and structure as it does words
    picture_adapter: str = ""  # an IP-Adapter (engine/picture_adapter.py); "": none
    motion: Motion | None = None  # how its pictures come to move (engine/motion)
    styles: tuple[str, ...] = ()  # of styles.toml, that it has learnt; none: all, by their words

    @property
    def moves(self) -> bool:
        """Whether it has learnt to move. What is configured for that may still be wrong."""
        if isinstance(self.motion, HouseMotion):
            return self.motion.weights.is_dir()
        return self.motion is not None


HOUSE = ModelSpec(
    "house", str(HOUSE_WEIGHTS), sharing="leading", layers="all", size=256, steps=24, guidance=2.5,
    guidance_rescale=0.5, guided_above=200, reads_negatives=False, languages=("en", "zh"),
    long_prompts=False, guides_attention=True, motion=HouseMotion(MOTION_WEIGHTS),
    styles=("comic", "line-art", "noir", "pastel", "none"), regions="strips",
)  # fmt: skip
SD15 = ModelSpec(
    "sd15", "stable-diffusion-v1-5/stable-diffusion-v1-5", sharing="noise-matched", layers="up",
    size=512, steps=30, guidance=7.0,
)  # fmt: skip
SDXL = ModelSpec(
    "sdxl", "stabilityai/stable-diffusion-xl-base-1.0", sharing="noise-matched", layers="up",
    size=1024, steps=30, guidance=5.0,
)  # fmt: skip
MODELS = {spec.name: spec for spec in (HOUSE, SD15, SDXL)}


def find_model(name: str) -> ModelSpec:
    """The spec of a name in `MODELS`, or of a folder that holds an SD1.5 or SDXL model."""
    if name in MODELS:
        return MODELS[name]
    index = Path(name) / "model_index.json"
    if not index.is_file():
        near = difflib.get_close_matches(name, MODELS, n=1, cutoff=0.0)[0]
        raise EngineError(
            f'there is no model "{name}"; the nearest is "{near}", all are {", ".join(MODELS)},'
            " or name a folder in diffusers format"
        )
    try:
        parts = dict(json.loads(index.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(f'the model "{name}" cannot be loaded: {index} is broken') from error
    family = SDXL if "text_encoder_2" in parts else SD15
    return replace(MODELS[family.name], name=name, source=name)


@dataclass(frozen=True)
class MotionSettings:
    """What is configured to make models move, `[engine]` of config.toml; "" is not set.

    The engine's process gets them on its command line, under the same names.
    """

    motion_adapter: str = ""
    ip_adapter: str = "h94/IP-Adapter/models/ip-adapter-plus_sd15.safetensors"
    motion_predictor: str = ""
    video_model: str = ""

    def arguments(self) -> list[str]:
        """As options of a command line; those that have their default are left out."""
        return [
            part
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
            for part in (option(field.name), value)
        ]


def add_motion_options(parser: ArgumentParser) -> None:
    for field in fields(MotionSettings):
        parser.add_argument(
            option(field.name), default=field.default, help="as in config.example.toml"
        )


def motion_settings(options: Namespace) -> MotionSettings:
    """What came on the command line."""
    return MotionSettings(*(getattr(options, field.name) for field in fields(MotionSettings)))


def option(name: str) -> str:
    """Of the command line: "video_model" -> "--video-model"."""
    return "--" + name.replace("_", "-")


def set_motion(settings: MotionSettings) -> None:
    """Let the models of this process's table move as configured; what moves already stays so."""
    for name, spec in MODELS.items():
        if spec.moves:
            continue
        if name == SD15.name and settings.motion_adapter:
            predictor = Path(settings.motion_predictor) if settings.motion_predictor else None
            motion: Motion = AnimateDiff(settings.motion_adapter, settings.ip_adapter, predictor)
        elif settings.video_model:
            motion = EndFrames(settings.video_model)
        else:
            continue
        MODELS[name] = replace(spec, motion=motion)
