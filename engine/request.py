"""What is asked of the engine and what it answers: plain data, JSON both ways, no torch here.

A request is one JSON object. The answer is a stream of events, each one line of JSON:

    {"event": "progress", "stage": "steps", "done": 3, "total": 48}
    {"event": "preview", "index": 0, "jpeg": "(base64)"}
    {"event": "panel", "index": 0, "png": "(base64)"}
    {"event": "frame", "index": 0, "png": "(base64)"}
    {"event": "translated", "texts": ["a man"]}
    {"event": "note", "text": "…", "kind": "too_long", "panels": [0], "values": {}}
    {"event": "done", "seconds": 7.5}
    {"event": "failed", "reason": "…", "kind": "refused", "panels": []}
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

PICTURE_STRENGTH = 1.0  # one picture stands where a story has up to three identity panels
R = TypeVar("R")
Trouble = Literal["refused", "memory", "unsafe", "broken"]


class EngineError(Exception):
    """The engine cannot do what was asked; its words may be shown to a person.

    `kind`: "refused" (as asked, it cannot be drawn), "memory" (there is too little of it for this
    story), "unsafe" (it is drawn, but must not be shown) or "broken" (a fault of the engine's own).
    `panels` (from 0) are those it is about, where it is about some.
    """

    def __init__(self, words: str, kind: Trouble = "refused", panels: tuple[int, ...] = ()) -> None:
        super().__init__(words)
        self.kind = kind
        self.panels = panels


class DeviceLost(EngineError):
    """The accelerator can do nothing more in this process; only a new one helps."""


@dataclass(frozen=True)
class CharacterRequest:
    """Somebody in the story; `description` is what every panel with this character draws.

    A saved character has a `seed`: private portraits drawn from it and from the description lead,
    so that it looks the same in every story. A `picture` (PNG, in base64) leads in their place,
    as firmly as `strength` says: the share of it that the panels see (0: nothing).
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    description: str
    seed: int | None = None
    picture: str | None = None
    strength: Annotated[float, Field(ge=0, le=1)] = PICTURE_STRENGTH

    @property
    def leader(self) -> str | None:
        """The picture, if it leads at all."""
        return self.picture if self.strength > 0 else None


@dataclass(frozen=True)
class PanelRequest:
    """One panel: `text` with names in brackets, no caption; `characters` in order.

    `negative` is what shall not be seen in it, for models that read such words.
    With a `seed` of its own a panel is drawn anew while all others stay as they are.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    text: str
    characters: tuple[str, ...]
    seed: int | None = None
    negative: str = ""


@dataclass(frozen=True)
class DrawRequest:
    """A whole story to draw. What is None is taken from the model's `ModelSpec`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    characters: tuple[CharacterRequest, ...]
    panels: tuple[PanelRequest, ...]
    style: str = "comic"
    seed: int = 0
    model: str = "house"
    # "draft", "normal" or "fine", as the model knows it; steps and guidance win over its own
    preset: str = ""
    steps: Annotated[int | None, Field(ge=1, le=1000)] = None
    guidance: Annotated[float | None, Field(ge=0, le=100)] = None
    # share of the other panels' tokens that a panel sees (r of the paper)
    rate: Annotated[float, Field(ge=0, le=1)] = 0.5
    size: Annotated[int | None, Field(ge=8, le=4096)] = None  # pixels a side of a panel
    # panels a character whose tokens the other panels see
    identity_panels: Annotated[int, Field(ge=0)] = 3
    # panels drawn at the same time: bounds the memory
    micro_batch: Annotated[int, Field(ge=1)] = 8
    # only these panels (from 0) are wanted, as they are in the whole story; None: all
    only: tuple[int, ...] | None = None
    # every so many steps a small picture of each panel shows how far it is; 0: never
    previews: Annotated[int, Field(ge=0)] = 0

    def to_json(self) -> str:
        return json.dumps(self, default=vars, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> DrawRequest:
        """Raises `EngineError`, which names the field, for anything but a request."""
        return _checked(DrawRequest, "draw", text)


@dataclass(frozen=True)
class AnimateRequest:
    """Pictures to move between: a panel for each, in order. One picture alone is a living panel.

    A segment leads from each picture to the next in `frames` frames, both pictures among them; a
    loop goes back from the last to the first. A living panel moves to a second pose that the
    engine draws, and back. The frames come as `FrameDrawn`, without a frame told twice:
    (pictures - 1) * (frames - 1) + 1 of them, pictures * (frames - 1) of a loop, 2 * (frames - 1)
    of a living panel.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    characters: tuple[CharacterRequest, ...]
    panels: tuple[PanelRequest, ...]
    pictures: Annotated[tuple[str, ...], Field(min_length=1, max_length=24)]  # PNG, in base64
    style: str = "comic"
    seed: int = 0
    model: str = "house"
    frames: Annotated[int, Field(ge=8, le=16)] = 8
    loop: bool = False
    steps: Annotated[int | None, Field(ge=1, le=1000)] = None
    size: Annotated[int | None, Field(ge=8, le=4096)] = None  # pixels a side of a frame

    def to_json(self) -> str:
        return json.dumps(self, default=vars, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> AnimateRequest:
        """Raises `EngineError`, which names the field, for anything but a request."""
        return _checked(AnimateRequest, "animate", text)


def _checked(kind: type[R], what: str, text: str | bytes) -> R:
    try:
        checked: R = _adapter(kind).validate_json(text)  # type: ignore[arg-type]  # it is hashable
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"])) or "JSON"
        raise EngineError(f"this is not a request to {what}: {place}: {wrong['msg']}") from None
    return checked


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@dataclass(frozen=True)
class Progress:
    """How far the work is: `done` of `total`.

    `stage` is "waiting" (for another story to be finished), "loading", "steps", "panels" or
    "frames".
    """

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Preview:
    """What panel `index` looks like so far: a small JPEG picture."""

    index: int
    jpeg: bytes


@dataclass(frozen=True)
class PanelDrawn:
    """Panel `index` (from 0) is finished; `png` holds the picture's bytes."""

    index: int
    png: bytes


@dataclass(frozen=True)
class FrameDrawn:
    """Frame `index` (from 0) of an animation is finished; `png` holds the picture's bytes."""

    index: int
    png: bytes


@dataclass(frozen=True)
class Note:
    """Something a person should hear although the drawing goes on.

    `text` says it in English; `kind`, `panels` (from 0) and `values` (what the sentence holds by
    name) let others say it in their language.
    """

    text: str
    kind: str = ""
    panels: tuple[int, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Translated:
    """What the model is told in English in place of what was written; said before it draws.

    Whoever does not want that drawn closes the stream. What shall not be seen is not among it.
    """

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """The last event of a story: wall-clock seconds since the request came."""

    seconds: float


@dataclass(frozen=True)
class Failed:
    """The last event of a story that could not be drawn: what an `EngineError` says."""

    reason: str
    kind: Trouble
    panels: tuple[int, ...] = ()


Event = Progress | Preview | PanelDrawn | FrameDrawn | Translated | Note | Done | Failed

_KINDS: dict[str, type[Any]] = {
    "progress": Progress,
    "preview": Preview,
    "panel": PanelDrawn,
    "frame": FrameDrawn,
    "translated": Translated,
    "note": Note,
    "done": Done,
    "failed": Failed,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_PICTURES = ("png", "jpeg")  # fields that hold bytes, base64 in a line
_TUPLES = ("panels", "texts")  # fields that are lists in a line


def event_to_line(event: Event) -> bytes:
    """One line of JSON with its line end."""
    values = {part.name: getattr(event, part.name) for part in fields(event)}
    for name in _PICTURES:
        if name in values:
            values[name] = base64.b64encode(values[name]).decode()
    line = json.dumps({"event": _NAMES[type(event)], **values}, ensure_ascii=False)
    return line.encode() + b"\n"


def event_from_line(line: bytes) -> Event:
    """Raises ValueError for a line that no engine writes."""
    try:
        values = dict(json.loads(line))
        kind = _KINDS[values.pop("event")]
        for name in _PICTURES:
            if name in values:
                values[name] = base64.b64decode(values[name], validate=True)
        for name in _TUPLES:
            if name in values:
                values[name] = tuple(values[name])
        event: Event = kind(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not an event of the engine: {line[:80]!r}") from error
    if isinstance(event, Failed) and event.kind not in get_args(Trouble):
        raise ValueError(f'a drawing fails in no such way: "{event.kind}"')
    return event
