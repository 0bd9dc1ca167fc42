"""The second pose of a living panel: the same panel a moment later.

Its picture is noised and drawn anew from there (Meng et al. 2022, SDEdit, arXiv 2108.01073), while
the picture itself leads by Consistent Self-Attention, as an identity panel does.
"""

from __future__ import annotations

from typing import Any

from diffusers import DDIMScheduler
from torch import Tensor

from engine.attention.consistent import Glance
from engine.batches import Batch
from engine.drawing import StoryDrawing
from engine.identity import picture_latents
from engine.loading import Artist
from engine.plan import NOBODY, Shot
from engine.request import DrawRequest

STRENGTH = 0.8  # share of the steps that are taken
GIVEN, POSE = "given", "pose"


class SecondPose(StoryDrawing):
    """`steps()` draws it; then its latents [C, h, w] are in `latents[POSE]`.

    `request` says style, steps, guidance, rate and size; `picture` is a PNG in base64.
    """

    def __init__(
        self, artist: Artist, request: DrawRequest, picture: str, prompt: str, seed: int
    ) -> None:
        given = Shot(GIVEN, None, prompt, seed, NOBODY, GIVEN, shown=False, picture=picture)
        pose = Shot(POSE, 0, prompt, seed, (Glance((GIVEN,)),))
        super().__init__(artist, request, [given, pose])
        self._picture, self._all_steps = picture, self.count
        self.count = max(1, round(STRENGTH * self.count))

    def _scheduler(self) -> Any:
        """The last steps only; not every model's own scheduler can begin in the middle."""
        scheduler = DDIMScheduler.from_config(self.artist.scheduler.config, clip_sample=False)
        scheduler.set_timesteps(self._all_steps, device=self.artist.device)
        scheduler.timesteps = scheduler.timesteps[-self.count :]
        return scheduler

    def _start(self, batch: Batch, scheduler: Any) -> Tensor:
        if batch[0].picture is not None:
            return super()._start(batch, scheduler)
        clean = picture_latents(self.artist, self._picture, self.pixels)[None]
        noisy: Tensor = scheduler.add_noise(clean, self._noise(batch), scheduler.timesteps[:1])
        return noisy
