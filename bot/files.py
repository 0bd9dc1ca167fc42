"""The files of a comic: the story that is read, the pages and single pictures that are written."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISVTX, S_IWGRP, S_IWOTH, S_IWUSR
from tempfile import TemporaryDirectory

from bot.errors import FileError
from bot.interrupts import ctrl_c_later
from bot.script import StoryScript, parse_script
from bot.signature import is_signed, signed

MAX_BYTES = 300_000  # the longest story, (12 + 24) lines x 2,000 characters x 4 bytes, has 288,000
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
TEMPORARY = ".inkwell-"


def load_script(path: Path) -> StoryScript:
    """The story in a text file, UTF-8 or UTF-16. Raises FileError and ScriptError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(f"cannot read {path}: {reason(error)}") from error
    if len(data) > MAX_BYTES:
        raise FileError(f"{path} is too long for a story: it has more than {MAX_BYTES:,} bytes")
    try:
        text = data.decode("utf-16" if data.startswith(UTF_16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise FileError(f"{path} is not a story: a story is plain text, saved as UTF-8")
    return parse_script(text)


@dataclass(frozen=True)
class ComicFiles:
    """Where a comic goes: `folder/name.png` and `folder/name/1.png` …

    Further pages are `folder/name/page-2.png` …: in the folder itself, one of the story a could
    have the name of the page of a story a.2.
    """

    folder: Path
    name: str  # of the story file, without its last suffix

    @property
    def pictures_folder(self) -> Path:
        return self.folder / self.name

    @property
    def animation(self) -> Path:
        return self.folder / f"{self.name}.gif"

    def pages(self, count: int) -> list[Path]:
        further = [self.pictures_folder / f"page-{number}.png" for number in range(2, count + 1)]
        return [self.folder / f"{self.name}.png", *further][:count]

    def pictures(self, count: int) -> list[Path]:
        return [self.pictures_folder / f"{number}.png" for number in range(1, count + 1)]

    def check(self, story: Path, pages: int, pictures: int) -> None:
        """Refuses what could not be written: so many pages at most, and so many pictures."""
        paths = [*self.pages(pages), *self.pictures(pictures)]
        for path in paths:
            with suppress(OSError):
                if path.samefile(story):
                    raise FileError(f"{path} would overwrite the story; choose another --out")
            check_replacing(path)
        for folder in (self.folder, self.pictures_folder):
            names = [path.name for path in paths if path.parent == folder]
            try_writing(folder, max(names, key=len, default=f"{self.name}.png"))

    @ctrl_c_later()
    def write(self, pages: Sequence[bytes], pictures: Sequence[bytes]) -> list[Path]:
        """Puts PNG files in place of those of an earlier drawing; returns the pages' paths.

        A GIF of the earlier drawing goes, too: it would show other pictures than these.
        """
        paths = [*self.pages(len(pages)), *self.pictures(len(pictures))]
        folders = (self.pictures_folder, *self.pictures_folder.parents)
        created = [folder for folder in folders if not folder.exists()]
        for path in paths:  # once more, for drawing takes its time
            check_replacing(path)
        try:
            self.pictures_folder.mkdir(parents=True, exist_ok=True)
            put_in_place(dict(zip(paths, [*pages, *pictures], strict=True)))
        except OSError as error:
            for folder in created:
                with suppress(OSError):
                    folder.rmdir()
            raise FileError(f"cannot write into {self.folder}: {reason(error)}") from error
        for path in self.drawn_earlier():
            if path not in paths:
                path.unlink(missing_ok=True)
        return paths[: len(pages)]

    def drawn_earlier(self) -> list[Path]:
        """This story's PNG files and GIF: those with its names that Inkwell has signed."""
        names = re.compile(r"(page-)?[1-9]\d*\.png")
        inside = [path for path in self.pictures_folder.iterdir() if names.fullmatch(path.name)]
        return [path for path in (*self.pages(1), self.animation, *inside) if is_signed(path)]


def check_replacing(path: Path) -> None:
    """Refuses what is in a file's place, save a file of Inkwell's that this user may replace."""
    if not os.path.lexists(path):
        return
    if path.is_dir():
        raise FileError(f"cannot write {path}: a folder has this name")
    if hasattr(os, "geteuid"):  # not on Windows
        folder, file = path.parent.stat(), path.lstat()
        if not may_replace(os.geteuid(), folder.st_mode, folder.st_uid, file.st_uid):
            raise FileError(f"cannot replace {path}: it belongs to another user")
    if not is_signed(path):
        raise FileError(
            f"cannot replace {path}: Inkwell has not made it; move it away or choose another --out"
        )
    if not path.stat().st_mode & (S_IWUSR | S_IWGRP | S_IWOTH):
        raise FileError(f"cannot replace {path}: it is read-only")


def may_replace(user: int, mode: int, folder_owner: int, file_owner: int) -> bool:
    """Whether a user may replace a file in a folder of this mode into which the user may write.

    In a sticky one, such as /tmp, only owners may.
    """
    return not mode & S_ISVTX or user in (0, folder_owner, file_owner)


@ctrl_c_later()
def try_writing(folder: Path, name: str) -> None:
    """Refuses a folder in which no file `name` can be made; the folder need not be there yet."""
    whole = Path(os.path.abspath(folder))
    there = next(path for path in (whole, *whole.parents) if os.path.lexists(path))
    if not there.is_dir():
        raise FileError(f"cannot write into {folder}: {there} is not a folder")
    try:
        with TemporaryDirectory(prefix=TEMPORARY, dir=there) as trial:
            inside = Path(trial) / whole.relative_to(there)
            inside.mkdir(parents=True, exist_ok=True)
            (inside / name).touch()
    except OSError as error:
        raise FileError(f"cannot write into {folder}: {reason(error)}") from error


def put_in_place(files: Mapping[Path, bytes]) -> None:
    """Writes signed files under temporary names, then renames them: none is half-written."""
    with ExitStack() as stack:
        staging = {
            folder: Path(stack.enter_context(TemporaryDirectory(prefix=TEMPORARY, dir=folder)))
            for folder in {path.parent for path in files}
        }
        for path, content in files.items():
            (staging[path.parent] / path.name).write_bytes(signed(content))
        for path in files:
            os.replace(staging[path.parent] / path.name, path)


def reason(error: OSError) -> str:
    """Why the system refused, in its words."""
    return error.strerror or str(error)
