"""An IP-Adapter for single pictures, where one is configured: from its files to picture tokens.

The UNet stays as it is; while a story is drawn, `reading_pictures` lets its layers read the tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
from torch import Tensor, nn

from engine.attention.pictures import PictureReading, Readers
from engine.attention.regions import BatchRegions
from engine.identity import picture_values
from engine.loading import Artist
from engine.motion.clip_encoder import ClipEncoder
from engine.motion.ip_adapter import image_encoder, ip_adapter_file, ip_adapter_weights
from engine.plan import Shot
from engine.ready import READY
from engine.request import EngineError


@dataclass(frozen=True)
class PictureAdapter:
    """`readers` by the names of the UNet's cross-attention layers."""

    encoder: ClipEncoder
    projection: nn.Module
    readers: Readers

    def tokens(self, picture: str) -> Tensor:
        """A PNG in base64 to picture tokens [T, C]. Raises `EngineError`."""
        values = picture_values(picture, self.encoder.side).to(self.encoder.vision.device)
        return self._projected(self.encoder(values[None])[0])

    def nothing(self) -> Tensor:
        """[T, C]: what is read where there is no picture."""
        return self._projected(self.encoder.nothing())

    def _projected(self, seen: Tensor) -> Tensor:
        tokens: Tensor = self.projection(seen[None])[0].float()
        return tokens


def read_pictures(
    artist: Artist, shots: Sequence[Shot], adapter: PictureAdapter | None, regions: BatchRegions
) -> PictureReading:
    """What the adapter tells of a story's uploaded pictures; without one, nothing.

    `regions`: where the characters of the running batch stand.
    """
    pictures = {shot.name: shot.picture for shot in shots if shot.picture is not None}
    if adapter is None or not pictures:
        return PictureReading()
    with artist.painting():
        return PictureReading(
            adapter.readers,
            {name: adapter.tokens(picture) for name, picture in pictures.items()},
            adapter.nothing(),
            {shot.name: shot.strength for shot in shots if shot.name in pictures},
            regions,
        )


def ready_picture_adapter(artist: Artist) -> PictureAdapter | None:
    """The adapter that is configured for this artist, loaded once. Raises `EngineError`."""
    if not artist.spec.picture_adapter:
        return None
    owner = (artist.spec, str(artist.device))
    return READY.part(owner, "picture adapter", lambda: load_picture_adapter(artist))


def load_picture_adapter(artist: Artist) -> PictureAdapter:
    """The adapter that the artist's spec names, on the artist's device, frozen.

    Raises `EngineError`, which names the file or folder and what is wrong with it.
    """
    file = ip_adapter_file(artist.spec.picture_adapter)
    state, unet = ip_adapter_weights(file), artist.unet
    try:
        processors = unet._convert_ip_adapter_attn_to_diffusers([state], low_cpu_mem_usage=False)
        projection = unet._convert_ip_adapter_image_proj_to_diffusers(
            state["image_proj"], low_cpu_mem_usage=False
        )
    except (RuntimeError, KeyError, IndexError, ValueError) as error:
        raise EngineError(
            f'the IP-Adapter "{file}" does not fit the model "{artist.spec.name}"'
        ) from error
    encoder = image_encoder(file, projection)
    readers = {
        layer: (processor.to_k_ip[0], processor.to_v_ip[0])
        for layer, processor in processors.items()
        if isinstance(processor, IPAdapterAttnProcessor2_0)
    }
    for part in (encoder, projection, *(part for pair in readers.values() for part in pair)):
        part.to(artist.device).requires_grad_(False)
    return PictureAdapter(encoder, projection, readers)
