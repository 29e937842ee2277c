import time
from collections.abc import Iterator

import pytest

from tests.kit.fake_console import FakeConsole


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()
