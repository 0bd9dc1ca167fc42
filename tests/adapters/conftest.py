"""For the tests of the chats: one browser for all that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.chromium import Chromium, need_chromium, shared_chromium


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    need_chromium()
    with shared_chromium() as browser:
        yield browser
