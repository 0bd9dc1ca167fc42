"""Video models that draw what lies between a first and a last picture, all used the same way.

diffusers has several such pipelines. Each takes the two pictures in a form of its own and allows
numbers of frames and sizes of its own; `KINDS` says so for each class. The rest is common: the
next larger number of frames is drawn at the nearest allowed size, evenly spaced ones are taken and
brought back to the size of the two pictures, and these stand at the ends as they were given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil, lcm, sqrt
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import DiffusionPipeline
from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition
from PIL import Image

from engine.request import EngineError

SIDE_STEP = 32  # pixels: every pipeline allows sides that are multiples of it
MOST_PIXELS = 1280 * 720  # of a frame: the largest that these models have seen in training


@dataclass(frozen=True)
class Kind:
    """What is peculiar to one class of pipelines."""

    ends: Callable[[Image.Image, Image.Image, int], dict[str, Any]]  # start, end, frames: arguments
    temporal: str  # attribute with its frames a latent, k: it draws n k + 1 frames
    spatial: str  # attribute with its pixels a latent
    exact: tuple[str, ...] = ()  # parts that stay in float32 where the others are in bfloat16
    packages: tuple[str, ...] = ()  # that it needs and diffusers does not bring along


def wan_ends(start: Image.Image, end: Image.Image, frames: int) -> dict[str, Any]:
    del frames
    return {"image": start, "last_image": end}


def vace_ends(start: Image.Image, end: Image.Image, frames: int) -> dict[str, Any]:
    """A video that is grey between its ends, and a mask that is white where it is to be drawn."""
    grey = Image.new("RGB", start.size, (128, 128, 128))
    black, white = (Image.new("L", start.size, shade) for shade in (0, 255))
    inner = frames - 2
    return {"video": [start, *[grey] * inner, end], "mask": [black, *[white] * inner, black]}


def ltx_ends(start: Image.Image, end: Image.Image, frames: int) -> dict[str, Any]:
    return {
        "conditions": [
            LTXVideoCondition(image=start, frame_index=0),
            LTXVideoCondition(image=end, frame_index=frames - 1),
        ],
        # read only by autoencoders that clean up while they decode; their authors' values
        "decode_timestep": 0.05,
        "decode_noise_scale": 0.025,
    }


WAN = ("vae_scale_factor_temporal", "vae_scale_factor_spatial")
LTX = ("vae_temporal_compression_ratio", "vae_spatial_compression_ratio")
KINDS = {
    "WanImageToVideoPipeline": Kind(wan_ends, *WAN, ("vae", "image_encoder"), ("ftfy",)),
    "WanVACEPipeline": Kind(vace_ends, *WAN, ("vae",), ("ftfy",)),
    "LTXConditionPipeline": Kind(ltx_ends, *LTX),
}


class EndFramesPipeline:
    """One loaded video model of any class in `KINDS`."""

    def __init__(self, pipeline: Any, kind: Kind) -> None:
        self._pipeline, self._kind = pipeline, kind
        self._frames_step: int = getattr(pipeline, kind.temporal)
        patch = denoiser(pipeline).config.patch_size
        across = patch if isinstance(patch, int) else patch[-1]
        self._side_step = lcm(SIDE_STEP, getattr(pipeline, kind.spatial) * across)

    def frames(
        self, start: Image.Image, end: Image.Image, words: str, negative: str, count: int,
        steps: int | None, seed: int, on_step: Callable[[int, int], None],
    ) -> list[Image.Image]:  # fmt: skip
        """`count` RGB frames of one size, at least 2; the first is `start`, the last is `end`.

        `steps` None: as many as the model wants. `on_step(done, all)` is called after each; what
        it raises ends the drawing. Raises `EngineError` for pictures of different sizes.
        """
        if start.size != end.size:
            raise EngineError(
                f"the two pictures are {start.width} x {start.height} and {end.width} x"
                f" {end.height} pixels; for a video they must be of one size"
            )
        drawn = ceil((count - 1) / self._frames_step) * self._frames_step + 1
        width, height = allowed_size(start.size, self._side_step)
        first, last = (
            picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
            for picture in (start, end)
        )

        def after_step(pipeline: Any, step: int, timestep: Any, tensors: Any) -> dict[str, Any]:
            del timestep, tensors
            on_step(step + 1, pipeline.num_timesteps)
            return {}

        try:
            video = self._pipeline(
                prompt=words, negative_prompt=negative, width=width, height=height,
                num_frames=drawn, generator=torch.Generator().manual_seed(seed),
                callback_on_step_end=after_step, output_type="pil",
                **({} if steps is None else {"num_inference_steps": steps}),
                **self._kind.ends(first, last, drawn),
            ).frames[0]  # fmt: skip
        finally:
            self._pipeline.maybe_free_model_hooks()  # a cancelled drawing leaves the card empty too
        spaced = (video[round(i * (drawn - 1) / (count - 1))] for i in range(1, count - 1))
        inner = [frame.resize(start.size, Image.Resampling.LANCZOS) for frame in spaced]
        return [start.convert("RGB"), *inner, end.convert("RGB")]


def denoiser(pipeline: Any) -> Any:
    """Models of two stages may lack the first."""
    return pipeline.transformer or pipeline.transformer_2


def allowed_size(size: tuple[int, int], step: int) -> tuple[int, int]:
    """Width and height as multiples of `step`, next larger ones unless `MOST_PIXELS` forbids."""
    smaller = min(1.0, sqrt(MOST_PIXELS / (size[0] * size[1])))
    width, height = (ceil(smaller * side / step) * step for side in size)
    return width, height


def load_end_frames(source: str, device: torch.device) -> EndFramesPipeline:
    """A folder in diffusers format or a name on the hub; safetensors only.

    On a graphics card the parts take turns there and wait in the computer's memory. Raises
    `EngineError` for another class of pipelines, and where a part or a package is missing.
    """
    transformers.utils.logging.disable_progress_bar()  # the engine reports its own progress
    diffusers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity(50)  # … and its own errors
    name = class_of(source)
    if name not in KINDS:
        raise EngineError(
            f'the video model "{source}" is a {name}, which does not take a first and a last'
            f" picture; take one that is a {' or '.join(KINDS)}"
        )
    kind = KINDS[name]
    if lacking := [package for package in kind.packages if not find_spec(package)]:
        raise EngineError(
            f'the video model "{source}" needs the Python package {" and ".join(lacking)}:'
            f" pip install {' '.join(lacking)}"
        )
    precision: Any = torch.float32
    if device.type != "cpu":
        precision = {"default": torch.bfloat16, **dict.fromkeys(kind.exact, torch.float32)}
    try:
        pipeline = DiffusionPipeline.from_pretrained(source, use_safetensors=True, dtype=precision)
    except Exception as error:  # libraries and the hub's client have trees of errors of their own
        raise EngineError(f'the video model "{source}" cannot be loaded: {error}') from error
    check_both_ends(source, pipeline)
    pipeline.set_progress_bar_config(disable=True)
    if hasattr(pipeline.vae, "enable_tiling"):
        pipeline.vae.enable_tiling()
    if device.type == "cuda":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
    return EndFramesPipeline(pipeline, kind)


def class_of(source: str) -> str:
    """The class of pipelines that the model's own model_index.json names."""
    if source.startswith(("/", ".")) and not Path(source).is_dir():
        raise EngineError(f'there is no folder "{source}" with a video model')
    try:
        return str(DiffusionPipeline.load_config(source)["_class_name"])
    except Exception as error:  # as above
        raise EngineError(
            f'the video model "{source}" is no folder in diffusers format, and the hub has none of'
            f" that name: {error}"
        ) from error


def check_both_ends(source: str, pipeline: Any) -> None:
    """Some models of the class of Wan read the first picture only, and say so in their settings."""
    config = denoiser(pipeline).config
    image_width, places = (getattr(config, k, None) for k in ("image_dim", "pos_embed_seq_len"))
    reads_one = image_width is not None and places is None  # of CLIP tokens: for two pictures
    if reads_one or getattr(pipeline.config, "expand_timesteps", False):
        raise EngineError(
            f'the video model "{source}" reads a first picture only; take one that was made for a'
            " first and a last, such as Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers"
        )
