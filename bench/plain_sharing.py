"""Consistent Self-Attention written down as the formula stands, to be compared with ours.

Both take the sample S_i that `StoryAttention` draws, so that every way computes the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from torch import Tensor

from engine.attention.consistent import StoryAttention


class DenseMask:
    """All panels' tokens are keys for every panel, and a mask N x (panels * N) says which count."""

    def __init__(
        self, layer: str, story: StoryAttention, names: Sequence[str], identities: int
    ) -> None:
        self._layer, self._story = layer, story
        self._names, self._identities = names, identities

    def __call__(self, attn: Attention, hidden_states: Tensor, **_: object) -> Tensor:
        panels, count = len(self._names), hidden_states.shape[1]
        mask = self._mask(count).to(hidden_states.device)[:, None]  # [P, 1, N, P * N]
        seen = []
        for half in hidden_states.split(panels):
            query, key, value = attn.to_q(half), attn.to_k(half), attn.to_v(half)
            q, k, v = (
                t.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
                for t in (query, key.flatten(0, 1)[None], value.flatten(0, 1)[None])
            )
            k, v = (t.expand(panels, -1, -1, -1) for t in (k, v))
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            seen.append(out.transpose(1, 2).flatten(2))
        projected: Tensor = attn.to_out[0](torch.cat(seen))
        return projected

    def _mask(self, count: int) -> Tensor:
        panels = len(self._names)
        mask = torch.zeros(panels, panels, count, dtype=torch.bool)  # [reader, source, token]
        for source, name in enumerate(self._names[: self._identities]):
            mask[:, source, self._story.chosen_tokens(self._layer, name, count)] = True
        mask[range(panels), range(panels)] = True
        return mask.flatten(1)[:, None].expand(-1, count, -1)


class HiddenBank:
    """The sampled hidden states of the identity panels, layer by layer: [halves, n, C] each."""

    def __init__(self, identities: Sequence[str]) -> None:
        self.identities, self.writing = identities, False
        self.states: dict[tuple[str, str], Tensor] = {}


class Hidden:
    """P_i = concat(I_i, S_i) from hidden states; keys and values are computed for each panel."""

    def __init__(self, layer: str, story: StoryAttention, bank: HiddenBank) -> None:
        self._layer, self._story, self._bank = layer, story, bank

    def __call__(self, attn: Attention, hidden_states: Tensor, **_: object) -> Tensor:
        bank, count = self._bank, hidden_states.shape[1]
        panels = len(hidden_states) // self._story.halves
        if bank.writing:
            for i, name in enumerate(bank.identities):
                chosen = self._story.chosen_tokens(self._layer, name, count)
                sampled = hidden_states[i::panels][:, chosen.to(hidden_states.device)]
                bank.states[self._layer, name] = sampled
        out = torch.empty_like(hidden_states)
        for i in range(panels):
            own = hidden_states[i::panels]
            others = [
                bank.states[self._layer, name]
                for number, name in enumerate(bank.identities)
                if not (bank.writing and number == i)
            ]
            everything = torch.cat([own, *others], 1)
            q, k, v = (
                t.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
                for t in (attn.to_q(own), attn.to_k(everything), attn.to_v(everything))
            )
            seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
            out[i::panels] = attn.to_out[0](seen)
        return out
