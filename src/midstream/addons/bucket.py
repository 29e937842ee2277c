"""A bucket of bytes that fills as fast as a line is: whoever sends takes out of it, and waits while it is empty.

Used by the addon `throttle`, one for each direction of a rule: all bodies of the rule share it, each has its turn. It
does not know what is sent. The clock is handed in.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

# What may leave at once, in seconds of the line: small enough to look steady, large enough to cost nothing.
_BURST = 0.05


class Clock(Protocol):
    """Time, as far as throttling needs it."""

    def now(self) -> float:
        """Seconds, from any beginning."""

    async def wait(self, seconds: float, unless: asyncio.Event) -> None:
        """Wait so long, or until that happens."""


class LoopClock:
    """The real one."""

    def now(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    async def wait(self, seconds: float, unless: asyncio.Event) -> None:
        """See `Clock`."""
        try:
            async with asyncio.timeout(seconds):
                await unless.wait()
        except TimeoutError:
            pass


class Bucket:
    """See the module. `rate` is bytes per second; None lets everything pass at once."""

    def __init__(self, clock: Clock, rate: float | None) -> None:
        self._clock = clock
        self._rate = rate
        self._held = 0.0
        self._filled = clock.now()
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    @property
    def rate(self) -> float | None:
        """How fast it fills."""
        return self._rate

    @rate.setter
    def rate(self, rate: float | None) -> None:
        """Change it, also for those who wait."""
        if rate != self._rate:
            self._fill()
            self._rate = rate
            self._changed.set()

    async def take(self, size: int) -> int:
        """How many of so many bytes may leave, at least one, as soon as any may. This is a `PaceFunction`."""
        if self._rate is None:
            return size
        async with self._turn:
            while (rate := self._rate) is not None:
                self._fill()
                wanted = max(1.0, min(size, rate * _BURST))
                # What is missing by a rounding error would be waited for in steps of nothing.
                if self._held >= wanted - 1e-6:
                    taken = max(1, min(size, int(self._held + 1e-6)))
                    self._held -= taken
                    return taken
                self._changed.clear()
                await self._clock.wait((wanted - self._held) / rate, self._changed)
            return size

    async def take_all(self, size: int) -> None:
        """The same for what leaves as a whole."""
        while size > 0:
            size -= await self.take(size)

    def _fill(self) -> None:
        now = self._clock.now()
        if self._rate is not None:
            self._held = min(self._held + (now - self._filled) * self._rate, max(1.0, self._rate * _BURST))
        self._filled = now
