"""What is configured to make models move, and how it reaches the engine's process. No torch."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, fields, replace
from pathlib import Path

from engine.models import MODELS, AnimateDiff, EndFrames, Motion


@dataclass(frozen=True)
class MotionSettings:
    """What is configured to make models move, `[engine]` of config.toml; "" is not set.

    The engine's process gets them on its command line, under the same names.
    """

    motion_adapter: str = ""
    ip_adapter: str = "h94/IP-Adapter/models/ip-adapter-plus_sd15.safetensors"
    motion_predictor: str = ""
    video_model: str = ""

    def arguments(self) -> list[str]:
        """As options of a command line; those that have their default are left out."""
        return [
            part
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
            for part in (option(field.name), value)
        ]


def add_motion_options(parser: ArgumentParser) -> None:
    for field in fields(MotionSettings):
        parser.add_argument(
            option(field.name), default=field.default, help="as in config.example.toml"
        )


def motion_settings(options: Namespace) -> MotionSettings:
    """What came on the command line."""
    return MotionSettings(*(getattr(options, field.name) for field in fields(MotionSettings)))


def option(name: str) -> str:
    """Of the command line: "video_model" -> "--video-model"."""
    return "--" + name.replace("_", "-")


def set_motion(settings: MotionSettings) -> None:
    """Let the models of this process's table move as configured; what moves already stays so."""
    for name, spec in MODELS.items():
        if spec.moves:
            continue
        if spec.family == "sd15" and settings.motion_adapter:
            predictor = Path(settings.motion_predictor) if settings.motion_predictor else None
            motion: Motion = AnimateDiff(settings.motion_adapter, settings.ip_adapter, predictor)
        elif settings.video_model:
            motion = EndFrames(settings.video_model)
        else:
            continue
        MODELS[name] = replace(spec, motion=motion)
