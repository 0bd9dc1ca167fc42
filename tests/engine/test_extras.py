"""What an operator can set beside the models, on its way to the engine's process."""

from __future__ import annotations

from argparse import ArgumentParser

import pytest

from engine.extras import Extras, add_extras, extras_of


@pytest.mark.parametrize("extras", [Extras(), Extras("a/b"), Extras("", "c"), Extras("a", "c")])
def test_what_is_set_survives_its_journey_on_a_command_line(extras: Extras) -> None:
    parser = ArgumentParser()
    add_extras(parser)
    assert extras_of(parser.parse_args(extras.arguments())) == extras
    assert len(extras.arguments()) == 2 * sum(map(bool, vars(extras).values()))
