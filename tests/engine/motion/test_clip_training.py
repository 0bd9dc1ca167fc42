"""Training on clips of moving squares, with a tiny encoder and predictor: it learns, it goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState, GradientState
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from engine.loading import load_model
from engine.models import MODELS, SD15, AnimateDiff, find_model
from engine.motion import train
from engine.motion.animatediff import load_animatediff
from engine.motion.clip_model import load_clip_model
from engine.motion.clip_tokens import Shelf, load_batch
from engine.motion.clip_training import (
    Course,
    DecoderLoss,
    between,
    new_accelerator,
    split,
    train_on_clips,
)
from engine.motion.clips import Cutting, find_clips
from engine.motion.predictor import (
    SemanticMotionPredictor,
    linear_path,
    load_predictor,
    save_predictor,
)
from engine.request import EngineError
from tests.engine.motion.test_clips import moving_square, save_numbered, save_video
from tests.engine.motion.tiny_animatediff import make_adapter, make_image_encoder, make_ip_adapter

CUTTING = Cutting(frames=8, pixels=32)


def squares(pictures: Tensor) -> dict[str, Tensor]:
    """E: pictures [B, 3, 32, 32] to 16 tokens of 3 channels, the mean colours of 4 x 4 places."""
    return {"tokens": F.adaptive_avg_pool2d(pictures, 4).flatten(2).transpose(1, 2)}


def save_gif(folder: Path, number: int) -> None:
    """A white square that crosses the dark picture one way or the other, high or low."""
    random = Random(number)
    top, backwards = random.randrange(24), random.random() < 0.5
    frames = []
    for place in range(24):
        pixels = np.full((32, 32, 3), 20, np.uint8)
        pixels[top : top + 8, place : place + 8] = 250
        frames.append(Image.fromarray(pixels))
    frames = frames[::-1] if backwards else frames
    file = folder / f"square-{number}.gif"
    frames[0].save(file, save_all=True, append_images=frames[1:], duration=50)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number in range(40):
        save_gif(folder, number)
    return folder


@pytest.fixture(autouse=True)
def fresh_accelerate() -> Iterator[None]:
    """accelerate keeps its settings for the whole process."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


@pytest.fixture
def course(clips: Path, tmp_path: Path) -> Course:
    return Course(
        clips, tmp_path / "weights", CUTTING, steps=4, batch=4, width=32, layers=1, heads=2,
        learning_rate=3e-3,
    )  # fmt: skip


def run(course: Course, *, precision: str = "no", loss: DecoderLoss | None = None) -> None:
    AcceleratorState._reset_state(reset_partial_state=True)
    train_on_clips(course, new_accelerator(precision), squares, "squares", loss)


def standing(course: Course) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((course.checkpoint / "standing.json").read_text())
    return found


def kept_weights(course: Course) -> dict[str, Tensor]:
    return load_file(course.checkpoint / "model.safetensors")


def test_what_it_has_learnt_is_better_than_the_straight_path_on_clips_it_has_not_seen(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(replace(course, steps=100, batch=8, width=64, layers=2, heads=4, report_every=50))
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    for number in range(100, 108):
        save_gif(fresh, number)
    shelf = Shelf(tmp_path / "shelf", CUTTING, "squares")
    for clip in find_clips(fresh):
        shelf.fill(clip, squares, torch.device("cpu"), print)
    files = [file for _, file in shelf.files(find_clips(fresh))]
    true = load_batch(files, torch.device("cpu"))["tokens"]
    assert true.shape == (8, 8, 16, 3)
    predictor = load_predictor(course.weights)
    with torch.no_grad():
        foreseen = predictor(true[:, 0], true[:, -1], 8)
    straight = linear_path(true[:, 0], true[:, -1], 8)
    assert between(foreseen, true) < 0.7 * between(straight, true)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("step ")]
    assert [line.split()[1] for line in lines] == ["50", "100"]
    held, path = map(float, re.findall(r"held out: loss (\S+)  straight (\S+)", lines[-1])[0])
    assert held < 0.7 * path


def test_all_kinds_of_clips_are_learnt_from(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = tmp_path / "mixed"
    save_numbered(moving_square(24), mixed / "walk")
    save_video(moving_square(30), mixed / "run.mp4")
    save_gif(mixed, 1)
    (mixed / "broken.gif").write_bytes(b"GIF89a")
    run(replace(course, clips=mixed))
    said = capsys.readouterr().out
    assert "2 segments to learn from, 1 held out" in said
    assert "broken.gif cannot be read" in said
    load_predictor(course.weights)


# -- going on ---------------------------------------------------------------------------------


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(course: Course, tmp_path: Path) -> None:
    run(replace(course, steps=8, weights=tmp_path / "at once"))
    run(course)
    assert standing(course)["step"] == 4
    run(replace(course, steps=8, resume=True))
    assert standing(course)["step"] == 8
    at_once = kept_weights(replace(course, weights=tmp_path / "at once"))
    for name, value in kept_weights(course).items():
        torch.testing.assert_close(value, at_once[name], rtol=1e-4, atol=1e-6)


def test_a_kill_while_the_checkpoint_is_replaced_leaves_the_one_before(course: Course) -> None:
    run(course)
    course.checkpoint.rename(course.checkpoint.with_suffix(".old"))
    (course.checkpoint.with_suffix(".new")).mkdir()
    run(replace(course, steps=5, resume=True))
    assert standing(course)["step"] == 5
    assert [path.name for path in course.checkpoint.parent.iterdir()].count("checkpoint.old") == 0


def test_a_run_that_was_killed_is_resumed(course: Course) -> None:
    """In a process of its own, which saves after every step until it is killed in the midst."""
    code = (
        "from pathlib import Path\n"
        "from engine.motion.clip_training import Course, new_accelerator, train_on_clips\n"
        "from tests.engine.motion.test_clip_training import CUTTING, squares\n"
        f"course = Course(Path({str(course.clips)!r}), Path({str(course.weights)!r}), CUTTING,\n"
        "    batch=4, width=32, layers=1, heads=2, save_minutes=0)\n"
        "train_on_clips(course, new_accelerator('no'), squares, 'squares')\n"
    )
    endless = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    try:
        while endless.poll() is None and not (course.checkpoint / "standing.json").exists():
            time.sleep(0.05)
        assert endless.poll() is None
    finally:
        endless.kill()
        endless.wait()
    done = list(course.checkpoint.parent.glob("checkpoint*/standing.json"))
    step = max(json.loads(file.read_text())["step"] for file in done)
    run(replace(course, steps=step + 2, resume=True))
    assert standing(course)["step"] == step + 2


def test_a_polite_kill_is_answered_after_the_step_and_saves(course: Course) -> None:
    before = signal.getsignal(signal.SIGTERM)
    steps = 0

    def killing(kept: object, foreseen: Tensor) -> Tensor:
        nonlocal steps
        steps += 1
        if steps == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return 0 * foreseen.sum()

    run(replace(course, steps=1000), loss=killing)
    assert standing(course)["step"] == 3
    assert signal.getsignal(signal.SIGTERM) == before
    load_predictor(course.weights)


def test_minutes_end_a_run_too(course: Course) -> None:
    run(replace(course, steps=float("inf"), minutes=0))
    assert standing(course)["step"] == 1


def test_there_may_be_nothing_to_resume(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    run(replace(course, steps=1, resume=True))
    assert "this is a new beginning" in capsys.readouterr().out


# -- precision, the decoder's loss, tokens on disk --------------------------------------------


def test_bfloat16_learns_as_well_and_what_is_written_is_float16(course: Course) -> None:
    run(replace(course, steps=3), precision="bf16")
    written = load_file(course.weights / "predictor.safetensors")
    assert all(
        value.dtype == torch.float16 and value.isfinite().all() for value in written.values()
    )
    assert all(value.dtype == torch.float32 for value in kept_weights(course).values())


def test_the_decoders_loss_is_learnt_from(
    course: Course, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def loss(kept: Any, foreseen: Tensor) -> Tensor:
        assert kept["tokens"].shape == foreseen.shape == (4, 8, 16, 3)
        return 100 * (foreseen[:, 3] - 5).square().mean()

    run(course)
    plain = kept_weights(course)
    run(replace(course, weights=tmp_path / "other"), loss=loss)
    assert "drawing" in capsys.readouterr().out
    other = kept_weights(replace(course, weights=tmp_path / "other"))
    assert any(not torch.equal(plain[name], other[name]) for name in plain)


def test_a_clip_is_read_once_and_again_when_it_has_changed_or_was_half_read(tmp_path: Path) -> None:
    reads: list[int] = []

    def counting(pictures: Tensor) -> dict[str, Tensor]:
        assert -1 <= pictures.min() < -0.8
        assert 0.9 < pictures.max() <= 1
        reads.append(len(pictures))
        return squares(pictures)

    def fill(cutting: Cutting = CUTTING, reader: str = "squares") -> list[str]:
        said: list[str] = []
        reads.clear()
        shelf = Shelf(tmp_path / "shelf", cutting, reader)
        for clip in find_clips(tmp_path / "clips"):
            shelf.fill(clip, counting, torch.device("cpu"), said.append)
        return said

    (tmp_path / "clips").mkdir()
    save_gif(tmp_path / "clips", 1)
    (tmp_path / "clips" / "broken.gif").write_bytes(b"GIF89a")
    broken, fine = sorted(fill())
    assert reads == [8]
    assert fine == "square-1.gif: 1 segments"
    assert fill() == [broken]  # said again, not read again
    assert reads == []
    fill(reader="another encoder")
    assert reads == [8]
    fill(Cutting(frames=12, pixels=32))
    assert reads == [12]
    for listed in (tmp_path / "shelf").glob("*/clip.json"):
        listed.unlink()  # as if killed before it was written
    fill()
    assert reads == [8]
    save_gif(tmp_path / "clips", 2)
    (tmp_path / "clips" / "square-2.gif").replace(tmp_path / "clips" / "square-1.gif")
    fill()
    assert reads == [8]


def test_whole_clips_are_held_out_and_the_same_ones_when_others_come() -> None:
    def files(count: int) -> list[tuple[str, Path]]:
        return [(f"clip {i}", Path(f"{i}-{part}")) for i in range(count) for part in range(3)]

    learnt, held = split(files(30))
    assert len(learnt) + len(held) == 90
    assert 3 <= len(held) <= 30
    assert not {p.name.split("-")[0] for p in held} & {p.name.split("-")[0] for p in learnt}
    assert set(held) <= set(split(files(40))[1])
    for count in (2, 3):
        learnt, held = split(files(count))
        assert learnt
        assert held
    learnt, held = split(files(1))
    assert [p.name for p in learnt] == ["0-0", "0-1"]
    assert [p.name for p in held] == ["0-2"]


# -- what is wrong ----------------------------------------------------------------------------


def test_too_few_segments_are_refused(course: Course, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    save_gif(tmp_path / "one", 1)
    with pytest.raises(EngineError, match="too few segments"):
        run(replace(course, clips=tmp_path / "one"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a graphics card can do it")
def test_half_precision_without_a_graphics_card_is_refused() -> None:
    with pytest.raises(EngineError, match='"fp16" needs a graphics card'):
        new_accelerator("fp16")


def test_a_checkpoint_of_another_size_or_a_broken_one_is_refused(course: Course) -> None:
    run(replace(course, steps=1))
    with pytest.raises(EngineError, match="broken or of a run with another width"):
        run(replace(course, width=64, resume=True))
    (course.checkpoint / "optimizer.bin").write_bytes(b"")
    with pytest.raises(EngineError, match="broken or of a run with another width"):
        run(replace(course, resume=True))


def test_a_predictor_is_kept_with_its_dimensions(tmp_path: Path) -> None:
    predictor = SemanticMotionPredictor(5, 24, width=16, layers=3, heads=4)
    torch.nn.init.normal_(predictor.write.weight)
    save_predictor(predictor, tmp_path)
    loaded = load_predictor(tmp_path)
    assert len(loaded.blocks) == 3
    assert loaded.blocks[0].self_attn.num_heads == 4
    start, end = torch.randn(2, 1, 5, 24)
    torch.testing.assert_close(
        loaded(start, end, 4), predictor(start, end, 4), atol=0.02, rtol=0.02
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("predictor.json", b"[]"),
        ("predictor.json", b'{"tokens": 6, "channels": 24, "width": 16, "layers": 1, "heads": 4}'),
        ("predictor.json", b'{"tokens": 5, "channels": 24, "width": 15, "layers": 1, "heads": 4}'),
        ("predictor.safetensors", b"pickled?"),
    ],
)
def test_a_broken_predictor_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    save_predictor(SemanticMotionPredictor(5, 24, width=16, layers=1, heads=4), tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EngineError, match=r"the motion predictor in .* cannot be loaded"):
        load_predictor(tmp_path)


# -- the command ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moving_sd15(tiny_sd15: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Options for the tiny model with an adapter and an IP-Adapter."""
    MODELS["tiny-sd15"] = replace(SD15, name="tiny-sd15", source=str(tiny_sd15), size=64)
    folder = tmp_path_factory.mktemp("moving")
    torch.manual_seed(5)
    make_adapter(folder / "adapter")
    file = make_ip_adapter(folder / "ip" / "ip-adapter.safetensors", tiny_sd15 / "unet", "plus")
    make_image_encoder(folder / "ip" / "image_encoder")
    yield [
        "--model", "tiny-sd15", "--motion-adapter", str(folder / "adapter"),
        "--ip-adapter", str(file), "--batch", "1", "--frames", "4",
        "--width", "64", "--layers", "1",
    ]  # fmt: skip
    del MODELS["tiny-sd15"]


def command(monkeypatch: pytest.MonkeyPatch, *options: str | Path) -> None:
    monkeypatch.setattr(sys, "argv", ["train", *map(str, options)])
    train.main()


@pytest.mark.parametrize("decoder", [(), ("--through-decoder",)], ids=["tokens", "decoder"])
def test_the_command_trains_the_predictor_of_a_model(
    moving_sd15: list[str], clips: Path, tmp_path: Path, decoder: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    few = tmp_path / "few"
    few.mkdir()
    for number in range(3):
        shutil.copy(clips / f"square-{number}.gif", few)
    options = ["--clips", few, "--weights", tmp_path / "weights", *moving_sd15, *decoder]
    command(monkeypatch, *options, "--steps", "1")
    command(monkeypatch, *options, "--steps", "2", "--resume")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("step ")]
    assert [line.split()[1] for line in lines] == ["1", "2"]
    assert all(("drawing" in line) == bool(decoder) for line in lines)
    predictor = load_predictor(tmp_path / "weights")
    assert predictor.places.shape[0] == 5  # what a tiny plus adapter reads
    assert predictor.read.in_features == 32


def test_the_decoders_gradient_reaches_the_tokens_between_the_ends(
    moving_sd15: list[str],
) -> None:
    options = dict(zip(moving_sd15[::2], moving_sd15[1::2], strict=True))
    motion = AnimateDiff(options["--motion-adapter"], options["--ip-adapter"])
    model = load_clip_model(options["--model"], motion, torch.device("cpu"), decoder=True)
    assert model.pixels == 64
    torch.manual_seed(0)
    with torch.no_grad():
        kept = model.read(torch.rand(4, 3, 64, 64) * 2 - 1)
    assert kept["tokens"].shape == (4, 5, 32)
    assert kept["latents"].shape == (4, 4, 8, 8)
    clips = {name: value[None].float() for name, value in kept.items()}
    foreseen = clips["tokens"].clone().requires_grad_()
    assert model.loss is not None
    model.loss(clips, foreseen).backward()
    assert foreseen.grad is not None
    assert foreseen.grad[:, 1:-1].abs().max() > 0


def test_the_folder_it_writes_is_one_that_the_animator_reads(
    moving_sd15: list[str], clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(monkeypatch, "--clips", clips, "--weights", tmp_path, *moving_sd15, "--steps", "1")
    options = dict(zip(moving_sd15[::2], moving_sd15[1::2], strict=True))
    motion = AnimateDiff(options["--motion-adapter"], options["--ip-adapter"], tmp_path)
    artist = load_model(find_model(options["--model"]), torch.device("cpu"))
    assert load_animatediff(artist, motion).predictor is not None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--minutes", "1"], "one of the arguments --house --clips is required"),
        (["--house"], "--house needs --minutes"),
        (["--house", "--clips", "x"], "not allowed with"),
        (["--clips", "x", "--steps", "1"], "--clips needs --weights"),
        (["--clips", "x", "--weights", "y"], "either --minutes or --steps"),
        (["--clips", "x", "--weights", "y", "--steps", "1", "--minutes", "1"], "either"),
        (["--clips", "x", "--weights", "y", "--steps", "0"], "--steps must be at least 1"),
        (["--clips", "x", "--weights", "y", "--minutes", "nan"], "--minutes must be a number"),
        (["--house", "--minutes", "-1"], "--minutes must be a number above 0"),
        (["--clips", "x", "--weights", "y", "--part", "decoder"], "--part needs --house"),
        (["--clips", "x", "--weights", "y", "--steps", "1", "--frames", "2"], "at least 3"),
        (["--clips", "x", "--weights", "y", "--steps", "1", "--width", "100"], "multiple of 64"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    options: list[str], words: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with pytest.raises(SystemExit):
        command(monkeypatch, *options)
    assert words in capsys.readouterr().err


def test_what_cannot_be_written_or_read_again_ends_the_command_with_a_sentence(
    moving_sd15: list[str], clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--clips", clips, "--steps", "1", *moving_sd15, "--weights"]
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="cannot go on"):
        command(monkeypatch, *options, tmp_path / "file")
    command(monkeypatch, *options, tmp_path / "weights")
    for kept in (tmp_path / "weights" / "training" / "tokens").glob("*/*.safetensors"):
        kept.write_bytes(kept.read_bytes()[:100])
    with pytest.raises(SystemExit, match="is broken: delete the folder"):
        command(monkeypatch, *options, tmp_path / "weights")


def test_a_folder_without_clips_ends_the_command_with_a_sentence(
    moving_sd15: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match="there are no clips in"):
        command(
            monkeypatch, "--clips", tmp_path, "--weights", tmp_path / "w", *moving_sd15,
            "--steps", "1",
        )  # fmt: skip
