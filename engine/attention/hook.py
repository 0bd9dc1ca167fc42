"""The one hook that puts an attention method into a UNet and takes it out again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from diffusers import UNet2DConditionModel

from engine.attention.consistent import ConsistentSelfAttention, StoryAttention


def self_attention_layers(unet: UNet2DConditionModel, where: str) -> tuple[str, ...]:
    """Names of the self-attention layers: in the decoder ("up") or in the whole UNet ("all")."""
    names = (
        n for n in unet.attn_processors
        if n.endswith("attn1.processor") and "motion_modules" not in n
    )  # fmt: skip
    return tuple(n for n in names if where == "all" or n.startswith("up_blocks"))


@contextmanager
def consistent(
    unet: UNet2DConditionModel, story: StoryAttention, layers: tuple[str, ...]
) -> Iterator[None]:
    """Inside, these layers share tokens as `story` says; after, the UNet is exactly as it was."""
    before = dict(unet.attn_processors)
    ours = {name: ConsistentSelfAttention(name, story) for name in layers}
    unet.set_attn_processor({**before, **ours})
    try:
        yield
    finally:
        unet.set_attn_processor(before)


def open_layers(layers: tuple[str, ...], share_of_steps: float, random: Random) -> frozenset[str]:
    """The layers that share in this step (reference implementation, see docs/how-it-works.md).

    None before a tenth of the steps, then each with probability 0.7, and 0.9 after two fifths.
    """
    chance = 0.0 if share_of_steps < 0.1 else 0.7 if share_of_steps < 0.4 else 0.9
    return frozenset(name for name in layers if random.random() < chance)
