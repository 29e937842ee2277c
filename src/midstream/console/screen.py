"""The urwid screen of the console: output through the writer thread, pastes taken out of the input, no line discipline.

The console makes one on the terminal it was started from. What differs from urwid's raw screen: no write ever blocks
the loop; bracketed paste is forced on and pasted bytes never become keys; ctrl c, ctrl z, ctrl s and ctrl q arrive as
keys; stopping gives up after a second when the terminal does not read. Signals are the terminal guard's business.
"""

from __future__ import annotations

import contextlib
import os
import sys
import termios
from collections import deque
from collections.abc import Callable
from typing import Any

import urwid.display.raw
from urwid import signals
from urwid.display import escape
from urwid.display.common import INPUT_DESCRIPTORS_CHANGED

from midstream.console.writer import TerminalWriter, open_terminal
from midstream.flows.errors import MidstreamError

PASTE_BEGIN = b"\x1b[200~"
PASTE_END = b"\x1b[201~"
# A pasted text travels through urwid's key decoder as one character that no keyboard sends (a plane 16 noncharacter).
PASTE_KEY = "\U0010fffe"
PASTE_LIMIT = 8 * 1024 * 1024

DRAIN_SECONDS = 1.0

# What puts a terminal right whatever state it is in: end of synchronized output, mouse and paste and focus reports off,
# colours off, normal buffer, cursor shown. Also written by the guard when the loop does not answer.
EMERGENCY = (
    b"\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[>4m"
    b"\x1b[0m\x0f\x1b[?1049l\x1b[?25h"
)


class NoTerminal(MidstreamError):
    """The console was started without a terminal."""


class _Output:
    """What urwid writes to: collects text, hands it to the writer when flushed."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._parts: list[str] = []
        self.writer: TerminalWriter | None = None

    def fileno(self) -> int:
        return self._fd

    def write(self, data: str) -> None:
        self._parts.append(data)

    def flush(self) -> None:
        data = "".join(self._parts).encode("utf-8", "replace")
        self._parts.clear()
        if self.writer is not None:
            self.writer.submit(data)


class _Input:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd


class ConsoleScreen(urwid.display.raw.Screen):
    """`on_free` is called in the writer thread when a frame is out; `on_lost` in the loop when the terminal is gone."""

    def __init__(self, on_free: Callable[[], None], on_lost: Callable[[], None], escape_wait: float = 0.025) -> None:
        self.tty_fd = _find_terminal()
        self._was_blocking = os.get_blocking(self.tty_fd)
        self._input_fd = open_terminal(self.tty_fd, os.O_RDONLY)
        self._output = _Output(os.dup(self.tty_fd))
        super().__init__(
            _Input(self._input_fd), self._output, bracketed_paste_mode=True, focus_reporting=False, extended_keys=True
        )
        # A lone esc waits this long for more bytes: urwid's 125 ms are felt.
        self.set_input_timeouts(complete_wait=escape_wait)
        self.writer = TerminalWriter(open_terminal(self.tty_fd, os.O_WRONLY), on_free)
        self._output.writer = self.writer
        self._on_lost = on_lost
        self.saved_settings: list[Any] | None = None
        self.pastes: deque[str] = deque()
        self._paste: bytearray | None = None
        self.is_lost = False

    # --- start and stop ---------------------------------------------------------------------------------------------

    def signal_init(self) -> None:
        """Nothing: the terminal guard owns the signals."""

    def signal_restore(self) -> None:
        """Nothing: see `signal_init`."""

    def _start(self, alternate_buffer: bool = True, *args: object, **kwargs: object) -> None:
        self._alternate_buffer = alternate_buffer
        self._rows_used = None
        self.write(escape.PrivateMode.ALTERNATE_SCREEN_BUFFER.enable_seq)
        self._set_line_discipline()
        self._detect_terminal_modes()
        self.write(escape.PrivateMode.BRACKETED_PASTE.enable_seq)
        self._enable_keyboard_protocol()
        self._next_timeout = self.max_wait
        self._paste = None
        signals.emit_signal(self, INPUT_DESCRIPTORS_CHANGED)
        self._mouse_tracking(self._mouse_tracking_enabled)
        self.flush()

    def _set_line_discipline(self) -> None:
        """No echo, no lines, no signals from keys, no flow control (IXON off frees ctrl s and ctrl q)."""
        try:
            settings = termios.tcgetattr(self._input_fd)
        except termios.error:
            return
        if self.saved_settings is None:
            self.saved_settings = settings
        mode = termios.tcgetattr(self._input_fd)
        mode[0] &= ~(termios.IXON | termios.IXOFF)
        # IEXTEN: BSD terminals keep ctrl v and ctrl o for themselves with it.
        mode[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
        mode[6][termios.VMIN] = 1
        mode[6][termios.VTIME] = 0
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._input_fd, termios.TCSANOW, mode)

    def reassert(self) -> None:
        """The process was stopped and goes on: the shell may have changed the terminal meanwhile."""
        if self.started:
            self._set_line_discipline()
            self.write(escape.PrivateMode.ALTERNATE_SCREEN_BUFFER.enable_seq)
            self.write(escape.PrivateMode.BRACKETED_PASTE.enable_seq)
            self._mouse_tracking(self._mouse_tracking_enabled)
            self.flush()
            self.clear()

    def _stop(self) -> None:
        if not self.writer.drain(DRAIN_SECONDS):
            self.writer.drop()
            with contextlib.suppress(termios.error):
                termios.tcflush(self.tty_fd, termios.TCOFLUSH)
        self.clear()
        self.write(escape.PrivateMode.BRACKETED_PASTE.disable_seq)
        self._disable_keyboard_protocol()
        self._stop_restore_palette()
        self._stop_mouse_restore_buffer()
        self.flush()
        self.writer.drain(DRAIN_SECONDS)
        if self.saved_settings is not None:
            # Not TCSAFLUSH or TCSADRAIN: they wait for a terminal that may never read again.
            with contextlib.suppress(termios.error):
                termios.tcflush(self._input_fd, termios.TCIFLUSH)
                termios.tcsetattr(self._input_fd, termios.TCSANOW, self.saved_settings)
            self.saved_settings = None
        if self._was_blocking:
            # Where no file of our own could be opened, the shell's is the one that the loop made non-blocking.
            os.set_blocking(self.tty_fd, True)

    def close(self) -> None:
        """Stop, end the writer thread and let go of the terminal."""
        self.stop()
        self.writer.close()
        for fd in (self._input_fd, self._output.fileno(), self.tty_fd):
            with contextlib.suppress(OSError):
                os.close(fd)

    @property
    def has_extended_keys(self) -> bool:
        """Whether the terminal answered that it tells `ctrl i` from `tab`, and does so now."""
        return self._keyboard_protocol_enabled is not None

    # --- output -----------------------------------------------------------------------------------------------------

    def send(self, data: str) -> None:
        """Write a control sequence of our own (bell, clipboard) after the frames that came before."""
        self.write(data)
        self.flush()

    # --- input ------------------------------------------------------------------------------------------------------

    def get_available_raw_input(self) -> list[int]:
        """The bytes that are there, with each pasted text replaced by one `PASTE_KEY`."""
        try:
            codes = super().get_available_raw_input()
        except (RuntimeError, OSError):
            # End of file: the terminal hung up. Without a word here the loop would spin on a readable descriptor.
            if not self.is_lost:
                self.is_lost = True
                self._on_lost()
            return []
        if self._paste is None and 27 not in codes:
            return codes
        return list(self._without_pastes(bytes(codes)))

    def _without_pastes(self, data: bytes) -> bytes:
        keys = bytearray()
        while data:
            if self._paste is None:
                before, begin, data = data.partition(PASTE_BEGIN)
                keys += before
                if begin:
                    self._paste = bytearray()
                continue
            self._paste += data
            data = b""
            end = self._paste.find(PASTE_END)
            if end >= 0:
                data = bytes(self._paste[end + len(PASTE_END) :])
                self.pastes.append(bytes(self._paste[:end][:PASTE_LIMIT]).decode("utf-8", "replace"))
                self._paste = None
                keys += PASTE_KEY.encode()
            elif len(self._paste) > 2 * PASTE_LIMIT:
                del self._paste[PASTE_LIMIT : -len(PASTE_END)]
        return bytes(keys)


def _find_terminal() -> int:
    """A descriptor of the controlling terminal: standard output's if it is one, else /dev/tty."""
    for stream in (sys.__stdout__, sys.__stdin__, sys.__stderr__):
        try:
            if stream is not None and os.isatty(stream.fileno()):
                return os.dup(stream.fileno())
        except (OSError, ValueError):
            continue
    try:
        return os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        raise NoTerminal("the console needs a terminal; use middump where there is none") from error
