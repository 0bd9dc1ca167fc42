"""A request as a model can take it, and what its person should know of that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TypeVar

from engine.interpreting import Interpreter, in_known_words
from engine.models import ModelSpec
from engine.prompts import drawable, same_name
from engine.request import AnimateRequest, DrawRequest, Note, PanelRequest, Translated
from engine.standing import boxes

R = TypeVar("R", DrawRequest, AnimateRequest)


def understood(
    request: R, spec: ModelSpec, interpreter: Interpreter | None = None
) -> tuple[R, list[Translated | Note]]:
    """The request in a style that the model has learnt, and in a language that it reads.

    First what was translated, all of it; the notes are about the panels that are wanted. Raises
    `EngineError` for a style that does not exist, and where translating fails.
    """
    style: str = drawable(request.style, spec.styles)
    only = request.only if isinstance(request, DrawRequest) else None
    panels = range(len(request.panels)) if only is None else only
    said, notes = in_known_words(request, spec, interpreter, panels)
    notes += other_style(request.style, style, spec)
    notes += unread_negatives(request, spec, panels)
    notes += crowded(request, spec, panels)
    notes += misplaced(request, spec, panels)
    return replace(said, style=style), notes


def other_style(asked: str, drawn: str, spec: ModelSpec) -> Iterator[Note]:
    if asked != drawn:
        yield Note(
            f'the model "{spec.name}" has not learnt the style "{asked}"; this is drawn in'
            f' "{drawn}", the nearest that it can',
            "other_style",
            values={"asked": asked, "drawn": drawn, "model": spec.name},
        )


def unread_negatives(
    request: DrawRequest | AnimateRequest, spec: ModelSpec, panels: Collection[int]
) -> Iterator[Note]:
    """Only guidance leads away from words."""
    guidance = spec.guidance
    if isinstance(request, DrawRequest):
        usual = spec.way(request.preset).guidance
        guidance = usual if request.guidance is None else request.guidance
    unused = tuple(
        number for number, panel in enumerate(request.panels) if number in panels and panel.negative
    )
    numbers = numbered(unused)
    if unused and spec.reads_negatives and guidance <= 1:
        yield Note(
            "drawn without guidance, nothing can be left out on demand: the words of panel"
            f" {numbers} after --no are not used",
            "unguided_negatives",
            unused,
        )
    elif unused and not spec.reads_negatives:
        yield Note(
            f"this model cannot leave things out on demand: the words of panel {numbers} after"
            " --no are not used",
            "unread_negatives",
            unused,
        )


def crowded(
    request: DrawRequest | AnimateRequest, spec: ModelSpec, panels: Collection[int]
) -> Iterator[Note]:
    """Panels with more characters than the model can draw together."""
    full = tuple(
        number
        for number, panel in enumerate(request.panels)
        if number in panels and len(set(panel.characters)) > spec.most_together
    )
    if full:
        yield Note(
            f'the model "{spec.name}" draws at most {spec.most_together} characters in a panel;'
            f" there are more in panel {numbered(full)}, and some will be missing",
            "crowded",
            full,
            {"model": spec.name, "most": str(spec.most_together)},
        )


def misplaced(
    request: DrawRequest | AnimateRequest, spec: ModelSpec, panels: Collection[int]
) -> Iterator[Note]:
    """Panels whose words of left and right are not followed by a model that keeps to the order."""
    if spec.regions != "strips" or not isinstance(request, DrawRequest):
        return
    against = tuple(
        number
        for number, panel in enumerate(request.panels)
        if number in panels and not stands_as_named(panel)
    )
    if against:
        yield Note(
            f'the model "{spec.name}" draws people from left to right as they are named; in panel'
            f" {numbered(against)} the words place them otherwise: name first who stands on the"
            " left",
            "misplaced",
            against,
            {"model": spec.name},
        )


def stands_as_named(panel: PanelRequest) -> bool:
    """Whether nobody stands left of somebody who is named earlier."""
    keys = tuple(dict.fromkeys(same_name(name) for name in panel.characters))
    lefts = [box.left for box in boxes(panel.text, keys)] if keys else []
    return lefts == sorted(lefts)


def numbered(panels: Collection[int]) -> str:
    """Panels (from 0) as people count them."""
    return ", ".join(str(panel + 1) for panel in panels)
