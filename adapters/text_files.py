"""Files that are read as if they had been typed: many a script is too long for a message."""

from __future__ import annotations

import codecs

ENDINGS = (".txt", ".story")
MOST_TEXT_BYTES = 300_000


def is_text(name: str, kind: str | None = None) -> bool:
    """Whether a file is read, by its name or its media type."""
    return (kind or "").startswith("text/plain") or name.lower().endswith(ENDINGS)


def text_of(content: bytes) -> str | None:
    """The words of a text file, UTF-8 or UTF-16; None for what is something else."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def readable(content: bytes) -> str:
    """The words of a text file, with � for what cannot be read."""
    text = text_of(content)
    return content.decode("utf-8", "replace").replace("\0", "�") if text is None else text
