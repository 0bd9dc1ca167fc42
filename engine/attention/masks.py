"""Who is where in a panel, as far as its cross-attention shows: Otsu's threshold on each map.

A map says how much every token of the picture looks at the words of one character. Words such as
"a man" light up every man, so that a map counts less where somebody else was to stand.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.standing import Box

BINS = 64
ELSEWHERE = 0.5  # weight of a map outside of the character's own box
SMALLEST = 0.1  # share of its box that a character must fill to be believed
GRID = 64  # fineness of boxes


def labels_of_boxes(boxes: Sequence[Box], height: int = GRID, width: int = GRID) -> Tensor:
    """int64 [height, width]: 0 where nobody stands, k inside of the k-th box (from 1)."""
    y = (torch.arange(height)[:, None] + 0.5) / height
    x = (torch.arange(width)[None, :] + 0.5) / width
    labels = torch.zeros(height, width, dtype=torch.int64)
    for number, box in enumerate(boxes, start=1):
        inside = (y >= box.top) & (y < box.bottom) & (x >= box.left) & (x < box.right)
        labels[inside] = number
    return labels


def labels_of_maps(maps: Tensor, boxes: Sequence[Box]) -> Tensor:
    """Maps [K, h, w], not negative, of K characters to labels int64 [h, w] as of boxes.

    Whoever would be left with next to nothing keeps its box, as far as nobody else is there.
    """
    height, width = maps.shape[1:]
    boxed = labels_of_boxes(boxes, height, width)
    own = torch.stack([boxed == number for number in range(1, len(boxes) + 1)])
    smooth = F.avg_pool2d(maps[None].float().cpu(), 3, stride=1, padding=1,
                          count_include_pad=False)[0]  # fmt: skip
    shares = smooth / smooth.amax((1, 2), keepdim=True).clamp(min=1e-12)
    shares = torch.where(own, shares, ELSEWHERE * shares)
    bright = torch.stack([share > otsu_threshold(share) for share in shares])
    best = torch.where(bright, shares, -1).argmax(0)
    labels = torch.where(bright.any(0), best + 1, 0)
    for number, inside in enumerate(own, start=1):
        if (labels == number).sum() < SMALLEST * inside.sum():
            labels[inside & (labels == 0)] = number
    return labels


def otsu_threshold(values: Tensor) -> float:
    """The value that parts values best in two: most variance between them (Otsu 1979)."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return high
    counts = torch.histc(values.flatten(), BINS, low, high).double()
    middles = low + (torch.arange(BINS, dtype=torch.double) + 0.5) * (high - low) / BINS
    below = counts.cumsum(0)
    above = below[-1] - below
    mass = (counts * middles).cumsum(0)
    mean_below = mass / below.clamp(min=1)
    mean_above = (mass[-1] - mass) / above.clamp(min=1)
    between = below * above * (mean_below - mean_above).square()
    return float(low + (int(between.argmax()) + 1) * (high - low) / BINS)


def resized(labels: Tensor, height: int, width: int) -> Tensor:
    """Labels [h, w] to another fineness; each token takes the label at its middle."""
    rows = ((torch.arange(height) + 0.5) / height * labels.shape[0]).long()
    columns = ((torch.arange(width) + 0.5) / width * labels.shape[1]).long()
    return labels[rows][:, columns]
