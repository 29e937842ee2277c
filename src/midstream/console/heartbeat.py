"""Measures how late the loop is: a beat every 100 ms, and the 95th percentile of its lateness over five seconds.

The console shows the lag from 20 ms and slows its own frames down from 50 ms. It does not look for who is to blame:
the event hub names handlers that hold the loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

BEAT = 0.1
WINDOW = 50  # beats: five seconds
SHOWN_FROM = 0.020
SLOW_FROM = 0.050


class Heartbeat:
    """Calls `on_change` when the lag crosses `SLOW_FROM` in either direction."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_change: Callable[[bool], None]) -> None:
        self._loop = loop
        self._on_change = on_change
        self._lags: deque[float] = deque(maxlen=WINDOW)
        self._timer: asyncio.TimerHandle | None = None
        self._expected = 0.0
        self.is_slow = False

    def start(self) -> None:
        """Beat until `stop`."""
        self._expected = self._loop.time() + BEAT
        self._timer = self._loop.call_at(self._expected, self._beat)

    def stop(self) -> None:
        """No beat from now on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def lag(self) -> float:
        """Seconds the loop was late, 95th percentile of the last five seconds."""
        if not self._lags:
            return 0.0
        ordered = sorted(self._lags)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]

    def _beat(self) -> None:
        now = self._loop.time()
        self._lags.append(max(0.0, now - self._expected))
        slow = self.lag >= SLOW_FROM
        if slow is not self.is_slow:
            self.is_slow = slow
            self._on_change(slow)
        self._expected = now + BEAT
        self._timer = self._loop.call_at(self._expected, self._beat)
