"""Who is drawn when, and who sees whom: a request turned into shots, before any model is asked.

The first panels that show a character alone are its *identity panels*: they are drawn first, and
every other panel of the character sees their tokens. A character of several panels that never
stands alone gets a private portrait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from engine.attention.consistent import Glance, Sight
from engine.prompts import (
    Style,
    find_style,
    fitting,
    panel_prompt,
    portrait_prompt,
    same_name,
)
from engine.request import CharacterRequest, DrawRequest, EngineError, PanelRequest

NOBODY: Sight = (Glance(()),)
Fits = Callable[[str], bool]


@dataclass(frozen=True)
class Shot:
    """One picture to draw: a panel of the story, or a private portrait (`panel` is None)."""

    name: str
    panel: int | None
    prompt: str
    seed: int
    sight: Sight
    identity_of: str | None = None  # the character whose identity panel this is
    rank: int = 0  # 0 for a character's first identity panel, then 1, …; for others 0
    said: float = 1.0  # share of the descriptions that the model can read


def plan_shots(request: DrawRequest, fits: Fits = lambda words: True) -> list[Shot]:
    """The shots of a request, identity panels first (by rank), then the others in order.

    `fits` tells whether the model can read a prompt to its end.
    """
    return Planner(request, fits).shots()


class Planner:
    """The request with its names resolved; characters go by `same_name` keys in here."""

    def __init__(self, request: DrawRequest, fits: Fits) -> None:
        self._request, self._fits = request, fits
        self._style: Style = find_style(request.style)
        self._cast = {same_name(c.name): c for c in request.characters}
        self._casts = [known(panel, self._cast) for panel in request.panels]
        self._identities = {key: self._identity_panels(key) for key in self._cast}

    def shots(self) -> list[Shot]:
        first = [
            self._identity_shot(key, rank)
            for key, panels in self._identities.items()
            for rank in range(len(panels))
        ]
        drawn = {shot.panel for shot in first}
        rest = [
            self._panel_shot(panel, strips([self._names(key) for key in keys]))
            for panel, keys in enumerate(self._casts)
            if panel not in drawn
        ]
        return sorted(first, key=lambda shot: shot.rank) + rest

    def _identity_panels(self, key: str) -> list[int | None]:
        """Numbers of the panels that show who this is; [None] asks for a portrait."""
        alone: list[int | None] = [i for i, keys in enumerate(self._casts) if keys == (key,)]
        appearances = sum(key in keys for keys in self._casts)
        if self._request.identity_panels < 1 or appearances < 2:
            return []
        return alone[: self._request.identity_panels] or [None]

    def _names(self, key: str) -> tuple[str, ...]:
        return tuple(
            f"portrait of {key}" if panel is None else f"panel {panel}"
            for panel in self._identities[key]
        )

    def _identity_shot(self, key: str, rank: int) -> Shot:
        panel = self._identities[key][rank]
        sight = (Glance(self._names(key)[:rank]),)
        if panel is not None:
            return self._panel_shot(panel, sight, key, rank)
        name = self._names(key)[0]
        who, style = self._cast[key], self._style
        prompt, share = fitting(lambda share: portrait_prompt(who, style, share), self._fits)
        seed = seed_of(self._request.seed, name)
        return Shot(name, None, prompt, seed, sight, key, rank, share)

    def _panel_shot(
        self, panel: int, sight: Sight, identity_of: str | None = None, rank: int = 0
    ) -> Shot:
        asked, cast, style = self._request.panels[panel], self._cast, self._style
        prompt, share = fitting(lambda share: panel_prompt(asked, cast, style, share), self._fits)
        name = f"panel {panel}"
        seed = seed_of(self._request.seed, name)
        return Shot(name, panel, prompt, seed, sight, identity_of, rank, share)


def seed_of(seed: int, use: str) -> int:
    """A seed of its own for each use of a story's seed; neighbouring seeds share nothing."""
    digest = blake2b(f"{seed}/{use}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def known(panel: PanelRequest, cast: Mapping[str, CharacterRequest]) -> tuple[str, ...]:
    """The keys of a panel's characters, each once, in order; a stranger is an `EngineError`."""
    for name in panel.characters:
        if same_name(name) not in cast:
            raise EngineError(f'a panel names "{name}", whom the story does not describe')
    return tuple(dict.fromkeys(same_name(name) for name in panel.characters))


def strips(identities: Sequence[tuple[str, ...]]) -> Sight:
    """Each character's identity reaches its share of the panel's width, in order of the text."""
    if not identities:
        return NOBODY
    count = len(identities)
    return tuple(Glance(names, i / count, (i + 1) / count) for i, names in enumerate(identities))
