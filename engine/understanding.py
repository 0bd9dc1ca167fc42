"""A request as a model can take it, and what its person should know of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from engine.models import ModelSpec
from engine.prompts import drawable
from engine.request import AnimateRequest, DrawRequest, Note

R = TypeVar("R", DrawRequest, AnimateRequest)


def understood(request: R, spec: ModelSpec) -> tuple[R, list[Note]]:
    """The request in a style that the model has learnt, and notes for its person.

    Raises `EngineError` for a style that does not exist.
    """
    style: str = drawable(request.style, spec.styles)
    notes = [*other_style(request.style, style, spec), *unread_negatives(request, spec)]
    return replace(request, style=style), notes


def other_style(asked: str, drawn: str, spec: ModelSpec) -> Iterator[Note]:
    if asked != drawn:
        yield Note(
            f'the model "{spec.name}" has not learnt the style "{asked}"; this is drawn in'
            f' "{drawn}", the nearest that it can',
            "other_style",
            values={"asked": asked, "drawn": drawn, "model": spec.name},
        )


def unread_negatives(request: DrawRequest | AnimateRequest, spec: ModelSpec) -> Iterator[Note]:
    panels = tuple(number for number, panel in enumerate(request.panels) if panel.negative)
    asked = request.guidance if isinstance(request, DrawRequest) else None
    guidance = spec.guidance if asked is None else asked
    if panels and not (spec.reads_negatives and guidance > 1):
        numbers = ", ".join(str(number + 1) for number in panels)
        yield Note(
            f"this model cannot leave things out on demand: what panel {numbers} says after"
            " --no is not used",
            "unread_negatives",
            panels,
        )
