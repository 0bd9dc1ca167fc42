"""The GPU's bench, on tiny models: what it counts and what it draws."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench.gpu import OURS, PLAIN, kind_of, measured, operations, page, where_time_goes
from engine.loading import load_model
from engine.models import find_model

CPU = torch.device("cpu")


def test_the_operations_of_a_page_grow_with_its_steps_and_with_guidance(tiny_sdxl: Path) -> None:
    artist = load_model(find_model(str(tiny_sdxl)), CPU)
    one, three, guided = (
        operations(artist, page(steps, 64, guided=led))
        for steps, led in ((1, False), (3, False), (1, True))
    )
    a_step = (three - one) / 2
    assert 0 < a_step < one  # the rest are words and pictures
    assert guided == pytest.approx(one + a_step, rel=0.2)


def test_each_way_has_its_line_for_each_page(tiny_sdxl: Path) -> None:
    artist = load_model(find_model(str(tiny_sdxl)), CPU)
    pages = [page(2, 64, guided=True), page(1, 64, guided=False)]
    lines = measured(artist, pages, repeats=1, ways=(PLAIN, OURS))
    assert [(line.way, line.steps, line.guided) for line in lines] == [
        (way, steps, guided) for way in (PLAIN, OURS) for steps, guided in ((2, True), (1, False))
    ]
    assert all(line.seconds > 0 and line.of_floor > 0 for line in lines)
    assert [line.of_plain for line in lines[:2]] == [1, 1]


def test_the_shares_of_the_time_add_up(tiny_sdxl: Path) -> None:
    artist = load_model(find_model(str(tiny_sdxl)), CPU)
    shares = where_time_goes(artist, page(1, 64, guided=False))
    assert sum(shares.values()) == pytest.approx(1)
    assert {"attention", "convolutions", "matrices"} <= set(shares)


@pytest.mark.parametrize(
    ("operator", "kind"),
    [
        ("aten::_scaled_dot_product_flash_attention", "attention"),
        ("sm90_xmma_gemm_bf16", "matrices"),
        ("aten::cudnn_convolution", "convolutions"),
        ("aten::native_group_norm", "norms"),
        ("aten::copy_", "the rest"),
    ],
)
def test_operators_are_told_apart(operator: str, kind: str) -> None:
    assert kind_of(operator) == kind
