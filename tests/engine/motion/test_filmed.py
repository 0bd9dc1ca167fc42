"""A model without motion of its own moves through the configured video model."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.models import MODELS, SDXL, EndFrames
from engine.motion.animate import animate
from engine.request import AnimateRequest, EngineError, FrameDrawn, Note, Progress
from tests.engine.motion.test_animate import PANELS, TOM, picture
from tests.engine.motion.test_end_frames import ltx, saved


@pytest.fixture(scope="module")
def model(tiny_sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    torch.manual_seed(0)
    film = saved(ltx(), tmp_path_factory.mktemp("film"))
    MODELS["tiny-filmed"] = replace(
        SDXL, name="tiny-filmed", source=str(tiny_sdxl), size=64, motion=EndFrames(str(film))
    )
    yield "tiny-filmed"
    del MODELS["tiny-filmed"]


def request(model: str, count: int, **fields: object) -> AnimateRequest:
    pictures = tuple(picture(i, 64) for i in range(count))
    asked = AnimateRequest((TOM,), PANELS[:count], pictures, model=model, steps=2)
    return replace(asked, **fields)  # type: ignore[arg-type]


def given(asked: AnimateRequest, number: int) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(base64.b64decode(asked.pictures[number]))))


def frames(asked: AnimateRequest) -> list[np.ndarray]:
    events = list(animate(asked, device="cpu"))
    steps = [e for e in events if isinstance(e, Progress) and e.stage == "steps"]
    assert [e.done for e in steps] == list(range(1, steps[-1].total + 1))
    assert not any(isinstance(e, Note) for e in events)  # there is no path to be linear
    drawn = [e for e in events if isinstance(e, FrameDrawn)]
    assert [e.index for e in drawn] == list(range(len(drawn)))
    return [np.asarray(Image.open(BytesIO(e.png))) for e in drawn]


def test_the_frames_between_two_panels_come_from_the_video_model(model: str) -> None:
    asked = request(model, 2)
    made = frames(asked)
    assert len(made) == 8
    assert np.array_equal(made[0], given(asked, 0))
    assert np.array_equal(made[-1], given(asked, 1))
    assert not any(np.array_equal(frame, given(asked, 0)) for frame in made[1:])


def test_a_loop_is_two_segments(model: str) -> None:
    asked = request(model, 2, loop=True)
    made = frames(asked)
    assert len(made) == 14
    assert np.array_equal(made[7], given(asked, 1))


def test_a_living_panel_is_a_film_that_ends_before_it_begins_again(model: str) -> None:
    asked = request(model, 1)
    made = frames(asked)
    assert len(made) == 14
    assert [np.array_equal(frame, given(asked, 0)) for frame in made] == [True, *[False] * 13]


def test_closing_stops_at_the_next_step(model: str) -> None:
    events = animate(request(model, 2, steps=50), device="cpu")
    for event in events:
        if isinstance(event, Progress) and event.stage == "steps":
            break
    events.close()
    assert not list(events)


def test_a_video_model_that_is_not_there_is_named(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    motion = EndFrames(str(tmp_path / "none"))
    monkeypatch.setitem(MODELS, "tiny-none", replace(MODELS[model], motion=motion))
    with pytest.raises(EngineError, match=r'no folder ".*none" with a video model'):
        list(animate(request("tiny-none", 2), device="cpu"))


def test_without_a_video_model_an_operator_hears_what_to_set(tiny_sdxl: Path) -> None:
    with pytest.raises(EngineError, match=r"not learnt to move; .* set video_model .* \[engine\]"):
        list(animate(request(str(tiny_sdxl), 2), device="cpu"))
