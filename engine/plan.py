"""Who is drawn when, and who sees whom: a request turned into shots, before any model is asked.

The first panels that show a character alone are its *identity panels*: they are drawn first, and
every other panel of the character sees their tokens. A character that only stands beside others
gets a private portrait. A saved character is led by private portraits of its own seed, or by an
uploaded picture, whatever the story.

A panel with a seed of its own is drawn once more, by itself and after all others; the story's own
drawing of it stays in its place unseen, so that no other panel changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from engine.attention.consistent import Glance, Sight
from engine.nouns import Noun, class_noun
from engine.prompts import (
    Style,
    fitting,
    panel_prompt,
    portrait_prompt,
    same_name,
    shortened,
    style_for,
)
from engine.request import CharacterRequest, DrawRequest, EngineError, PanelRequest
from engine.standing import Figure, boxes, words_of

NOBODY: Sight = (Glance(()),)
BOTH = ("en", "zh")
PORTRAITS = 2  # of a saved character; each takes as long as a panel
Fits = Callable[[str], bool]
Spans = tuple[tuple[int, int], ...]  # (start, end) of stretches of letters


@dataclass(frozen=True)
class Shot:
    """One picture to draw: a panel of the story, or a private one (`panel` is None).

    A shot `alone` is drawn without the story's others (portraits of one character go together), so
    that it is the same to the bit whatever they are, but for LoRAs that the story wears.
    """

    name: str
    panel: int | None
    prompt: str
    seed: int
    sight: Sight
    identity_of: str | None = None  # the character whose identity panel this is
    rank: int = 0  # 0 for a character's first identity panel, then 1, …; for others 0
    said: float = 1.0  # share of the descriptions that the model can read
    shown: bool = True  # somebody wants to see it; others are drawn for what they show to panels
    alone: bool = False
    picture: str | None = None  # base64 PNG that is there already and only has to be seen
    strength: float = 1.0  # how firmly a picture leads, 0..1
    figures: tuple[Figure, ...] = ()  # who stands where, a glance each, in a panel of several
    nouns: tuple[Noun, ...] = ()  # what those who have a picture are, in its prompt


def plan_shots(
    request: DrawRequest, fits: Fits = lambda words: True, languages: Collection[str] = BOTH
) -> list[Shot]:
    """The shots of a request, identity panels first (by rank), then the others in order.

    `fits` tells whether the model can read a prompt to its end, `languages` what it reads.
    """
    return Planner(request, fits, languages).shots()


class Planner:
    """The request with its names resolved; characters go by `same_name` keys in here."""

    def __init__(self, request: DrawRequest, fits: Fits, languages: Collection[str]) -> None:
        self._request, self._fits = request, fits
        self._style: Style = style_for(request.style, languages)
        self._cast = {same_name(c.name): c for c in request.characters}
        self._casts = [known(panel, self._cast) for panel in request.panels]
        self._wanted = wanted_panels(request)
        self._identities = {key: self._identity_panels(key) for key in self._cast}
        self._saved = {key: self._saved_identity(key) for key in self._cast}

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
        again = [
            self._shot_again(panel, asked.seed)
            for panel, asked in enumerate(self._request.panels)
            if asked.seed is not None
        ]
        saved = [shot for shots in self._saved.values() for shot in shots]
        return saved + sorted(first, key=lambda shot: shot.rank) + rest + again

    def _identity_panels(self, key: str) -> list[int | None]:
        """Numbers of the panels that show who this is; [None] asks for a portrait."""
        alone: list[int | None] = [i for i, keys in enumerate(self._casts) if keys == (key,)]
        casts = [keys for keys in self._casts if key in keys]
        nobody_reads = not casts or casts == [(key,)]  # neither another panel nor who stands beside
        if self._request.identity_panels < 1 or nobody_reads or is_saved(self._cast[key]):
            return []
        return alone[: self._request.identity_panels] or [None]

    def _saved_identity(self, key: str) -> list[Shot]:
        """The shots that lead a saved character; nothing in them depends on the story."""
        who, style, most = self._cast[key], self._style, self._request.identity_panels
        if not is_saved(who) or most < 1 or not any(key in keys for keys in self._casts):
            return []
        prompt, share = fitting(lambda share: portrait_prompt(who, style, share), self._fits)
        if who.leader is not None:
            return [
                Shot(
                    f"picture of {key}", None, prompt, seed_of(who.seed or 0, "picture"), NOBODY,
                    key, 0, share, shown=False, alone=True, picture=who.leader,
                    strength=who.strength,
                )
            ]  # fmt: skip
        names = [f"portrait {rank} of {key}" for rank in range(min(most, PORTRAITS))]
        return [
            Shot(
                name, None, prompt, seed_of(who.seed or 0, f"portrait {rank}"),
                (Glance(tuple(names[:rank])),), key, rank, share, shown=False, alone=True,
            )
            for rank, name in enumerate(names)
        ]  # fmt: skip

    def _names(self, key: str) -> tuple[str, ...]:
        if self._saved[key]:
            return tuple(shot.name for shot in self._saved[key])
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
        return Shot(name, None, prompt, seed, sight, key, rank, share, shown=False)

    def _panel_shot(
        self, panel: int, sight: Sight, identity_of: str | None = None, rank: int = 0
    ) -> Shot:
        asked, cast, style = self._request.panels[panel], self._cast, self._style
        prompt, share = fitting(lambda share: panel_prompt(asked, cast, style, share), self._fits)
        name = f"panel {panel}"
        seed = seed_of(self._request.seed, name)
        shown = panel in self._wanted and asked.seed is None
        people = [self._cast[key] for key in self._casts[panel]]
        words = words_of(prompt, {who.name: shortened(who.description, share) for who in people})
        return Shot(
            name, panel, prompt, seed, sight, identity_of, rank, share, shown,
            figures=self._figures(panel, words), nouns=self._nouns(panel, prompt, words),
        )  # fmt: skip

    def _figures(self, panel: int, words: Mapping[str, Spans]) -> tuple[Figure, ...]:
        """Where the characters of a panel of several stand, with their words in its prompt."""
        keys = self._casts[panel]
        if len(keys) < 2:
            return ()
        places = boxes(self._request.panels[panel].text, keys)
        return tuple(
            Figure(box, words[self._cast[key].name]) for box, key in zip(places, keys, strict=True)
        )

    def _nouns(self, panel: int, prompt: str, words: Mapping[str, Spans]) -> tuple[Noun, ...]:
        """The nouns of the characters of a panel that have a picture."""
        names = {key: self._cast[key].name for key in self._casts[panel]}
        return tuple(
            Noun(shot.name, *class_noun(prompt, name, words[name]))
            for key, name in names.items()
            for shot in self._saved[key]
            if shot.picture is not None and words[name]
        )

    def _shot_again(self, panel: int, seed: int) -> Shot:
        """The panel by its own seed: it sees its characters, rather not its earlier drawing."""
        sees = []
        for key in self._casts[panel]:
            others = tuple(name for name in self._names(key) if name != f"panel {panel}")
            sees.append(others or self._names(key))
        return replace(
            self._panel_shot(panel, strips(sees)),
            name=f"panel {panel} again",
            seed=seed_of(seed, "panel"),
            shown=panel in self._wanted,
            alone=True,
        )


def wanted_panels(request: DrawRequest) -> frozenset[int]:
    """Numbers of the panels that are asked for; one that the story lacks is an `EngineError`."""
    every = range(len(request.panels))
    for panel in request.only or ():
        if panel not in every:
            raise EngineError(f"there is no panel {panel + 1} to draw; there are {len(every)}")
    return frozenset(every if request.only is None else request.only)


def is_saved(character: CharacterRequest) -> bool:
    return character.seed is not None or character.leader is not None


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
