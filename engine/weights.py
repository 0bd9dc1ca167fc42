"""The parts of a model from its files: a folder in diffusers format, or one .safetensors file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import SingleFileComponentError
from safetensors import SafetensorError

from engine.fetching import fetch_file, out_of_reach
from engine.model_files import WEIGHTS, Family, check_complete, family_of
from engine.models import ModelSpec
from engine.motion.weight_files import SUFFIX, first_line, is_path, place_of
from engine.request import EngineError
from engine.vocabulary import SHAPES, clip_tokenizer

PIPELINES = {
    "sd15": diffusers.StableDiffusionPipeline,
    "sdxl": diffusers.StableDiffusionXLPipeline,
}
BROKEN = (
    OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, SafetensorError,
    SingleFileComponentError,
)  # fmt: skip


@dataclass
class Parts:
    """A model in its parts, on the CPU."""

    unet: UNet2DConditionModel
    autoencoder: Any  # AutoencoderKL or AutoencoderDC
    scheduler: Any
    readers: tuple[tuple[Any, Any], ...]  # (tokenizer, text encoder), two for SDXL


def parts_of(place: Path, spec: ModelSpec, dtype: torch.dtype) -> Parts:
    """The parts of this model, which lies in a folder or a file.

    Raises `EngineError` where one is missing or cannot be read.
    """
    what = f'the model "{spec.name}"'
    if spec.family is not None and (found := family_of(place)) != spec.family:
        raise EngineError(f'{what} is to be of the family "{spec.family}", but it is "{found}"')
    own = load_vae(spec.vae, spec.family or "sd15", dtype) if spec.vae else None
    try:
        if place.is_dir():
            check_complete(place, what, without="vae" if own else "")
            return parts_of_folder(place, dtype, own)
        return parts_of_file(place, dtype, own)
    except BROKEN as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise EngineError(f"{what} cannot be loaded: {first_line(error)}") from error


def parts_of_folder(folder: Path, dtype: torch.dtype, vae: Any = None) -> Parts:
    """The parts that the folder's own model_index.json names."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    readers = tuple(
        (_part(index, folder, f"tokenizer{n}"), _part(index, folder, f"text_encoder{n}", dtype))
        for n in ("", "_2")
        if index.get(f"text_encoder{n}", [None])[0]
    )
    return Parts(
        unet=_part(index, folder, "unet", dtype),
        autoencoder=vae or _part(index, folder, "vae", dtype),
        scheduler=_part(index, folder, "scheduler"),
        readers=readers,
    )


def _part(index: dict[str, Any], folder: Path, name: str, dtype: torch.dtype | None = None) -> Any:
    """One part by the library and class its model_index.json names; weights have a `dtype`."""
    library, kind = index[name]
    if library == "transformers":
        loader = transformers.AutoTokenizer if "okenizer" in kind else getattr(transformers, kind)
    else:
        loader = getattr(diffusers, kind)
    if dtype is None:
        return loader.from_pretrained(folder / name)
    return loader.from_pretrained(
        folder / name, use_safetensors=True, torch_dtype=dtype, variant=variant_in(folder / name)
    )


def variant_in(folder: Path) -> str | None:
    """ "fp16" where the weights come in that form only; None where they have no such name."""
    names = [file.name.split(".") for file in folder.glob(f"*{SUFFIX}")]
    marks = {name[1] if len(name) > 2 and "-of-" not in name[1] else None for name in names}
    return None if None in marks or not marks else sorted(filter(None, marks))[0]


def parts_of_file(file: Path, dtype: torch.dtype, vae: Any = None) -> Parts:
    """The parts of a whole model in one file; its shapes and words are shipped with the engine."""
    family = family_of(file)
    tokenizers = {"tokenizer": clip_tokenizer()}
    if family == "sdxl":
        tokenizers["tokenizer_2"] = clip_tokenizer(pad="!")
    own = {} if vae is None else {"vae": vae}
    pipeline = PIPELINES[family].from_single_file(
        str(file), config=str(SHAPES / family), local_files_only=True, torch_dtype=dtype,
        **tokenizers, **own,
    )  # fmt: skip
    encoders = [pipeline.text_encoder]
    if family == "sdxl":
        encoders.append(pipeline.text_encoder_2)
    return Parts(
        unet=pipeline.unet,
        autoencoder=pipeline.vae,
        scheduler=pipeline.scheduler,
        readers=tuple(zip(tokenizers.values(), encoders, strict=True)),
    )


def load_vae(source: str, family: Family, dtype: torch.dtype) -> AutoencoderKL:
    """An autoencoder from a folder or name in diffusers format, or from a .safetensors file."""
    what, path = f'the VAE "{source}"', place_of(source)
    on_hub = not path.exists() and not is_path(source)
    try:
        if path.is_dir() or (on_hub and source.count("/") == 1 and path.suffix not in WEIGHTS):
            inner = "vae" if (path / "vae" / "config.json").is_file() else None
            return AutoencoderKL.from_pretrained(
                source if on_hub else path, subfolder=inner, use_safetensors=True, torch_dtype=dtype
            )
        file = fetch_file(source, what)
        return AutoencoderKL.from_single_file(
            str(file), config=str(SHAPES / family), subfolder="vae", local_files_only=True,
            torch_dtype=dtype,
        )  # fmt: skip
    except BROKEN as error:
        if on_hub and isinstance(error, OSError):
            raise out_of_reach(what, source, error) from error
        raise EngineError(f"{what} cannot be loaded: {first_line(error)}") from error
