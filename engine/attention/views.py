"""Attention part by part: each part of a picture asks the keys it may see, gathered, in one call.

A dense mask over queries and keys would say the same, but takes memory for every pair and rules
out the fast kernels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class View:
    """What some tokens of a panel see.

    queries, keys: int64 indices of the tokens that look, and of the panel's own tokens (in
    cross-attention: of its words) that they see; None is all of them. `identities` names the
    identity panels seen besides.
    """

    queries: Tensor | None = None
    keys: Tensor | None = None
    identities: tuple[str, ...] = ()


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """softmax(Q K^T / sqrt(d)) V, head by head: [B, N, C] and [B, M, C] -> [B, N, C]."""
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def picked(tokens: Tensor, index: Tensor | None) -> Tensor:
    """[B, N, C] -> [B, n, C]; None: all of them, without a copy."""
    return tokens if index is None else tokens[:, index.to(tokens.device)]


def put(out: Tensor, index: Tensor | None, tokens: Tensor) -> None:
    """Write tokens [B, n, C] into `out` [B, N, C]: the counterpart of `picked`."""
    if index is None:
        out.copy_(tokens)
    else:
        out[:, index.to(out.device)] = tokens
