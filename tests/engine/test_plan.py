"""Who is drawn first and who sees whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.attention.consistent import Glance
from engine.plan import plan_shots
from engine.request import CharacterRequest, DrawRequest, EngineError, PanelRequest


def story(*casts: str, identity_panels: int = 3) -> DrawRequest:
    """A story of characters A, B, C; each argument names who is in one panel, such as "AB"."""
    characters = tuple(CharacterRequest(name, f"a person called {name}") for name in "ABC")
    panels = tuple(
        PanelRequest(" ".join(f"[{n}]" for n in cast) or "[NC]", tuple(cast)) for cast in casts
    )
    return DrawRequest(characters, panels, identity_panels=identity_panels, seed=100)


def test_the_first_panels_alone_are_identity_panels_and_each_sees_those_before() -> None:
    shots = plan_shots(story("A", "A", "A", "A"))
    assert [s.rank for s in shots] == [0, 1, 2, 0]
    assert [s.identity_of for s in shots] == ["a", "a", "a", None]
    assert [s.sight[0].identities for s in shots] == [
        (), ("panel 0",), ("panel 0", "panel 1"), ("panel 0", "panel 1", "panel 2"),
    ]  # fmt: skip


def test_two_characters_each_reach_their_side_in_the_order_of_the_text() -> None:
    last = plan_shots(story("A", "B", "BA"))[-1]
    assert last.sight == (Glance(("panel 1",), 0, 0.5), Glance(("panel 0",), 0.5, 1))


def test_a_character_never_alone_gets_a_private_portrait() -> None:
    portrait, *rest = plan_shots(story("AB", "AB", "B"))[:2]
    assert portrait.panel is None
    assert portrait.identity_of == "a"
    assert rest[0].panel == 2
    assert portrait.seed != rest[0].seed


def test_a_character_of_one_panel_needs_no_identity() -> None:
    shots = plan_shots(story("AB"))
    assert len(shots) == 1
    assert shots[0].sight == (Glance((), 0, 0.5), Glance((), 0.5, 1))


def test_a_panel_of_nobody_sees_nobody() -> None:
    shots = plan_shots(story("A", "A", ""))
    assert shots[-1].sight == (Glance(()),)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_number_of_identity_panels_is_a_setting(count: int) -> None:
    shots = plan_shots(story("A", "A", "A", identity_panels=count))
    assert sum(s.identity_of is not None for s in shots) == count


def test_every_panel_is_drawn_once_with_its_own_seed() -> None:
    shots = plan_shots(story("AB", "A", "", "ABC", "C", "B", "A"))
    panels = [s.panel for s in shots if s.panel is not None]
    assert sorted(panels) == list(range(7))
    assert len({s.seed for s in shots}) == len(shots)


def test_a_panel_that_names_somebody_unknown_is_refused() -> None:
    request = DrawRequest((), (PanelRequest("[Zoe] runs", ("Zoe",)),))
    with pytest.raises(EngineError, match="Zoe"):
        plan_shots(request)


def test_neighbouring_seeds_share_no_noise() -> None:
    a = {s.seed for s in plan_shots(story("A", "A", "AB", "AB"))}
    b = {s.seed for s in plan_shots(replace(story("A", "A", "AB", "AB"), seed=101))}
    assert not a & b
