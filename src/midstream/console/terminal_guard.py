"""Keeps the terminal ours while the screen is up, and gives it back whatever happens.

`Console.run` enters one around the screen. While it is up: what anything prints to stdout or stderr, warnings, and
what asyncio reports goes to the log; signals ask the console to quit, resize or stop. On leaving, by return, exception
or signal, everything is as before and the last errors are printed. A loop that does not answer a fatal signal is ended
from a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import logging
import os
import signal
import sys
import termios
import threading
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, TextIO

from midstream.console.screen import EMERGENCY
from midstream.text.escape import visible

PATIENCE = 5.0  # seconds that a loop has to end after a fatal signal
LAST_ERRORS = 5
_FATAL = ("SIGTERM", "SIGHUP", "SIGQUIT")

logger = logging.getLogger(__name__)


class Guarded(Protocol):
    """What the guard asks of the console."""

    def quit(self) -> None: ...
    def ask_to_quit(self) -> None: ...
    def resized(self) -> None: ...
    def stop_process(self) -> None: ...
    def continued(self) -> None: ...


class _ToLog(io.TextIOBase):
    """A stdout or stderr whose lines become log records."""

    def __init__(self, name: str, level: int, original: TextIO | None) -> None:
        self._logger = logging.getLogger(f"midstream.{name}")
        self._level = level
        self._original = original
        self._line = ""
        self._lock = threading.RLock()
        self._inside = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        if self._original is None:
            raise OSError("no descriptor")
        return self._original.fileno()

    def write(self, text: str) -> int:
        with self._lock:
            if self._inside:
                return len(text)  # a log handler that prints must not feed itself
            self._inside = True
            try:
                *lines, self._line = (self._line + text).split("\n")
                for line in lines:
                    if line.strip():
                        self._logger.log(self._level, "%s", line)
            finally:
                self._inside = False
        return len(text)

    def flush(self) -> None:
        return None


class _LastErrors(logging.Handler):
    """Keeps the newest different errors to print them once the terminal is the person's again."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._counts: dict[str, int] = {}  # the newest last

    @property
    def lines(self) -> list[str]:
        """What to print; an error that was logged several times stands there once."""
        return [text if count == 1 else f"{text} ({count} times)" for text, count in self._counts.items()]

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "seen_on_screen", False):
            return  # a mistyped command is no news
        try:
            text = record.getMessage()
            error = record.exc_info[1] if record.exc_info else None
            if error is not None and (not text or str(error) not in text):
                text = f"{text}: {error!r}".removeprefix(": ")
        except Exception:
            text = str(record.msg)
        text = visible(text, keep_newlines=True)
        self._counts[text] = self._counts.pop(text, 0) + 1
        if len(self._counts) > LAST_ERRORS:
            del self._counts[next(iter(self._counts))]


class TerminalGuard:
    """A context manager around the time the screen is up. `tty_fd` is the terminal, `console` what the signals call."""

    def __init__(self, console: Guarded, tty_fd: int) -> None:
        self._console = console
        self._tty_fd = tty_fd
        self._loop = asyncio.get_running_loop()
        self._undo: list[Callable[[], object]] = []
        self._errors = _LastErrors()
        self._reaper: threading.Timer | None = None
        self._settings: list[Any] | None = None
        self._signals: dict[int, Callable[[], None]] = {}
        self.child_has_terminal = False

    def __enter__(self) -> TerminalGuard:
        with contextlib.suppress(termios.error):
            self._settings = termios.tcgetattr(self._tty_fd)
        try:
            self._take_streams()
            self._take_descriptors()
            self._take_reports()
            self._take_signals()
        except BaseException:
            self._restore()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is not None and isinstance(error, Exception):
            logger.error("the console failed: %r", error)
        self._restore()
        for line in self._errors.lines:
            with contextlib.suppress(OSError, ValueError):
                print(f"error: {line}", file=sys.stderr)  # noqa: T201 - the screen is down: this is for the person

    def _restore(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
        while self._undo:
            try:
                self._undo.pop()()
            except Exception:
                logger.exception("the terminal could not be restored completely")

    # --- what is written behind our back ----------------------------------------------------------------------------

    def _take_streams(self) -> None:
        stdout, stderr = sys.stdout, sys.stderr
        self._undo.append(lambda: _set_streams(stdout, stderr))
        root = logging.getLogger()
        for handler in list(root.handlers):
            # A handler that holds the real stderr would paint over the screen.
            if isinstance(handler, logging.StreamHandler) and handler.stream in (stdout, stderr):
                root.removeHandler(handler)
                self._undo.append(functools.partial(root.addHandler, handler))
        root.addHandler(self._errors)
        self._undo.append(lambda: root.removeHandler(self._errors))
        _set_streams(_ToLog("stdout", logging.INFO, stdout), _ToLog("stderr", logging.WARNING, stderr))

    def _take_descriptors(self) -> None:
        """Descriptors 1 and 2, for C code and children that inherit them: into a pipe that the loop reads."""
        for number, name, level in ((1, "stdout", logging.INFO), (2, "stderr", logging.WARNING)):
            try:
                if not os.isatty(number):
                    continue
                saved = os.dup(number)
            except OSError:
                continue
            read_end, write_end = os.pipe()
            os.set_blocking(read_end, False)
            # Non-blocking on this side too: a flood from C code loses lines instead of stopping the loop that reads.
            os.set_blocking(write_end, False)
            os.dup2(write_end, number)
            os.close(write_end)
            log = _ToLog(name, level, None)
            self._loop.add_reader(read_end, _drain, read_end, log)
            self._undo.append(functools.partial(self._give_back, number, saved, read_end, log))

    def _give_back(self, number: int, saved: int, read_end: int, log: _ToLog) -> None:
        os.dup2(saved, number)
        os.close(saved)
        if not self._loop.is_closed():
            self._loop.remove_reader(read_end)
        _drain(read_end, log)
        os.close(read_end)

    def _take_reports(self) -> None:
        show = warnings.showwarning

        def to_log(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            logger.warning("%s:%d: %s: %s", filename, lineno, category.__name__, message)

        warnings.showwarning = to_log
        self._undo.append(lambda: setattr(warnings, "showwarning", show))
        handler = self._loop.get_exception_handler()
        self._loop.set_exception_handler(_report)
        self._undo.append(lambda: self._loop.set_exception_handler(handler))

    # --- signals ----------------------------------------------------------------------------------------------------

    def _take_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread has signals; an embedding program keeps its own
        wanted: dict[str, Callable[[], None]] = {
            "SIGINT": self._interrupt,
            "SIGWINCH": self._console.resized,
            "SIGTSTP": self._console.stop_process,
            "SIGCONT": self._console.continued,
        }
        for name, handler in wanted.items():
            number = getattr(signal, name, None)
            if number is None:
                continue
            before = signal.getsignal(number)
            self._loop.add_signal_handler(number, handler)
            self._signals[number] = handler
            self._undo.append(functools.partial(self._drop_signal, number, before))
        for name in _FATAL:
            number = getattr(signal, name, None)
            if number is not None:
                # Not by the loop: it may be the one that does not answer. Python runs these between two bytecodes.
                before = signal.signal(number, self._fatal)
                self._undo.append(functools.partial(signal.signal, number, before or signal.SIG_DFL))

    def _drop_signal(self, number: int, before: Any) -> None:
        if not self._loop.is_closed():
            self._loop.remove_signal_handler(number)
        if before is not None:
            signal.signal(number, before)

    def _interrupt(self) -> None:
        # ctrl c typed into an editor reaches the whole process group; it is meant for the editor.
        if not self.child_has_terminal:
            self._console.ask_to_quit()

    def _fatal(self, number: int, frame: object) -> None:
        if self.child_has_terminal and number == getattr(signal, "SIGQUIT", None):
            return
        if self._reaper is None:
            self._reaper = threading.Timer(PATIENCE, self._end_process, (number,))
            self._reaper.daemon = True
            self._reaper.start()
        with contextlib.suppress(RuntimeError):  # the loop is closed: the end has come already
            self._loop.call_soon_threadsafe(self._console.quit)

    def _end_process(self, number: int) -> None:
        """The loop does not answer: restore the terminal from this thread and end the process."""
        with contextlib.suppress(OSError):
            os.set_blocking(self._tty_fd, False)
            os.write(self._tty_fd, EMERGENCY)
        if self._settings is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._tty_fd, termios.TCSANOW, self._settings)
        os._exit(128 + number)

    @contextlib.contextmanager
    def default_stop_signal(self) -> Any:
        """SIGTSTP stops the process as everywhere else, for the time of the block."""
        number = getattr(signal, "SIGTSTP", None)
        if number is None or number not in self._signals:
            yield
            return
        self._loop.remove_signal_handler(number)
        try:
            yield
        finally:
            self._loop.add_signal_handler(number, self._signals[number])


def _set_streams(stdout: Any, stderr: Any) -> None:
    sys.stdout, sys.stderr = stdout, stderr


def _drain(fd: int, log: _ToLog) -> None:
    with contextlib.suppress(BlockingIOError):
        while data := os.read(fd, 65536):
            log.write(data.decode("utf-8", "replace"))
            if len(data) < 65536:
                break


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    what = context.get("message", "error in the event loop")
    logger.error("%s", what, exc_info=error if isinstance(error, BaseException) else None)
