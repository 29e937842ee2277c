"""The thread that owns the terminal's output (P5: the proxy never waits for the screen).

The screen hands it whole frames; while one is not out yet, `busy` is true and nothing is painted, so nothing is queued
and nothing on the screen is stale. A terminal that stops reading (ctrl s, a dead ssh) holds this thread and nothing
else. It knows bytes only: what they mean is the screen's business.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable

# What one write may carry: small enough that a slow terminal is noticed between two writes.
_PIECE = 16 * 1024


def open_terminal(fd: int, access: int) -> int:
    """Our own open file on the terminal behind `fd`, non-blocking; `access` is os.O_RDONLY or os.O_WRONLY.

    Being non-blocking belongs to the open file, which all duplicates share: without one of our own (uvloop sets it for
    what it polls) the shell's and the editor's reads would fail too.
    """
    try:
        return os.open(os.ttyname(fd), access | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        # The device may have no name in this mount namespace (containers): then a blocking duplicate has to do.
        return os.dup(fd)


class TerminalWriter:
    """Writes to the terminal from a thread of its own.

    `on_free` is called in that thread each time everything handed over is out. `lost` is true once the terminal is
    gone: from then on bytes are dropped.
    """

    def __init__(self, fd: int, on_free: Callable[[], None]) -> None:
        self._fd = fd
        self._on_free = on_free
        self._condition = threading.Condition()
        self._pending: list[bytes] = []
        self._closing = False
        self._dropping = False
        self._writing = False
        self.lost = False
        self.written = 0
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._work, name="midstream terminal writer", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether bytes handed over earlier are still on their way."""
        return self._writing or bool(self._pending)

    def submit(self, data: bytes) -> None:
        """Take bytes to be written after all that came before. Never blocks."""
        if not data or self.lost:
            return
        with self._condition:
            self._pending.append(data)
            self._condition.notify_all()

    def drain(self, timeout: float) -> bool:
        """Wait until all is out, at most `timeout` seconds; False: it is not. Only for stopping the screen."""
        deadline = time.monotonic() + timeout
        with self._condition:
            while self.busy and not self.lost:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._condition.wait(left)
        return True

    def drop(self) -> None:
        """Forget what has not been written yet: the terminal does not read, and its mode is about to change."""
        with self._condition:
            self._pending.clear()
            self._dropping = self._writing
        if self._dropping:
            os.write(self._wake_write, b"d")

    def close(self) -> None:
        """End the thread. What is not out by now is lost; call `drain` before."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        os.write(self._wake_write, b"x")
        self._thread.join(1.0)
        if self._thread.is_alive():
            return  # it sits in a blocking write; its descriptors go with the process
        for fd in (self._wake_read, self._wake_write, self._fd):
            with contextlib.suppress(OSError):
                os.close(fd)

    def _work(self) -> None:
        while True:
            with self._condition:
                while not self._pending and not self._closing:
                    self._condition.wait()
                if self._closing:
                    return
                data = b"".join(self._pending)
                self._pending.clear()
                self._writing = True
            try:
                self._write_all(data)
            except OSError:
                # EIO: the terminal hung up. SIGHUP tells the console; here there is nobody left to write to.
                self.lost = True
            with self._condition:
                self._writing = False
                free = not self._pending
                self._condition.notify_all()
            if free:
                self._on_free()

    def _write_all(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._closing:
            woken, _, _ = select.select([self._wake_read], [self._fd], [])
            if woken:
                os.read(self._wake_read, 16)
            if self._dropping or self._closing:
                self._dropping = False
                return
            try:
                written = os.write(self._fd, view[:_PIECE])
            except (BlockingIOError, InterruptedError):
                continue
            self.written += written
            view = view[written:]
