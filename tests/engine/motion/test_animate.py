"""From pictures to frames with the house artist, its motion untrained: the whole way runs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image

from engine.attention.hook import self_attention_layers
from engine.house.drawing import draw
from engine.house.scenes import sample_single
from engine.models import HOUSE, MODELS, HouseMotion
from engine.motion.animate import animate, ready_animator
from engine.motion.animator import load_animator, new_animator, save_animator
from engine.motion.video import Segment, draw_segment
from engine.request import (
    AnimateRequest,
    CharacterRequest,
    Done,
    EngineError,
    Event,
    FrameDrawn,
    Note,
    PanelRequest,
    Preview,
    Progress,
)
from engine.story import ready_artist

TOM = CharacterRequest("Tom", "a young man with glasses")
PANELS = (PanelRequest("[Tom] waves", ("Tom",)), PanelRequest("[Tom] sits", ("Tom",)))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The house artist with motion modules that have learnt nothing."""
    folder = tmp_path_factory.mktemp("motion")
    torch.manual_seed(0)
    animator = new_animator(ready_artist("house", "cpu"))
    save_animator(animator.trained(), folder)
    MODELS["house-still"] = replace(HOUSE, name="house-still", motion=HouseMotion(folder))
    yield "house-still"
    del MODELS["house-still"]


def picture(number: int, side: int = 256) -> str:
    file = BytesIO()
    draw(sample_single(Random(number))).resize((side, side)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def request(name: str, count: int = 2, **fields: object) -> AnimateRequest:
    pictures = tuple(picture(i) for i in range(count))
    panels = tuple(PANELS[i % 2] for i in range(count))
    asked = AnimateRequest((TOM,), panels, pictures, model=name, steps=2, size=128)
    return replace(asked, **fields)  # type: ignore[arg-type]


def frames(events: list[Event]) -> list[np.ndarray]:
    drawn = [event for event in events if isinstance(event, FrameDrawn)]
    assert [event.index for event in drawn] == list(range(len(drawn)))
    return [np.asarray(Image.open(BytesIO(event.png))) for event in drawn]


def test_two_pictures_become_frames_whose_ends_are_the_pictures(model: str) -> None:
    asked = request(model, pictures=(picture(0, 128), picture(1, 128)))
    events = list(animate(asked, device="cpu"))
    assert isinstance(events[-1], Done)
    made = frames(events)
    assert len(made) == 8
    for end, given in ((made[0], asked.pictures[0]), (made[-1], asked.pictures[1])):
        assert np.array_equal(end, np.asarray(Image.open(BytesIO(base64.b64decode(given)))))
    steps = [e for e in events if isinstance(e, Progress) and e.stage == "steps"]
    assert (steps[-1].done, steps[-1].total) == (2, 2)
    shown = [e for e in events if isinstance(e, Progress) and e.stage == "frames"]
    assert (shown[-1].done, shown[-1].total) == (8, 8)
    assert any(isinstance(e, Preview) for e in events)


def test_segments_are_chained_and_loops_come_back(model: str) -> None:
    assert len(frames(list(animate(request(model, 3, steps=1), device="cpu")))) == 15
    looped = frames(list(animate(request(model, 3, steps=1, loop=True), device="cpu")))
    assert len(looped) == 21


def test_one_picture_is_a_living_panel_there_and_back(model: str) -> None:
    made = frames(list(animate(request(model, 1), device="cpu")))
    assert len(made) == 14
    for i in range(1, 7):
        assert np.array_equal(made[i], made[14 - i])
    assert not np.array_equal(made[0], made[7])  # there is a second pose


def test_the_same_request_gives_the_same_frames(model: str) -> None:
    first, second = (frames(list(animate(request(model, steps=1), device="cpu"))) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_closing_stops_at_the_next_step(model: str) -> None:
    events = animate(request(model, steps=50), device="cpu")
    for event in events:
        if isinstance(event, Progress) and event.stage == "steps":
            break
    events.close()
    assert not list(events)


def test_panels_without_a_common_character_are_named(model: str) -> None:
    lisa = CharacterRequest("Lisa", "a woman")
    asked = request(model, characters=(TOM, lisa))
    asked = replace(asked, panels=(PANELS[0], PanelRequest("[Lisa] sits", ("Lisa",))))
    notes = [e for e in animate(asked, device="cpu") if isinstance(e, Note)]
    assert [(n.kind, n.panels) for n in notes] == [("nobody_in_common", (0,))]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"panels": PANELS[:1]}, "2 pictures cannot belong to 1 panels"),
        ({"panels": (), "pictures": ()}, "no panel that could move"),
        ({"frames": 1}, "3 frames or more"),
        ({"style": "cubism"}, 'no style "cubism"'),
        ({"characters": ()}, 'names "Tom"'),
        ({"model": "sd15"}, "has not learnt to move"),
        ({"pictures": ("AAAA", "AAAA")}, "not a PNG"),
    ],
)
def test_what_is_wrong_is_said(model: str, fields: dict[str, object], words: str) -> None:
    with pytest.raises(EngineError, match=words):
        list(animate(request(model, **fields), device="cpu"))


def test_motion_changes_nothing_before_it_has_learnt(model: str) -> None:
    """Without motion modules and tokens each frame is what the artist alone would say."""
    animator = ready_animator(model, "cpu")
    artist = animator.artist
    noisy = torch.randn(1, 8, 16, 16, 16, generator=torch.Generator().manual_seed(1))
    words = artist.read(["a man waves"]).states
    tokens = torch.randn(1, 8, 64, 32)
    with torch.no_grad():
        moving = animator.guess(noisy, torch.tensor(500), words.expand(1, 8, -1, -1), tokens)
        still = artist.unet(
            noisy[0], torch.tensor(500), encoder_hidden_states=words.expand(8, -1, -1)
        ).sample
    torch.testing.assert_close(moving[0], still, atol=1e-4, rtol=1e-4)


def test_drawing_a_segment_leaves_the_artist_as_it_was(model: str) -> None:
    animator = ready_animator(model, "cpu")
    unets = (animator.artist.unet, animator.unet)
    before = [dict(unet.attn_processors) for unet in unets]
    latents, pictures = torch.zeros(16, 8, 8), torch.zeros(2, 3, 128, 128)
    words = animator.artist.read(["a man"]).states[0]
    list(draw_segment(animator, Segment(latents, latents, pictures, words, words, 8, 1)))
    assert [dict(unet.attn_processors) for unet in unets] == before


def test_temporal_attention_is_no_self_attention_of_the_story(model: str) -> None:
    animator = ready_animator(model, "cpu")
    assert self_attention_layers(animator.unet, "all") == self_attention_layers(
        animator.artist.unet, "all"
    )


def test_broken_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be loaded"):
        load_animator(ready_artist("house", "cpu"), tmp_path)
