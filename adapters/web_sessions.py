"""Who is asking: signed session cookies, the password at the door, and who may ask at all."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
import time
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

COOKIE_DAYS = 400  # browsers keep no cookie longer
SIGNED = re.compile(r"([a-z2-7]{16})\.([0-9a-f]{16})\.([0-9a-f]{64})")
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Sessions:
    """Cookies of the form person.gate.signature.

    `gate` is made from the password: after a change of password everybody has to log in again, and
    is who they were before.
    """

    def __init__(self, secret: bytes, password: str | None) -> None:
        self._secret, self._password = secret, password
        self._gate = self._mac(f"gate:{password or ''}")[:16]
        self.has_password = password is not None

    def _mac(self, text: str) -> str:
        return hmac.digest(self._secret, text.encode(), "sha256").hex()

    def issue(self, person: str | None = None) -> tuple[str, str]:
        """A person (None: a new one) and the cookie that says so."""
        person = person or "".join(secrets.choice(LETTERS) for _ in range(16))
        signed = f"{person}.{self._gate}"
        return person, f"{signed}.{self._mac(signed)}"

    def signed(self, cookie: str | None) -> str | None:
        """Whose cookie this is, even where it was given under another password."""
        found = SIGNED.fullmatch(cookie or "")
        if not found or not hmac.compare_digest(self._mac(f"{found[1]}.{found[2]}"), found[3]):
            return None
        return found[1]

    def person(self, cookie: str | None) -> str | None:
        """Who may come in with this cookie."""
        person = self.signed(cookie)
        return person if person and cookie and cookie.split(".")[1] == self._gate else None

    def is_password(self, typed: str) -> bool:
        return self._password is not None and hmac.compare_digest(
            hashlib.sha256(typed.encode()).digest(),
            hashlib.sha256(self._password.encode()).digest(),
        )


class Throttle:
    """Slows guessing down: wrong passwords of one address, and of all together, in ten minutes."""

    WINDOW_SECONDS = 600
    MOST_FROM_ONE, MOST_FROM_ALL = 10, 100

    def __init__(self) -> None:
        self._wrong: deque[tuple[float, str]] = deque()

    def wait_seconds(self, address: str) -> int:
        """How long this address must wait before it may try again; 0: not at all."""
        now = time.monotonic()
        while self._wrong and self._wrong[0][0] < now - self.WINDOW_SECONDS:
            self._wrong.popleft()
        own = [when for when, who in self._wrong if who == address]
        if len(own) >= self.MOST_FROM_ONE:
            return round(own[0] + self.WINDOW_SECONDS - now) + 1
        if len(self._wrong) >= self.MOST_FROM_ALL:
            return round(self._wrong[0][0] + self.WINDOW_SECONDS - now) + 1
        return 0

    def wrong(self, address: str) -> None:
        self._wrong.append((time.monotonic(), address))


@lru_cache(maxsize=64)  # every request asks, and for the same few
def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def why_not(
    method: str, path: str, headers: Mapping[str, str], *, has_password: bool
) -> str | None:
    """Why a request is refused before anything is looked at; None: it is not.

    Without a password the address is all that protects us, so the name in it must be one that no
    stranger's domain can have been pointed at (DNS rebinding). And what changes something, or
    reads what people said, must come from our own page: cookies alone do not tell, because
    browsers share them between all ports of one host.
    """
    host = headers.get("host", "")
    if not has_password and not is_loopback(_name(host)):
        return "This chat answers only on this computer's own address, such as 127.0.0.1."
    origin = headers.get("origin")
    # A socket's handshake is a GET, but browsers send its origin and let any page open it.
    changes = method not in SAFE_METHODS
    if (changes or origin is not None) and not _same(origin, host):
        return "This request came from another page."
    site = headers.get("sec-fetch-site", "same-origin")
    if path.startswith(("/api/", "/files/")) and site not in ("same-origin", "none"):
        return "This request came from another page."
    return None


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same(origin: str | None, host: str) -> bool:
    try:
        return origin is not None and urlsplit(origin).netloc == host != ""
    except ValueError:
        return False
