"""PhotoMaker for single pictures, where it is configured: who is in a picture goes into a noun.

Li et al. 2023, arXiv 2312.04461, version 1, for SDXL. Of a character with a picture the state of
its noun ("man", see `engine.nouns`) is replaced by one that knows the picture, and the UNet wears
the adapter's LoRA while such a story is drawn. As in the paper, words alone decide the first fifth
of the steps. The published weights are pickled; docs/models.md says how to make a file of them.

The encoder stays on the CPU: it sees each picture once a story, and takes no memory of the device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from engine.fetching import fetch_file
from engine.fusing import IdEncoder
from engine.identity import picture_values
from engine.loading import Artist, Conditioning
from engine.lora import tensors_in
from engine.model_files import shapes_of
from engine.models import Lora
from engine.motion.weight_files import first_line
from engine.plan import Shot
from engine.ready import READY
from engine.request import EngineError

ENCODER, LORA = "id_encoder.", "lora_weights."  # how the keys of its two halves begin
COUNTED = "vision_model.embeddings.position_ids"  # 0, 1, 2 …, in files of older libraries
FUSED_BELOW = 0.8  # noise level (1: nothing else) from which nouns know the pictures


@dataclass(frozen=True)
class PhotoMaker:
    encoder: IdEncoder
    file: Path

    def identity(self, picture: str) -> Tensor:
        """A PNG in base64 to what tells who it shows, [C]. Raises `EngineError`."""
        identity: Tensor = self.encoder.identity(picture_values(picture, self.encoder.side)[None])
        return identity[0]

    def fuse(self, states: Tensor, identity: Tensor, strength: float) -> Tensor:
        """States [N, C] of a noun, led to those that know an identity [C] as far as `strength`."""
        known = self.encoder.fuse_module(states, identity)
        return torch.lerp(states, known, strength)

    def lora(self, scale: float) -> Lora:
        return Lora(str(self.file), scale, LORA)


def worn_for(shots: Sequence[Shot], adapter: PhotoMaker | None) -> tuple[Lora, ...]:
    """The adapter's LoRA, as strong as the firmest of a story's pictures; none without any.

    It is one UNet that draws a story, so panels of others are drawn with it, too.
    """
    strengths = [shot.strength for shot in shots if shot.picture is not None]
    return (adapter.lora(max(strengths)),) if adapter is not None and strengths else ()


def knowing_pictures(
    artist: Artist,
    shots: Sequence[Shot],
    adapter: PhotoMaker | None,
    words: Conditioning,
    rows: Mapping[str, int],
) -> Conditioning:
    """A story's words, with the nouns of those who have a picture fused with it.

    `rows`: which row of the words is that of a shot, by its name. Where nobody has a picture, all
    stays to the bit. Published is the last token of a noun, for one picture; so it is here.
    """
    pictures = {shot.name: shot for shot in shots if shot.picture is not None}
    if adapter is None or not pictures:
        return words
    states = words.states.clone()  # [B, T, C]
    with torch.no_grad():
        known = {name: adapter.identity(shot.picture or "") for name, shot in pictures.items()}
        for shot in shots:
            for noun in shot.nouns:
                places = artist.words_at(shot.prompt, [(noun.start, noun.end)])
                if not places:  # beyond what the model can read
                    continue
                # Beside a longer prompt its states are repeated.
                at = (rows[shot.name], slice(places[-1], None, artist.states_of(shot.prompt)))
                fused = adapter.fuse(
                    words.states[at].cpu(), known[noun.picture], pictures[noun.picture].strength
                )
                states[at] = fused.to(states)
    return Conditioning(states, words.pooled)


def ready_photomaker(artist: Artist) -> PhotoMaker | None:
    """The adapter that is configured for this artist, loaded once. Raises `EngineError`."""
    if not artist.spec.photomaker:
        return None
    owner = (artist.spec, str(artist.device))
    return READY.part(owner, "photomaker", lambda: load_photomaker(artist))


def load_photomaker(artist: Artist) -> PhotoMaker:
    """The adapter that the artist's spec names, on the CPU, frozen.

    Raises `EngineError`, which names the file and what is wrong with it, or with the model.
    """
    source, model = artist.spec.photomaker, artist.spec.name
    what = f'the PhotoMaker adapter "{source}"'
    if artist.spec.family != "sdxl":
        raise EngineError(f'{what} is for SDXL models, and "{model}" is of another family')
    file = fetch_file(source, what)
    encoder = id_encoder(file, what)
    if encoder.width != artist.unet.config.cross_attention_dim:
        raise EngineError(f'{what} does not fit the model "{model}"')
    adapter = PhotoMaker(encoder, file)
    artist.wardrobe.check(adapter.lora(1.0))
    return adapter


def id_encoder(file: Path, what: str) -> IdEncoder:
    """The encoder in an adapter's file; `what` begins the sentence. Raises `EngineError`."""
    shapes = shapes_of(file, what)
    for part in (ENCODER, LORA):
        if not any(key.startswith(part) for key in shapes):
            raise EngineError(f'{what} is no PhotoMaker adapter: nothing in it is named "{part}…"')
    own = {key.removeprefix(ENCODER): shape for key, shape in shapes.items()}
    try:
        encoder = IdEncoder.like(own)
        state = tensors_in(file, ENCODER)
        state.pop(COUNTED, None)
        encoder.load_state_dict(state)
    except (OSError, SafetensorError) as error:
        raise EngineError(f"{what} cannot be read: {first_line(error)}") from error
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        raise EngineError(f"{what} is no PhotoMaker adapter of version 1") from error
    encoder.eval().requires_grad_(False)
    return encoder
