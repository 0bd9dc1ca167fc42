"""From a `ModelSpec` to the parts of a diffusion pipeline on a device, any family the same way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn

from engine.devices import drawing_precision
from engine.fetching import fetch_model
from engine.lora import Wardrobe
from engine.models import ModelSpec
from engine.reading import (
    count_of,
    fits_in_chunks,
    read_in_chunks,
    same_length,
    words_in_chunks,
)
from engine.turns import Turns
from engine.weights import Parts, parts_of

TILE_PIXELS = 512  # a side; SDXL's own tiles are as large as its pictures

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
    wardrobe: Wardrobe  # the LoRAs of a preset
    turns: Turns | None = None  # by which the parts come to the device, where they do not stay

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

    def make_room(self) -> None:
        """The steps are over: only pictures are decoded now."""
        if self.turns is not None:
            self.turns.clear()

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

    @contextmanager
    def _exactly(self) -> Iterator[None]:
        """An autoencoder that was left in float32 computes in it, whatever the others do."""
        kept = self.precision == torch.float16 and self.autoencoder.dtype == torch.float32
        with torch.autocast(self.device.type, enabled=False) if kept else nullcontext():
            yield

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in -1..1 to latents as the UNet knows them."""
        with self._exactly():
            encoded = self.autoencoder.encode(pictures.to(self.autoencoder.dtype))
        latents = encoded.latent if hasattr(encoded, "latent") else encoded.latent_dist.mean
        scaled: Tensor = latents.float() * self.autoencoder.config.scaling_factor
        return scaled

    def decode(self, latents: Tensor) -> Tensor:
        """Latents to pictures [B, 3, H, W] in -1..1."""
        scaled = latents / self.autoencoder.config.scaling_factor
        with self._exactly():
            decoded: Tensor = self.autoencoder.decode(scaled.to(self.autoencoder.dtype)).sample
        return decoded.float().clamp(-1, 1)


def load_model(spec: ModelSpec, device: torch.device) -> Artist:
    """The model of this spec on a device; safetensors only, fetched where it is not here.

    Raises `EngineError`, one sentence, where that cannot be.
    """
    transformers.utils.logging.disable_progress_bar()  # the engine reports its own progress
    diffusers.utils.logging.set_verbosity(50)  # … and its own errors
    precision = drawing_precision(device, spec.precision)
    dtype = precision if device.type == "cuda" else torch.float32
    parts = parts_of(fetch_model(spec), spec, dtype)
    wardrobe = Wardrobe(spec.name, modules_of(parts))
    wardrobe.sew_in(spec.loras)
    if spec.freeu is not None:
        parts.unet.enable_freeu(**asdict(spec.freeu))
    on_device(parts, spec, device, precision)
    modules = [encoder for _, encoder in parts.readers]
    return Artist(
        spec=spec,
        device=device,
        unet=parts.unet,
        autoencoder=parts.autoencoder,
        scheduler=parts.scheduler,
        readers=parts.readers,
        precision=precision,
        wardrobe=wardrobe,
        turns=Turns([*modules, parts.unet], device) if spec.offload else None,
    )


def on_device(parts: Parts, spec: ModelSpec, device: torch.device, precision: torch.dtype) -> None:
    """Bring the parts to where they work; those that take turns wait where they are."""
    layout = torch.channels_last if device.type == "cpu" else torch.preserve_format
    parts.unet.to(memory_format=layout)
    if not spec.offload:
        parts.unet.to(device)
        for _, encoder in parts.readers:
            encoder.to(device)
    for module in (parts.unet, parts.autoencoder, *(encoder for _, encoder in parts.readers)):
        module.eval()
    overflows = precision == torch.float16 and parts.autoencoder.config.get("force_upcast", False)
    if overflows:  # SDXL's own autoencoder makes black pictures in float16
        parts.autoencoder.float()
    parts.autoencoder.to(device, memory_format=layout)
    if spec.tiling and isinstance(parts.autoencoder, AutoencoderKL):
        parts.autoencoder.enable_tiling()
        scale = 2 ** (len(parts.autoencoder.config.block_out_channels) - 1)
        parts.autoencoder.tile_sample_min_size = TILE_PIXELS
        parts.autoencoder.tile_latent_min_size = TILE_PIXELS // scale
    if device.type == "cuda":  # one picture at a time: as quick, in a fraction of the memory
        parts.autoencoder.enable_slicing()


def modules_of(parts: Parts) -> dict[str, nn.Module]:
    """What a LoRA may change, by diffusers' names."""
    encoders = (encoder for _, encoder in parts.readers)
    names = ("text_encoder", "text_encoder_2")
    return {"unet": parts.unet, **dict(zip(names, encoders, strict=False))}
