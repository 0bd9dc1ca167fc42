"""`inkwell draw --animate`: a GIF beside the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bench.toy_movement import slide
from bot import cli, moving_comic
from bot.cli import main
from bot.config import EngineConfig
from engine.request import AnimateRequest, Done, DrawRequest, EngineError, Event, PanelDrawn
from tests.bot.stage import picture

STORY = "[Tom] a boy\n[Lisa] a girl\n\n[Tom] waves #Hello!\n[Lisa] runs #Lisa: Run!\n"


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "draw_story", drawing)
    monkeypatch.setattr(cli, "animate_story", moving)
    path = Path("tom.story")
    path.write_text(STORY, encoding="utf-8")
    return path


def drawing(request: DrawRequest, engine: EngineConfig) -> Iterator[Event]:
    for number in range(len(request.panels)):
        yield PanelDrawn(number, picture(100 * number))
    yield Done(0.1)


def moving(request: AnimateRequest, engine: EngineConfig) -> Iterator[Event]:
    yield from slide(request)


def test_a_gif_stands_beside_the_pages_and_the_engine_s_notes_are_said(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draw", "--animate", str(story)]) == 0
    said = capsys.readouterr()
    assert "out/tom.gif" in said.out
    assert "nobody in common" in said.err
    with Image.open("out/tom.gif") as image:
        assert image.n_frames == 8  # type: ignore[attr-defined]
    assert Path("out/tom.png").is_file()
    assert not list(Path("out").glob(".inkwell-*"))
    assert main(["draw", "--animate", str(story)]) == 0, "its own GIF is replaced"


def test_a_model_that_cannot_move_leaves_the_pages_and_says_so(
    story: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(request: AnimateRequest, engine: EngineConfig) -> Iterator[Event]:
        raise EngineError("it has not learnt to move")
        yield

    monkeypatch.setattr(cli, "animate_story", unable)
    assert main(["draw", "--animate", str(story)]) == 2
    assert "it has not learnt to move" in capsys.readouterr().err
    assert Path("out/tom.png").is_file()
    assert not Path("out/tom.gif").exists()


def test_a_model_that_is_known_not_to_move_is_refused_before_anything_is_drawn(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draw", "--animate", "--model", "sd15", str(story)]) == 2
    assert 'the model "sd15" has not learnt to move' in capsys.readouterr().err
    assert not Path("out").exists()


def test_one_panel_becomes_a_living_panel_and_that_is_said(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story.write_text("[Tom] a boy\n\n[Tom] waves #Hello!\n", encoding="utf-8")
    assert main(["draw", "--animate", str(story)]) == 0
    said = capsys.readouterr().err
    assert "there is one panel only, so it moves to another pose and back" in said
    assert "to stay below" not in said


def test_what_is_taken_from_a_large_gif_is_said(
    story: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["draw", "--animate", str(story)]) == 0
    most = Path("out/tom.gif").stat().st_size * 3 // 4
    monkeypatch.setattr(moving_comic, "MOST_BYTES", most)
    capsys.readouterr()
    assert main(["draw", "--animate", str(story)]) == 0
    assert f"to stay below {most / 1e6:g} MB it is " in capsys.readouterr().err


def test_a_folder_in_the_gif_s_place_is_refused_before_anything_is_drawn(story: Path) -> None:
    Path("out/tom.gif").mkdir(parents=True)
    assert main(["draw", "--animate", str(story)]) == 2
    assert not Path("out/tom.png").exists()


def test_a_gif_that_inkwell_has_not_made_is_never_replaced(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out").mkdir()
    Path("out/tom.gif").write_bytes(b"GIF89a of mine")
    assert main(["draw", "--animate", str(story)]) == 2
    assert "cannot replace out/tom.gif: Inkwell has not made it" in capsys.readouterr().err
    assert Path("out/tom.gif").read_bytes() == b"GIF89a of mine"
    assert not Path("out/tom.png").exists()


def test_without_the_option_nothing_moves(story: Path) -> None:
    assert main(["draw", str(story)]) == 0
    assert not Path("out/tom.gif").exists()


def test_the_gif_of_an_earlier_drawing_goes_with_its_pictures(story: Path) -> None:
    assert main(["draw", "--animate", str(story)]) == 0
    assert main(["draw", "--seed", "1", str(story)]) == 0
    assert not Path("out/tom.gif").exists(), "it would show other pictures"
    Path("out/tom.gif").write_bytes(b"GIF89a of mine")
    assert main(["draw", str(story)]) == 0
    assert Path("out/tom.gif").read_bytes() == b"GIF89a of mine"
