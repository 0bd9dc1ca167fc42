"""The one hook that puts an attention method into a UNet and takes it out again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0

from engine.attention.consistent import ConsistentSelfAttention, StoryAttention
from engine.attention.regions import RegionCrossAttention


def self_attention_layers(unet: UNet2DConditionModel, where: str) -> tuple[str, ...]:
    """Names of the self-attention layers: in the decoder ("up") or in the whole UNet ("all")."""
    names = (
        n for n in unet.attn_processors
        if n.endswith("attn1.processor") and "motion_modules" not in n
    )  # fmt: skip
    return tuple(n for n in names if where == "all" or n.startswith("up_blocks"))


def cross_attention_layers(unet: UNet2DConditionModel) -> tuple[str, ...]:
    """Names of the layers that read the words in the library's own way."""
    return tuple(
        name for name, processor in unet.attn_processors.items()
        if name.endswith("attn2.processor") and "motion_modules" not in name
        and isinstance(processor, AttnProcessor | AttnProcessor2_0)
    )  # fmt: skip


@contextmanager
def consistent(
    unet: UNet2DConditionModel,
    story: StoryAttention,
    layers: tuple[str, ...],
    *,
    regions: bool = False,
) -> Iterator[None]:
    """Inside, these layers share tokens as `story` says; after, the UNet is exactly as it was.

    With `regions` its characters keep to theirs in every layer, of cross-attention as well.
    """
    before = dict(unet.attn_processors)
    shared = self_attention_layers(unet, "all") if regions else layers
    ours: dict[str, ConsistentSelfAttention | RegionCrossAttention] = {
        name: ConsistentSelfAttention(name, story) for name in shared
    }
    if regions:
        words = cross_attention_layers(unet)
        coarsest = next((block_of(n) for n in words if n.startswith("up_blocks")), "")
        ours |= {
            name: RegionCrossAttention(story.regions, reads=block_of(name) == coarsest)
            for name in words
        }
    unet.set_attn_processor({**before, **ours})
    try:
        yield
    finally:
        unet.set_attn_processor(before)


def block_of(layer: str) -> str:
    """ "up_blocks.0.attentions.1.…" -> "up_blocks.0": layers of one fineness."""
    return ".".join(layer.split(".")[:2])


def open_layers(layers: tuple[str, ...], step: int, steps: int, random: Random) -> frozenset[str]:
    """The layers that share in this step (from 0), each with the step's chance."""
    chance = sharing_chance(step, steps)
    return frozenset(name for name in layers if random.random() < chance)


def sharing_chance(step: int, steps: int) -> float:
    """How likely a layer is to share in a step (reference implementation, docs/how-it-works.md).

    None shares in the first tenth of the way, then each with probability 0.7, and 0.9 after two
    fifths. A step covers its share of the way: the only step of a Turbo model all of it, so its
    chance is the mean over what it covers, and few steps share as much as many.
    """
    begun, ended = step / steps, (step + 1) / steps
    ways = ((0.1, 0.4, 0.7), (0.4, 1.0, 0.9))  # from, to, chance
    covered = (max(0.0, min(ended, to) - max(begun, start)) * chance for start, to, chance in ways)
    return sum(covered) * steps
