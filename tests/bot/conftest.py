"""For the tests of the command line: a working folder with a story."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bot.comics import STORY


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A story file in an empty working folder, in which no settings are found."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("INKWELL_"):
            monkeypatch.delenv(name)
    path = Path("tom.story")
    path.write_text(STORY, encoding="utf-8")
    return path
