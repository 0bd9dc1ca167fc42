"""A noise level for each frame, where the library's motion UNet knows only one for a whole clip.

So the two given pictures can stand in their frames nearly clean while the others are noise still:
what the ends look like is then seen from the first step on, in the temporal attention too
(Chen et al. 2024, Diffusion Forcing, arXiv 2407.01392, section 3.1: a noise level of its own for
each frame).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from diffusers import UNetMotionModel
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn


@contextmanager
def frame_times(unet: UNetMotionModel, levels: Tensor) -> Iterator[None]:
    """Inside, frame f of clip b is at the noise level levels[b, f], whatever the call says."""
    embedded = unet.time_embedding(unet.time_proj(levels.flatten()).to(unet.dtype))  # [B * F, D]

    def replace(
        block: nn.Module, args: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        del block
        if "temb" in named:
            return args, {**named, "temb": embedded}
        return (args[0], embedded, *args[2:]), named

    hooks = [
        module.register_forward_pre_hook(replace, with_kwargs=True)
        for module in unet.modules()
        if isinstance(module, ResnetBlock2D)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
