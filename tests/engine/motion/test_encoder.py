"""The house artist's picture tokens: what they keep, and where they are laid out."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.motion.encoder import PictureEncoder, TokenLayout


def patterned(count: int) -> Tensor:
    """Latents [count, 4, 8, 8] whose patches differ in six directions only, and a little noise."""
    torch.manual_seed(1)
    parts = torch.randn(count, 6, 4, 4)
    spread = torch.nn.functional.conv2d(parts, torch.randn(16, 6, 1, 1))
    return torch.nn.functional.pixel_shuffle(spread, 2) + 0.01 * torch.randn(count, 4, 8, 8)


def test_the_encoder_keeps_what_patches_differ_in() -> None:
    latents = patterned(20)
    encoder = PictureEncoder(latent_channels=4, side=8, channels=6)
    encoder.fit(latents)
    tokens = encoder(latents)
    assert tokens.shape == (20, encoder.count, 6)
    assert abs(float(tokens.std()) - 1) < 0.01
    back = tokens * encoder.size @ encoder.directions + encoder.middle
    patches = torch.nn.functional.pixel_unshuffle(latents, 2).flatten(2).transpose(1, 2)
    assert float((back - patches).square().mean() / patches.var()) < 1e-3


def test_differences_are_laid_back_where_they_were_seen() -> None:
    latents = patterned(20)
    encoder = PictureEncoder(latent_channels=4, side=8, channels=6)
    encoder.fit(latents)
    one, other = latents[:10], latents[10:]
    back = encoder.laid_back(encoder(one) - encoder(other))
    assert float((back - (one - other)).square().mean() / (one - other).var()) < 1e-3


def test_latents_of_another_size_have_as_many_tokens() -> None:
    encoder = PictureEncoder(latent_channels=4, side=8, channels=6)
    assert encoder(torch.randn(2, 4, 12, 10)).shape == (2, 16, 6)


def test_a_layout_changes_nothing_until_it_has_learnt() -> None:
    layout = TokenLayout(6, 20)
    assert not layout(torch.randn(3, 16, 6), (8, 8)).any()


def test_a_token_says_what_is_in_its_place() -> None:
    torch.manual_seed(2)
    layout = TokenLayout(6, 20)
    torch.nn.init.normal_(layout.write.weight)
    tokens = torch.randn(1, 16, 6)
    other = tokens.clone()
    other[0, 5] += 1  # in row 1 and column 1 of four
    changed = (layout(tokens, (8, 8)) - layout(other, (8, 8))).abs().sum((0, 1)) > 1e-6
    assert changed[2:4, 2:4].all()
    assert not changed[:, 6:].any()
    assert not changed[6:].any()
    assert layout(tokens, (16, 16)).shape == (1, 20, 16, 16)
