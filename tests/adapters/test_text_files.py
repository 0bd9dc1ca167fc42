"""Files that are read as if they had been typed."""

from __future__ import annotations

import pytest

from adapters.text_files import is_text, readable, text_of


@pytest.mark.parametrize(
    ("name", "kind", "read"),
    [
        ("a.story", None, True),
        ("A.TXT", "application/octet-stream", True),
        ("message", "text/plain; charset=utf-8", True),
        ("story.png", "image/png", False),
        ("story", None, False),
    ],
)
def test_which_files_are_read(name: str, kind: str | None, read: bool) -> None:
    assert is_text(name, kind) is read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_is_in_them(encoding: str) -> None:
    assert text_of("[汤姆] 打字".encode(encoding)) == "[汤姆] 打字"


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\xff", b"a\0b"])
def test_what_is_no_text(content: bytes) -> None:
    assert text_of(content) is None
    assert "�" in readable(content)
