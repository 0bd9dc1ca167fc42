"""One comic for the command line, from a story that is in order to files on disk, or to nothing.

Nothing is on disk while the engine draws, so Ctrl-C may end the process at once: no library is
asked whether it survives an interruption. At the end all files appear together; Ctrl-C waits.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import psutil

from bot.errors import UserError
from bot.files import ComicFiles
from bot.interrupts import on_ctrl_c
from bot.script import StoryScript
from bot.start import end_at_once
from bot.without import panel_request
from engine.request import (
    CharacterRequest,
    DrawRequest,
    Event,
    Note,
    PanelDrawn,
    Progress,
)

CONTAINER = Path("/sys/fs/cgroup")
MEMORY_NEEDED = 1_500_000_000  # bytes; with much less, torch fails in riddles or ends the process
STAGES = {
    "loading": "loading the model",
    "steps": "drawing",
    "panels": "finishing the panels",
    "frames": "drawing the frames",
}

DrawStory = Callable[[DrawRequest], Iterator[Event]]


@dataclass(frozen=True)
class Comic:
    """What is drawn, how, and where it goes; `settings` is a request without a story."""

    script: StoryScript
    settings: DrawRequest
    layout: str
    files: ComicFiles

    @property
    def request(self) -> DrawRequest:
        characters = [CharacterRequest(c.name, c.description) for c in self.script.characters]
        panels = map(panel_request, self.script.panels)
        return replace(self.settings, characters=tuple(characters), panels=tuple(panels))


def draw_comic(comic: Comic, draw_story: DrawStory) -> str:
    """Draws, lays out and writes the comic; returns the sentence that names the files."""
    with on_ctrl_c(lambda *_: end_at_once()):
        pictures = draw_pictures(comic.request, draw_story)
        pages = lay_out(comic, pictures)
        written = comic.files.write(pages, pictures)
    count = f"{len(pictures)} picture{'s' if len(pictures) != 1 else ''}"
    singles = f"{count} in {comic.files.pictures_folder}{os.sep}"
    return f"{', '.join(map(str, written))} and {singles}" if written else singles


def draw_pictures(request: DrawRequest, draw_story: DrawStory) -> list[bytes]:
    """One PNG a panel, with a progress line on stderr meanwhile."""
    pictures: dict[int, bytes] = {}
    line = ProgressLine(sys.stderr)
    try:
        line.show(Progress("loading", 0, 1))
        for event in draw_story(request):
            if isinstance(event, Progress):
                line.show(event)
            elif isinstance(event, PanelDrawn):
                pictures[event.index] = event.png
            elif isinstance(event, Note):
                line.note(event.text)
    finally:
        line.close()
    return [pictures[index] for index in range(len(request.panels))]


def lay_out(comic: Comic, pictures: Sequence[bytes]) -> list[bytes]:
    """The lettered pages as PNG; none where the layout sets no type."""
    from bot.page.letter import DrawnPanel, letter, side_of

    panels = [
        DrawnPanel(picture, line.caption, line.kind, side_of(line.speaker, line.characters))
        for line, picture in zip(comic.script.panels, pictures, strict=True)
    ]
    return letter(panels, comic.layout)


class ProgressLine:
    """How far the drawing is: one line that is written over on a terminal, else some lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._shown = ""

    def show(self, progress: Progress) -> None:
        words = STAGES.get(progress.stage, progress.stage)
        share = progress.done / max(progress.total, 1)
        if self._terminal:
            bar = f"[{'#' * round(24 * share):-<24}]"
            line = f"{words:<20} {bar} {progress.done} of {progress.total}"
            columns = shutil.get_terminal_size().columns - 1
            self._write(f"\r{line[:columns]:<{columns}}")
        else:
            quarter = int(4 * share) / 4
            self._write(f"{words}\n" if quarter == 0 else f"{words}: {quarter:.0%}\n")

    def note(self, text: str) -> None:
        self.close()
        self._write(f"{text}\n")

    def close(self) -> None:
        if self._terminal and self._shown:
            self._write("\n")

    def _write(self, words: str) -> None:
        if words != self._shown:
            self._shown = words
            self._stream.write(words)
            self._stream.flush()


def check_memory() -> None:
    """Refuses to draw where the libraries would not even load."""
    free = free_memory()
    if free < MEMORY_NEEDED:
        raise UserError(
            f"there is too little memory: drawing needs {MEMORY_NEEDED / 1e9:.1f} GB,"
            f" and {max(free, 0) // 10**8 / 10} GB are free"  # never rounded up to what it needs
        )


def free_memory(group: Path = CONTAINER) -> int:
    """Bytes that this process may still take: of the machine, of its container, of its own."""
    free: list[int] = [psutil.virtual_memory().available + psutil.swap_memory().free]
    v1 = group / "memory"
    limits = (
        (group / "memory.max", group / "memory.current", "inactive_file"),
        (v1 / "memory.limit_in_bytes", v1 / "memory.usage_in_bytes", "total_inactive_file"),
    )
    for limit_file, used_file, cached in limits:
        with suppress(OSError, ValueError):  # ValueError: the limit is "max"
            unused = int(limit_file.read_text()) - int(used_file.read_text())
            free.append(unused + counted(used_file.with_name("memory.stat"), cached))
    with suppress(ImportError):  # Windows has no such limits
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            free.append(limit - psutil.Process().memory_info().vms)
    return min(free)


def counted(statistics: Path, key: str) -> int:
    """A number of a container's statistics; 0 where it has none.

    Files read or written a while ago count as used memory, but are forgotten when it is needed.
    """
    with suppress(OSError, ValueError):
        for line in statistics.read_text().splitlines():
            if line.startswith(f"{key} "):
                return int(line.split()[1])
    return 0
