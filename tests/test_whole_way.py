"""From a story file to finished pages, through the command line and the real house artist."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from bot.cli import main

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.story"))


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def size_of(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as image:
        return image.size


def test_the_example_becomes_a_lettered_page_and_its_pictures(
    empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = ROOT / "examples" / "tab-or-space.zh.story"
    assert main(["draw", str(story), "--steps", "2", "--out", "comics"]) == 0
    assert size_of(Path("comics/tab-or-space.zh.png"))[0] >= 1000
    singles = sorted(Path("comics/tab-or-space.zh").iterdir())
    assert [f.name for f in singles] == ["1.png", "2.png", "3.png", "4.png"]
    assert {size_of(f) for f in singles} == {(256, 256)}
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert "comics/tab-or-space.zh.png" in last
    assert "4 pictures" in last


def test_the_pictures_layout_writes_no_page(empty_folder: Path) -> None:
    story = ROOT / "examples" / "tab-or-space.en.story"
    assert main(["draw", str(story), "--steps", "1", "--layout", "pictures"]) == 0
    assert not (empty_folder / "out" / "tab-or-space.en.png").exists()
    assert len(list((empty_folder / "out" / "tab-or-space.en").iterdir())) == 4


@pytest.mark.parametrize("story", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_in_order(story: Path) -> None:
    assert main(["draw", str(story), "--plan"]) == 0


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_ends_with_130_and_leaves_nothing(empty_folder: Path) -> None:
    story = ROOT / "examples" / "tab-or-space.en.story"
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "draw", str(story), "--steps", "100"],
        cwd=empty_folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "drawing" in line:
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "inkwell: stopped"
    assert "Traceback" not in errors
    assert list(empty_folder.iterdir()) == []


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_in_the_first_moment_is_one_line_too(empty_folder: Path) -> None:
    story = ROOT / "examples" / "tab-or-space.en.story"
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "bot.start", "draw", str(story)],
        cwd=empty_folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "typer" in line:  # the command line is being imported
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "inkwell: stopped"
    assert "Traceback" not in errors
