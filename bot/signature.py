"""The mark in Inkwell's files that says who made them: only such files does it replace."""

from __future__ import annotations

import zlib
from contextlib import suppress
from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"
PNG_HEAD = 33  # bytes: signature and IHDR
_WORDS = b"tEXtSoftware\0Inkwell"
PNG_MARK = (len(_WORDS) - 4).to_bytes(4) + _WORDS + zlib.crc32(_WORDS).to_bytes(4)
GIF_END = b";"
GIF_MARK = b"!\xfe\x07Inkwell\0"  # a comment


def signed(content: bytes) -> bytes:
    """The PNG or GIF file with the mark: a text chunk, or a comment at the end."""
    if content.startswith(PNG):
        return content[:PNG_HEAD] + PNG_MARK + content[PNG_HEAD:]
    return content.removesuffix(GIF_END) + GIF_MARK + GIF_END


def is_signed(path: Path) -> bool:
    """Whether this is a file with the mark."""
    with suppress(OSError):
        if not path.is_file():  # to open a pipe would wait for somebody who writes
            return False
        with path.open("rb") as file:
            if file.read(PNG_HEAD + len(PNG_MARK)).endswith(PNG_MARK):
                return True
            file.seek(-len(GIF_MARK + GIF_END), 2)
            return file.read() == GIF_MARK + GIF_END
    return False
