"""How a bench ends, and what it takes for a number."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bench.table import Bar, count, finish


@pytest.mark.parametrize(("value", "code"), [(3.0, 0), (1.0, 1)])
def test_a_missed_bar_is_named_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: float, code: int
) -> None:
    where = tmp_path / "not there yet" / "figures.json"
    with pytest.raises(SystemExit) as ended:
        finish([Bar("speed", value, 2.0), Bar("memory", 5.0, 9.0, at_least=False)], [], where)
    assert ended.value.code == code
    assert ("bars missed: speed\n" in capsys.readouterr().err) == bool(code)
    assert [bar["met"] for bar in json.loads(where.read_text())["bars"]] == [not code, True]


def test_none_of_something_cannot_be_measured() -> None:
    assert count("12") == 12
    for text in ("0", "-3", "many", "1.5"):
        with pytest.raises(argparse.ArgumentTypeError, match="at least 1"):
            count(text)
