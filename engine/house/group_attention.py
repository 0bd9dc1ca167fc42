"""Consistent Self-Attention as the painter is trained with: panels of a group see one another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor

from engine.house.groups import GROUP

RATE = 0.5  # share of another panel's tokens that is seen, r of the paper
OTHERS = torch.tensor([[j for j in range(GROUP) if j != i] for i in range(GROUP)])


class GroupAttention:
    """Self-attention of a batch of groups: own tokens, and sampled tokens of the panels in sight.

    The same formula as `engine.attention.consistent`, with a mask in place of gathered banks,
    because in training every panel is both source and reader.
    """

    def __init__(self) -> None:
        self.sight: Tensor | None = None  # [G, P, P]; None: plain self-attention

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None, temb: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        batch, count, width = hidden_states.shape
        query, key, value = (f(hidden_states) for f in (attn.to_q, attn.to_k, attn.to_v))
        mask = None
        if self.sight is not None:
            chosen = torch.randperm(count, device=hidden_states.device)[: max(1, int(count * RATE))]
            key, value = (self._with_others(t, chosen) for t in (key, value))
            mask = self._mask(count, len(chosen))
        query, key, value = (
            t.view(batch, -1, attn.heads, width // attn.heads).transpose(1, 2)
            for t in (query, key, value)
        )
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        out: Tensor = attn.to_out[0](seen.transpose(1, 2).reshape(batch, count, width))
        return out

    def _with_others(self, t: Tensor, chosen: Tensor) -> Tensor:  # [G*P, N, C] -> [G*P, N + 3n, C]
        sampled = t[:, chosen].view(-1, GROUP, len(chosen), t.shape[-1])
        others = sampled[:, OTHERS]  # [G, P, P - 1, n, C]
        return torch.cat([t, others.reshape(len(t), -1, t.shape[-1])], 1)

    def _mask(self, count: int, sampled: int) -> Tensor:  # bool [G*P, 1, N, N + 3n]
        assert self.sight is not None
        side = round(count**0.5)
        left = (torch.arange(count, device=self.sight.device) % side) < side // 2  # [N]
        parts = torch.stack([torch.zeros_like(left), torch.ones_like(left), left, ~left])  # [4, N]
        sight = self.sight.gather(2, OTHERS.to(self.sight.device).expand(len(self.sight), -1, -1))
        others = parts[sight].transpose(2, 3).reshape(-1, count, GROUP - 1)  # [G*P, N, 3]
        others = others.repeat_interleave(sampled, dim=2)
        own = torch.ones(len(others), count, count, dtype=torch.bool, device=others.device)
        return torch.cat([own, others], 2).unsqueeze(1)


def install_group_attention(unet: UNet2DConditionModel) -> list[GroupAttention]:
    """Replace every self-attention; cross-attention keeps the library's own."""
    processors = dict(unet.attn_processors)
    ours = {n: GroupAttention() for n in processors if n.endswith("attn1.processor")}
    unet.set_attn_processor({**processors, **ours})
    return list(ours.values())


@contextmanager
def seeing(layers: list[GroupAttention], sight: Tensor | None) -> Iterator[None]:
    for layer in layers:
        layer.sight = sight
    try:
        yield
    finally:
        for layer in layers:
            layer.sight = None
