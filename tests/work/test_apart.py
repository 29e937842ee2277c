"""Functions beside the loop."""

import threading
from contextvars import ContextVar

import pytest

from midstream.work.apart import run_apart

VARIABLE: ContextVar[str] = ContextVar("variable")


async def test_it_returns_raises_and_sees_the_context() -> None:
    VARIABLE.set("here")
    assert await run_apart(lambda: VARIABLE.get() + threading.current_thread().name, 5, "mine") == "heremine"

    def fails() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await run_apart(fails, 5, "mine")


async def test_nobody_waits_longer_than_told() -> None:
    release = threading.Event()
    with pytest.raises(TimeoutError):
        await run_apart(release.wait, 0.01, "slow")
    (thread,) = [one for one in threading.enumerate() if one.name == "slow"]
    assert thread.daemon
    release.set()
    thread.join()
