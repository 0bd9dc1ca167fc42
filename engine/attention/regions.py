"""Several characters in one panel without mixing: each has a region m_k of the picture.

    self-attention      tokens of m_s do not see tokens of m_t, s != t; the background sees all
    across panels       tokens of m_k see identity tokens of character k only
    cross-attention     the words of character k count only inside m_k

The idea is that of Bounded Attention (Dahary et al. 2024, arXiv 2403.16990). Regions are boxes
while there is nothing to see yet, then masks from the panel's own cross-attention
(`engine.attention.masks`), read anew every few steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor

from engine.attention.masks import labels_of_boxes, labels_of_maps, resized
from engine.attention.views import View, attend, picked, put
from engine.standing import Box

BOXED_ABOVE = 0.8  # noise level (1: nothing else) down to which boxes hold
READ_EVERY = 0.1  # so much less noise, and the masks are read anew


class PanelRegions:
    """Who stands where in one panel of several characters, as known at this step."""

    def __init__(
        self, boxes: Sequence[Box], words: Sequence[Sequence[int]], states: int, aspect: float = 1.0
    ) -> None:
        """Of each character its box, and the positions of its words among the prompt's states.

        states: how many there are; beside a longer prompt they are repeated. aspect: width /
        height of the latents.
        """
        self._states = states
        self.boxes, self._aspect = tuple(boxes), aspect
        self.words = tuple(torch.tensor(list(places), dtype=torch.int64) for places in words)
        self.labels = labels_of_boxes(boxes)  # [h, w]: 0 background, k the k-th character
        self._maps: list[Tensor] = []
        self._read_at = math.inf  # noise level

    def is_due(self, level: float) -> bool:
        return level <= min(BOXED_ABOVE, self._read_at - READ_EVERY)

    def note(self, weights: Tensor) -> None:
        """How much each token looks at each word in one layer: [N, T]."""
        nothing = weights.new_zeros(len(weights))
        maps = [weights[:, w.to(weights.device)].mean(1) if len(w) else nothing for w in self.words]
        self._maps.append(torch.stack(maps).unflatten(1, self._grid(len(weights))))

    def refresh(self, level: float) -> None:
        """Masks from what was noted; without notes all stays as it was."""
        if self._maps:
            self.labels = labels_of_maps(torch.stack(self._maps).mean(0), self.boxes)
            self._maps, self._read_at = [], level

    def views(self, count: int, identities: Sequence[tuple[str, ...]]) -> tuple[View, ...]:
        """For self-attention over `count` tokens; `identities`: the panels of each character."""
        labels = resized(self.labels, *self._grid(count)).flatten()
        background = labels == 0
        views = [View(_where(background))] if background.any() else []
        for number, panels in enumerate(identities, start=1):
            own = labels == number
            if own.any():
                views.append(View(_where(own), _where(own | background), panels))
        return tuple(views)

    def word_views(self, count: int, length: int) -> tuple[View, ...]:
        """For cross-attention of `count` tokens to `length` states of words."""
        labels = resized(self.labels, *self._grid(count)).flatten()
        owner = torch.zeros(self._states, dtype=torch.int64)
        for number, words in enumerate(self.words, start=1):
            owner[words] = number
        owner = owner.repeat(length // self._states)
        views = []
        for number in range(len(self.words) + 1):
            own, said = labels == number, (owner == 0) | (owner == number)
            if own.any():
                views.append(View(_where(own), _where(said)))
        return tuple(views)

    def _grid(self, count: int) -> tuple[int, int]:
        """Height and width of a picture of `count` tokens."""
        width = max(1, round(math.sqrt(count * self._aspect)))
        return count // width, width


@dataclass
class BatchRegions:
    """What the layers of a story know of the running batch: the regions of each of its panels."""

    reading: bool = False  # whether what is looked at is noted in this pass
    _panels: tuple[PanelRegions | None, ...] = ()

    @property
    def any(self) -> bool:
        return any(regions is not None for regions in self._panels)

    def of(self, panel: int) -> PanelRegions | None:
        return self._panels[panel] if self._panels else None

    def __iter__(self) -> Iterator[tuple[int, PanelRegions]]:
        """Those panels that have regions, with their numbers in the batch."""
        return ((i, regions) for i, regions in enumerate(self._panels) if regions is not None)

    def __len__(self) -> int:
        return len(self._panels)

    @contextmanager
    def standing(self, panels: Sequence[PanelRegions | None], level: float) -> Iterator[None]:
        """Inside, these are the batch's panels; after it, masks are read if they were due.

        level: of noise, from 1 to 0.
        """
        self._panels = tuple(panels)
        due = [regions for _, regions in self if regions.is_due(level)]
        self.reading = bool(due)
        try:
            yield
            for _, regions in self:
                regions.refresh(level)
        finally:
            self._panels, self.reading = (), False


class RegionCrossAttention:
    """The cross-attention of one layer: the words of a character count in its region only."""

    def __init__(self, batch: BatchRegions, *, reads: bool) -> None:
        """`reads`: what is looked at in this layer shows where the characters are."""
        self._batch, self._reads = batch, reads
        self._plain = AttnProcessor2_0()

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, temb: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        batch = self._batch
        if not batch.any or encoder_hidden_states is None or attention_mask is not None:
            plain: Tensor = self._plain(
                attn, hidden_states, encoder_hidden_states, attention_mask, temb
            )
            return plain
        query = attn.to_q(hidden_states)
        key, value = attn.to_k(encoder_hidden_states), attn.to_v(encoder_hidden_states)
        out = attend(query, key, value, attn.heads)
        said = len(out) - len(batch)  # the half with the words is the last
        for panel, regions in batch:
            row = slice(said + panel, said + panel + 1)
            if batch.reading and self._reads:
                regions.note(_weights(query[row], key[row], attn.heads))
            for view in regions.word_views(query.shape[1], key.shape[1]):
                asking = picked(query[row], view.queries)
                keys, values = (picked(t[row], view.keys) for t in (key, value))
                put(out[row], view.queries, attend(asking, keys, values, attn.heads))
        projected: Tensor = attn.to_out[1](attn.to_out[0](out))
        return projected


def _weights(query: Tensor, key: Tensor, heads: int) -> Tensor:
    """softmax(Q K^T / sqrt(d)), mean of the heads: [1, N, C] and [1, T, C] -> [N, T]."""
    q, k = (t[0].unflatten(-1, (heads, -1)).transpose(0, 1).float() for t in (query, key))
    return torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]), dim=-1).mean(0)


def _where(chosen: Tensor) -> Tensor:
    return chosen.nonzero().squeeze(1)
