"""What makes models move comes from the settings into the process of the engine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.artist import Engine
from bot.config import EngineConfig, load_config
from engine.motion_settings import MotionSettings
from engine.request import DrawRequest, PanelDrawn

# An engine whose pictures say how its models move.
FAKE = """
import sys
from engine.app import main
from engine.models import MODELS
from engine.request import Done, PanelDrawn

def draw(request):
    for number, model in enumerate(("sd15", "sdxl")):
        yield PanelDrawn(number, repr(MODELS[model].motion).encode())
    yield Done(0.5)

main(sys.argv[1:], draw)
"""


async def told(program: Path, config: EngineConfig) -> list[str]:
    engine = Engine(config, program=(str(program),))
    await engine.start()
    try:
        events = [event async for event in engine.draw(DrawRequest((), ()))]
    finally:
        await engine.stop()
    return [event.png.decode() for event in events if isinstance(event, PanelDrawn)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["None", "None"]),
        (
            {"motion_adapter": "a folder", "ip_adapter": "o/n/i.safetensors", "video_model": "wan"},
            [
                "AnimateDiff(adapter='a folder', ip_adapter='o/n/i.safetensors',",
                "EndFrames(source='wan')",
            ],
        ),
        ({"video_model": "wan"}, ["EndFrames(source='wan')", "EndFrames(source='wan')"]),
    ],
)
def test_the_engine_that_the_bot_starts_has_them(
    tmp_path: Path, settings: dict[str, str], words: list[str]
) -> None:
    program = tmp_path / "fake_engine.py"
    program.write_text(FAKE)
    seen = asyncio.run(asyncio.wait_for(told(program, EngineConfig.model_validate(settings)), 120))
    assert all(said.startswith(word) for said, word in zip(seen, words, strict=True))


def test_they_stand_in_the_file_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text('[engine]\nmotion_adapter = " adapter "\nvideo_model = ""\n')
    monkeypatch.setenv("INKWELL_ENGINE_MOTION_PREDICTOR", "predictor")
    motion = load_config().engine.motion
    assert motion == MotionSettings(motion_adapter="adapter", motion_predictor="predictor")
