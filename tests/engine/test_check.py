"""What `inkwell check` hears of the weights that make a model move."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from engine.check import main
from engine.models import HOUSE, MODELS, HouseMotion


@pytest.fixture(autouse=True)
def own_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of what is configured here stays."""
    still = replace(HOUSE, motion=HouseMotion(tmp_path / "none"))
    for name, spec in list(MODELS.items()):
        monkeypatch.setitem(MODELS, name, still if name == still.name else spec)


def problem(capsys: pytest.CaptureFixture[str], model: object, *options: str) -> str | None:
    main(["--model", str(model), "--device", "cpu", *options])
    said: str | None = json.loads(capsys.readouterr().out)["problem"]
    return said


def test_weights_of_motion_that_cannot_be_used_are_a_problem(
    tiny_sd15: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(tmp_path / "nowhere")
    adapter = ("--motion-adapter", nowhere, "--ip-adapter", nowhere)
    said = problem(capsys, tiny_sd15, *adapter)
    assert said is not None
    assert said.endswith('nowhere" is missing: there is no such file or folder')


def test_a_video_model_that_is_not_there_is_a_problem(
    tiny_sdxl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = problem(capsys, tiny_sdxl, "--video-model", str(tmp_path / "nowhere"))
    assert said is not None
    assert 'nowhere" with a video model' in said


def test_a_photomaker_that_cannot_be_used_is_a_problem(
    tiny_sdxl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = json.dumps({"sdxl": {"source": str(tiny_sdxl), "photomaker": f"{tmp_path}/no.bin"}})
    said = problem(capsys, "sdxl", "--models", tables)
    assert said is not None
    assert said.endswith("no.bin) is pickled, and such weights are not read: take .safetensors")


def test_adapters_are_looked_at_when_a_picture_is_drawn_too(
    tiny_sdxl: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("engine.check.SMALL_PIXELS", 64)
    tables = json.dumps({"sdxl": {"source": str(tiny_sdxl), "photomaker": f"{tmp_path}/no.bin"}})
    said = problem(capsys, "sdxl", "--models", tables, "--draw")
    assert said is not None
    assert "no.bin) is pickled" in said


def test_without_any_there_is_none(tiny_sd15: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert problem(capsys, tiny_sd15) is None


def test_a_small_picture_is_drawn_and_says_what_it_took(
    tiny_sd15: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("engine.check.SMALL_PIXELS", 64)
    main(["--model", str(tiny_sd15), "--device", "cpu", "--draw"])
    seen = json.loads(capsys.readouterr().out)
    assert seen["problem"] is None
    assert seen["drawn"]["pixels"] == 64
    assert 0 < seen["drawn"]["seconds"] < 60
    assert seen["drawn"]["bytes"] > 50e6


def test_what_would_be_fetched_is_said_with_its_terms(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--model", "realvisxl", "--terms"])
    seen = json.loads(capsys.readouterr().out)
    assert seen["problem"] is None
    assert seen["licence"] == "CreativeML Open RAIL++-M"
    assert seen["missing"] == [
        "SG161222/RealVisXL_V4.0 (about 6.9 GB, licence: CreativeML Open RAIL++-M)"
    ]


def test_nothing_is_fetched_from_the_hub(tmp_path: Path) -> None:
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def do_GET(self) -> None:
            self.do_HEAD()

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as hub:
        Thread(target=hub.serve_forever, daemon=True).start()
        surroundings = {
            **os.environ,
            "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
            "HF_HOME": str(tmp_path),
        }
        surroundings.pop("HF_HUB_OFFLINE", None)
        done = subprocess.run(
            [sys.executable, "-m", "engine.check", "--model", "sd15"],
            env=surroundings, capture_output=True, timeout=120, check=True,
        )  # fmt: skip
        hub.shutdown()
    assert json.loads(done.stdout)["problem"]
    assert asked == []
