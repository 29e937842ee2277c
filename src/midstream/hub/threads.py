"""Threads for handlers that block: as many as are needed at once, up to a bound, kept for the next ones.

One `Threads` belongs to one master; `@concurrent` handlers run in it (concurrent.py). An executor of the standard
library would wait for its threads when the program ends: a handler that never returns must not keep it from ending.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

MOST = 200
"""Threads at once. Each waiting handler has one, so few would be a bottleneck; but each takes memory, and the number of
requests is up to the clients. What comes beyond waits for its turn."""

_PATIENCE = 10.0  # seconds after which a thread with nothing to do ends


class Threads:
    """A pool that grows, shrinks, and is left behind at the end of the program, busy threads and all."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._waiting: deque[Callable[[], None]] = deque()
        self._count = 0
        self._idle = 0
        self._is_closed = False

    @property
    def count(self) -> int:
        """How many threads there are, idle ones too."""
        return self._count

    def start(self, work: Callable[[], None]) -> None:
        """Run `work`, which must not raise, in a thread: now, or as soon as one is free. RuntimeError when the system
        gives not a single one.
        """
        with self._lock:
            self._waiting.append(work)
            if self._idle >= len(self._waiting):
                self._news.notify()
                return
            if self._count >= self._most:
                return
            self._count += 1
        try:
            # Daemonic: the interpreter does not wait for these at its exit.
            threading.Thread(target=self._serve, name="concurrent handlers", daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._count -= 1
                if not self._count:  # else another one takes it when it is free
                    self._waiting.remove(work)
                    raise

    def close(self) -> None:
        """Let idle threads end now, and busy ones when they are done. What is still to come is done all the same."""
        with self._lock:
            self._is_closed = True
            self._news.notify_all()

    def _serve(self) -> None:
        while (work := self._next()) is not None:
            work()
            del work  # it holds a flow, which may be large

    def _next(self) -> Callable[[], None] | None:
        """What to do next; None when there was nothing for a while."""
        with self._lock:
            end = time.monotonic() + _PATIENCE
            self._idle += 1
            while not self._waiting and not self._is_closed and (left := end - time.monotonic()) > 0:
                self._news.wait(left)
            self._idle -= 1
            if self._waiting:
                return self._waiting.popleft()
            self._count -= 1
            return None
