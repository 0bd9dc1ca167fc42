"""A course of training: time budget, learning rate, moving average, checkpoints, log lines.

Every part of the house artist is trained by a loop over a `Course`. It ends when its minutes are
over or the process is asked to stop, and saves what it has either way.
"""

from __future__ import annotations

import copy
import math
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from types import FrameType

import torch
from torch import nn

from engine.house.muon import Muon
from engine.request import EngineError

SAVE_EVERY_SECONDS = 180.0
WARM_UP_STEPS = 100


class Course:
    """Trains the named modules together; the averages of their weights are what is kept."""

    def __init__(
        self,
        name: str,
        modules: Mapping[str, nn.Module],
        *,
        minutes: float,
        learning_rate: float,
        folder: Path,
    ) -> None:
        self.modules = dict(modules)
        self.averages = {key: copy.deepcopy(module).eval() for key, module in modules.items()}
        self.step_number = 0
        self._path = folder / f"{name}.pt"
        self._name, self._rate, self._seconds = name, learning_rate, minutes * 60
        self._parameters = [p for m in modules.values() for p in m.parameters() if p.requires_grad]
        self._optimizer = Muon(self._parameters, learning_rate)
        self._stopped = False
        self._losses: dict[str, float] = {}
        self._clip = 1.0

    def resume(self) -> bool:
        """Go on from the checkpoint of an earlier run, if there is one.

        Raises `EngineError` for one that is damaged or of another shape.
        """
        if not self._path.exists():
            print(f"{self._name}: no checkpoint at {self._path}, so it learns from the weights on")
            return False
        try:
            state = torch.load(self._path, map_location="cpu", weights_only=True)
            for key, module in self.modules.items():
                module.load_state_dict(state["modules"][key])
                self.averages[key].load_state_dict(state["averages"][key])
            self._optimizer.load_state_dict(state["optimizer"])
            self.step_number = state["step"]
        except (RuntimeError, ValueError, KeyError, EOFError, UnpicklingError) as error:
            raise EngineError(
                f"the checkpoint {self._path} cannot be read; take it away, and what is learnt"
                " begins with the weights that are there"
            ) from error
        return True

    def save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "modules": {key: m.state_dict() for key, m in self.modules.items()},
            "averages": {key: m.state_dict() for key, m in self.averages.items()},
            "optimizer": self._optimizer.state_dict(),
            "step": self.step_number,
        }
        torch.save(state, self._path.with_suffix(".new"))
        os.replace(self._path.with_suffix(".new"), self._path)

    def lessons(self) -> Iterator[float]:
        """Yield the share of the time that is gone (0..1), once a step, until it is over."""
        previous = {s: signal.signal(s, self._stop) for s in (signal.SIGINT, signal.SIGTERM)}
        start = saved = time.monotonic()
        first = self.step_number
        try:
            while not self._stopped and (now := time.monotonic()) - start < self._seconds:
                share = (now - start) / self._seconds
                self._set_rate(share, self.step_number - first)
                yield share
                if now - saved > SAVE_EVERY_SECONDS:
                    self.save()
                    saved = now
                if self.step_number % 50 == 0:
                    speed = (self.step_number - first) / (time.monotonic() - start)
                    words = "  ".join(f"{k} {v:.4f}" for k, v in self._losses.items())
                    print(
                        f"{self._name} {share:4.0%} step {self.step_number} {speed:.2f}/s  {words}",
                        flush=True,
                    )
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            self.save()

    def learn(self, loss: torch.Tensor, **seen: float) -> None:
        """One step down the gradient of `loss`; `seen` are the figures for the log."""
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, self._clip)
        self._optimizer.step()
        self.step_number += 1
        self._average()
        for key, value in {"loss": float(loss.detach()), **seen}.items():
            self._losses[key] = 0.98 * self._losses.get(key, value) + 0.02 * value

    def _average(self) -> None:
        keep = min(0.999, 1 - 1 / (self.step_number / 8 + 1))
        with torch.no_grad():
            for key, module in self.modules.items():
                old: list[torch.Tensor] = list(self.averages[key].parameters())
                new: list[torch.Tensor] = list(module.parameters())
                if old:  # a module may hold nothing that learns
                    torch._foreach_lerp_(old, new, 1 - keep)
                for a, b in zip(self.averages[key].buffers(), module.buffers(), strict=True):
                    a.copy_(b)

    def _set_rate(self, share: float, steps: int) -> None:
        warm = min(1.0, (steps + 1) / WARM_UP_STEPS)
        rate = self._rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stopped = True
