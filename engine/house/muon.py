"""Muon (Jordan et al. 2024; scale of Liu et al. 2025, arXiv 2502.16982, section 2.2), with AdamW.

Weights that are matrices or convolutions take momentum steps whose update is made orthogonal by
five Newton-Schulz iterations; everything else takes AdamW steps. On few steps, which is all that a
CPU affords, this learns faster than AdamW alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from engine.devices import computes_bfloat16

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration


class Muon(torch.optim.Optimizer):
    """One learning rate for all: updates have the size that AdamW's would have."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float = 0.01
    ) -> None:
        super().__init__(list(parameters), {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        del closure
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                state = self.state[weight]
                step = (
                    _matrix_step
                    if min(weight.shape[:2], default=0) >= 16 and weight.ndim > 1
                    else _adam_step
                )
                weight.add_(step(weight, state), alpha=-group["lr"])


def _matrix_step(weight: nn.Parameter, state: dict[str, Any]) -> Tensor:
    gradient = weight.grad
    assert gradient is not None
    if not state:
        state["momentum"] = torch.zeros_like(weight)
    momentum: Tensor = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
    nesterov = gradient.lerp(momentum, MOMENTUM)
    update = orthogonal(nesterov.flatten(1))
    scale = 0.2 * max(update.shape) ** 0.5
    scaled: Tensor = update.view_as(weight) * scale
    return scaled


def _adam_step(weight: nn.Parameter, state: dict[str, Any]) -> Tensor:
    gradient = weight.grad
    assert gradient is not None
    if not state:
        state.update(
            step=torch.zeros(()), mean=torch.zeros_like(weight), square=torch.zeros_like(weight)
        )
    state["step"] += 1
    mean = state["mean"].lerp_(gradient, 0.1)
    square = state["square"].lerp_(gradient.square(), 0.02)
    count = float(state["step"])
    update: Tensor = (mean / (1 - 0.9**count)) / ((square / (1 - 0.98**count)).sqrt() + 1e-8)
    return update


def orthogonal(matrix: Tensor) -> Tensor:
    """The nearest matrix with singular values near 1, in bfloat16 inside where the device can."""
    x = matrix.bfloat16() if computes_bfloat16(matrix.device) else matrix.float()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(5):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    result: Tensor = (x.T if tall else x).to(matrix.dtype)
    return result
