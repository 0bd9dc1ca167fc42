"""From two scenes to the picture of any moment between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from PIL import Image

from engine.house.drawing import PIXELS, Sheet, draw_sheet, frames, sheets
from engine.house.figures import Figure, at_rest, draw_figure
from engine.house.gestures import GESTURES
from engine.house.moving import between, fall, mean, rise, smooth
from engine.house.pencil import WHOLE, Pencil, Window
from engine.house.places import draw_place
from engine.house.scenes import Actor, Scene

SUNK = 0.5  # how far sun and moon go down, in sides of the picture
Part = tuple[Figure, Figure]  # a figure at the start and at the end
Flight = tuple[Sheet, Sheet]
BEHIND = 0.2  # until then figures overlap as at the start, then as at the end


@dataclass(frozen=True)
class Staging:
    """What an end of a clip has that its scene does not say."""

    shift: float = 0.0  # of all figures, in sides of the picture
    facing: int = 0  # of all figures; 0: as the scene has it
    gesture: str = ""
    window: Window = WHOLE  # of the camera
    gust: int = 0  # seed of where the papers fly; 0: as the scene has it


@dataclass(frozen=True)
class _End:
    """One end of a film, ready to be moved."""

    scene: Scene
    actors: tuple[Actor, ...]
    figures: tuple[Figure, ...]
    sheets: tuple[Sheet, ...]
    staging: Staging


class Film:
    """The movement from one scene to another."""

    def __init__(self, start: Scene, end: Scene, before: Staging, after: Staging) -> None:
        self._pencil = Pencil(PIXELS, start.style)
        self._start = _staged(start, before, self._pencil)
        self._end = _staged(end, after, self._pencil)
        self._parts = _cast(self._start, self._end)
        self._flights = _flights(self._start, self._end)

    def picture(self, t: float) -> np.ndarray:
        """uint8 [256, 256, 3] at the moment `t`, 0..1."""
        window = self._window(t)
        self._pencil.new_page(window, self._background(window, t))
        for first, last in self.parts_at(t):
            draw_figure(between(first, last, t, self._pace()))
        for here, there in self._flights[0 if t < BEHIND else 1]:
            draw_sheet(self._pencil, _flying(here, there, t))
        return np.asarray(self._pencil.finish())

    def parts_at(self, t: float) -> list[Part]:
        """Every figure at the start and at the end, in the order in which they are drawn now."""
        return self._parts[0 if t < BEHIND else 1]

    def _window(self, t: float) -> Window:
        ends = zip(self._start.staging.window, self._end.staging.window, strict=True)
        left, top, side = (mean(a, b, smooth(t)) for a, b in ends)
        return left, top, side

    def _pace(self) -> Callable[[float], float]:
        if self._end.staging.gesture == "in the air":
            return rise
        return fall if self._start.staging.gesture == "in the air" else smooth

    def _background(self, window: Window, t: float) -> Image.Image:
        """The place; another place comes up behind the figures, and the sun goes down."""
        first, last = self._start.scene, self._end.scene
        setting = self._setting(first, window, 0.0)
        if _where(first) == _where(last) or t <= 0:
            return setting
        dusk = (first.place, first.jitter) == (last.place, last.jitter)
        before = self._setting(first, window, SUNK * smooth(t)) if dusk else setting
        after = self._setting(last, window, SUNK * (1 - smooth(t)) if dusk else 0.0)
        return Image.blend(before, after, smooth(t))

    def _setting(self, scene: Scene, window: Window, sunk: float) -> Image.Image:
        self._pencil.new_page(window)
        draw_place(self._pencil, scene.place, scene.night, Random(scene.jitter), sunk=sunk)
        return self._pencil.finish()


def _where(scene: Scene) -> tuple[str, bool, int]:
    return scene.place, scene.night, scene.jitter


def _staged(scene: Scene, staging: Staging, pencil: Pencil) -> _End:
    random = Random(scene.jitter)
    draw_place(pencil, scene.place, scene.night, random)
    found = []
    for frame, actor in zip(frames(scene, pencil, random), scene.actors, strict=True):
        frame = replace(frame, x=frame.x + staging.shift, facing=staging.facing or frame.facing)
        found.append(GESTURES[staging.gesture](at_rest(frame, actor)))
    papers = sheets(Random(staging.gust) if staging.gust else random) if scene.papers else []
    return _End(scene, scene.actors, tuple(found), tuple(papers), staging)


# -- who moves where ----------------------------------------------------------------------------


def _cast(start: _End, end: _End) -> tuple[list[Part], list[Part]]:
    """The parts of all figures, drawn in the order of the start, and in the order of the end."""
    left_over = list(range(len(end.figures)))
    partner: dict[int, int] = {}
    for i, figure in enumerate(start.figures):
        same = [j for j in left_over if end.figures[j].who == figure.who]
        if same:
            partner[i] = same[0]
            left_over.remove(same[0])
    strangers = not partner
    parts: dict[tuple[int, int], Part] = {}
    for i, figure in enumerate(start.figures):
        if i in partner:
            parts[i, partner[i]] = (figure, end.figures[partner[i]])
        else:
            parts[i, -1] = (figure, _outside(start, i, -1 if strangers else 0, coming=False))
    for j in left_over:
        parts[-1, j] = (_outside(end, j, 1 if strangers else 0, coming=True), end.figures[j])
    by_start = sorted(parts, key=lambda key: key[0])
    by_end = sorted(parts, key=lambda key: key[1])
    return [parts[key] for key in by_start], [parts[key] for key in by_end]


def _outside(end: _End, index: int, side: int, *, coming: bool) -> Figure:
    """The figure standing beyond the edge of the picture; `side` 0: the nearer one."""
    figure = end.figures[index]
    side = side or (-1 if figure.frame.x < 0.5 else 1)
    x = 0.5 + side * (0.5 + 2.4 * figure.frame.radius)
    frame = replace(figure.frame, x=x, facing=-side if coming else side)
    return at_rest(frame, replace(end.actors[index], pose="standing"))


# -- papers -------------------------------------------------------------------------------------


def _flights(start: _End, end: _End) -> tuple[list[Flight], list[Flight]]:
    """Each sheet from its place to another; new ones whirl up, and at last they fall down.

    All flights in the order in which the start draws its sheets, and in that of the end.
    """
    here, there = start.sheets, end.sheets
    if not there:
        there = tuple(s._replace(x=mean(0.5, s.x, 1.1), y=s.y + 1.1) for s in here)
    if not here:
        here = tuple(s._replace(x=mean(0.5, s.x, 0.6), y=s.y + 1.1) for s in there)
    flights = list(zip(sorted(here), sorted(there), strict=True))  # from left to right
    by_start = sorted(flights, key=lambda flight: here.index(flight[0]))
    by_end = sorted(flights, key=lambda flight: there.index(flight[1]))
    return by_start, by_end


def _flying(a: Sheet, b: Sheet, t: float) -> Sheet:
    """Along a parabola; the sheet flutters on the way."""
    if t <= 0 or t >= 1:
        return b if t >= 1 else a
    far = abs(b.x - a.x) + abs(b.y - a.y)
    rising, falling = b.y < a.y - 0.4, b.y > a.y + 0.4
    way = rise(t) if rising else fall(t) if falling else t
    arc = 0.0 if rising or falling else -4 * t * (1 - t) * min(0.14, 0.4 * far)
    flutter = min(1.0, 3 * far) * 0.035 * np.sin(2 * np.pi * t)
    return Sheet(
        mean(a.x, b.x, t),
        mean(a.y, b.y, way) + arc,
        mean(a.width, b.width, t),
        mean(a.slope, b.slope, t) + float(flutter),
    )
