"""What the training on clips takes from a model: its image encoder, and its decoder on request.

The paper's loss (arXiv 2405.01434, section 3.2) compares the predicted clip with the true one: the
noise that the video decoder guesses, reading the foreseen tokens, with the noise that was put on
the true frames. The decoder's own weights stay as they are. It reads no words there, and the frames
do not share attention: that comes in without training when a clip is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.loading import load_model
from engine.models import AnimateDiff, find_model
from engine.motion.animatediff import load_animatediff
from engine.motion.animator import Animator
from engine.motion.clip_tokens import Read
from engine.motion.clip_training import between
from engine.motion.video import mixed_noise


@dataclass(frozen=True)
class ClipModel:
    """How segments of `pixels` a side are read, the name of that way, and the decoder's loss."""

    read: Read
    name: str
    pixels: int
    loss: DecoderLoss | None


class DecoderLoss:
    """MSE of the noise that the decoder guesses in the frames between the ends."""

    def __init__(self, animator: Animator) -> None:
        self._animator = animator
        self._words = animator.artist.read([""]).states  # [1, N, W]
        animator.unet.enable_gradient_checkpointing()  # all layers of all frames fit on few cards

    def __call__(self, kept: Mapping[str, Tensor], foreseen: Tensor) -> Tensor:
        """True "latents" [B, F, C, h, w] and tokens [B, F, T, D]; the gradient goes to these."""
        animator, clean = self._animator, kept["latents"]
        clips, frames = clean.shape[:2]
        scheduler = animator.scheduler
        t = torch.randint(scheduler.config.num_train_timesteps, (clips,), device=clean.device)
        noise = mixed_noise(
            torch.randn_like(clean[:, :1]), torch.randn_like(clean), animator.common_noise
        )
        flat = (clean.flatten(0, 1), noise.flatten(0, 1), t.repeat_interleave(frames))
        noisy = scheduler.add_noise(*flat).view_as(clean)
        kind = scheduler.config.prediction_type
        target = scheduler.get_velocity(*flat) if kind == "v_prediction" else flat[1]
        words = self._words[:, None].expand(clips, frames, -1, -1)
        return between(animator.guess(noisy, t, words, foreseen), target.view_as(clean))


def load_clip_model(
    model: str, motion: AnimateDiff, device: torch.device, *, decoder: bool
) -> ClipModel:
    """The parts of a model with AnimateDiff and an IP-Adapter. Raises `EngineError`.

    Without the decoder only the image encoder stays in memory.
    """
    artist = load_model(find_model(model), device)
    animator = load_animatediff(artist, motion)
    if decoder:
        return ClipModel(
            read_both(animator), f"{motion.ip_adapter} and {artist.spec.source}", artist.spec.size,
            DecoderLoss(animator),
        )  # fmt: skip
    encoder: Any = animator.encoder
    return ClipModel(read_tokens(encoder, artist.precision), motion.ip_adapter, encoder.side, None)


def read_tokens(encoder: nn.Module, precision: torch.dtype) -> Read:
    def read(pictures: Tensor) -> dict[str, Tensor]:
        lower = precision != torch.float32
        with torch.autocast(pictures.device.type, precision, enabled=lower):
            return {"tokens": encoder(pictures)}

    return read


def read_both(animator: Animator) -> Read:
    def read(pictures: Tensor) -> dict[str, Tensor]:
        with animator.artist.painting():
            return {
                "tokens": animator.encoder(pictures), "latents": animator.artist.encode(pictures)
            }  # fmt: skip

    return read
