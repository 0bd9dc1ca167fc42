"""Buttons carry all they mean in 64 bytes."""

from __future__ import annotations

import pytest

from bot.buttons import Press, button, decode
from bot.chat import MOST_BUTTON_BYTES
from bot.commands import FORMS, PRESSES
from bot.commands.begin import LAYOUT_NAMES, STYLES
from bot.database import new_id
from bot.errors import Refusal


@pytest.mark.parametrize(
    "press",
    [
        Press("draw", "k3vq7mzt2a"),
        Press("redraw", "k3vq7mzt2a", "0a1b2c3d-ffffff"),
        Press("speak", "zh"),
        Press("forget"),
        Press("style", "k3vq7mzt2a", "a:b"),
        Press("x", "", "argument"),
    ],
)
def test_a_button_means_what_it_meant(press: Press) -> None:
    assert decode(press.encode()) == press
    assert len(press.encode().encode()) <= MOST_BUTTON_BYTES


@pytest.mark.parametrize("press", [Press("draw", "a" * 70), Press("a:b"), Press("draw", "a", "b:")])
def test_what_could_not_be_read_again_is_never_sent(press: Press) -> None:
    with pytest.raises(ValueError, match="not a button's data"):
        press.encode()


@pytest.mark.parametrize("data", ["", ":", "x" * 65, "汉" * 30, "\ud800" * 70])
def test_data_that_no_button_of_ours_carried_is_refused(data: str) -> None:
    with pytest.raises(Refusal, match="older time"):
        decode(data)


@pytest.mark.parametrize("argument", ["", "-1", "1.5", "x", "٣", "9" * 20])
def test_a_number_in_a_button_is_checked(argument: str) -> None:
    with pytest.raises(Refusal):
        _ = Press("cancel", argument).job


def test_the_longest_buttons_fit() -> None:
    for action in {*PRESSES, *FORMS}:
        button("x", action, new_id(), "0123abcd-ffffff")
    for kind, names in (("style", STYLES), ("layout", LAYOUT_NAMES)):
        for name in names:
            button("x", kind, new_id(), name)


def test_every_form_can_be_opened_again_by_a_press_of_its_name() -> None:
    assert FORMS.keys() <= PRESSES.keys()
