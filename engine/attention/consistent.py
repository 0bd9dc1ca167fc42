"""Consistent Self-Attention (StoryDiffusion, Zhou et al. 2024, arXiv 2405.01434, section 3.1).

A panel with tokens I_i attends, in a self-attention layer, to its own tokens and to a random
sample S_i (rate r) of the tokens of other panels, with the layer's own weights:

    P_i = concat(I_i, S_i)        O_i = Attention(W_q I_i, W_k P_i, W_v P_i)

Here S_i comes from *identity panels*, whose sampled tokens wait in a bank; their keys and values,
which take twice the memory, are computed where they are seen. Each of a panel's characters reaches
the part of the picture it stands in: a strip of it (`Glance`), or where the picture itself shows it
(`engine.attention.regions`). Conditional and unconditional halves of classifier-free guidance never
meet.

A half may also be drawn *perturbed*: every token attends to itself alone, O_i = W_v I_i. Guidance
that leads away from it leads towards all that attention brings: the identity that a panel has
seen, and figures whose parts agree (Ahn et al. 2024, Perturbed-Attention Guidance, arXiv
2403.17377, section 4).
"""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor

from engine.attention.regions import BatchRegions
from engine.attention.views import View, attend, picked, put


@dataclass(frozen=True)
class Glance:
    """Part of a panel, from `left` to `right` (0..1 of its width), sees these identity panels."""

    identities: tuple[str, ...]
    left: float = 0.0
    right: float = 1.0


Sight = tuple[Glance, ...]  # the glances of one panel cover its width once


Bank = dict[str, Tensor]  # of one layer: sampled tokens of identity panels, [halves, n, C] each
Tokens = Mapping[str, Tensor]  # keys or values of a bank


@dataclass
class StoryAttention:
    """What the attention layers of one story share. Nothing here outlives the story.

    `sights` has one entry a panel of the running batch; `writing` names the panels of the batch
    whose tokens go into the bank (identity panels). A batch is ordered half by half:
    [unconditional panels..., conditional panels...] where guidance runs.
    """

    rate: float
    seed: int
    aspect: float = 1.0  # width / height of the latents
    step: int = 0  # makes the samples of each step new
    halves: int = 2  # 2 with classifier-free guidance, else 1
    perturbed: int = 0  # so many halves, from the first, have no attention between their tokens
    sights: tuple[Sight, ...] = ()
    writing: tuple[str, ...] = ()
    open_layers: frozenset[str] | None = None  # None: sharing is off
    written_layers: frozenset[str] = frozenset()  # where others look, though this batch may not
    seeds: Mapping[str, int] = field(default_factory=dict)  # of panels that sample by their own
    rates: Mapping[str, float] = field(default_factory=dict)  # of panels with a rate of their own
    banks: dict[str, Bank] = field(default_factory=lambda: defaultdict(dict))
    regions: BatchRegions = field(default_factory=BatchRegions)

    def shares(self, layer: str) -> bool:
        return self.open_layers is not None and layer in self.open_layers and self.rate > 0

    def chosen_tokens(self, layer: str, panel: str, count: int) -> Tensor:
        """Indices int64 [round(rate * count)]: the same whatever else is in the batch."""
        words = f"{self.seeds.get(panel, self.seed)}/{self.step}/{layer}/{panel}"
        generator = torch.Generator().manual_seed(zlib.crc32(words.encode()))
        rate = self.rates.get(panel, self.rate)
        return torch.randperm(count, generator=generator)[: round(rate * count)]


class ConsistentSelfAttention:
    """The attention processor of one layer; without anything to share it is the library's own."""

    def __init__(self, layer: str, story: StoryAttention) -> None:
        self._layer, self._story = layer, story
        self._plain = AttnProcessor2_0()

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, temb: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        seen = self._attended(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
        rows = self._story.perturbed * len(hidden_states) // self._story.halves
        if rows:
            seen[:rows] = attn.to_out[0](attn.to_v(hidden_states[:rows]))
        return seen

    def _attended(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None,
        attention_mask: Tensor | None, temb: Tensor | None,
    ) -> Tensor:  # fmt: skip
        story, bank = self._story, self._story.banks[self._layer]
        sharing = story.shares(self._layer)
        writing = story.writing and (sharing or self._layer in story.written_layers)
        if writing:
            bank.update(self._sampled(hidden_states))
        sees_others = any(glance.identities for sight in story.sights for glance in sight)
        if not (sharing and sees_others) and not story.regions.any:
            out: Tensor = self._plain(
                attn, hidden_states, encoder_hidden_states, attention_mask, temb
            )
            return out
        query, key, value = (f(hidden_states) for f in (attn.to_q, attn.to_k, attn.to_v))
        views = [self._views(panel, hidden_states.shape[1]) for panel in range(len(story.sights))]
        names = {name for its_views in views for view in its_views for name in view.identities}
        here = (self._sampled(t) if writing else {} for t in (key, value))  # computed already
        keys, values = (
            {name: known[name] if name in known else project(bank[name]) for name in names}
            for known, project in zip(here, (attn.to_k, attn.to_v), strict=True)
        )
        seen = consistent_attention(query, key, value, keys, values, views, heads=attn.heads)
        projected: Tensor = attn.to_out[1](attn.to_out[0](seen))
        return projected

    def _views(self, panel: int, count: int) -> tuple[View, ...]:
        """What the tokens of a panel of the running batch see in this layer."""
        story = self._story
        sight = story.sights[panel]
        if not story.shares(self._layer):
            sight = tuple(Glance((), glance.left, glance.right) for glance in sight)
        regions = story.regions.of(panel)
        if regions is None:
            return views_of(sight, count, story.aspect)
        return regions.views(count, [glance.identities for glance in sight])

    def _sampled(self, tokens: Tensor) -> dict[str, Tensor]:
        """Of the identity panels' tokens [halves * P, N, C] those for the bank, [halves, n, C]."""
        panels, count = self._story.writing, tokens.shape[1]
        return {
            panel: picked(
                tokens[i :: len(panels)], self._story.chosen_tokens(self._layer, panel, count)
            )
            for i, panel in enumerate(panels)
        }


def consistent_attention(
    query: Tensor, key: Tensor, value: Tensor, bank_keys: Tokens, bank_values: Tokens,
    views: Sequence[Sequence[View]], *, heads: int,
) -> Tensor:  # fmt: skip
    """O_i = softmax(Q_i K(P_i)^T / sqrt(d)) V(P_i) for every panel of a batch.

    query, key, value: projected tokens [B, N, C], B = halves * panels, halves outermost;
    bank_keys, bank_values: those of the identity panels' sampled tokens, [halves, n, C] each;
    views: those of each panel, whose queries are all of its tokens, each once. Returns [B, N, C].
    One call a view, for both halves: there is no dense mask and no padding, and no more than one
    panel's P_i is in memory at a time.
    """
    out = torch.empty_like(query)
    for panel, its_views in enumerate(views):
        rows = slice(panel, None, len(views))  # the panel in every half
        for view in its_views:
            keys = _seen(picked(key[rows], view.keys), bank_keys, view.identities)
            values = _seen(picked(value[rows], view.keys), bank_values, view.identities)
            seen = attend(picked(query[rows], view.queries), keys, values, heads)
            put(out[rows], view.queries, seen)
    return out


def _seen(own: Tensor, bank: Tokens, identities: Sequence[str]) -> Tensor:
    """P_i: own tokens [halves, n, C], then those of the identity panels in the same half.

    A bank of one half is seen by both.
    """
    if not identities:
        return own
    others = [bank[name][: len(own)].expand(len(own), -1, -1).to(own.dtype) for name in identities]
    return torch.cat([own, *others], dim=1)


def views_of(sight: Sight, count: int, aspect: float = 1.0) -> tuple[View, ...]:
    """The views of strips: every strip's tokens see the whole panel, and its identity panels."""
    if len(sight) == 1:
        return (View(identities=sight[0].identities),)
    columns = _columns(count, aspect)
    return tuple(
        View(_tokens_of(glance, columns), identities=glance.identities) for glance in sight
    )


def _columns(count: int, aspect: float) -> Tensor:
    """float [N]: the horizontal middle (0..1) of every token of a picture of this aspect."""
    width = max(1, round(math.sqrt(count * aspect)))
    return ((torch.arange(count) % width) + 0.5) / width


def _tokens_of(glance: Glance, columns: Tensor) -> Tensor:
    return ((columns >= glance.left) & (columns < glance.right)).nonzero().squeeze(1)
