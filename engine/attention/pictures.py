"""Cross-attention that reads a picture beside the words (IP-Adapter, Ye et al. 2023, arXiv
2308.06721, section 3.2), for each character in its own part of its own panels:

    O = Attention(Q, K_text, V_text) + strength * Attention(Q, K_picture, V_picture)

The second summand is added behind whatever processor a layer has, so it goes together with any
other method. Where nobody with a picture stands, a panel stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from engine.attention.consistent import Sight, views_of
from engine.attention.regions import BatchRegions
from engine.attention.views import View, attend, picked, put

Readers = Mapping[str, tuple[nn.Module, nn.Module]]  # layer: keys and values of picture tokens


@dataclass
class PictureReading:
    """What the layers of one story share: who has which picture, and who stands where.

    A batch is ordered half by half, as in `StoryAttention`; the half without words, where guidance
    runs, reads `nothing` in the place of a picture.
    """

    readers: Readers = field(default_factory=dict)
    tokens: Mapping[str, Tensor] = field(default_factory=dict)  # [T, C], by the names in sights
    nothing: Tensor = field(default_factory=lambda: torch.empty(0, 0))  # [T, C]
    strengths: Mapping[str, float] = field(default_factory=dict)
    regions: BatchRegions = field(default_factory=BatchRegions)
    aspect: float = 1.0  # width / height of the latents
    sights: tuple[Sight, ...] = ()  # one a panel of the running batch

    def views(self, panel: int, count: int) -> tuple[View, ...]:
        """Which of a panel's `count` tokens see which pictures; none where it shows nobody's."""
        sight = self.sights[panel]
        if not any(name in self.tokens for glance in sight for name in glance.identities):
            return ()
        regions = self.regions.of(panel)
        if regions is None:
            return views_of(sight, count, self.aspect)
        return regions.views(count, [glance.identities for glance in sight])


@dataclass
class PictureCrossAttention:
    """The processor of one layer: `inner`, and what the story's pictures add to it."""

    inner: Any
    to_k: nn.Module
    to_v: nn.Module
    reading: PictureReading
    _known: dict[tuple[str, int], tuple[Tensor, Tensor]] = field(default_factory=dict)

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, temb: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        out: Tensor = self.inner(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
        panels = len(self.reading.sights)
        for panel in range(panels):
            rows = slice(panel, None, panels)  # the panel in every half
            for view in self.reading.views(panel, hidden_states.shape[1]):
                self._add(attn, hidden_states[rows], out[rows], view)
        return out

    def _add(self, attn: Attention, hidden_states: Tensor, out: Tensor, view: View) -> None:
        """Adds to `out` [halves, N, C] what some tokens of one panel see of the pictures."""
        reading = self.reading
        query = attn.to_q(picked(hidden_states, view.queries))  # [halves, n, C]
        for name in view.identities:
            if name not in reading.tokens:
                continue
            key, value = (tokens.to(query) for tokens in self._of(name, len(query)))
            seen = attend(query, key, value, attn.heads)
            projected = F.linear(seen, attn.to_out[0].weight)  # its bias is in `out` already
            added = picked(out, view.queries) + reading.strengths[name] * projected
            put(out, view.queries, added.to(out.dtype))

    def _of(self, name: str, halves: int) -> tuple[Tensor, Tensor]:
        """Keys and values [halves, T, C] of a picture, computed once a story."""
        if (name, halves) not in self._known:
            without = [self.reading.nothing] * (halves - 1)
            tokens = torch.stack([*without, self.reading.tokens[name]])
            self._known[name, halves] = (self.to_k(tokens), self.to_v(tokens))
        return self._known[name, halves]


@contextmanager
def reading_pictures(unet: UNet2DConditionModel, reading: PictureReading) -> Iterator[None]:
    """Inside, the layers that have readers also read pictures; after, the UNet is as it was."""
    before = dict(unet.attn_processors)
    ours = {
        layer: PictureCrossAttention(before[layer], to_k, to_v, reading)
        for layer, (to_k, to_v) in reading.readers.items()
    }
    unet.set_attn_processor({**before, **ours})
    try:
        yield
    finally:
        unet.set_attn_processor(before)
