"""Requests to Telegram: which way they go."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from adapters.telegram_http import AiohttpRequest, proxy_of

VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_requests_go_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request.headers["Host"])
        return web.Response(body=b"{}")

    async def run() -> tuple[int, bytes]:
        runner = web.ServerRunner(web.Server(answer))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        monkeypatch.setenv("http_proxy", f"http://{host}:{port}")
        request = AiohttpRequest("http://telegram.invalid", 1)
        await request.initialize()
        try:
            return await request.do_request("http://telegram.invalid/bot1/getMe", "POST")
        finally:
            await request.shutdown()
            await runner.cleanup()

    assert asyncio.run(run()) == (200, b"{}")
    assert asked == ["telegram.invalid"]


def test_an_address_that_the_environment_excepts_has_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert proxy_of("https://api.telegram.org") is None
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "localhost,bots.example")
    assert proxy_of("https://api.telegram.org") == "http://proxy:3128"
    assert proxy_of("https://bots.example:8081") is None
    assert proxy_of("http://api.telegram.org") is None
