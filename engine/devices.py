"""Where the engine computes, and in which precision."""

from __future__ import annotations

import torch

from engine.request import EngineError


def pick_device(name: str = "auto") -> torch.device:
    if name != "auto":
        used = torch.cuda.is_initialized()
        try:
            torch.empty(0, device=name)
        except (AssertionError, RuntimeError, NotImplementedError) as error:
            if used and isinstance(error, torch.AcceleratorError):
                raise  # it was there a moment ago
            raise EngineError(
                f'this computer has no device "{name}" to draw on; say "auto" or "cpu"'
            ) from error
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def drawing_precision(device: torch.device, wanted: str = "auto") -> torch.dtype:
    """What pictures are computed in: what is wanted, or else what the device is fastest with."""
    if wanted != "auto":
        precision: torch.dtype = getattr(torch, wanted)
        return precision
    if device.type == "cuda":
        return torch.float16
    if device.type == "cpu" and computes_bfloat16(device):
        return torch.bfloat16
    return torch.float32


def computes_bfloat16(device: torch.device) -> bool:
    """Whether it does so by itself. A processor that only imitates it is a hundred times slower."""
    supported: bool = device.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return supported


def training_autocast(device: torch.device) -> torch.autocast:
    """Inside, layers compute in bfloat16 where the device does so by itself."""
    return torch.autocast(device.type, torch.bfloat16, enabled=computes_bfloat16(device))
