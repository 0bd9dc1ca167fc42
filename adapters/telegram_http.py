"""Requests to Telegram with aiohttp: the library's own httpx takes several times as long for each.

httpx looks through all connections for every request, which a hundred people at once would feel.
So would they, if aiohttp looked for a proxy with every request: it asks a thread for that, twice.
"""

from __future__ import annotations

from io import BytesIO
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0  # where a request does not say
MEDIA_SECONDS = 30.0  # for a request with files
NOT_GIVEN = BaseRequest.DEFAULT_NONE
Seconds = float | None


class AiohttpRequest(BaseRequest):
    """One pool of at most `connections` to the server at `url`; `read_seconds` to wait for an
    answer."""

    def __init__(self, url: str, connections: int, read_seconds: float = READ_SECONDS) -> None:
        self._url, self._connections, self._read_seconds = url, connections, read_seconds
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        return self._read_seconds

    async def initialize(self) -> None:
        """Opens the pool, unless it is open."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections)
            self._session = aiohttp.ClientSession(connector=connector, proxy=proxy_of(self._url))

    async def shutdown(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = NOT_GIVEN,
        write_timeout: object = NOT_GIVEN,
        connect_timeout: object = NOT_GIVEN,
        pool_timeout: object = NOT_GIVEN,
    ) -> tuple[int, bytes]:
        """Status and content of the answer. Raises TimedOut and NetworkError, of which the cause
        says whether the request left us."""
        if self._session is None:
            raise RuntimeError("the pool of connections is not open")
        connect = seconds(connect_timeout, CONNECT_SECONDS)
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=connect, sock_read=seconds(read_timeout, self._read_seconds)
        )
        try:
            async with self._session.request(
                method, url, data=form_of(request_data), timeout=timeout,
                headers={"User-Agent": self.USER_AGENT},
            ) as answer:  # fmt: skip
                return answer.status, await answer.read()
        except TimeoutError as error:
            raise TimedOut from error
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(f"{type(error).__name__}: {error}") from error


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for an address, if any."""
    parts = urlsplit(url)
    if parts.hostname is not None and proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


def seconds(given: object, otherwise: float) -> float | None:
    """A timeout of a request, or what holds where it has none of its own."""
    return given if given is None or isinstance(given, int | float) else otherwise


def form_of(data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    """The fields of a request, and its files if there are any."""
    if data is None:
        return None
    if not data.contains_files:
        return data.json_parameters
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (file, content, kind) in data.multipart_data.items():
        body = BytesIO(content) if isinstance(content, bytes) else content  # large bytes: a warning
        form.add_field(name, body, filename=file, content_type=kind)
    return form
