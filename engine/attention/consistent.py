"""Consistent Self-Attention (StoryDiffusion, Zhou et al. 2024, arXiv 2405.01434, section 3.1).

A panel with tokens I_i attends, in a self-attention layer, to its own tokens and to a random
sample S_i (rate r) of the tokens of other panels, with the layer's own weights:

    P_i = concat(I_i, S_i)        O_i = Attention(W_q I_i, W_k P_i, W_v P_i)

Here S_i comes from *identity panels*, whose sampled keys and values wait in a bank. Each of a
panel's characters reaches the part of the picture it stands in (`Glance`). Conditional and
unconditional halves of classifier-free guidance never meet.

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
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor


@dataclass(frozen=True)
class Glance:
    """Part of a panel, from `left` to `right` (0..1 of its width), sees these identity panels."""

    identities: tuple[str, ...]
    left: float = 0.0
    right: float = 1.0


Sight = tuple[Glance, ...]  # the glances of one panel cover its width once


@dataclass
class Bank:
    """Sampled keys and values of identity panels, for one layer: [halves, n, C] each."""

    keys: dict[str, Tensor] = field(default_factory=dict)
    values: dict[str, Tensor] = field(default_factory=dict)


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
    banks: dict[str, Bank] = field(default_factory=lambda: defaultdict(Bank))

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
        story = self._story
        sharing = story.shares(self._layer)
        if story.writing and (sharing or self._layer in story.written_layers):
            self._write(attn, hidden_states)
        if not sharing or not any(glance.identities for sight in story.sights for glance in sight):
            out: Tensor = self._plain(
                attn, hidden_states, encoder_hidden_states, attention_mask, temb
            )
            return out
        query, key, value = (f(hidden_states) for f in (attn.to_q, attn.to_k, attn.to_v))
        bank = story.banks[self._layer]
        seen = consistent_attention(
            query, key, value, bank, story.sights, heads=attn.heads, aspect=story.aspect
        )
        projected: Tensor = attn.to_out[1](attn.to_out[0](seen))
        return projected

    def _write(self, attn: Attention, hidden_states: Tensor) -> None:
        """Sample the identity panels' tokens and keep their keys and values."""
        story, bank = self._story, self._story.banks[self._layer]
        count = hidden_states.shape[1]
        by_half = hidden_states.unflatten(0, (story.halves, len(story.writing)))  # [h, P, N, C]
        for i, panel in enumerate(story.writing):
            chosen = story.chosen_tokens(self._layer, panel, count).to(hidden_states.device)
            sampled = by_half[:, i, chosen]  # [h, n, C]
            bank.keys[panel], bank.values[panel] = attn.to_k(sampled), attn.to_v(sampled)


def consistent_attention(
    query: Tensor, key: Tensor, value: Tensor, bank: Bank, sights: Sequence[Sight], *,
    heads: int, aspect: float = 1.0,
) -> Tensor:  # fmt: skip
    """O_i = softmax(Q_i K(P_i)^T / sqrt(d)) V(P_i) for every panel of a batch.

    query, key, value: projected tokens [B, N, C], B = halves * panels, halves outermost; bank:
    sampled keys and values of the identity panels; sights: one a panel. Returns [B, N, C].
    Glances of one size are computed in one call, so there is no dense mask and no padding.
    """
    halves = len(query) // len(sights)
    looks = [
        _Look(half, half * len(sights) + panel, glance)
        for half in range(halves)
        for panel, sight in enumerate(sights)
        for glance in sight
    ]
    columns = _columns(query.shape[1], aspect)
    groups = _alike(looks, columns, bank)
    if len(groups) == 1 and len(looks) == len(query):  # all alike: nothing to take apart
        keys = torch.stack([_seen(key, bank.keys, look) for look in looks])
        values = torch.stack([_seen(value, bank.values, look) for look in looks])
        return _attention(query, keys, values, heads)
    out = torch.empty_like(query)
    for alike in groups.values():
        keys = torch.stack([_seen(key, bank.keys, look) for look in alike])
        values = torch.stack([_seen(value, bank.values, look) for look in alike])
        rows = [look.row for look in alike]
        where = [_tokens_of(look.glance, columns) for look in alike]  # each [n_q]
        queries = torch.stack([query[r, w] for r, w in zip(rows, where, strict=True)])
        seen = _attention(queries, keys, values, heads)
        for r, w, tokens in zip(rows, where, seen, strict=True):
            out[r, w] = tokens
    return out


@dataclass(frozen=True)
class _Look:
    """A glance in one half of a batch, by the row of its panel."""

    half: int
    row: int
    glance: Glance


def _attention(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def _seen(own: Tensor, bank: dict[str, Tensor], look: _Look) -> Tensor:
    """P_i: own tokens, a row of [B, N, C], then those of the identity panels in this half."""
    others = [
        bank[name][min(look.half, len(bank[name]) - 1)].to(own.dtype)
        for name in look.glance.identities
    ]
    return torch.cat([own[look.row], *others])


def _alike(
    looks: Sequence[_Look], columns: Tensor, bank: Bank
) -> dict[tuple[int, int], list[_Look]]:
    """Looks by the sizes that let them share a call: queries, and tokens seen in the bank."""
    groups: dict[tuple[int, int], list[_Look]] = defaultdict(list)
    for look in looks:
        seen = sum(bank.keys[name].shape[1] for name in look.glance.identities)
        groups[len(_tokens_of(look.glance, columns)), seen].append(look)
    return groups


def _columns(count: int, aspect: float) -> Tensor:
    """float [N]: the horizontal middle (0..1) of every token of a picture of this aspect."""
    width = max(1, round(math.sqrt(count * aspect)))
    return ((torch.arange(count) % width) + 0.5) / width


def _tokens_of(glance: Glance, columns: Tensor) -> Tensor:
    return ((columns >= glance.left) & (columns < glance.right)).nonzero().squeeze(1)
