"""Classifier-free guidance: away from the guess without the words, and from words of its own."""

from __future__ import annotations

from torch import Tensor

from engine.models import ModelSpec
from engine.prompts import find_style, negative_prompt
from engine.request import DrawRequest


def negative_words(request: DrawRequest, spec: ModelSpec, panel: int | None = None) -> str:
    """The style's words to keep away from, with those of a panel (from 0) before them."""
    if not spec.reads_negatives:
        return ""
    own = "" if panel is None else request.panels[panel].negative
    return negative_prompt(find_style(request.style), own)


def led_away(both: Tensor, guidance: float, spec: ModelSpec, timestep: Tensor) -> Tensor:
    """Of guesses without and with the words, [2 B, C, h, w], the one that guidance makes, [B, …].

    At the last noise levels it would only thicken the lines: there the guess with the words stands
    (Kynkäänniemi et al. 2024, arXiv 2404.07724, section 3).
    """
    plain, said = both.chunk(2)
    if float(timestep) < spec.guided_above:
        return said
    return rescaled(plain + guidance * (said - plain), said, spec.guidance_rescale)


def rescaled(guess: Tensor, said: Tensor, share: float) -> Tensor:
    """Guidance without over-exposure (Lin et al. 2023, section 3.4)."""
    if share == 0:
        return guess
    axes = tuple(range(1, guess.ndim))
    calmed = guess * (said.std(axes, keepdim=True) / guess.std(axes, keepdim=True))
    return share * calmed + (1 - share) * guess
