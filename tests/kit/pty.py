"""A program on a pseudo terminal, its screen read by pyte: say keys, wait for what the screen must show.

    with ProgramOnPty(["midstream", "-p", "0"], 120, 32) as program:
        program.wait_for("flows")
        program.send("?")

Every wait has a deadline and polls the pty, never the clock. The child starts at the final size.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyte
from wcwidth import wcwidth

DEADLINE = 20.0
_QUERY = re.compile(rb"\x1b\[\?(\d+)\$p")


class _Screen(pyte.Screen):
    """pyte's screen, which does not know `CSI ? … m` (a query that urwid sends)."""

    def select_graphic_rendition(self, *attributes: int, private: bool = False, **_: Any) -> None:
        if not private:
            super().select_graphic_rendition(*attributes)

    def report_device_status(self, mode: int, **_: Any) -> None:
        """Nobody waits for the answer here."""


class ProgramOnPty:
    """See the module. `modes` are the answers to mode queries (DECRQM): number to 1 (on), 2 (off), 0 (unknown).

    With `extended_keys` it answers like a terminal that has the kitty keyboard protocol.
    """

    def __init__(
        self,
        argv: Sequence[str],
        columns: int = 120,
        rows: int = 32,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        modes: Mapping[int, int] | None = None,
        extended_keys: bool = False,
    ) -> None:
        self.screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._modes = modes
        self._extended_keys = extended_keys
        self.output = bytearray()
        self._lines: list[str] = []
        self._size = (0, 0)
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.settings_before = termios.tcgetattr(slave)
        self.slave = slave  # kept open so that the settings can be read after the child has ended
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **(env or {})}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            list(argv),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def __enter__(self) -> ProgramOnPty:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    # --- the screen -------------------------------------------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        """The rows of the screen, without white space at their ends."""
        screen = self.screen
        if self._size != (screen.lines, screen.columns):
            self._size = screen.lines, screen.columns
            self._lines = [""] * screen.lines
            screen.dirty.update(range(screen.lines))
        for row in screen.dirty:  # which costs a tenth of reading them all, and every wait reads them again and again
            if row < screen.lines:
                self._lines[row] = self._row(row)
        screen.dirty.clear()
        return list(self._lines)

    def _row(self, row: int) -> str:
        cells = self.screen.buffer[row]
        texts: list[str] = []
        is_covered = False
        for column in range(self.screen.columns):
            text = "" if is_covered else cells[column].data
            is_covered = bool(text) and not text.isascii() and wcwidth(text[0]) == 2
            texts.append(text)
        return "".join(texts).rstrip()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def read(self, seconds: float = 0.05) -> bool:
        """Take what the program wrote, waiting at most so long for the first byte; False: it wrote nothing."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError as error:
            if error.errno == errno.EIO:
                return False
            raise
        self.output += data
        self._stream.feed(data)
        self._answer(data)
        return bool(data)

    def wait_for(
        self, wanted: str | Callable[[ProgramOnPty], object], deadline: float = DEADLINE, what: str = ""
    ) -> None:
        """Until a text stands on the screen, or the predicate holds. AssertionError shows the screen."""
        holds = wanted if callable(wanted) else lambda program: wanted in program.text
        end = time.monotonic() + deadline
        while not holds(self):
            if time.monotonic() > end or (self.process.poll() is not None and not self.read(0)):
                ended = f" (ended with {self.process.returncode})" if self.process.poll() is not None else ""
                name = what or (wanted if isinstance(wanted, str) else getattr(wanted, "__name__", "predicate"))
                raise AssertionError(f"never seen{ended}: {name!r}\n{self.text}")
            self.read()

    def wait_ended(self, deadline: float = DEADLINE) -> int:
        """The exit status; what it wrote until then is on the screen."""
        end = time.monotonic() + deadline
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"still running\n{self.text}")
            self.read()
        while self.read(0):
            pass
        return self.process.returncode

    def is_restored(self) -> bool:
        """Whether the terminal has the settings, buffer, cursor and modes it had at the start."""
        now = termios.tcgetattr(self.slave)
        return now == self.settings_before and self.leftover_modes() == set()

    def leftover_modes(self) -> set[int]:
        """Private modes that were turned on and not off again."""
        on: set[int] = set()
        for numbers, final in re.findall(rb"\x1b\[\?([\d;]+)([hl])", bytes(self.output)):
            for number in numbers.split(b";"):
                (on.add if final == b"h" else on.discard)(int(number))
        return on - {25, 7}  # the cursor and autowrap are on in every terminal

    # --- the person -------------------------------------------------------------------------------------------------

    def send(self, *keys: str) -> None:
        """Type. Texts are sent as they are; names in angle brackets are keys: <enter> <esc> <tab> <up> <ctrl a>."""
        for key in keys:
            os.write(self.master, _KEYS.get(key, _control(key) or key).encode())

    def paste(self, text: str) -> None:
        """As a terminal sends pasted text."""
        os.write(self.master, b"\x1b[200~" + text.encode() + b"\x1b[201~")

    def resize(self, columns: int, rows: int) -> None:
        """Another size; the kernel tells the program."""
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def _answer(self, data: bytes) -> None:
        if self._extended_keys and b"\x1b[?u" in data:
            os.write(self.master, b"\x1b[?0u\x1b[?62;22c")
        if self._modes is None:
            return
        for found in _QUERY.findall(data):
            number = int(found)
            os.write(self.master, b"\x1b[?%d;%d$y" % (number, self._modes.get(number, 0)))


_KEYS = {
    "<enter>": "\r",
    "<esc>": "\x1b",
    "<tab>": "\t",
    "<backspace>": "\x7f",
    "<up>": "\x1b[A",
    "<down>": "\x1b[B",
    "<right>": "\x1b[C",
    "<left>": "\x1b[D",
    "<page_down>": "\x1b[6~",
    "<page_up>": "\x1b[5~",
}


def _control(key: str) -> str:
    if key.startswith("<ctrl ") and len(key) == 8:
        return chr(ord(key[6]) & 0x1F)
    return ""
