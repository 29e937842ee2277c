"""Prints the log: errors to stderr, everything else to stdout.

Not in the console's chain, where the screen owns the terminal.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.log import EventLogHandler, LogEntry, LogLevels, threshold
from midstream.hub.log_lines import log_line


class TermLog:
    """One line for each record that is as important as `termlog_verbosity` says."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = out
        self._err = err
        self._handler = EventLogHandler(self._print, threshold("info"))

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "termlog_verbosity", str, "info", "Least important level of log lines that are printed.", LogLevels
        )
        self._handler.install(loader.master)

    def configure(self, updated: set[str]) -> None:
        if "termlog_verbosity" in updated:
            self._handler.setLevel(threshold(ctx.options.termlog_verbosity))

    def done(self) -> None:
        """Removed while the rest goes on; at the end of the program the master takes the handler away, last of all."""
        if ctx.master.is_running:
            self._handler.uninstall()

    def _print(self, entry: LogEntry) -> None:
        if entry.level == "error":
            stream = self._err or sys.stderr
        else:
            stream = self._out or sys.stdout
        try:
            # Flushed at once: whoever reads a pipe wants to see what happens when it happens.
            stream.write(f"{log_line(entry, wants_colour(stream))}\n")
            stream.flush()
        except (OSError, ValueError):
            self._give_up(stream)

    def _give_up(self, stream: TextIO) -> None:
        """Nobody reads any more (`middump | head`): end the program, without a word."""
        self._handler.uninstall()
        try:
            # Python flushes the stream once more at its exit, and would complain then.
            descriptor = stream.fileno()
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, descriptor)
            os.close(null)
        except (OSError, ValueError):
            pass
        master = self._handler.master
        if master is not None:
            master.shutdown()


def wants_colour(stream: TextIO) -> bool:
    """Colours are for terminals, and not for people who set NO_COLOR (no-color.org: to anything but nothing)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()
