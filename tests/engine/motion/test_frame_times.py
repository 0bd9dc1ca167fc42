"""Each frame at a noise level of its own."""

from __future__ import annotations

import torch

from engine.motion.animator import new_animator
from engine.ready import ready_artist


def test_without_motion_each_frame_is_what_the_artist_guesses_at_its_own_level() -> None:
    artist = ready_artist("house", "cpu")
    animator = new_animator(artist)
    torch.manual_seed(1)
    noisy = torch.randn(2, 3, 16, 16, 16)
    levels = torch.tensor([[20, 900, 500], [700, 20, 20]])
    words = artist.read(["a cat"]).states[0]
    tokens = torch.zeros(2, 3, animator.predictor.places.shape[0], 32)
    with torch.no_grad():
        guesses = animator.guess(noisy, levels, words.expand(2, 3, -1, -1), tokens)
        alone = artist.unet(
            noisy.flatten(0, 1), levels.flatten(), encoder_hidden_states=words.expand(6, -1, -1)
        ).sample
        usual = animator.guess(noisy, levels[:, 0], words.expand(2, 3, -1, -1), tokens)
    assert torch.allclose(guesses.flatten(0, 1), alone, atol=1e-4)
    assert not torch.allclose(usual, guesses, atol=1e-2)
