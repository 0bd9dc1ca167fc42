"""Comics from the command line, by an engine that hands out small plain pictures."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.cli import main
from bot.draw import Comic
from bot.files import ComicFiles
from bot.script import parse_script
from engine.request import Done, DrawRequest, Event, PanelDrawn, Progress

LONG = "[Tom] a boy\n\n" + "[Tom] waves #Hello!\n" * 24
STORY = "[Tom] a boy\n[Lisa] a girl\n\n[Tom] waves #Hello!\n[Tom] and [Lisa] run #Lisa: Run!\n"


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What `inkwell` says on stderr when it refuses; nothing may be left in the working folder."""
    before = sorted(Path.cwd().rglob("*"))
    assert main([str(argument) for argument in arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("inkwell: ")
    assert printed.err.count("\n") == 1
    assert sorted(Path.cwd().rglob("*")) == before
    return printed.err


def comic(text: str = STORY, layout: str = "classic", name: str = "tom") -> Comic:
    settings = DrawRequest(characters=(), panels=())
    return Comic(parse_script(text), settings, layout, ComicFiles(Path("out"), name))


def draw_plainly(request: DrawRequest) -> Iterator[Event]:
    """An engine that paints every panel in one colour, the last one first."""
    yield Progress("loading", 1, 1)
    for index in reversed(range(len(request.panels))):
        yield Progress("steps", len(request.panels) - index, len(request.panels))
        file = BytesIO()
        Image.new("RGB", (128, 128), (10 * index, 0, 0)).save(file, "PNG")
        yield PanelDrawn(index, file.getvalue())
    yield Done(0.1)


def files_in(folder: str) -> list[str]:
    found = [path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file()]
    return sorted(path.as_posix() for path in found)


def contents(folder: str) -> dict[str, bytes]:
    return {name: Path(folder, name).read_bytes() for name in files_in(folder)}
