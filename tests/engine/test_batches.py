"""Which shots are drawn together, and which batches a request for some panels leaves out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from engine.attention.consistent import Glance
from engine.batches import Batch, decoding_batches, leading_batches, noise_matched_batches
from engine.plan import Shot, plan_shots
from engine.request import CharacterRequest, DrawRequest, PanelRequest

A, B = CharacterRequest("A", "a man"), CharacterRequest("B", "a woman", seed=1)


def panel(cast: str, seed: int | None = None) -> PanelRequest:
    return PanelRequest(" ".join(f"[{n}]" for n in cast), tuple(cast), seed)


STORY = (panel("A"), panel("B"), panel("AB"), panel(""), panel("A"))


def names(batches: Sequence[Batch]) -> list[list[str]]:
    return [[shot.name for shot in batch] for batch in batches]


def shots(*panels: PanelRequest, only: tuple[int, ...] | None = None) -> list[Shot]:
    return plan_shots(DrawRequest((A, B), panels, only=only))


def test_leading_finishes_those_who_are_seen_first() -> None:
    assert names(leading_batches(shots(*STORY), 2)) == [
        ["portrait 0 of b"], ["portrait 1 of b"], ["panel 0"], ["panel 4"],
        ["panel 1", "panel 2"], ["panel 3"],
    ]  # fmt: skip


def test_noise_matched_keeps_a_character_together() -> None:
    assert names(noise_matched_batches(shots(*STORY), 2)) == [
        ["portrait 0 of b", "portrait 1 of b"], ["panel 0", "panel 4"],
        ["panel 1", "panel 2"], ["panel 3"],
    ]  # fmt: skip


@pytest.mark.parametrize("batches_of", [leading_batches, noise_matched_batches])
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_a_request_for_some_panels_leaves_out_whole_batches_and_nothing_that_is_seen(
    batches_of: Callable[[Sequence[Shot], int], list[Batch]], size: int
) -> None:
    whole = names(batches_of(shots(*STORY), size))
    for wanted in range(len(STORY)):
        some = batches_of(shots(*STORY, only=(wanted,)), size)
        assert [batch for batch in whole if batch in names(some)] == names(some)
        there = {shot.name for batch in some for shot in batch}
        assert f"panel {wanted}" in there
        assert there >= {n for b in some for s in b for g in s.sight for n in g.identities}


def test_a_panel_of_nobody_needs_nobody() -> None:
    assert names(leading_batches(shots(*STORY, only=(3,)), 1)) == [["panel 3"]]


def test_a_panel_with_a_seed_of_its_own_comes_last_and_by_itself() -> None:
    again = shots(*STORY[:2], panel("AB", seed=5), *STORY[3:], only=(2,))
    assert names(leading_batches(again, 8))[-1] == ["panel 2 again"]
    assert ["panel 2"] not in names(leading_batches(again, 1))
    assert names(decoding_batches(again, 8)) == [["panel 2 again"]]


def test_pictures_are_decoded_in_the_batches_of_the_whole_story() -> None:
    assert names(decoding_batches(shots(*STORY), 3)) == [
        ["panel 0", "panel 1", "panel 2"], ["panel 3", "panel 4"],
    ]  # fmt: skip
    assert names(decoding_batches(shots(*STORY, only=(4,)), 3)) == [["panel 3", "panel 4"]]


def test_nothing_wanted_is_nothing_drawn() -> None:
    nothing = shots(*STORY, only=())
    assert leading_batches(nothing, 8) == noise_matched_batches(nothing, 8) == []
    assert decoding_batches(nothing, 8) == []


def test_a_sight_of_two_has_two_sides() -> None:
    both = next(s for s in shots(*STORY) if s.panel == 2)
    assert both.sight == (
        Glance(("panel 0", "panel 4"), 0, 0.5),
        Glance(("portrait 0 of b", "portrait 1 of b"), 0.5, 1),
    )
