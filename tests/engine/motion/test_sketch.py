"""Where the drawing of a segment begins: with what the tokens say, and at which noise."""

from __future__ import annotations

import torch

from engine.house.painter import build_scheduler
from engine.motion.encoder import PictureEncoder
from engine.motion.predictor import linear_path
from engine.motion.video import last_steps, sketched


def encoder() -> PictureEncoder:
    torch.manual_seed(3)
    return PictureEncoder(latent_channels=4, side=8, channels=6)


def test_on_the_linear_path_the_sketch_is_the_mixture_of_the_ends() -> None:
    ends = torch.randn(2, 4, 8, 8)
    start, end = encoder()(ends).split(1)
    sketch = sketched(encoder(), ends, linear_path(start, end, 5))
    torch.testing.assert_close(sketch[2], (ends[0] + ends[1]) / 2, atol=1e-5, rtol=1e-5)


def test_what_the_tokens_foresee_is_in_the_sketch_and_the_ends_stay() -> None:
    ends, e = torch.randn(2, 4, 8, 8), encoder()
    tokens = linear_path(*e(ends).split(1), 5)
    tokens[:, 2, 5] += 1  # the token in the second row and column: [2:4, 2:4] of the latents
    sketch = sketched(e, ends, tokens)
    changed = (sketch - sketched(e, ends, linear_path(*e(ends).split(1), 5))).abs().amax(1) > 1e-4
    assert changed[2, 2:4, 2:4].all()
    assert changed.sum() == 4
    torch.testing.assert_close(sketch[[0, -1]], ends, atol=1e-5, rtol=1e-5)


def test_pictures_of_another_size_are_sketched_in_their_size() -> None:
    ends, e = torch.randn(2, 4, 12, 10), encoder()
    tokens = linear_path(*e(ends).split(1), 3)
    assert sketched(e, ends, tokens).shape == (3, 4, 12, 10)


def test_steps_go_the_last_part_of_the_way() -> None:
    scheduler, cpu = build_scheduler(), torch.device("cpu")
    assert last_steps(scheduler, 4, 1.0, cpu).tolist() == [999, 749, 499, 249]
    assert last_steps(scheduler, 4, 0.5, cpu).tolist() == [499, 374, 249, 124]
