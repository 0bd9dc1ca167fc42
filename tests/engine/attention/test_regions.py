"""Regions against their formula, written as dense masks in float64."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import (
    Attention,
    AttnProcessor2_0,
    IPAdapterAttnProcessor2_0,
)
from torch import Tensor

from engine.attention.consistent import ConsistentSelfAttention, Glance, StoryAttention
from engine.attention.hook import consistent, cross_attention_layers, self_attention_layers
from engine.attention.masks import labels_of_boxes, labels_of_maps, otsu_threshold, resized
from engine.attention.regions import BatchRegions, PanelRegions, RegionCrossAttention
from engine.standing import Box

HEADS, WIDTH, SIDE, WORDS = 4, 32, 8, 12
COUNT = SIDE * SIDE
NOISY, CLEAR = 0.95, 0.5  # noise levels: boxes hold, and masks are read
BOXES = (Box(0.0, 0.2, 0.4, 1.0), Box(0.4, 0.2, 0.7, 0.9), Box(0.75, 0.2, 1.0, 1.0))
WHOSE_WORDS = ((1, 2), (4, 5, 6), ())  # of the third nothing is left in the prompt


def layer(*, words: int | None = None) -> Attention:
    torch.manual_seed(3)
    return Attention(WIDTH, words, heads=HEADS, dim_head=WIDTH // HEADS).eval()


def dense(attn: Attention, tokens: Tensor, seen: Tensor, mask: Tensor) -> Tensor:
    """softmax(Q K^T / sqrt(d) where the mask allows it) V, head by head, in float64: [N, C]."""
    attn = attn.double()
    query, key, value = (
        attn.to_q(tokens.double()),
        attn.to_k(seen.double()),
        attn.to_v(seen.double()),
    )
    d = WIDTH // HEADS
    out = []
    for h in range(HEADS):
        part = slice(h * d, (h + 1) * d)
        logits = query[:, part] @ key[:, part].T / math.sqrt(d)
        weights = torch.softmax(logits.masked_fill(~mask, -math.inf), dim=-1)
        out.append(weights @ value[:, part])
    projected: Tensor = attn.to_out[0](torch.cat(out, 1))
    attn.float()
    return projected


def labels() -> Tensor:
    return labels_of_boxes(BOXES, SIDE, SIDE).flatten()


@torch.no_grad()
@pytest.mark.parametrize("sharing", [True, False])
def test_self_attention_equals_the_formula_with_a_dense_mask(sharing: bool) -> None:
    attn = layer()
    names = ("tom", "lisa", "max")
    story = StoryAttention(rate=0.5, seed=1, open_layers=frozenset(["a"] if sharing else []))
    identities, panels = torch.randn(6, COUNT, WIDTH), torch.randn(4, COUNT, WIDTH)
    processor = ConsistentSelfAttention("a", story)
    story.writing, story.sights = names, ((Glance(()),),) * 3
    processor(attn, identities)
    story.writing = ()
    story.sights = ((Glance(("max",)),), tuple(Glance((name,)) for name in names))
    with story.regions.standing([None, PanelRegions(BOXES, WHOSE_WORDS, WORDS)], NOISY):
        out = processor(attn, panels)
    where = labels()
    for half in range(2):
        chosen = [story.chosen_tokens("a", name, COUNT) for name in names]
        sampled = [identities[3 * half + k, chosen[k]] for k in range(3)]
        own = (where[:, None] == 0) | (where[None, :] == 0) | (where[:, None] == where[None, :])
        theirs = [(where == k)[:, None].expand(COUNT, len(sampled[0])) for k in (1, 2, 3)]
        seen = [panels[2 * half + 1], *(sampled if sharing else [])]
        mask = torch.cat([own, *(theirs if sharing else [])], 1)
        expected = dense(attn, panels[2 * half + 1], torch.cat(seen), mask)
        assert (out[2 * half + 1].double() - expected).abs().max() <= 1e-5
        seen = [panels[2 * half], *(sampled[2:] if sharing else [])]
        all_of_it = torch.ones(COUNT, sum(map(len, seen)), dtype=torch.bool)
        expected = dense(attn, panels[2 * half], torch.cat(seen), all_of_it)
        assert (out[2 * half].double() - expected).abs().max() <= 1e-5, "a panel of one character"


@torch.no_grad()
@pytest.mark.parametrize("halves", [1, 2])
def test_cross_attention_equals_the_formula_where_there_are_words(halves: int) -> None:
    attn, batch = layer(words=WIDTH), BatchRegions()
    panels, words = torch.randn(2 * halves, COUNT, WIDTH), torch.randn(2 * halves, WORDS, WIDTH)
    with batch.standing([PanelRegions(BOXES, WHOSE_WORDS, WORDS), None], NOISY):
        out = RegionCrossAttention(batch, reads=False)(attn, panels, words)
    where, owner = labels(), torch.zeros(WORDS, dtype=torch.long)
    owner[[1, 2]], owner[[4, 5, 6]] = 1, 2
    with_words = 2 * (halves - 1)
    bounded = (owner[None, :] == 0) | (where[:, None] == owner[None, :])
    for row in range(2 * halves):
        mask = bounded if row == with_words else torch.ones_like(bounded)
        expected = dense(attn, panels[row], words[row], mask)
        assert (out[row].double() - expected).abs().max() <= 1e-5


@torch.no_grad()
def test_a_prompt_that_is_repeated_beside_a_longer_one_reads_the_same() -> None:
    attn, batch = layer(words=WIDTH), BatchRegions()
    panels, words = torch.randn(1, COUNT, WIDTH), torch.randn(1, WORDS, WIDTH)
    outs = []
    for given in (words, words.repeat(1, 2, 1)):
        with batch.standing([PanelRegions(BOXES, WHOSE_WORDS, WORDS)], NOISY):
            outs.append(RegionCrossAttention(batch, reads=False)(attn, panels, given))
    assert (outs[0] - outs[1]).abs().max() <= 1e-6


@torch.no_grad()
def test_without_regions_cross_attention_is_the_librarys_own() -> None:
    attn, batch = layer(words=WIDTH), BatchRegions()
    panels, words = torch.randn(2, COUNT, WIDTH), torch.randn(2, WORDS, WIDTH)
    with batch.standing([None], NOISY):
        ours = RegionCrossAttention(batch, reads=True)(attn, panels, words)
    assert torch.equal(ours, AttnProcessor2_0()(attn, panels, words))


def tiny_unet() -> UNet2DConditionModel:
    torch.manual_seed(5)
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, layers_per_block=1,
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32, attention_head_dim=4, norm_num_groups=8,
    ).eval()  # fmt: skip


def test_the_hook_leaves_the_unet_exactly_as_it_was_also_after_an_error() -> None:
    unet = tiny_unet()
    before = dict(unet.attn_processors)
    ours = (*self_attention_layers(unet, "all"), *cross_attention_layers(unet))
    hooked = []
    with (
        suppress(KeyError),
        consistent(unet, StoryAttention(0.5, 0), self_attention_layers(unet, "up"), regions=True),
    ):
        hooked = [unet.attn_processors[name] is not before[name] for name in ours]
        raise KeyError
    assert hooked == [True] * len(before), "every layer keeps the regions"
    assert all(unet.attn_processors[name] is processor for name, processor in before.items())


def test_cross_attention_of_another_kind_is_left_alone() -> None:
    unet = tiny_unet()
    first, *others = cross_attention_layers(unet)
    other = IPAdapterAttnProcessor2_0(hidden_size=32, cross_attention_dim=32)
    unet.set_attn_processor({**unet.attn_processors, first: other})
    assert cross_attention_layers(unet) == tuple(others)


@torch.no_grad()
def test_no_region_no_change_to_the_bit() -> None:
    unet, story = tiny_unet(), StoryAttention(0.5, 0)
    x, t, words = torch.randn(2, 4, 8, 8), torch.tensor(10), torch.randn(2, 3, 32)
    plain = unet(x, t, encoder_hidden_states=words).sample
    with (
        consistent(unet, story, self_attention_layers(unet, "up"), regions=True),
        story.regions.standing([None], NOISY),
    ):
        assert torch.equal(plain, unet(x, t, encoder_hidden_states=words).sample)


@torch.no_grad()
def test_boxes_hold_at_first_and_then_the_picture_says_who_is_where() -> None:
    unet, story = tiny_unet(), StoryAttention(0.5, 0)
    story.sights = ((Glance(()), Glance(())),)
    regions = PanelRegions((Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1)), ((1,), (2,)), 4)
    boxed = regions.labels
    x, t, words = torch.randn(2, 4, 8, 8), torch.tensor(10), torch.randn(2, 4, 32)
    with consistent(unet, story, (), regions=True):
        for level, changes in ((NOISY, False), (CLEAR, True), (CLEAR - 0.01, False), (0.1, True)):
            before = regions.labels
            with story.regions.standing([regions], level):
                unet(x, t, encoder_hidden_states=words)
            assert (regions.labels is not before) == changes, level
    assert boxed.shape != regions.labels.shape == (8, 8)
    assert not story.regions.any, "nobody stands anywhere after the pass"


def test_masks_follow_what_is_looked_at() -> None:
    maps = torch.full((2, 16, 16), 0.01)
    maps[0, 4:14, 2:6] = 0.2
    maps[1, 3:13, 10:14] = 0.9
    found = labels_of_maps(maps, (Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1)))
    assert found[8, 4] == 1
    assert found[8, 12] == 2
    assert found[0, 0] == found[8, 8] == 0
    assert 30 <= (found == 1).sum() <= 60


def test_of_two_who_are_called_alike_each_stays_in_its_box() -> None:
    maps = torch.full((2, 16, 16), 0.01)
    maps[:, 3:13, 2:6] = 0.5  # "a man" lights up both of them in both maps
    maps[:, 3:13, 10:14] = 0.5
    found = labels_of_maps(maps, (Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1)))
    assert (found[5:11, 3:5] == 1).all()
    assert (found[5:11, 11:13] == 2).all()


def test_who_cannot_be_seen_keeps_its_box_where_nobody_else_is() -> None:
    maps = torch.zeros(2, 16, 16)
    maps[0, 4:12, 2:10] = 1.0
    boxes = (Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1))
    found = labels_of_maps(maps, boxes)
    assert (found[:, 12:] == 2).all()
    assert (found[6:10, 4:8] == 1).all()


def test_otsus_threshold_parts_two_heaps_of_values() -> None:
    values = torch.cat([torch.linspace(0.0, 0.2, 50), torch.linspace(0.8, 1.0, 20)])
    assert 0.2 <= otsu_threshold(values) <= 0.8
    assert otsu_threshold(torch.full((9,), 0.3)) == pytest.approx(0.3)


def test_labels_of_any_fineness_show_the_same_places() -> None:
    fine = labels_of_boxes(BOXES)
    assert torch.equal(resized(fine, 8, 8), labels_of_boxes(BOXES, 8, 8))
    assert torch.equal(resized(resized(fine, 16, 16), 32, 32)[::2, ::2], resized(fine, 16, 16))
