"""With whom a story or a saved character is shared: its audiences.

An audience is "everyone" or "server:KEY". What is shared with nobody only its owner sees.
"""

from __future__ import annotations

from collections.abc import Iterable

EVERYONE = "everyone"
SERVER = "server:"
LOCAL = "web:"  # begins the server of the local chat: all who use it, no server in their eyes


def audience_of(server: str) -> str:
    """The audience that is everybody on a server."""
    return SERVER + server


def is_local(server: str | None) -> bool:
    """Whether a server's key stands for the people of the local chat."""
    return server is not None and server.startswith(LOCAL)


def is_local_audience(audience: str) -> bool:
    return is_local(audience.removeprefix(SERVER))


def audiences(server: str | None) -> tuple[str, str]:
    """The two audiences to which somebody on a server belongs; None: on none, so only to one."""
    return (EVERYONE, EVERYONE if server is None else audience_of(server))


def checked_audiences(shared_with: Iterable[str]) -> tuple[str, ...]:
    """Sorted, each once. Raises ValueError for what is none."""
    once = sorted(set(shared_with))
    for audience in once:
        if audience != EVERYONE and not audience.startswith(SERVER):
            raise ValueError(f'an audience is "everyone" or "server:KEY", not {audience!r}')
    return tuple(once)
