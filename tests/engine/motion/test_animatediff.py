"""SD1.5 moves with AnimateDiff and an IP-Adapter: tiny random weights in real files."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from engine.models import MODELS, SD15, AnimateDiff, ModelSpec
from engine.motion.animate import animate, ready_animator
from engine.motion.animator import Animator, motion_modules
from engine.motion.predictor import SemanticMotionPredictor, save_predictor
from engine.motion.video import Segment, draw_segment
from engine.request import AnimateRequest, EngineError, Event, FrameDrawn, Note, Progress
from tests.engine.motion.test_animate import PANELS, TOM, picture
from tests.engine.motion.tiny_animatediff import (
    TOKENS,
    make_adapter,
    make_image_encoder,
    make_ip_adapter,
)


@pytest.fixture(scope="module")
def weights(tiny_sd15: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """adapter/, plus/ basic/ full/ with an IP-Adapter each, and a predictor for each."""
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("animatediff")
    make_adapter(folder / "adapter")
    for kind, (tokens, channels) in TOKENS.items():
        make_ip_adapter(folder / kind / "ip-adapter.safetensors", tiny_sd15 / "unet", kind)
        make_image_encoder(folder / kind / "image_encoder")
        predictor = SemanticMotionPredictor(tokens, channels, width=16, layers=1, heads=2)
        nn.init.normal_(predictor.write.weight)
        save_predictor(predictor, folder / kind / "predictor")
    return folder


@pytest.fixture(scope="module", params=list(TOKENS))
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def spec(tiny_sd15: Path, weights: Path, kind: str) -> Iterator[ModelSpec]:
    """The tiny model with one kind of IP-Adapter."""
    motion = AnimateDiff(str(weights / "adapter"), str(weights / kind))
    spec = replace(SD15, name="tiny-moving", source=str(tiny_sd15), size=64, motion=motion)
    MODELS[spec.name] = spec
    yield spec
    del MODELS[spec.name]


@pytest.fixture
def with_predictor(
    spec: ModelSpec, weights: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    assert isinstance(spec.motion, AnimateDiff)
    motion = replace(spec.motion, predictor=weights / kind / "predictor")
    monkeypatch.setitem(MODELS, "tiny-foreseeing", replace(spec, motion=motion))
    return "tiny-foreseeing"


def request(model: str, count: int = 2) -> AnimateRequest:
    pictures = tuple(picture(i, 64) for i in range(count))
    return AnimateRequest((TOM,), PANELS[:count], pictures, model=model, steps=2)


def events(model: str, count: int = 2) -> list[Event]:
    return list(animate(request(model, count), device="cpu"))


def frames(events: list[Event]) -> list[np.ndarray]:
    drawn = [event.png for event in events if isinstance(event, FrameDrawn)]
    return [np.asarray(Image.open(BytesIO(png))) for png in drawn]


def given(number: int) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(base64.b64decode(picture(number, 64)))))


def segment(animator: Animator, **changes: object) -> Segment:
    """From one random picture to another, as latents."""
    generator = torch.Generator().manual_seed(1)
    start, end = torch.randn(2, 4, 8, 8, generator=generator)
    words = animator.artist.read(["a man walks", "a man sits", "blurry"]).states
    pictures = torch.zeros(2, 3, 64, 64)
    drawn = Segment(start, end, pictures, words[0], words[1], 8, 3, negative_words=words[2])
    return replace(drawn, **changes)  # type: ignore[arg-type]


def drawn(animator: Animator, **changes: object) -> torch.Tensor:
    for latents in draw_segment(animator, segment(animator, **changes)):
        last = latents
    return last


# -- what comes out ---------------------------------------------------------------------------


def test_frames_come_out_and_their_ends_are_the_given_pictures(spec: ModelSpec) -> None:
    told = events(spec.name)
    made = frames(told)
    assert len(made) == 8
    assert np.array_equal(made[0], given(0))
    assert np.array_equal(made[-1], given(1))
    assert not any(np.array_equal(a, b) for a, b in pairwise(made))
    steps = [e for e in told if isinstance(e, Progress) and e.stage == "steps"]
    assert (steps[-1].done, steps[-1].total) == (2, 2)
    assert [e.kind for e in told if isinstance(e, Note)] == ["linear"]


def test_a_living_panel_goes_to_a_second_pose_and_back(spec: ModelSpec) -> None:
    told = events(spec.name, 1)
    made = frames(told)
    assert len(made) == 14
    assert np.array_equal(made[0], given(0))
    assert all(np.array_equal(made[i], made[14 - i]) for i in range(1, 7))
    assert not np.array_equal(made[0], made[7])
    steps = [e for e in told if isinstance(e, Progress) and e.stage == "steps"]
    assert [e.done for e in steps] == list(range(1, steps[-1].total + 1))


def test_a_predictor_changes_the_frames_between_but_not_the_ends(
    spec: ModelSpec, with_predictor: str
) -> None:
    linear = frames(events(spec.name))
    told = events(with_predictor)
    foreseen = frames(told)
    assert not [e for e in told if isinstance(e, Note)]
    assert [np.array_equal(a, b) for a, b in zip(linear, foreseen, strict=True)] == [
        True, *[False] * 6, True
    ]  # fmt: skip


def test_every_frame_reads_its_own_tokens(spec: ModelSpec) -> None:
    """Where the motion modules add nothing, tokens of one frame change this frame alone."""
    animator = ready_animator(spec.name, "cpu")
    generator = torch.Generator().manual_seed(2)
    noisy = torch.randn(1, 5, 4, 8, 8, generator=generator)
    words = animator.artist.read(["a man"]).states.expand(1, 5, -1, -1)
    assert animator.nothing is not None
    tokens = animator.nothing.expand(1, 5, -1, -1).clone()
    with torch.no_grad(), ExitStack() as stack:
        for module in motion_modules(animator.unet):
            last = module.get_submodule("proj_out")
            hook = last.register_forward_hook(lambda module, args, out: torch.zeros_like(out))
            stack.callback(hook.remove)
        before = animator.guess(noisy, torch.tensor(500), words, tokens)
        tokens[:, 2] += torch.randn(tokens[:, 2].shape, generator=generator)
        after = animator.guess(noisy, torch.tensor(500), words, tokens)
    changed = [not torch.allclose(before[0, i], after[0, i], atol=1e-5) for i in range(5)]
    assert changed == [False, False, True, False, False]


# -- how it is drawn --------------------------------------------------------------------------


def test_guidance_leads_away_from_other_words(spec: ModelSpec) -> None:
    animator = ready_animator(spec.name, "cpu")
    guided = drawn(animator)
    words = animator.artist.read(["a park"]).states[0]
    for other in (None, words):
        assert not torch.allclose(guided, drawn(animator, negative_words=other), atol=1e-3)
    assert torch.equal(guided, drawn(animator))  # nothing else makes a difference


def test_frames_see_the_two_pictures_as_much_as_the_rate_says(spec: ModelSpec) -> None:
    animator = ready_animator(spec.name, "cpu")
    alone, half, all_of_them = (drawn(animator, rate=rate) for rate in (0.0, 0.5, 1.0))
    assert not torch.allclose(alone, all_of_them, atol=1e-4)
    assert torch.equal(half, drawn(animator))


def test_the_two_pictures_are_seen_at_the_noise_level_of_every_step(spec: ModelSpec) -> None:
    animator = ready_animator(spec.name, "cpu")
    seen: list[tuple[int, int]] = []
    watched = animator.artist.unet.register_forward_hook(
        lambda unet, args, out: seen.append((len(args[0]), int(args[1])))
    )
    try:
        drawn(animator)
    finally:
        watched.remove()
    # linspace of 3 steps; two pictures at a time, once for each half of guidance
    assert seen == [(2, 999)] * 2 + [(2, 500)] * 2 + [(2, 0)] * 2


def test_no_more_than_the_frames_of_one_segment_are_in_the_unet(spec: ModelSpec) -> None:
    animator = ready_animator(spec.name, "cpu")
    shapes: list[tuple[int, ...]] = []
    watched = animator.unet.register_forward_hook(
        lambda unet, args, out: shapes.append(tuple(args[0].shape))
    )
    try:
        drawn(animator, frames=11)
    finally:
        watched.remove()
    assert set(shapes) == {(1, 4, 11, 8, 8)}


def test_the_noise_levels_are_those_of_animatediff_and_the_artist_keeps_its_own(
    spec: ModelSpec,
) -> None:
    animator = ready_animator(spec.name, "cpu")
    assert animator.scheduler.config.beta_schedule == "linear"
    assert animator.artist.scheduler.config.beta_schedule == "scaled_linear"


def test_drawing_leaves_both_unets_as_they_were(spec: ModelSpec) -> None:
    animator = ready_animator(spec.name, "cpu")
    unets = (animator.artist.unet, animator.unet)
    before = [dict(unet.attn_processors) for unet in unets]
    drawn(animator)
    assert [dict(unet.attn_processors) for unet in unets] == before


def test_the_artists_weights_are_in_memory_once(spec: ModelSpec) -> None:
    animator = ready_animator(spec.name, "cpu")
    moving = dict(animator.unet.named_parameters())
    for name, weight in animator.artist.unet.named_parameters():
        assert moving[name].data_ptr() == weight.data_ptr()


def test_more_frames_than_the_motion_modules_know_are_refused(
    spec: ModelSpec, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(spec.motion, AnimateDiff)
    short = replace(spec.motion, adapter=str(make_adapter(tmp_path, motion_max_seq_length=8)))
    monkeypatch.setitem(MODELS, "tiny-short", replace(spec, motion=short))
    asked = replace(request("tiny-short"), frames=9)
    with pytest.raises(EngineError, match="at most 8 frames between two pictures, not 9"):
        list(animate(asked, device="cpu"))
