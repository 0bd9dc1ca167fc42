"""What is asked of the engine and what it answers: plain data, JSON both ways, no torch here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


class EngineError(Exception):
    """The engine cannot do what was asked; its words may be shown to a person."""


@dataclass(frozen=True)
class CharacterRequest:
    """Somebody in the story; `description` is what every panel with this character draws."""

    name: str
    description: str


@dataclass(frozen=True)
class PanelRequest:
    """One panel: `text` with names in brackets, no caption; `characters` in order."""

    text: str
    characters: tuple[str, ...]


@dataclass(frozen=True)
class DrawRequest:
    """A whole story to draw. What is None is taken from the model's `ModelSpec`."""

    characters: tuple[CharacterRequest, ...]
    panels: tuple[PanelRequest, ...]
    style: str = "comic"
    seed: int = 0
    model: str = "house"
    steps: int | None = None
    guidance: float | None = None
    rate: float = 0.5  # share of the other panels' tokens that a panel sees (r of the paper)
    size: int | None = None  # width and height of a panel in pixels
    identity_panels: int = 3  # panels a character whose tokens the other panels see
    micro_batch: int = 8  # panels drawn at the same time: bounds the memory

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> DrawRequest:
        fields: Mapping[str, Any] = json.loads(text)
        return cls(
            **{
                **fields,
                "characters": tuple(CharacterRequest(**c) for c in fields["characters"]),
                "panels": tuple(
                    PanelRequest(p["text"], tuple(p["characters"])) for p in fields["panels"]
                ),
            }
        )


@dataclass(frozen=True)
class Progress:
    """How far the work is: `stage` is "loading", "steps" or "panels"; `done` of `total`."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class PanelDrawn:
    """Panel `index` (from 0) is finished; `png` holds the picture's bytes."""

    index: int
    png: bytes


@dataclass(frozen=True)
class Note:
    """Something a person should hear although the drawing goes on."""

    text: str


@dataclass(frozen=True)
class Done:
    """The last event of a story: wall-clock seconds since the request came."""

    seconds: float


Event = Progress | PanelDrawn | Note | Done
