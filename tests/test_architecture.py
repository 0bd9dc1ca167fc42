"""Who may import whom, and other rules of the house that hold for the whole tree."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "engine", "adapters", "bench", "tests")
NOT_OURS = {
    ".git",
    ".venv",
    "__pycache__",
    "out",
    "store",
    "checkpoints",
    "data",
    "build",
    "dist",
    ".hypothesis",
}
HEAVY = ("torch", "diffusers", "transformers", "accelerate")
CHATS = ("discord", "telegram")

# The folder a file is in -> which of our modules it may import (a package: everything in it).
ALLOWED = {
    "bot": (
        "bot",
        "engine.request",
        "engine.models",
        "engine.model_settings",
        "engine.motion_settings",
        "engine.prompts",
        "engine.extras",
    ),
    "engine": ("engine",),
    "adapters": ("adapters", "bot.chat"),
}
PUTS_EVERYTHING_TOGETHER = "bot/cli.py"


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file; relative imports stay in the package.

    `from a import b` gives "a.b": b may be a module, and a rule for "a.b" must see it.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__")
                | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                yield module


def is_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def trespasses(path: Path, allowed: tuple[str, ...], forbidden: tuple[str, ...] = ()) -> list[str]:
    """The imports of a file that are ours but not `allowed`, or are `forbidden` libraries."""
    return [
        module
        for module in imports(path)
        if (is_in(module, PACKAGES) and not is_in(module, allowed)) or is_in(module, forbidden)
    ]


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_the_design_allows(package: str) -> None:
    forbidden = (*HEAVY, *CHATS) if package == "bot" else ()
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in sources(package)
        if path != ROOT / PUTS_EVERYTHING_TOGETHER
        and (wrong := trespasses(path, ALLOWED[package], forbidden))
    }
    assert not found


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("import bot.script", []),
        ("from bot import script", []),
        ("from . import script", []),
        ("from ..page import balloons", []),
        ("from engine.request import DrawRequest", []),
        ("from engine import models", []),
        ("import engine", ["engine"]),
        ("from engine import story", ["engine.story"]),
        ("def later():\n    from engine.story import draw_story", ["engine.story.draw_story"]),
        ("import importlib\nimportlib.import_module('engine.story')", ["engine.story"]),
        ("import adapters.discord_chat", ["adapters.discord_chat"]),
        ("import torch.nn", ["torch.nn"]),
        ("import bottle, torchless", []),
    ],
)
def test_the_rule_sees_every_way_to_import(line: str, refused: list[str], tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text(line, encoding="utf-8")
    found = trespasses(path, ALLOWED["bot"], HEAVY)
    assert found == refused


def modules_of_the_bot() -> list[str]:
    paths = [path.relative_to(ROOT) for path in sources("bot")]
    return [
        ".".join(path.with_suffix("").parts)
        for path in paths
        if path.name != "__init__.py" and path.as_posix() != PUTS_EVERYTHING_TOGETHER
    ]


def test_the_bot_and_the_hand_overs_come_up_without_torch_and_without_a_chat_library() -> None:
    wanted = {*modules_of_the_bot(), *ALLOWED["bot"][1:], "bot.script", "bot.page.page"}
    program = f"""
import importlib, sys
for name in {sorted(wanted)!r}:
    importlib.import_module(name)
print(*sorted({set(HEAVY + CHATS)!r} & set(sys.modules)))
"""
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == []


def plain(name: str) -> str:
    """A distribution's name as packaging tools compare it, without version and marker."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", name)[0]).lower()


def test_every_library_that_is_imported_is_named_and_every_named_one_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {plain(line) for line in project["dependencies"]}
    for_developers = {plain(line) for line in project["optional-dependencies"]["dev"]}
    needed |= {plain(line) for line in project["optional-dependencies"]["video"]}
    needed |= {plain(line) for line in project["optional-dependencies"]["translation"]}
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert needed | for_developers <= {plain(line) for line in pins if "==" in line}

    packages = packages_distributions()
    imported = {
        module.split(".")[0]
        for package in ALLOWED
        for path in sources(package)
        for module in imports(path)
    }
    libraries = imported - set(PACKAGES) - sys.stdlib_module_names
    unnamed = {
        library
        for library in libraries
        if not needed & {plain(name) for name in packages.get(library, [library])}
    }
    assert not unnamed


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_two_commands_of_the_readme_are_in_the_makefile(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    typed = set(re.findall(r"^make (\w+)", text, re.MULTILINE))
    assert {"comic", "test"} <= typed
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert typed <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def test_what_runs_before_a_change_is_taken_calls_the_test_command_of_the_readme() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def our_files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in NOT_OURS and not name.endswith((".egg-info", "_cache"))
        ]
        yield from (Path(folder, name) for name in names)


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    pattern = re.compile(rb"(?<![\w.~])/(?:home|root|Users)/\w")
    found = [
        str(path.relative_to(ROOT)) for path in our_files() if pattern.search(path.read_bytes())
    ]
    assert not found


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md", "CONTRIBUTING.md"])
def test_every_file_that_a_page_points_to_is_there(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    missing = [link for link in links if "://" not in link and not (ROOT / link).exists()]
    assert not missing
