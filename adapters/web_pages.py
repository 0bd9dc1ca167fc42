"""The files of the page itself, and the files that the bot shows."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
# Shown in the page; everything else is only ever saved, never opened.
PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


@dataclass(frozen=True)
class Static:
    content: bytes
    type: str
    tag: str


def load_static() -> Mapping[str, Static]:
    """The files of web/ by their address; small enough to stay in memory."""
    found = {}
    for path in FOLDER.rglob("*"):
        if path.suffix in TYPES:
            content = path.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            address = "/" + path.relative_to(FOLDER).as_posix()
            found[address] = Static(content, TYPES[path.suffix], tag)
    return {**found, "/": found["/index.html"]}


def static_response(file: Static, request: Request) -> Response:
    """no-cache: the browser asks each time, and hears "not modified" until it is new."""
    headers = {"etag": file.tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.type, headers=headers)


def file_response(name: str, content: bytes, sha: str, request: Request) -> Response:
    """A file for the one person who was shown it.

    Its address never changes what it means, but the browser asks each time: a copy that it keeps
    must not be shown once the file was deleted.
    """
    headers = {"etag": f'"{sha}"', "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    shown = picture_type(content)
    kind = shown or mimetypes.guess_type(name)[0] or "application/octet-stream"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    disposition = "inline" if shown else "attachment"
    return Response(
        content,
        headers={
            "content-type": kind,
            "content-disposition": (
                f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
            ),
            "content-security-policy": "default-src 'none'; sandbox",
            **headers,
        },
    )


def picture_type(content: bytes) -> str | None:
    """By the first bytes, not by the name: a picture that is none is not shown."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in PICTURES.items() if content.startswith(start)), None)
