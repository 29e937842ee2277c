"""Signals that tell the program to end, heard also while a script holds the loop and nothing on it can run.

Used by app.py. A handler that never returns cannot be stopped; but it must not be in the way of `kill` and ctrl c.
The console has its own guard for the time of its screen, which also has a terminal to put right.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator

from midstream.text.escape import visible

PATIENCE = 5.0  # seconds that the loop has to notice a signal

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def told_to_end(on_signal: Callable[[], None]) -> Iterator[None]:
    """Call `on_signal` on the running loop for SIGINT and SIGTERM; end the process when the loop does not answer."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread has signals
        return
    loop = asyncio.get_running_loop()

    def heard(number: int, frame: types.FrameType | None) -> None:
        # Python runs this between two steps of whatever has the thread; a handler of the loop would wait for the loop.
        reaper = threading.Timer(PATIENCE, _end_process, (number,))
        reaper.daemon = True

        def on_loop() -> None:
            reaper.cancel()
            on_signal()

        with contextlib.suppress(RuntimeError):  # the loop is closed: the end has come already
            loop.call_soon_threadsafe(on_loop)
            reaper.start()

    before = {number: signal.signal(number, heard) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _end_process(number: int) -> None:
    with contextlib.suppress(Exception):  # whatever stderr is by now
        frame = sys._current_frames()[threading.main_thread().ident or 0]
        place = f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"
        os.write(2, visible(f"ended while the loop was held up by {place}").encode() + b"\n")
    os._exit(128 + number)
