"""How long work takes, measured so that nothing else is taken for it: the garbage of thousands of other tests is not
collected meanwhile, and what other processes take of the machine is not counted.

    with within(0.25):
        parse(hostile)
    async with never_held(0.05):
        await view.refilter(...)

What was slow raises `Slow`. tests/conftest.py runs a test that did so anew, and only one that is slow each time fails.
A number of rows, slices or bytes is better to test than a time; a time is for what no number tells.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

noticed: list[str] = []
"""What was slow since conftest.py cleared this; it may be inside an exception group, where nobody finds it."""


class Slow(AssertionError):
    """Something took longer than it may."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        noticed.append(text)


@contextmanager
def no_collection() -> Iterator[None]:
    """The interpreter looks for no garbage in the block: a large heap would cost half a second of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def within(seconds: float, what: str = "this", *, clock: Callable[[], float] = time.thread_time) -> Iterator[None]:
    """The block takes no longer: of this thread's own work, or by another clock (`time.monotonic` for a person's wait,
    which needs a wide margin).
    """
    with no_collection():
        began = clock()
        yield
        took = clock() - began
    judge(took, seconds, what)


def judge(took: float, seconds: float, what: str = "this") -> None:
    """Raise `Slow` if `took` is too long."""
    if took > seconds:
        raise Slow(f"{what} took {1000 * took:.0f} ms, not {1000 * seconds:.0f}")


def longest_step(steps: Iterable[object]) -> float:
    """Seconds of this thread's work for the longest step of a generator."""
    longest = 0.0
    iterator = iter(steps)
    with no_collection():
        while True:
            began = time.thread_time()
            is_over = next(iterator, _OVER) is _OVER
            longest = max(longest, time.thread_time() - began)
            if is_over:
                return longest


_OVER = object()


@asynccontextmanager
async def never_held(
    seconds: float, what: str = "one turn of the loop", *, clock: Callable[[], float] = time.thread_time
) -> AsyncIterator[None]:
    """In the block the loop comes back to another task within so many seconds of its thread's work."""
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        last = clock()
        while True:
            try:
                await asyncio.sleep(0)
            finally:
                now = clock()
                longest, last = max(longest, now - last), now

    with no_collection():
        beating = asyncio.create_task(beat())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.wait([beating])
    judge(longest, seconds, what)
