"""The models Inkwell can draw with: a table without torch, so that the bot can read it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from engine.model_files import WEIGHTS, Family, family_of
from engine.motion.weight_files import is_path, place_of
from engine.request import EngineError

HOUSE_WEIGHTS = Path(__file__).parent / "house" / "weights"
MOTION_WEIGHTS = Path(__file__).parent / "house" / "motion"


@dataclass(frozen=True)
class HouseMotion:
    """Motion modules, image encoder, flow and predictor that were trained for the house artist."""

    weights: Path
    steps: int = 2


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


# How noise is taken away, by the names of engine/schedulers.py; "": as the model's files say.
SchedulerName = Literal[
    "", "ddim", "euler", "euler-a", "dpm++", "dpm++-karras", "unipc", "lcm", "trailing", "turbo"
]
Precision = Literal["auto", "float32", "float16", "bfloat16"]
PresetName = Literal["draft", "normal", "fine"]
PRESETS: tuple[PresetName, ...] = get_args(PresetName)


@dataclass(frozen=True)
class Lora:
    """Low-rank additions to a model's weights, and how much of them is added.

    `source` is a .safetensors file, a folder with one, or "owner/name/path/of/the.safetensors" on
    the hub. Where a file holds other things too, those of the LoRA are named `prefix` and so on.
    """

    source: str
    scale: float = 1.0
    prefix: str = ""


@dataclass(frozen=True)
class Preset:
    """How finely a model draws, when that is asked for by a name."""

    name: PresetName
    steps: int
    guidance: float
    scheduler: SchedulerName = ""  # "": the model's
    loras: tuple[Lora, ...] = ()  # worn while it draws, beside the model's own


@dataclass(frozen=True)
class FreeU:
    """Backbone and skip factors of the UNet's decoder (Si et al. 2023, arXiv 2309.11497)."""

    b1: float
    b2: float
    s1: float = 0.9
    s2: float = 0.2


FREEU = {"sd15": FreeU(1.5, 1.6), "sdxl": FreeU(1.3, 1.4)}  # the authors' own, by family


@dataclass(frozen=True)
class ModelSpec:
    """A base model and how it is used.

    `source` is a folder in diffusers format, a name on the hub ("owner/name"), or one .safetensors
    file, on this computer or on the hub ("owner/name/path/of/the.safetensors").

    `sharing` is how identity reaches the panels. "noise-matched": training-free, every panel at
    the noise level of the step, as in the paper (SD1.5, SDXL). "leading": the identity panels are
    finished first and their nearly clean latents are seen at every step, for models trained so.

    `regions` is how several characters in a panel are kept apart. "masks": each in the region where
    the picture shows it, training-free. "strips": each in its share of the width, in the order of
    naming, for models trained so. "none": not at all.
    """

    name: str
    source: str
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
    most_together: int = 4  # characters in a panel that it can draw
    guides_attention: bool = False  # guidance strengthens identity and structure as it does words
    picture_adapter: str = ""  # an IP-Adapter (engine/picture_adapter.py); "": none
    photomaker: str = ""  # a PhotoMaker adapter (engine/photomaker.py), SDXL only; "": none
    motion: Motion | None = None  # how its pictures come to move (engine/motion)
    styles: tuple[str, ...] = ()  # of styles.toml, that it has learnt; none: all, by their words
    family: Family | None = None  # None: a family of its own, the house artist's
    scheduler: SchedulerName = ""
    variant: str = ""  # of weights that come in several: "fp16"
    vae: str = ""  # an autoencoder in place of the model's own: a folder, a file or of the hub
    loras: tuple[Lora, ...] = ()
    freeu: FreeU | None = None
    presets: tuple[Preset, ...] = ()
    precision: Precision = "auto"
    offload: bool = False  # parts wait in the computer's memory until their turn (CUDA)
    tiling: bool = False  # pictures are decoded piece by piece
    licence: str = ""
    download: float = 0.0  # about so many gigabytes come from the hub at the first use

    @property
    def moves(self) -> bool:
        """Whether it has learnt to move. What is configured for that may still be wrong."""
        if isinstance(self.motion, HouseMotion):
            return self.motion.weights.is_dir()
        return self.motion is not None

    def way(self, preset: str = "") -> Preset:
        """How it draws when a preset is asked for, or none. Raises `EngineError`."""
        if not preset:
            return Preset("normal", self.steps, self.guidance, self.scheduler)
        named = self.preset(preset)
        return replace(named, scheduler=named.scheduler or self.scheduler)

    def preset(self, name: str) -> Preset:
        """Raises `EngineError` for one that this model does not have."""
        for preset in self.presets:
            if preset.name == name:
                return preset
        known = ", ".join(preset.name for preset in self.presets) or "none"
        raise EngineError(f'the model "{self.name}" has no preset "{name}"; it has: {known}')


# LoRAs that let a model draw in few steps: a distillation each, 4 or 8 steps, no guidance.
LCM_SD15 = Lora("latent-consistency/lcm-lora-sdv1-5/pytorch_lora_weights.safetensors")
LCM_SDXL = Lora("latent-consistency/lcm-lora-sdxl/pytorch_lora_weights.safetensors")
LIGHTNING_4 = Lora("ByteDance/SDXL-Lightning/sdxl_lightning_4step_lora.safetensors")
LIGHTNING_8 = Lora("ByteDance/SDXL-Lightning/sdxl_lightning_8step_lora.safetensors")
HYPER_SD15 = Lora("ByteDance/Hyper-SD/Hyper-SD15-8steps-lora.safetensors")
HYPER_SDXL = Lora("ByteDance/Hyper-SD/Hyper-SDXL-8steps-lora.safetensors")
LORAS = {  # names that config.toml may use
    "lcm-sd15": LCM_SD15,
    "lcm-sdxl": LCM_SDXL,
    "lightning-4": LIGHTNING_4,
    "lightning-8": LIGHTNING_8,
    "hyper-sd15": HYPER_SD15,
    "hyper-sdxl": HYPER_SDXL,
}
LORA_TERMS = {  # licence, and gigabytes from the hub
    LCM_SD15.source: ("openrail++", 0.13),
    LCM_SDXL.source: ("openrail++", 0.39),
    LIGHTNING_4.source: ("openrail++", 0.39),
    LIGHTNING_8.source: ("openrail++", 0.39),
    HYPER_SD15.source: ("its makers' own, see LICENSE.md there", 0.27),
    HYPER_SDXL.source: ("its makers' own, see LICENSE.md there", 0.79),
}

HOUSE = ModelSpec(
    "house", str(HOUSE_WEIGHTS), sharing="leading", layers="all", size=256, steps=24, guidance=3.2,
    guidance_rescale=0.5, guided_above=200, reads_negatives=False, languages=("en", "zh"),
    long_prompts=False, guides_attention=True, motion=HouseMotion(MOTION_WEIGHTS),
    styles=("comic", "line-art", "noir", "pastel", "none"), regions="strips",
    most_together=2,
    licence="Apache-2.0",
    presets=(Preset("draft", 10, 3.2), Preset("normal", 24, 3.2), Preset("fine", 48, 3.2)),
)  # fmt: skip
SD15 = ModelSpec(
    "sd15", "stable-diffusion-v1-5/stable-diffusion-v1-5", sharing="noise-matched", layers="up",
    size=512, steps=30, guidance=7.0, family="sd15", variant="fp16",
    licence="CreativeML Open RAIL-M", download=2.1,
    presets=(
        Preset("draft", 4, 1.0, "lcm", (LCM_SD15,)),
        Preset("normal", 25, 7.0, "dpm++-karras"),
        Preset("fine", 50, 7.0, "dpm++-karras"),
    ),
)  # fmt: skip
SDXL = ModelSpec(
    "sdxl", "stabilityai/stable-diffusion-xl-base-1.0", sharing="noise-matched", layers="up",
    size=1024, steps=30, guidance=5.0, family="sdxl", variant="fp16",
    licence="CreativeML Open RAIL++-M", download=6.9,
    presets=(
        Preset("draft", 4, 1.0, "trailing", (LIGHTNING_4,)),
        Preset("normal", 30, 5.0),
        Preset("fine", 50, 5.0),
    ),
)  # fmt: skip
REALVIS = replace(SDXL, name="realvisxl", source="SG161222/RealVisXL_V4.0")
UNSTABLE = replace(
    SDXL, name="unstable", source="stablediffusionapi/sdxl-unstable-diffusers-y",
    licence="CreativeML Open RAIL-M",
)  # fmt: skip
JUGGERNAUT = replace(
    SDXL, name="juggernaut", source="RunDiffusion/Juggernaut-XL-v9",
    licence="CreativeML Open RAIL-M; sale of the model and of generation services with it is not"
    " included",
)  # fmt: skip
TURBO = replace(
    SDXL, name="sdxl-turbo", source="stabilityai/sdxl-turbo", size=512, steps=4, guidance=1.0,
    scheduler="turbo", licence="Stability AI's own; commercial use has conditions",
    presets=(Preset("draft", 1, 1.0), Preset("normal", 4, 1.0), Preset("fine", 8, 1.0)),
)  # fmt: skip
MODELS = {
    spec.name: spec for spec in (HOUSE, SD15, SDXL, REALVIS, UNSTABLE, JUGGERNAUT, TURBO)
}  # set_models (engine/model_settings.py) adds what is configured


def find_model(name: str) -> ModelSpec:
    """The spec of a name in `MODELS`, or of a folder or file that holds an SD1.5 or SDXL model.

    Raises `EngineError`, one sentence, for anything else.
    """
    if name in MODELS:
        return MODELS[name]
    path = place_of(name)
    if name and (path.exists() or is_path(name) or path.suffix in WEIGHTS):  # Path("") is "."
        return replace(MODELS[family_of(path)], name=name, source=name, licence="", download=0.0)
    near = difflib.get_close_matches(name, MODELS, n=1, cutoff=0.0)[0]
    raise EngineError(
        f'there is no model "{name}"; the nearest is "{near}", all are {", ".join(MODELS)}, or name'
        " a folder in diffusers format or a .safetensors file; one of the hub is described under"
        " [models] in config.toml"
    )


def check_moves(spec: ModelSpec) -> None:
    """Raises `EngineError` for a model that cannot animate."""
    if not spec.moves:
        raise EngineError(
            f'the model "{spec.name}" has not learnt to move; whoever runs the engine can set'
            " video_model (or, for Stable Diffusion 1.5, motion_adapter) under [engine] in"
            " config.toml"
        )
