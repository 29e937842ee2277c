"""A clock that goes on only when a test lets it: for what waits by an injected clock, such as throttling."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class SlowClock:
    """Fulfils `addons.bucket.Clock`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, asyncio.Event]] = []

    def now(self) -> float:
        """Seconds since the test began."""
        return self._now

    async def wait(self, seconds: float, unless: asyncio.Event) -> None:
        """Until the test has let so many seconds pass, or the event is set."""
        over = asyncio.Event()
        heapq.heappush(self._waiting, (self._now + seconds, next(self._numbers), over))
        done, left = await asyncio.wait(
            [asyncio.ensure_future(event.wait()) for event in (over, unless)], return_when=asyncio.FIRST_COMPLETED
        )
        for each in left:
            each.cancel()
        del done

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def pass_to_next(self) -> float:
        """Let time pass until the first of those who wait goes on; the time then."""
        self._now, _, over = heapq.heappop(self._waiting)
        over.set()
        return self._now
