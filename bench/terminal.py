"""A program in a pty, with the time at which each piece of its output came; for console.py and under_load.py.

Needs ptyprocess and pyte.
"""

from __future__ import annotations

import os
import re
import select
import threading
import time

import ptyprocess
import pyte
from lab import cpu_seconds, pinned

ESCAPES = re.compile(rb"\x1b(\[[0-9;?>=]*[a-zA-Z]|[()][0-9A-B]|[=>78M])")
NOTHING = b"\r\n\x00\x0e\x0f"  # a redraw that only hides and places the cursor changes nothing on the screen


class Screen(pyte.Screen):
    """pyte's screen, which does not know `CSI ? … m` (a query that urwid sends)."""

    def select_graphic_rendition(self, *attributes: int, private: bool = False, **_) -> None:
        if not private:
            super().select_graphic_rendition(*attributes)


class Terminal:
    """A program in a pty; a thread drains its output all the time and notes when each piece came."""

    def __init__(self, argv: list[str], cpu: int, env: dict, rows: int = 40, cols: int = 120):
        self.rows, self.cols = rows, cols
        env = {**env, "TERM": "xterm-256color", "COLORTERM": "", "LANG": "C.UTF-8"}
        self.pty = ptyprocess.PtyProcess.spawn(argv, env=env, dimensions=(rows, cols), preexec_fn=pinned(cpu))
        self.pid = self.pty.pid
        self.screen = Screen(cols, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.pieces: list[tuple[float, bytes]] = []  # all output
        self.changes: list[tuple[float, int]] = []  # time and size of output that has text in it
        self.written = 0
        self.reads = threading.Event()  # cleared: like a terminal that hangs
        self.reads.set()
        self.reader = threading.Thread(target=self._drain, daemon=True)
        self.reader.start()

    def _drain(self):
        while True:
            try:
                self.reads.wait()
                select.select([self.pty.fd], [], [])
                data = os.read(self.pty.fd, 65536)
            except (OSError, ValueError):
                return
            if not data:
                return
            self.written += len(data)
            self.pieces.append((time.perf_counter(), data))
            if ESCAPES.sub(b"", data).strip(NOTHING):
                self.changes.append((self.pieces[-1][0], len(data)))

    def hang(self, after: float, seconds: float) -> None:
        """Read nothing for a while, from some time on; does not wait for it."""
        threading.Timer(after, self.reads.clear).start()
        threading.Timer(after + seconds, self.reads.set).start()

    def text(self) -> str:
        """The screen now, drawn afresh (a change of size makes every program redraw)."""
        self.pieces.clear()
        self.screen.reset()
        self.pty.setwinsize(self.rows, self.cols - 1)
        time.sleep(0.2)
        self.pty.setwinsize(self.rows, self.cols)
        self.settle(0.5)
        self.stream.feed(b"".join(d for _, d in self.pieces))
        return "\n".join(self.screen.display)

    def settle(self, quiet: float = 0.15, timeout: float = 60) -> None:
        """Wait until there was no output for `quiet` seconds and the program is idle."""
        end = time.perf_counter() + timeout
        while time.perf_counter() < end:
            busy = cpu_seconds(self.pid)
            time.sleep(quiet)
            last = self.changes[-1][0] if self.changes else 0.0
            if time.perf_counter() - last >= quiet and cpu_seconds(self.pid) - busy <= 0.25 * quiet:
                return

    def press(self, keys: str, quiet: float = 0.15) -> dict | None:
        """Write keys; ms to the first and to the last change of the screen they cause, and the CPU used."""
        self.pieces.clear()
        self.changes.clear()
        cpu, start = cpu_seconds(self.pid), time.perf_counter()
        os.write(self.pty.fd, keys.encode())
        self.settle(quiet)
        if not self.changes:
            return None
        first, last = self.changes[0][0] - start, self.changes[-1][0] - start
        return {
            "first_ms": 1000 * first,
            "last_ms": 1000 * last,
            "cpu_ms": 1000 * (cpu_seconds(self.pid) - cpu),
            "bytes": sum(n for _, n in self.changes),
        }

    def echo_ms(self, token: str, timeout: float = 20) -> float | None:
        """Type token into an open prompt; ms from its last key to the row that shows it (also while output streams)."""
        for key in token[:-1]:
            os.write(self.pty.fd, key.encode())
            time.sleep(0.1)
        time.sleep(0.5)
        self.pieces.clear()
        start = time.perf_counter()
        os.write(self.pty.fd, token[-1].encode())
        while time.perf_counter() - start < timeout:
            time.sleep(0.001)
            if token.encode() in ESCAPES.sub(b"", b"".join(d for _, d in list(self.pieces))):
                return 1000 * (next(t for t, _ in reversed(self.pieces)) - start)
        return None

    def close(self):
        self.pty.terminate(force=True)
