"""How many panels are drawn at the same time: as many as fit into the device's free memory."""

from __future__ import annotations

import torch

from engine.loading import Artist
from engine.request import DrawRequest

RESERVE = 1_000_000_000  # bytes: for the driver
WASTE = 1.5  # what the allocator takes, by what tensors need
# Bytes that one more panel takes in a step, a pixel of it, in 16 bits and with guidance; computed
# by bench/memory.py.
PANEL_BYTES = {"sd15": 575.0, "sdxl": 420.0}


def panels_at_once(artist: Artist, request: DrawRequest) -> int:
    """At most `request.micro_batch`, and on a GPU no more than its free memory has room for."""
    if artist.device.type != "cuda" or artist.spec.family is None:
        return request.micro_batch
    free, _ = torch.cuda.mem_get_info(artist.device)
    unused = torch.cuda.memory_reserved(artist.device) - torch.cuda.memory_allocated(artist.device)
    room = free + unused - coming_bytes(artist)
    return with_room(room, panel_bytes(artist, request), request.micro_batch)


def coming_bytes(artist: Artist) -> int:
    """Of the UNet what waits elsewhere for its turn: the first step brings it to the device."""
    weights = artist.unet.parameters()
    return sum(weight.nbytes for weight in weights if weight.device.type != artist.device.type)


def with_room(free: float, one: float, most: int) -> int:
    """So many panels of `one` byte count each; always at least one, which may fail."""
    return max(1, min(most, int((free - RESERVE) / (one * WASTE))))


def panel_bytes(artist: Artist, request: DrawRequest) -> float:
    """What one more panel takes in a step."""
    spec = artist.spec
    guidance = request.guidance
    guided = (spec.way(request.preset).guidance if guidance is None else guidance) > 1
    pixels = (request.size or spec.size) ** 2
    share = (1.0 if guided else 0.5) * artist.precision.itemsize / 2
    return PANEL_BYTES[spec.family or "sdxl"] * pixels * share
