"""Weights that somebody has put into a folder: what is wrong with it is said in a sentence."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from engine.request import EngineError

SUFFIX = ".safetensors"
PICKLES = (".bin", ".ckpt", ".pt", ".pth")  # loading one can run anything that is written in it


def is_path(source: str) -> bool:
    """Whether it can only be meant as a place on this disk, not as a name on the hub."""
    return source.startswith(("/", ".", "~")) or "\\" in source


def place_of(source: str) -> Path:
    """Where it is on this disk, if it is: "~" at its beginning is the home folder."""
    path = Path(source)
    with suppress(RuntimeError):  # nobody has this name
        return path.expanduser() if source.startswith("~") else path
    return path


def is_here(source: str) -> bool:
    """Whether nothing has to be fetched for it."""
    return place_of(source).exists() or is_path(source)


def check_folder(folder: Path, what: str) -> None:
    """Refuses a folder without config.json or without safetensors; `what` begins the sentence."""
    if not folder.is_dir():
        raise EngineError(f"{what} is missing: there is no such folder")
    if not (folder / "config.json").is_file():
        raise EngineError(f"{what} lacks config.json")
    if not has(folder, (SUFFIX,)):
        raise without_weights(what, pickled=has(folder, PICKLES))


def only_weights(folder: Path, what: str) -> Path:
    """The one safetensors file in a folder, or in its folder "models"."""
    folders = [one for one in (folder, folder / "models") if one.is_dir()]
    found = sorted(file for one in folders for file in one.iterdir() if file.suffix == SUFFIX)
    if not found:
        raise without_weights(what, pickled=any(has(one, PICKLES) for one in folders))
    if len(found) > 1:
        names = ", ".join(str(file.relative_to(folder)) for file in found)
        raise EngineError(f"{what} is a folder of several; name one of its files: {names}")
    return found[0]


def has(folder: Path, suffixes: tuple[str, ...]) -> bool:
    return any(file.suffix in suffixes for file in folder.iterdir())


def without_weights(what: str, *, pickled: bool) -> EngineError:
    why = ": its weights are pickled, and such are not read" if pickled else ""
    return EngineError(f"{what} lacks a {SUFFIX} file{why}")


def first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
