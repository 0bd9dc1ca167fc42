"""Weights from the hub: whether they are on this computer already, on what terms, and fetching.

Nothing is fetched without saying first how much comes and under which licence.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import diffusers
from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import (
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from transformers.utils import cached_file

from engine.model_files import pickled
from engine.models import LORA_TERMS, ModelSpec, Preset
from engine.motion.weight_files import (
    PICKLES,
    SUFFIX,
    first_line,
    is_path,
    only_weights,
    place_of,
)
from engine.request import EngineError

NO_NETWORK = (
    LocalEntryNotFoundError, OfflineModeIsEnabled, ConnectionError, TimeoutError, socket.gaierror,
)  # fmt: skip
UNUSED = {"safety_checker": None, "feature_extractor": None, "image_encoder": None}

logger = logging.getLogger(__name__)


def is_there(source: str, index: str = "model_index.json") -> bool:
    """Whether nothing has to be fetched for a model, a LoRA or a VAE.

    index: the file by which a folder of the hub is known to have been fetched.
    """
    if Path(source).exists() or is_path(source) or "/" not in source:
        return True  # loading says where nothing is at a path
    owner, name, *inner = source.split("/", 2)
    file = inner[0] if inner else index
    return isinstance(try_to_load_from_cache(f"{owner}/{name}", file), str)


def to_fetch(spec: ModelSpec, preset: Preset | None = None, *, pictures: bool = False) -> list[str]:
    """What has to come from the hub for this model, each with its size and licence; with
    `pictures`, also that by which it reads those of characters."""
    wanted = [] if is_there(spec.source) else [_terms(spec.source, spec.licence, spec.download)]
    loras = (*spec.loras, *(preset.loras if preset else ()))
    for lora in loras:
        if not is_there(lora.source):
            wanted.append(_terms(lora.source, *LORA_TERMS.get(lora.source, ("", 0.0))))
    if spec.vae and not is_there(spec.vae, "config.json"):
        wanted.append(_terms(spec.vae, "", 0.0))
    for adapter in (spec.picture_adapter, spec.photomaker):
        if pictures and adapter and not is_there(adapter):
            wanted.append(_terms(adapter, "", 0.0))
    return wanted


def _terms(source: str, licence: str, gigabytes: float) -> str:
    size = f"about {gigabytes:g} GB" if gigabytes else "size unknown"
    return f"{source} ({size}, licence: {licence or 'see its page on the hub'})"


def fetch_model(spec: ModelSpec) -> Path:
    """The folder or the file of a model on this computer. Raises `EngineError`."""
    path, what = place_of(spec.source), f'the model "{spec.name}"'
    if path.exists():
        return path
    if path.suffix in PICKLES:
        raise pickled(f"{what} ({spec.source})")
    if is_path(spec.source):
        raise EngineError(f"the weights of {what} are missing from {spec.source}")
    if path.suffix == SUFFIX:
        return fetch_file(spec.source, what)
    for variant in dict.fromkeys((spec.variant or None, None)):
        try:
            return Path(
                diffusers.DiffusionPipeline.download(
                    spec.source, use_safetensors=True, variant=variant, **UNUSED
                )
            )
        except ValueError as error:
            if variant and "variant" in str(error):  # it comes in one form only
                continue
            raise out_of_reach(what, spec.source, error) from error
        except Exception as error:  # the hub's client has a tree of errors of its own
            raise out_of_reach(what, spec.source, error) from error
    raise EngineError(f"{what} ({spec.source}) has no weights in the form that is read")


def fetch_file(source: str, what: str) -> Path:
    """A .safetensors file on this computer: that of a path, or "owner/name/path" of the hub."""
    path = place_of(source)
    if path.is_dir():
        return only_weights(path, f"{what} ({source})")
    if path.suffix in PICKLES:
        raise pickled(f"{what} ({source})")
    if path.is_file():
        return path
    if is_path(source) or source.count("/") < 2 or path.suffix != SUFFIX:
        raise EngineError(
            f"{named(what, source)} is missing: there is no such file here, and of one on the hub"
            f" the whole path is needed, such as owner/name/weights{SUFFIX}"
        )
    owner, name, inner = source.split("/", 2)
    try:
        return Path(cached_file(f"{owner}/{name}", inner))
    except Exception as error:  # the hub's client has a tree of errors of its own
        raise out_of_reach(what, source, error) from error


def out_of_reach(what: str, source: str, error: Exception) -> EngineError:
    return EngineError(
        f"{named(what, source)} cannot be fetched from the hub: {why_not(error)}; with a copy on"
        " this computer, name its folder or file in config.toml instead (docs/models.md)"
    )


def named(what: str, source: str) -> str:
    """What it is and where it comes from, the latter once."""
    return what if source in what else f"{what} ({source})"


def why_not(error: Exception) -> str:
    """A few words, for the hub's client speaks in paragraphs, and to programmers."""
    causes = list(causes_of(error))
    if any(isinstance(cause, RepositoryNotFoundError) for cause in causes):
        return "it has no such model, or shows it only to people who are logged in"
    if any(isinstance(cause, NO_NETWORK) for cause in causes):
        return "there is no connection to it"
    return first_line(error).split(". ")[0].rstrip(".")


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def announce(spec: ModelSpec, preset: Preset | None = None, *, pictures: bool = False) -> str:
    """Logs, and returns in a sentence, what is about to be fetched; "" where nothing is."""
    wanted = to_fetch(spec, preset, pictures=pictures)
    if not wanted:
        return ""
    words = f'fetching for the model "{spec.name}", this once: {"; ".join(wanted)}'
    logger.warning("%s", words)
    return words
