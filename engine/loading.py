"""From a `ModelSpec` to the parts of a diffusion pipeline on a device, any family the same way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import UNet2DConditionModel
from torch import Tensor

from engine.devices import drawing_precision
from engine.models import ModelSpec
from engine.reading import (
    count_of,
    fits_in_chunks,
    read_in_chunks,
    same_length,
    words_in_chunks,
)
from engine.request import EngineError

READ_TOGETHER = 8  # prompts


@dataclass(frozen=True)
class Conditioning:
    """What the UNet reads of B prompts: token states [B, T, C], and pooled [B, P] for SDXL."""

    states: Tensor
    pooled: Tensor | None

    def __getitem__(self, rows: Sequence[int]) -> Conditioning:
        index = list(rows)
        return Conditioning(self.states[index], None if self.pooled is None else self.pooled[index])

    @classmethod
    def joined(cls, parts: Sequence[Conditioning]) -> Conditioning:
        """The prompts of all parts, one after another."""
        pooled = [part.pooled for part in parts if part.pooled is not None]
        return cls(
            same_length([part.states for part in parts]), torch.cat(pooled) if pooled else None
        )


@dataclass
class Artist:
    """A loaded model: everything needed to go from words to pictures."""

    spec: ModelSpec
    device: torch.device
    unet: UNet2DConditionModel
    autoencoder: Any  # AutoencoderKL or AutoencoderDC
    scheduler: Any
    readers: tuple[tuple[Any, Any], ...]  # (tokenizer, text encoder), two for SDXL
    precision: torch.dtype

    @property
    def pixels_per_latent(self) -> int:
        return int(getattr(self.autoencoder, "spatial_compression_ratio", 0)) or 2 ** (
            len(self.autoencoder.config.block_out_channels) - 1
        )

    @contextmanager
    def painting(self) -> Iterator[None]:
        """No gradients, and the numbers this device is fastest with."""
        lower = self.precision != torch.float32
        with torch.no_grad(), torch.autocast(self.device.type, self.precision, enabled=lower):
            yield

    def fits(self, prompt: str) -> bool:
        """Whether every text encoder can read the prompt to its end."""
        if self.spec.long_prompts:
            return fits_in_chunks(self.readers, prompt)
        return all(
            len(tokenizer(prompt, verbose=False).input_ids)
            <= encoder.config.max_position_embeddings
            for tokenizer, encoder in self.readers
        )

    def words_at(self, prompt: str, stretches: Sequence[tuple[int, int]]) -> list[int]:
        """Which of a prompt's token states come from these stretches, (start, end), of letters."""
        if self.spec.long_prompts:
            return words_in_chunks(self.readers[0], prompt, stretches)
        tokenizer, encoder = self.readers[0]
        places = tokenizer(
            prompt, truncation=True, max_length=encoder.config.max_position_embeddings,
            return_offsets_mapping=True,
        ).offset_mapping  # fmt: skip
        return [
            i
            for i, (start, end) in enumerate(places)
            if any(start < last and first < end for first, last in stretches)
        ]

    def states_of(self, prompt: str) -> int:
        """How many token states a prompt has of its own; beside a longer one they are repeated."""
        length = int(self.readers[0][1].config.max_position_embeddings)
        return length * (count_of(self.readers, prompt) if self.spec.long_prompts else 1)

    def read(self, prompts: Sequence[str]) -> Conditioning:
        """Token states: of the last layer (SD1.5, house), or both last but one (SDXL).

        A long story is read in parts, or this would take more memory than the drawing.
        """
        parts = [prompts[i : i + READ_TOGETHER] for i in range(0, len(prompts), READ_TOGETHER)]
        return Conditioning.joined([self._read(part) for part in parts])

    def _read(self, prompts: Sequence[str]) -> Conditioning:
        if self.spec.long_prompts:
            return Conditioning(*read_in_chunks(self.readers, prompts, self.device))
        states, pooled = [], None
        for tokenizer, encoder in self.readers:
            ids = tokenizer(
                list(prompts), padding="max_length", truncation=True,
                max_length=encoder.config.max_position_embeddings, return_tensors="pt",
            ).input_ids.to(self.device)  # fmt: skip
            with torch.no_grad():
                read = encoder(input_ids=ids, output_hidden_states=True)
            states.append(
                read.last_hidden_state if len(self.readers) == 1 else read.hidden_states[-2]
            )
            pooled = read.text_embeds if hasattr(read, "text_embeds") else pooled
        return Conditioning(torch.cat(states, -1).float(), pooled)

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in -1..1 to latents as the UNet knows them."""
        encoded = self.autoencoder.encode(pictures)
        latents = encoded.latent if hasattr(encoded, "latent") else encoded.latent_dist.mean
        scaled: Tensor = latents.float() * self.autoencoder.config.scaling_factor
        return scaled

    def decode(self, latents: Tensor) -> Tensor:
        """Latents to pictures [B, 3, H, W] in -1..1."""
        scaled = latents / self.autoencoder.config.scaling_factor
        decoded: Tensor = self.autoencoder.decode(scaled).sample
        return decoded.float().clamp(-1, 1)


def load_model(spec: ModelSpec, device: torch.device) -> Artist:
    """Load the parts that the model's own model_index.json names; safetensors only.

    Raises `EngineError` where a part is missing or cannot be read.
    """
    transformers.utils.logging.disable_progress_bar()  # the engine reports its own progress
    diffusers.utils.logging.set_verbosity(50)  # … and its own errors
    folder = _folder(spec)
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        readers = tuple(
            (
                _part(index, folder, f"tokenizer{n}"),
                _part(index, folder, f"text_encoder{n}").to(device).eval(),
            )
            for n in ("", "_2")
            if index.get(f"text_encoder{n}", [None])[0]
        )
        layout = torch.channels_last if device.type == "cpu" else torch.preserve_format
        return Artist(
            spec=spec,
            device=device,
            unet=_part(index, folder, "unet").to(device, memory_format=layout).eval(),
            autoencoder=_part(index, folder, "vae").to(device, memory_format=layout).eval(),
            scheduler=_part(index, folder, "scheduler"),
            readers=readers,
            precision=drawing_precision(device),
        )
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise EngineError(f'the model "{spec.name}" cannot be loaded: {error}') from error


def _folder(spec: ModelSpec) -> Path:
    if Path(spec.source).is_dir():
        return Path(spec.source)
    if spec.source.startswith(("/", ".")):
        raise EngineError(f'the weights of the model "{spec.name}" are missing from {spec.source}')
    try:
        return Path(diffusers.DiffusionPipeline.download(spec.source, use_safetensors=True))
    except Exception as error:  # the hub's client has a tree of its own for "no network"
        raise EngineError(
            f'the model "{spec.name}" ({spec.source}) cannot be fetched: {error}'
        ) from error


def _part(index: dict[str, Any], folder: Path, name: str) -> Any:
    """One part by the library and class its model_index.json names."""
    library, kind = index[name]
    if library == "transformers":
        loader = transformers.AutoTokenizer if "okenizer" in kind else getattr(transformers, kind)
    else:
        loader = getattr(diffusers, kind)
    if hasattr(loader, "dtype") or ("okenizer" not in kind and "Scheduler" not in kind):
        return loader.from_pretrained(
            folder / name, use_safetensors=True, torch_dtype=torch.float32
        )
    return loader.from_pretrained(folder / name)
