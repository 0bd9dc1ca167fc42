"""The models Inkwell can draw with: a table without torch, so that the bot can read it."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.request import EngineError

HOUSE_WEIGHTS = Path(__file__).parent / "house" / "weights"
MOTION_WEIGHTS = Path(__file__).parent / "house" / "motion"


@dataclass(frozen=True)
class ModelSpec:
    """A base model and how it is used.

    `sharing` is how identity reaches the panels. "noise-matched": training-free, every panel at
    the noise level of the step, as in the paper (SD1.5, SDXL). "leading": the identity panels are
    finished first and their nearly clean latents are seen at every step, for models trained so.
    """

    name: str
    source: str  # a folder in diffusers format, or a name on the hub
    sharing: Literal["noise-matched", "leading"]
    layers: Literal["up", "all"]  # which self-attention layers share tokens
    size: int  # pixels a side
    steps: int
    guidance: float
    guidance_rescale: float = 0.0  # Lin et al. 2023, arXiv 2305.08891, section 3.4
    reads_negatives: bool = True
    leading_timestep: int = 20  # noise level at which finished identity panels are seen
    guides_identity: bool = False  # guidance strengthens identity as it does words
    motion: Path | None = None  # weights that make it move (engine/motion)

    @property
    def moves(self) -> bool:
        """Whether it has learnt to move: whether those weights are there."""
        return self.motion is not None and self.motion.is_dir()


HOUSE = ModelSpec(
    "house", str(HOUSE_WEIGHTS), sharing="leading", layers="all", size=256, steps=24, guidance=4.5,
    guidance_rescale=0.5, reads_negatives=False, guides_identity=True, motion=MOTION_WEIGHTS,
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
    return replace(SDXL if "text_encoder_2" in parts else SD15, name=name, source=name)
