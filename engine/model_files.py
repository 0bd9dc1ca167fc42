"""What a model's files are, without loading them: which family they hold, and what is wrong.

Only headers and small JSON files are read, so the bot can say at once what an engine would find.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Literal

from engine.motion.weight_files import PICKLES, SUFFIX, check_folder
from engine.request import EngineError

Family = Literal["sd15", "sdxl"]
WEIGHTS = (SUFFIX, *PICKLES)
READ = "SD1.5 and SDXL models are read"
LONGEST_HEADER = 100 << 20  # bytes: the format's own limit
POINTER = b"version https://git-lfs"

# How the keys of a whole model in one file begin, and what it is.
IN_ONE_FILE = {
    "model.diffusion_model.joint_blocks.": "SD3",
    "model.diffusion_model.double_blocks.": "FLUX",
    "double_blocks.": "FLUX",
    "cond_stage_model.model.": "SD2",
    "conditioner.embedders.1.": "sdxl",
    "conditioner.embedders.0.model.": "SDXL refiner",
    "cond_stage_model.transformer.": "sd15",
}
SD2_WORDS = 1024  # width of the word states that SD2's UNet reads; SD1.5's are 768 wide
WEIGHED = ("unet", "vae", "text_encoder", "text_encoder_2")  # parts of a model with weights …
LIGHT = ("tokenizer", "tokenizer_2", "scheduler")  # … and without
LATENTS = 4  # channels; inpainting models read 9


def family_of(path: Path) -> Family:
    """The family of a model in a folder or a file. Raises `EngineError`, one sentence."""
    what = f'the model "{path}"'
    if path.is_dir():
        return _family_of_folder(path, what)
    if path.suffix in PICKLES:
        raise pickled(what)
    if not path.is_file():
        raise EngineError(f"{what} is missing: there is no such file or folder")
    if path.suffix != SUFFIX:
        raise EngineError(f"{what} is neither a folder in diffusers format nor a {SUFFIX} file")
    return _family_of_file(path, what)


def pickled(what: str) -> EngineError:
    """For weights whose loading can run anything that is written in them."""
    return EngineError(f"{what} is pickled, and such weights are not read: take {SUFFIX}")


def _family_of_folder(folder: Path, what: str) -> Family:
    index = folder / "model_index.json"
    if not index.is_file():
        single = sorted(file.name for file in folder.iterdir() if file.suffix == SUFFIX)
        hint = f"; to use one of its files, name it: {', '.join(single[:3])}" if single else ""
        raise EngineError(f"{what} is no model: the folder has no model_index.json{hint}")
    parts = _json(index, what)
    if "unet" not in parts:
        kind = str(parts.get("_class_name", "another family")).removesuffix("Pipeline")
        raise EngineError(f"{what} is of another family ({kind}); {READ}")
    unet = _json(folder / "unet" / "config.json", what)
    if unet.get("in_channels", LATENTS) != LATENTS:
        raise EngineError(f"{what} is made for inpainting and draws nothing from words alone")
    if "text_encoder_2" not in parts:
        if unet.get("cross_attention_dim") == SD2_WORDS:
            raise EngineError(f"{what} is of another family (SD2); {READ}")
        return "sd15"
    if not (parts.get("text_encoder") or [None])[0]:
        raise EngineError(f"{what} is of another family (SDXL refiner); {READ}")
    return "sdxl"


def _family_of_file(file: Path, what: str) -> Family:
    shapes = shapes_of(file, what)
    if any("lora" in key for key in shapes):
        raise EngineError(f'{what} is a LoRA: name it under "loras" of a model')
    found = next(
        (kind for start, kind in IN_ONE_FILE.items() if any(k.startswith(start) for k in shapes)),
        None,
    )
    if found is None:
        raise EngineError(f"{what} holds no whole model: UNet and text encoders are needed")
    if found not in ("sd15", "sdxl"):
        raise EngineError(f"{what} is of another family ({found}); {READ}")
    if shapes.get("model.diffusion_model.input_blocks.0.0.weight", [0, LATENTS])[1] != LATENTS:
        raise EngineError(f"{what} is made for inpainting and draws nothing from words alone")
    return "sd15" if found == "sd15" else "sdxl"


def shapes_of(file: Path, what: str) -> dict[str, list[int]]:
    """The shape of each tensor in a .safetensors file, by its key; the weights are not read.

    Raises `EngineError` where the file is cut off: its header says how long it must be.
    """
    try:
        with file.open("rb") as stream:
            start = stream.read(len(POINTER))
            if start == POINTER:
                raise EngineError(f"{what} is a pointer to a file of Git LFS: run `git lfs pull`")
            (length,) = struct.unpack("<Q", start[:8])
            if length > LONGEST_HEADER:
                raise ValueError("no header")
            stream.seek(8)
            header = dict(json.loads(stream.read(length)))
        header.pop("__metadata__", None)
        end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
        shapes = {key: list(entry["shape"]) for key, entry in header.items()}
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise half(what, file) from error
    if file.stat().st_size < 8 + length + end:
        raise half(what, file)
    return shapes


def half(what: str, file: Path) -> EngineError:
    return EngineError(f"{what} is broken or only half downloaded: fetch {file.name} again")


def check_complete(folder: Path, what: str, without: str = "") -> None:
    """Raises `EngineError` where a part of the model is missing, pickled or cut off.

    without: a part that is not read from there.
    """
    for part, kind in _json(folder / "model_index.json", what).items():
        if part not in WEIGHED + LIGHT or part == without or not (kind and kind[0]):
            continue
        its = f"{what} is incomplete: {part}"
        if part in WEIGHED:
            check_folder(folder / part, its)
        elif not (folder / part).is_dir():
            raise EngineError(f"{its} is missing: there is no such folder")
    for file in sorted(folder.glob(f"*/*{SUFFIX}")):
        shapes_of(file, what)


def _json(file: Path, what: str) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(read, dict):
            raise TypeError("no object")
        return read
    except FileNotFoundError as error:
        name = f"{file.parent.name}/{file.name}"
        raise EngineError(f"{what} is incomplete: {name} is missing") from error
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(f"{what} cannot be loaded: {file} is broken") from error
