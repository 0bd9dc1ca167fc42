"""What is loaded: one model, with everything that was built on it.

Two large models seldom fit into a memory together, so the old one goes before another comes.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import torch

from engine.loading import Artist, load_model
from engine.models import find_model

T = TypeVar("T")


class Ready:
    """The parts of the model last used. One story is drawn at a time, so nothing is locked."""

    def __init__(self) -> None:
        self._owner: Hashable = None
        self._parts: dict[str, Any] = {}

    def part(self, owner: Hashable, name: str, load: Callable[[], T]) -> T:
        """The part of this owner, loaded where it is not there; other owners' parts go first."""
        if owner != self._owner:
            self._owner = owner
            self._parts.clear()
            release_memory()
        if name not in self._parts:
            self._parts[name] = load()
        part: T = self._parts[name]
        return part


READY = Ready()


def ready_artist(model: str, device: str) -> Artist:
    """The artist of this model. Raises `EngineError`."""
    spec = find_model(model)
    return READY.part((spec, device), "artist", lambda: load_model(spec, torch.device(device)))


def release_memory() -> None:
    """Give an accelerator's memory back; without one, what nobody refers to is gone already."""
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        gc.collect()
        torch.mps.empty_cache()
