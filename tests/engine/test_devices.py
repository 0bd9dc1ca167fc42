"""The precision follows the device."""

import pytest
import torch

from engine.devices import computes_bfloat16, drawing_precision, training_autocast
from engine.house.muon import orthogonal

CPU = torch.device("cpu")


@pytest.mark.parametrize("native", [True, False])
def test_bfloat16_is_used_only_where_the_processor_computes_it_itself(
    native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: native)
    expected = torch.bfloat16 if native else torch.float32
    assert computes_bfloat16(CPU) is native
    assert drawing_precision(CPU) is expected
    with training_autocast(CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is expected


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("shape", [(4, 9), (9, 4)])
def test_an_update_is_made_orthogonal_in_either_precision(
    shape: tuple[int, int], native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: native)
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    sizes = torch.linalg.svdvals(orthogonal(matrix))
    assert sizes.min() > 0.5
    assert sizes.max() < 1.5
