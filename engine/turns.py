"""Parts of a model that take turns on a device too small for all of them (accelerate's hooks).

The text encoders read, then the UNet takes all its steps; who is not at work waits in the
computer's memory. The autoencoder is small and stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from accelerate import cpu_offload_with_hook
from torch import nn


class Turns:
    """Each of the modules comes to the device when it is called, and the one before it leaves."""

    def __init__(self, modules: Sequence[nn.Module], device: torch.device) -> None:
        self._hooks = []
        before = None
        for module in modules:
            _, before = cpu_offload_with_hook(module, device, prev_module_hook=before)
            self._hooks.append(before)
        self._hooks[0].hook.prev_module_hook = self._hooks[-1]  # the next story's words

    def clear(self) -> None:
        """Nobody's turn: all of them wait."""
        for hook in self._hooks:
            hook.offload()
