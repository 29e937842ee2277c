"""Long work on the event loop, cut into slices so that traffic and keys go on meanwhile.

`async for chunk in cooperate(items): ...` hands out chunks of the items; whenever the work on them has used the budget,
the loop gets a turn before the next chunk. Where items differ much in cost (a body may be empty or have megabytes), a
`Budget` is asked after every single item instead. A `Generation` lets a newer request end an older one: give its token
to `cooperate`, and the iteration stops by itself once a newer token was taken. `let_go` is for large results that are
not needed any more. Not for work that releases the GIL (that goes to threads) and not for work that cannot be cut (that
goes to the worker process).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")

_FIRST_CHUNK = 16
_LARGEST_CHUNK = 4096


class Generation:
    """Numbers the requests of one kind; only the newest is current."""

    __slots__ = ("_number",)

    def __init__(self) -> None:
        self._number = 0

    def begin(self) -> Token:
        """Start a request: all earlier tokens stop being current."""
        self._number += 1
        return Token(self, self._number)

    def cancel(self) -> None:
        """End the running request without starting another."""
        self._number += 1

    def is_current(self, number: int) -> bool:
        return number == self._number


class Token:
    """One request of a `Generation`."""

    __slots__ = ("_generation", "_number")

    def __init__(self, generation: Generation, number: int) -> None:
        self._generation = generation
        self._number = number

    @property
    def current(self) -> bool:
        """False as soon as a newer request began."""
        return self._generation.is_current(self._number)


class Budget:
    """A slice of time on the loop: `if budget.spent(): await budget.rest()` after each item of a long loop."""

    __slots__ = ("_end", "_seconds")

    def __init__(self, seconds: float = 0.004) -> None:
        self._seconds = seconds
        self._end = time.perf_counter() + seconds

    def spent(self) -> bool:
        """True once the slice is used up; costs less than 0.1 µs."""
        return time.perf_counter() > self._end

    async def rest(self) -> None:
        """Give the loop a turn and begin the next slice."""
        await asyncio.sleep(0)
        self._end = time.perf_counter() + self._seconds


class _Slices(Generic[T]):
    # A class and not an async generator: one that is abandoned by `break` leaves nothing to finalize on the loop.
    __slots__ = ("_budget", "_chunk_started", "_items", "_size", "_slice_started", "_token")

    def __init__(self, items: Iterable[T], budget: float, token: Token | None) -> None:
        self._items: Iterator[T] = iter(items)
        self._budget = budget
        self._token = token
        self._size = _FIRST_CHUNK
        self._slice_started = self._chunk_started = 0.0

    def __aiter__(self) -> _Slices[T]:
        return self

    async def __anext__(self) -> list[T]:
        now = time.perf_counter()
        if self._chunk_started:
            self._adapt(now - self._chunk_started)
            if now - self._slice_started + (now - self._chunk_started) > self._budget:
                await asyncio.sleep(0)
                now = self._slice_started = time.perf_counter()
        else:
            self._slice_started = now
        if self._token is not None and not self._token.current:
            raise StopAsyncIteration
        self._chunk_started = now
        chunk = list(islice(self._items, self._size))
        if not chunk:
            raise StopAsyncIteration
        return chunk

    def _adapt(self, took: float) -> None:
        # Four chunks to a slice: small enough not to overrun it much, large enough that the clock costs nothing.
        target = self._budget / 4
        if took < target / 2:
            self._size = min(self._size * 2, _LARGEST_CHUNK)
        elif took > target:
            self._size = max(int(self._size * target / took), 1)


def cooperate(items: Iterable[T], budget: float = 0.004, token: Token | None = None) -> AsyncIterator[list[T]]:
    """Hand out `items` in non-empty chunks; the loop gets a turn whenever `budget` seconds of work are used up.

    The time that the consumer spends on a chunk counts, and the size of the chunks follows it. With a `token` the
    iteration ends early, between two chunks, once the token is no longer current.
    """
    return _Slices(items, budget, token)


async def let_go(objects: list[T]) -> None:
    """Drop the references to many objects a slice at a time: what nobody else holds is freed, which takes a while."""
    budget = Budget()
    while objects:
        del objects[-32:]
        if budget.spent():
            await budget.rest()
