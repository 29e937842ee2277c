"""When to paint: at once after input, at most 20 times a second for data, never while the last frame is on its way.

Whoever changes something that is visible calls `request`; the console's `paint` does the work. Painting for data never
uses more than a tenth of the loop: after a frame that cost c seconds, the next one for data waits 10 times c.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

DATA_INTERVAL = 0.05
SLOW_DATA_INTERVAL = 0.2  # while the loop lags
PLAIN_DATA_INTERVAL = 1.0  # a screen reader reads what changes
INPUT_MERGE = 0.008
COST_FACTOR = 10


class FrameClock:
    """Asks `paint` for a frame when one is due. One timer, no queue.

    `is_free` says whether the terminal has taken the last frame; if not, the request is kept until `terminal_free`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, paint: Callable[[], None], is_free: Callable[[], bool]) -> None:
        self._loop = loop
        self._paint = paint
        self._is_free = is_free
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._next_data = 0.0
        self._last_frame = 0.0
        self._waits_for_terminal = False
        self._waits_now = False
        self._stopped = False
        self.interval = DATA_INTERVAL
        self.frames = 0

    def request(self, now: bool = False) -> None:
        """Ask for a frame; `now` after input."""
        if self._stopped:
            return
        if self._waits_for_terminal:
            self._waits_now = self._waits_now or now
            return
        time_now = self._loop.time()
        due = max(time_now, self._last_frame + INPUT_MERGE) if now else max(time_now, self._next_data)
        if self._timer is not None:
            if due >= self._due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_at(due, self._frame)

    def terminal_free(self) -> None:
        """The writer has sent the last frame: paint what was asked for meanwhile. Call it in the loop's thread."""
        if self._waits_for_terminal:
            self._waits_for_terminal = False
            now, self._waits_now = self._waits_now, False
            self.request(now)

    @property
    def waits_for_terminal(self) -> bool:
        """Whether a frame is wanted that the terminal is not ready for."""
        return self._waits_for_terminal

    def stop(self) -> None:
        """No frame from now on (the terminal belongs to somebody else, or the end)."""
        self._stopped = True
        self._waits_for_terminal = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def start(self) -> None:
        """Paint again after `stop`."""
        self._stopped = False

    def _frame(self) -> None:
        self._timer = None
        if not self._is_free():
            # Nothing is queued, so nothing on the screen is ever stale.
            self._waits_for_terminal = True
            # The writer's thread may have finished between the two lines, and seen that nobody waits.
            if not self._is_free():
                return
            self._waits_for_terminal = False
        start = self._loop.time()
        cost_start = time.perf_counter()
        self._last_frame = start
        try:
            self._paint()
        finally:
            cost = time.perf_counter() - cost_start
            self.frames += 1
            self._next_data = start + max(self.interval, COST_FACTOR * cost)
