"""What is loaded: the models that were used last, with everything that was built on them.

Two large models seldom fit into a memory together, so as a rule there is one, and it goes before
another comes; whoever has the memory keeps more (`[engine] resident`).
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
    """The parts of the `most` models used last. One story is drawn at a time: nothing is locked."""

    def __init__(self, most: int = 1) -> None:
        self.most = most
        self._parts: dict[Hashable, dict[str, Any]] = {}  # by owner, the one used last at the end

    def part(self, owner: Hashable, name: str, load: Callable[[], T]) -> T:
        """The part of this owner, loaded where it is not there; the oldest owner makes room."""
        parts = self._parts.pop(owner, None)
        if parts is None:
            parts = {}
            self._let_go(self.most - 1)
        self._parts[owner] = parts
        if name not in parts:
            parts[name] = self._loaded(owner, load)
        part: T = parts[name]
        return part

    def _loaded(self, owner: Hashable, load: Callable[[], T]) -> T:
        """Where memory is short, the other models go and it is tried once more."""
        try:
            return load()
        except torch.OutOfMemoryError:
            if len(self._parts) == 1:
                raise
        self._let_go(1)
        return load()

    def _let_go(self, kept: int) -> None:
        """Of all but the `kept` owners used last."""
        if len(self._parts) <= kept:
            return
        for owner in list(self._parts)[: len(self._parts) - kept]:
            del self._parts[owner]
        release_memory()


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
