from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest


@pytest.fixture
def timed() -> Callable[[float], AbstractContextManager[None]]:
    """Fails a block that takes longer, with a wide margin for other work on the machine."""

    @contextmanager
    def block(seconds: float) -> Iterator[None]:
        start = time.process_time()
        yield
        assert time.process_time() - start < seconds

    return block
