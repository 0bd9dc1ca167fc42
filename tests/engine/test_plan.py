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
    (shot,) = plan_shots(story("A"))
    assert shot.sight == (Glance(()),)


def test_who_stands_beside_others_in_one_panel_gets_a_portrait_too() -> None:
    *portraits, panel = plan_shots(story("AB"))
    assert [(s.name, s.shown) for s in portraits] == [
        ("portrait of a", False),
        ("portrait of b", False),
    ]
    assert panel.sight == (Glance(("portrait of a",), 0, 0.5), Glance(("portrait of b",), 0.5, 1))


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


def names(request: DrawRequest) -> list[str]:
    return [shot.name for shot in plan_shots(request)]


def with_seed(request: DrawRequest, panel: int, seed: int) -> DrawRequest:
    panels = list(request.panels)
    panels[panel] = replace(panels[panel], seed=seed)
    return replace(request, panels=tuple(panels))


def saved(request: DrawRequest, name: str, **fields: object) -> DrawRequest:
    cast = (replace(c, **fields) if c.name == name else c for c in request.characters)  # type: ignore[arg-type]
    return replace(request, characters=tuple(cast))


def test_a_panel_with_a_seed_is_drawn_once_more_and_nothing_else_is_planned_anew() -> None:
    plain = story("A", "A", "AB", "B")
    for panel in range(4):
        shots = plan_shots(with_seed(plain, panel, 9))
        assert [replace(s, shown=True) for s in shots[:-1]] == plan_shots(plain)
        again = shots[-1]
        assert (again.panel, again.alone, again.shown) == (panel, True, True)
        assert [s.name for s in shots if not s.shown] == [f"panel {panel}"]


def test_a_panel_drawn_again_sees_its_characters_but_not_its_first_drawing() -> None:
    plain = story("A", "A", "AB", "B")
    assert plan_shots(with_seed(plain, 0, 9))[-1].sight == (Glance(("panel 1",)),)
    assert plan_shots(with_seed(plain, 2, 9))[-1].sight == plan_shots(plain)[-1].sight
    only_one = plan_shots(with_seed(plain, 3, 9))[-1]
    assert only_one.sight == (Glance(("panel 3",)),), "there is no other that shows who B is"


def test_the_seed_of_a_panel_does_not_depend_on_its_number_or_the_story() -> None:
    a = plan_shots(with_seed(story("A", "AB"), 1, 9))[-1]
    b = plan_shots(with_seed(replace(story("A", "C", "AB"), seed=4), 2, 9))[-1]
    other = plan_shots(with_seed(story("A", "AB"), 1, 10))[-1]
    assert a.seed == b.seed != other.seed


def test_only_some_panels_are_shown_but_all_are_planned() -> None:
    plain = story("A", "A", "AB", "B")
    some = plan_shots(replace(plain, only=(2,)))
    assert [s.panel for s in some if s.shown] == [2]
    assert [s.name for s in some] == names(plain)


@pytest.mark.parametrize("panel", [-1, 2])
def test_a_panel_that_the_story_lacks_is_refused(panel: int) -> None:
    with pytest.raises(EngineError, match="there are 2"):
        plan_shots(replace(story("A", "A"), only=(0, panel)))


def test_a_saved_character_is_led_by_portraits_that_no_story_changes() -> None:
    one = plan_shots(saved(story("A", "AB", "B"), "A", seed=3))
    two = plan_shots(saved(replace(story("C", "", "BCA", "C"), seed=8), "A", seed=3))
    portraits = [s for s in one if s.identity_of == "a"]
    assert portraits == [s for s in two if s.identity_of == "a"]
    assert [s.name for s in portraits] == ["portrait 0 of a", "portrait 1 of a"]
    assert all(s.alone and s.panel is None and not s.shown for s in portraits)
    assert portraits[1].sight == (Glance(("portrait 0 of a",)),)
    panel = next(s for s in one if s.panel == 0)
    assert panel.sight == (Glance(("portrait 0 of a", "portrait 1 of a")),)


def test_another_seed_is_another_portrait() -> None:
    one, two = (plan_shots(saved(story("A"), "A", seed=seed))[0] for seed in (3, 4))
    assert one.seed != two.seed


def test_an_uploaded_picture_leads_alone_and_in_one_panel_too() -> None:
    shots = plan_shots(saved(story("AB"), "A", picture="aGk=", seed=3))
    assert [s.name for s in shots] == ["picture of a", "portrait of b", "panel 0"]
    assert shots[0].picture == "aGk="
    assert shots[2].sight == (Glance(("picture of a",), 0, 0.5), Glance(("portrait of b",), 0.5, 1))


def test_a_saved_character_who_is_not_there_or_not_to_be_shared_is_not_drawn() -> None:
    assert names(saved(story("B"), "A", seed=3)) == ["panel 0"]
    assert names(saved(story("A", identity_panels=0), "A", seed=3)) == ["panel 0"]
    assert names(saved(story("A", identity_panels=1), "A", seed=3)) == [
        "portrait 0 of a",
        "panel 0",
    ]
