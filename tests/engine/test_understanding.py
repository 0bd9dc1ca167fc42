"""A request as a model can take it, and what is said about that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.models import HOUSE, SD15, ModelSpec
from engine.request import CharacterRequest, DrawRequest, EngineError, PanelRequest
from engine.understanding import understood

TOM = CharacterRequest("Tom", "a man")
REQUEST = DrawRequest((TOM,), (PanelRequest("[Tom] in the park", ("Tom",)),))


def test_a_style_that_the_model_has_not_learnt_gives_way_to_the_nearest_and_says_so() -> None:
    request, [note] = understood(replace(REQUEST, style="watercolour"), HOUSE)
    assert request.style == "pastel"
    assert note.kind == "other_style"
    assert note.values == {"asked": "watercolour", "drawn": "pastel", "model": "house"}


@pytest.mark.parametrize(("style", "spec"), [("noir", HOUSE), ("watercolour", SD15)])
def test_a_style_that_the_model_can_draw_stays(style: str, spec: ModelSpec) -> None:
    request = replace(REQUEST, style=style)
    assert understood(request, spec) == (request, [])


def test_a_style_that_does_not_exist_is_refused() -> None:
    with pytest.raises(EngineError, match='no style "sepia"'):
        understood(replace(REQUEST, style="sepia"), HOUSE)


@pytest.mark.parametrize(
    ("spec", "guidance", "told"),
    [
        (HOUSE, None, "unread_negatives"),
        (SD15, None, ""),
        (SD15, 1.0, "unguided_negatives"),
    ],
)
def test_words_to_keep_away_from_that_are_not_read_are_told(
    spec: ModelSpec, guidance: float | None, told: str
) -> None:
    panels = (*REQUEST.panels, PanelRequest("[Tom] waves", ("Tom",), negative="cars"))
    request = replace(REQUEST, panels=panels, guidance=guidance)
    notes = understood(request, spec)[1]
    assert [(note.kind, note.panels) for note in notes] == ([(told, (1,))] if told else [])


@pytest.mark.parametrize(("spec", "told"), [(HOUSE, (1, 2)), (SD15, (2,))])
def test_panels_with_more_people_than_the_model_can_draw_are_told(
    spec: ModelSpec, told: tuple[int, ...]
) -> None:
    cast = tuple(CharacterRequest(name, "a man") for name in "ABCDE")
    panels = tuple(
        PanelRequest(" and ".join(f"[{c.name}]" for c in cast[:count]), tuple("ABCDE"[:count]))
        for count in (2, 3, 5)
    )
    [note] = understood(replace(REQUEST, characters=cast, panels=panels), spec)[1]
    assert (note.kind, note.panels) == ("crowded", told)
    assert note.values == {"model": spec.name, "most": str(spec.most_together)}


@pytest.mark.parametrize(("spec", "told"), [(HOUSE, [("misplaced", (1,))]), (SD15, [])])
def test_places_that_the_model_does_not_follow_are_told(
    spec: ModelSpec, told: list[tuple[str, tuple[int, ...]]]
) -> None:
    cast = (TOM, CharacterRequest("Lisa", "a woman"))
    panels = tuple(
        PanelRequest(text, ("Tom", "Lisa"))
        for text in (
            "[Tom] on the left, [Lisa] waves",
            "[Tom] on the right, [Lisa] on the left",
            "[Tom] and [Lisa] in the park",
        )
    )
    notes = understood(replace(REQUEST, characters=cast, panels=panels), spec)[1]
    assert [(note.kind, note.panels) for note in notes] == told
