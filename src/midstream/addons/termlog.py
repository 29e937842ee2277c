"""Prints the log: errors to stderr, everything else to stdout.

Not in the console's chain, where the screen owns the terminal.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TextIO

from midstream.addons.output import Output
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.log import EventLogHandler, LogEntry, LogLevels, threshold
from midstream.hub.log_lines import log_line


class TermLog:
    """One line for each record that is as important as `termlog_verbosity` says."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = Output(out, "stdout")
        self._err = Output(err, "stderr")
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
        output = self._err if entry.level == "error" else self._out
        unfold = self._handler.level <= logging.DEBUG
        showing = ctx.master.showing
        if showing.texts:
            entry = replace(entry, msg=showing.text(entry.msg), exc_text=showing.text(entry.exc_text))
        if output.write(f"{log_line(entry, output.wants_colour(), unfold)}\n"):
            return
        # Nobody reads any more: end the program, without a word.
        master = self._handler.master
        self._handler.uninstall()
        if master is not None:
            master.shutdown()
