"""The files of a comic: the story that is read, the pages and single pictures that are written."""

from __future__ import annotations

import codecs
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISVTX
from tempfile import TemporaryDirectory

from bot.errors import FileError
from bot.script import StoryScript, parse_script

MAX_BYTES = 300_000  # the longest story, (12 + 24) lines x 2,000 characters x 4 bytes, has 288,000
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
TEMPORARY = ".inkwell-"
PNG_HEAD = 33  # bytes: signature and IHDR
_WORDS = b"tEXtSoftware\0Inkwell"
SIGNATURE = (len(_WORDS) - 4).to_bytes(4) + _WORDS + zlib.crc32(_WORDS).to_bytes(4)


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
    """Where a comic goes: `folder/name.png` (or name.1.png …) and `folder/name/1.png` …"""

    folder: Path
    name: str  # of the story file, without its last suffix

    @property
    def pictures_folder(self) -> Path:
        return self.folder / self.name

    def pages(self, count: int) -> list[Path]:
        numbers = [""] if count == 1 else [f".{number}" for number in range(1, count + 1)]
        return [self.folder / f"{self.name}{number}.png" for number in numbers]

    def pictures(self, count: int) -> list[Path]:
        return [self.pictures_folder / f"{number}.png" for number in range(1, count + 1)]

    def check(self, story: Path, panels: int) -> None:
        """Refuses what could not be written, and leaves nothing behind."""
        pages = [*self.pages(1), *self.pages(panels)]  # there are not more pages than panels
        for path in (*pages, *self.pictures(panels)):
            if path.is_dir():
                raise FileError(f"cannot write {path}: a folder has this name")
            with suppress(OSError):
                if path.samefile(story):
                    raise FileError(f"{path} would overwrite the story; choose another --out")
            check_replacing(path)
        for folder in (self.folder, self.pictures_folder):
            try_writing(folder, pages[-1].name)

    def write(self, pages: Sequence[bytes], pictures: Sequence[bytes]) -> list[Path]:
        """Puts PNG files in place of those of an earlier drawing; returns the pages' paths."""
        paths = [*self.pages(len(pages)), *self.pictures(len(pictures))]
        folders = (self.pictures_folder, *self.pictures_folder.parents)
        created = [folder for folder in folders if not folder.exists()]
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
        """This story's files in the folder: those with its names that Inkwell has signed."""
        page = re.compile(rf"{re.escape(self.name)}(\.[1-9]\d*)?\.png")
        picture = re.compile(r"[1-9]\d*\.png")
        return [
            path
            for folder, pattern in ((self.folder, page), (self.pictures_folder, picture))
            for path in folder.iterdir()
            if pattern.fullmatch(path.name)
            and is_signed(path)
            # a.1.png is a page of the story a, or *the* page of the story a.1
            and (path.stem == self.name or not path.with_suffix("").is_dir())
        ]


def check_replacing(path: Path) -> None:
    """Refuses a file that is somebody else's, where only its owner may replace it, as in /tmp."""
    if not hasattr(os, "geteuid"):  # Windows
        return
    with suppress(OSError):
        folder = path.parent.stat()
        if not may_replace(os.geteuid(), folder.st_mode, folder.st_uid, path.lstat().st_uid):
            raise FileError(f"cannot replace {path}: it belongs to another user")


def may_replace(user: int, mode: int, folder_owner: int, file_owner: int) -> bool:
    """Whether a user may replace a file in a folder of this mode into which the user may write."""
    return not mode & S_ISVTX or user in (0, folder_owner, file_owner)


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
    """Writes signed PNG files under temporary names, then renames them: none is half-written."""
    with ExitStack() as stack:
        staging = {
            folder: Path(stack.enter_context(TemporaryDirectory(prefix=TEMPORARY, dir=folder)))
            for folder in {path.parent for path in files}
        }
        for path, png in files.items():
            (staging[path.parent] / path.name).write_bytes(signed(png))
        for path in files:
            os.replace(staging[path.parent] / path.name, path)


def signed(png: bytes) -> bytes:
    """The PNG with a text chunk that says who made it."""
    return png[:PNG_HEAD] + SIGNATURE + png[PNG_HEAD:]


def is_signed(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(PNG_HEAD + len(SIGNATURE)).endswith(SIGNATURE)
    return False


def reason(error: OSError) -> str:
    """Why the system refused, in its words."""
    return error.strerror or str(error)
