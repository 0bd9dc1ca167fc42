"""CLIP as the image encoder: it sees what the library's own preparation would show it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from engine.motion.clip_encoder import ClipEncoder, prepared


@pytest.mark.parametrize("size", [(96, 96), (120, 80), (24, 24)])
def test_pictures_are_prepared_as_clip_knows_them(size: tuple[int, int]) -> None:
    small = np.random.default_rng(0).integers(0, 256, (5, 5, 3), np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 127.5 - 1
    theirs = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32)(
        image, return_tensors="pt"
    ).pixel_values
    torch.testing.assert_close(prepared(pixels, 32), theirs, atol=0.03, rtol=0)


@pytest.mark.parametrize(("hidden", "shape"), [(False, (2, 1, 24)), (True, (2, 5, 32))])
def test_tokens_and_what_stands_for_no_picture(hidden: bool, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        image_size=32, patch_size=16, projection_dim=24,
    )  # fmt: skip
    encoder = ClipEncoder(CLIPVisionModelWithProjection(config), hidden=hidden).eval()
    with torch.no_grad():
        tokens = encoder(torch.rand(2, 3, 40, 40) * 2 - 1)
        nothing = encoder.nothing()
    assert tokens.shape == shape
    assert nothing.shape == shape[1:]
    assert bool(nothing.any()) is hidden  # an embedding of no picture is zero, as in training
