"""Where the drawing of a segment begins: with what the tokens say, and at which noise."""

from __future__ import annotations

import torch

from engine.house.painter import build_scheduler
from engine.motion.encoder import PictureEncoder
from engine.motion.video import last_steps, sketched


def encoder() -> PictureEncoder:
    torch.manual_seed(3)
    return PictureEncoder(latent_channels=4, side=8, channels=6)


def test_on_the_path_the_sketch_is_the_path() -> None:
    path = torch.randn(5, 4, 8, 8)
    assert torch.equal(sketched(encoder(), path, torch.zeros(5, 16, 6)), path)


def test_what_the_tokens_foresee_beside_the_path_is_in_the_sketch() -> None:
    path, offsets = torch.randn(5, 4, 8, 8), torch.zeros(5, 16, 6)
    offsets[2, 5] += 1  # the token in the second row and column: [2:4, 2:4] of the latents
    changed = (sketched(encoder(), path, offsets) - path).abs().amax(1) > 1e-4
    assert changed[2, 2:4, 2:4].all()
    assert changed.sum() == 4


def test_pictures_of_another_size_are_sketched_in_their_size() -> None:
    sketch = sketched(encoder(), torch.randn(3, 4, 12, 10), torch.randn(3, 16, 6))
    assert sketch.shape == (3, 4, 12, 10)


def test_steps_go_the_last_part_of_the_way() -> None:
    scheduler, cpu = build_scheduler(), torch.device("cpu")
    assert last_steps(scheduler, 4, 1.0, cpu).tolist() == [999, 749, 499, 249]
    assert last_steps(scheduler, 4, 0.5, cpu).tolist() == [499, 374, 249, 124]
