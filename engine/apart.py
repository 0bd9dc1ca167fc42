"""How a model keeps several characters of a panel apart, from its spec (`ModelSpec.regions`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.attention.consistent import Glance, Sight
from engine.attention.regions import PanelRegions
from engine.loading import Artist
from engine.models import ModelSpec
from engine.plan import Shot


def panel_regions(artist: Artist, shots: Sequence[Shot]) -> dict[str, PanelRegions]:
    """The regions of panels with several characters, by shot; none where the model has none."""
    if artist.spec.regions != "masks":
        return {}
    return {
        shot.name: PanelRegions(
            [figure.box for figure in shot.figures],
            [artist.words_at(shot.prompt, figure.words) for figure in shot.figures],
            artist.states_of(shot.prompt),
        )
        for shot in shots
        if shot.figures
    }


def sight_in(spec: ModelSpec, shot: Shot) -> Sight:
    """What a shot sees, in the way that a model keeps several characters apart."""
    if not shot.figures or spec.regions == "strips":
        return shot.sight
    if spec.regions == "none":
        return (Glance(tuple(name for glance in shot.sight for name in glance.identities)),)
    return tuple(
        replace(glance, left=figure.box.left, right=figure.box.right)
        for glance, figure in zip(shot.sight, shot.figures, strict=True)
    )
