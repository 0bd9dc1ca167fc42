"""How noise is taken away, step by step: the schedulers that a spec or a preset may name.

Each is made of the model's own scheduler, so that its noise levels and what it predicts stay.
"""

from __future__ import annotations

import inspect
from typing import Any

import diffusers

from engine.models import SchedulerName
from engine.request import EngineError

# Name: the library's class, and what differs from the model's own configuration.
SCHEDULERS: dict[SchedulerName, tuple[str, dict[str, object]]] = {
    "ddim": ("DDIMScheduler", {"clip_sample": False}),
    "euler": ("EulerDiscreteScheduler", {"use_karras_sigmas": False}),
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    "dpm++": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "dpmsolver++", "use_karras_sigmas": False},
    ),
    "dpm++-karras": (
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "dpmsolver++", "use_karras_sigmas": True},
    ),
    "unipc": ("UniPCMultistepScheduler", {"use_karras_sigmas": False}),
    "lcm": ("LCMScheduler", {"clip_sample": False}),
    # What SDXL-Lightning and Hyper-SD are distilled for: steps spaced from the noisiest one.
    "trailing": (
        "EulerDiscreteScheduler",
        {"timestep_spacing": "trailing", "use_karras_sigmas": False},
    ),
    # SDXL Turbo (Sauer et al. 2023, arXiv 2311.17042).
    "turbo": ("EulerAncestralDiscreteScheduler", {"timestep_spacing": "trailing"}),
}


def scheduler_for(own: Any, name: SchedulerName, steps: int, device: Any) -> Any:
    """A new scheduler of this name, set to so many steps; of "" the model's own kind.

    Raises `EngineError` for more steps than it can take.
    """
    kind, changes = SCHEDULERS[name] if name else (type(own).__name__, {})
    scheduler = getattr(diffusers, kind).from_config(own.config, **changes)
    try:
        scheduler.set_timesteps(steps, device=device)
    except ValueError as error:
        raise EngineError(
            f'the scheduler "{name or kind}" cannot take {steps} steps; take fewer'
        ) from error
    return scheduler


def takes_generators(scheduler: Any) -> bool:
    """Whether its steps may draw noise, and say from where."""
    return "generator" in inspect.signature(scheduler.step).parameters
