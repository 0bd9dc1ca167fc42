"""An IP-Adapter from its files: readers of semantic tokens, their projection, the image encoder.

IP-Adapter (Ye et al. 2023, arXiv 2308.06721) lets cross-attention read a picture beside the words,
with keys and values of its own. Here what it reads are the tokens foreseen for each frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import UNetMotionModel
from diffusers.models.embeddings import ImageProjection
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import CLIPVisionModelWithProjection
from transformers.utils import cached_file

from engine.motion.clip_encoder import ClipEncoder
from engine.motion.weight_files import (
    PICKLES,
    SUFFIX,
    check_folder,
    first_line,
    is_path,
    only_weights,
)
from engine.request import EngineError

# Keys by which diffusers tells the kinds apart; the other kinds read what other encoders see.
KINDS = ("proj.weight", "latents", "proj.3.weight")  # basic, plus, full face
ENCODER = "image_encoder"  # the folder beside the weights


def ip_adapter_file(source: str) -> Path:
    """The weights on this disk; from the hub with the image encoder beside them.

    Raises `EngineError` where there are none, and for pickled ones.
    """
    path, what = Path(source), f'the IP-Adapter "{source}"'
    if path.is_dir():
        return only_weights(path, what)
    if path.suffix in PICKLES:
        raise EngineError(f"{what} is pickled, and such weights are not read: take {SUFFIX}")
    if path.is_file():
        return path
    if is_path(source):
        raise EngineError(f"{what} is missing: there is no such file or folder")
    if source.count("/") < 2 or path.suffix != SUFFIX:
        raise EngineError(
            f"{what} is no file here, and of one on the hub the whole path is needed,"
            f" such as owner/name/models/ip-adapter_sd15{SUFFIX}"
        )
    return fetched(source, what)


def fetched(source: str, what: str) -> Path:
    """The weights "owner/name/path" from the hub, and the two files of the image encoder."""
    owner, name, inner = source.split("/", 2)
    beside = (Path(inner).parent / ENCODER).as_posix()
    try:
        for needed in (f"{beside}/config.json", f"{beside}/model{SUFFIX}", inner):
            place = cached_file(f"{owner}/{name}", needed)
    except Exception as error:  # the hub's client has a tree of errors of its own
        raise EngineError(f"{what} cannot be fetched: {first_line(error)}") from error
    return Path(place)


def add_ip_adapter(unet: UNetMotionModel, file: Path, model: str) -> nn.Module:
    """Put the readers into the UNet of `model`; returns what projects an image encoder's tokens.

    The library would project one picture for all frames of a clip, so its projection comes out of
    the UNet again: each frame's tokens are projected before they go in (`Animator.guess`).
    """
    state = ip_adapter_weights(file)
    try:
        unet._load_ip_adapter_weights([state], low_cpu_mem_usage=False)
    except (RuntimeError, KeyError, IndexError, ValueError) as error:
        raise EngineError(f'the IP-Adapter "{file}" does not fit the model "{model}"') from error
    projection: nn.Module = unet.encoder_hid_proj.image_projection_layers[0]
    unet.encoder_hid_proj = None
    return projection


def ip_adapter_weights(file: Path) -> dict[str, dict[str, Tensor]]:
    """{"image_proj": …, "ip_adapter": …}, as the library's own loader wants them."""
    try:
        weights: Mapping[str, Tensor] = load_file(file)
    except (OSError, SafetensorError) as error:
        raise EngineError(f'the IP-Adapter "{file}" cannot be read: {first_line(error)}') from error
    state: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in weights.items():
        part, _, name = key.partition(".")
        if part in state:
            state[part][name] = value
    if not state["ip_adapter"] or not any(key in state["image_proj"] for key in KINDS):
        raise EngineError(
            f'"{file}" is no IP-Adapter that reads whole pictures;'
            " take a basic one, a plus or a full-face one"
        )
    return state


def image_encoder(file: Path, projection: nn.Module) -> ClipEncoder:
    """E, from the folder beside an IP-Adapter's file, with the tokens that its projection reads."""
    folder = file.parent / ENCODER
    what = f'the image encoder "{folder}"'
    check_folder(folder, what)
    try:
        vision, found = CLIPVisionModelWithProjection.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, TypeError, SafetensorError) as error:
        raise EngineError(f"{what} cannot be loaded: {first_line(error)}") from error
    if found["missing_keys"]:
        raise EngineError(f"{what} is no CLIP vision model with a projection")
    hidden = not isinstance(projection, ImageProjection)  # which reads one embedding
    width = vision.config.hidden_size if hidden else vision.config.projection_dim
    try:
        with torch.no_grad():
            projection(torch.zeros(1, 1, width))
    except RuntimeError as error:
        raise EngineError(f'{what} is not the one that "{file.name}" was made for') from error
    return ClipEncoder(vision, hidden=hidden)
