"""Consistent Self-Attention against its formula, written plainly in float64."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor

from engine.attention.consistent import (
    Bank,
    ConsistentSelfAttention,
    Glance,
    Sight,
    StoryAttention,
    consistent_attention,
    views_of,
)
from engine.attention.hook import consistent, open_layers, self_attention_layers

HEADS, WIDTH = 4, 32


def plain_formula(
    query: Tensor, own: tuple[Tensor, Tensor], seen: list[tuple[Tensor, Tensor]]
) -> Tensor:
    """O = softmax(Q K^T / sqrt(d)) V over own and seen tokens, head by head, in float64."""
    keys = torch.cat([own[0], *(k for k, _ in seen)]).double()
    values = torch.cat([own[1], *(v for _, v in seen)]).double()
    d = WIDTH // HEADS
    out = []
    for h in range(HEADS):
        part = slice(h * d, (h + 1) * d)
        weights = torch.softmax(query[:, part].double() @ keys[:, part].T / math.sqrt(d), dim=-1)
        out.append(weights @ values[:, part])
    return torch.cat(out, dim=1)


def random_bank(names: tuple[str, ...], halves: int, tokens: int) -> Bank:
    return {n: torch.randn(halves, tokens, WIDTH) for n in names}


@pytest.mark.parametrize("count", [7, 15, 64])
@pytest.mark.parametrize("halves", [1, 2])
@pytest.mark.parametrize(
    "sights",
    [
        ((Glance(("a",)),), (Glance(("a", "b")),), (Glance(()),)),
        ((Glance(("a", "b", "c")),),),
    ],
)
def test_every_panel_equals_the_formula(count: int, halves: int, sights: tuple[Sight, ...]) -> None:
    torch.manual_seed(0)
    keys, values = (random_bank(("a", "b", "c"), halves, 5) for _ in range(2))
    query, key, value = (torch.randn(halves * len(sights), count, WIDTH) for _ in range(3))
    views = [views_of(sight, count) for sight in sights]
    out = consistent_attention(query, key, value, keys, values, views, heads=HEADS)
    for half in range(halves):
        for panel, sight in enumerate(sights):
            row = half * len(sights) + panel
            seen = [(keys[n][half], values[n][half]) for n in sight[0].identities]
            expected = plain_formula(query[row], (key[row], value[row]), seen)
            assert (out[row].double() - expected).abs().max() <= 1e-5


def test_each_character_reaches_only_its_side_of_the_panel() -> None:
    torch.manual_seed(1)
    keys, values = (random_bank(("tom", "lisa"), 2, 9) for _ in range(2))
    query, key, value = (torch.randn(2, 36, WIDTH) for _ in range(3))  # 6 x 6 tokens, two halves
    sight = (Glance(("tom",), 0, 0.5), Glance(("lisa",), 0.5, 1))
    out = consistent_attention(query, key, value, keys, values, [views_of(sight, 36)], heads=HEADS)
    for half in range(2):
        for token in range(36):
            name = "tom" if token % 6 < 3 else "lisa"
            seen = [(keys[name][half], values[name][half])]
            expected = plain_formula(query[half, token : token + 1], (key[half], value[half]), seen)
            assert (out[half, token].double() - expected).abs().max() <= 1e-5


def test_a_perturbed_half_has_values_without_attention_and_leaves_the_other_half_alone() -> None:
    torch.manual_seed(4)
    attn = Attention(WIDTH, heads=HEADS, dim_head=WIDTH // HEADS)
    story = StoryAttention(rate=1.0, seed=3, open_layers=frozenset(["layer"]))
    processor = ConsistentSelfAttention("layer", story)
    panels = torch.randn(4, 9, WIDTH)  # two halves of two panels
    with torch.no_grad():
        story.writing, story.sights = ("a", "b"), ((Glance(()),), (Glance(()),))
        processor(attn, panels)
        story.writing, story.sights = (), ((Glance(("b",)),), (Glance(("a",)),))
        plain = processor(attn, panels)
        story.perturbed = 1
        out = processor(attn, panels)
        assert torch.equal(out[:2], attn.to_out[0](attn.to_v(panels[:2])))
    assert torch.equal(out[2:], plain[2:])
    assert not torch.equal(out[:2], plain[:2])


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("count", [9, 16])
def test_the_layer_equals_the_formula_at_every_rate(rate: float, count: int) -> None:
    torch.manual_seed(2)
    attn = Attention(WIDTH, heads=HEADS, dim_head=WIDTH // HEADS)
    story = StoryAttention(rate=rate, seed=3, open_layers=frozenset(["layer"]))
    processor = ConsistentSelfAttention("layer", story)
    identities, panels = torch.randn(4, count, WIDTH), torch.randn(2, count, WIDTH)
    with torch.no_grad():
        story.writing, story.sights = ("a", "b"), ((Glance(()),), (Glance(()),))
        processor(attn, identities)
        story.writing, story.sights = (), ((Glance(("a", "b")),),)
        out = processor(attn, panels)
        for half in range(2):
            seen = []
            for i, name in enumerate(("a", "b")):
                tokens = identities[half * 2 + i][story.chosen_tokens("layer", name, count)]
                seen.append((attn.to_k(tokens), attn.to_v(tokens)))
                assert len(tokens) == round(rate * count)
            q, k, v = (f(panels[half]) for f in (attn.to_q, attn.to_k, attn.to_v))
            expected = plain_formula(q, (k, v), seen).float()
            assert (out[half] - attn.to_out[0](expected)).abs().max() <= 1e-5


def test_rate_zero_is_the_librarys_own_attention_to_the_bit() -> None:
    torch.manual_seed(4)
    attn = Attention(WIDTH, heads=HEADS, dim_head=WIDTH // HEADS)
    tokens = torch.randn(3, 17, WIDTH)
    story = StoryAttention(rate=0.0, seed=0, open_layers=frozenset(["layer"]), halves=1)
    story.sights, story.writing = ((Glance(("a",)),),) * 3, ("a", "b", "c")
    with torch.no_grad():
        ours = ConsistentSelfAttention("layer", story)(attn, tokens)
        theirs = AttnProcessor2_0()(attn, tokens)
    assert torch.equal(ours, theirs)


def test_the_sample_does_not_depend_on_who_else_is_in_the_batch() -> None:
    story = StoryAttention(rate=0.5, seed=9)
    first = story.chosen_tokens("layer", "panel 1", 64)
    story.chosen_tokens("layer", "panel 2", 64)
    assert torch.equal(first, story.chosen_tokens("layer", "panel 1", 64))
    assert not torch.equal(first, story.chosen_tokens("layer", "panel 2", 64))
    story.step = 1
    assert not torch.equal(first, story.chosen_tokens("layer", "panel 1", 64))


def tiny_unet() -> UNet2DConditionModel:
    torch.manual_seed(5)
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1,
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32, attention_head_dim=4, norm_num_groups=8,
    )  # fmt: skip


def test_the_hook_leaves_the_unet_exactly_as_it_was_also_after_an_error() -> None:
    unet = tiny_unet()
    before = dict(unet.attn_processors)
    layers = self_attention_layers(unet, "all")
    hooked = None
    with suppress(KeyError), consistent(unet, StoryAttention(0.5, 0), layers):
        hooked = [unet.attn_processors[name] is not before[name] for name in layers]
        raise KeyError
    assert hooked == [True] * len(layers)
    assert all(unet.attn_processors[name] is processor for name, processor in before.items())


def test_only_decoder_layers_share_where_the_model_says_so() -> None:
    unet = tiny_unet()
    up = self_attention_layers(unet, "up")
    assert up
    assert all(name.startswith("up_blocks") for name in up)
    assert len(self_attention_layers(unet, "all")) > len(up)


def test_without_open_layers_the_hooked_unet_draws_as_before() -> None:
    unet = tiny_unet()
    x, t, words = torch.randn(2, 4, 8, 8), torch.tensor(10), torch.randn(2, 3, 32)
    with torch.no_grad():
        plain = unet(x, t, encoder_hidden_states=words).sample
        with consistent(unet, StoryAttention(0.5, 0), self_attention_layers(unet, "all")):
            hooked = unet(x, t, encoder_hidden_states=words).sample
    assert torch.equal(plain, hooked)


def test_layers_open_more_often_in_later_steps_and_never_in_the_first() -> None:
    from random import Random

    layers = tuple(str(i) for i in range(2000))
    assert open_layers(layers, 0, 10, Random(0)) == frozenset()
    assert 0.67 < len(open_layers(layers, 2, 10, Random(0))) / 2000 < 0.73
    assert 0.87 < len(open_layers(layers, 6, 10, Random(0))) / 2000 < 0.93
