"""What every request passes first: may it ask at all, and which headers does its answer carry."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web_sessions import why_not

# Nothing but our own files: no inline script or style, no frame around us, no form to elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
    " media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"x-frame-options", b"DENY"),
]


class Guard:
    def __init__(self, app: ASGIApp, *, has_password: bool) -> None:
        self._app, self._has_password = app, has_password

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": complete(message["headers"])}
            await send(message)

        why = why_not(
            scope.get("method", "GET"), scope["path"], texts(scope), has_password=self._has_password
        )
        if why is None:
            await self._app(scope, receive, with_headers)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": why})
        else:
            await PlainTextResponse(why, 403)(scope, receive, with_headers)


def texts(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def complete(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The security headers, and no caching, where the answer does not say it otherwise."""
    there = {name for name, _ in headers}
    default = [
        (b"content-security-policy", POLICY.encode()),
        (b"cache-control", b"no-store"),
    ]
    return [*headers, *HEADERS, *(pair for pair in default if pair[0] not in there)]
