"""A script for midstream: notes how long the loop was held, for loop_stops.py. BEAT_FILE names where.

Each line is the moment (the monotonic clock), the milliseconds that a beat came late, and the CPU time of the loop's
thread since the beat before. The latter tells a loop that works from one whose CPU somebody else had.
"""

import asyncio
import os
import time

BEAT = 0.002
NOTED_FROM = 0.010


class Beat:
    def running(self) -> None:
        self._file = open(os.environ["BEAT_FILE"], "w", buffering=1)  # noqa: SIM115 # open until the end
        self._loop = asyncio.get_running_loop()
        self._next()

    def _next(self) -> None:
        self._due = self._loop.time() + BEAT
        self._cpu = time.thread_time()
        self._loop.call_at(self._due, self._beat)

    def _beat(self) -> None:
        late, cpu = self._loop.time() - self._due, time.thread_time() - self._cpu
        if late >= NOTED_FROM:
            self._file.write(f"{time.monotonic():.6f} {late * 1000:.1f} {cpu * 1000:.1f}\n")
        self._next()


addons = [Beat()]
