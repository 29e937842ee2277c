"""Log entries as lines of text for a terminal: `[14:02:07.123][127.0.0.1:50312] message`.

Used by addons/termlog.py and, as a logging.Formatter, by scripts that bring a handler of their own.
"""

from __future__ import annotations

import logging
import time

from midstream.hub.log import LogEntry, entry_of
from midstream.text.escape import visible

_COLOURS = {"error": "31", "warn": "33", "alert": "35", "debug": "2"}


def log_line(entry: LogEntry, colorize: bool = False, unfold: bool = False) -> str:
    """The entry with its time and client, and with the traceback below it unless that is folded away.

    Control characters are made visible.
    """
    clock = time.strftime("%H:%M:%S", time.localtime(entry.timestamp))
    place = f"[{clock}.{int(entry.timestamp % 1 * 1000):03d}]"
    if entry.client:
        place += f"[{visible(entry.client)}]"
    text = visible(entry.msg, keep_newlines=True)
    if entry.exc_text and (unfold or not entry.is_folded):
        text = f"{text}\n{visible(entry.exc_text, keep_newlines=True)}"
    if not colorize:
        return f"{place} {text}"
    colour = _COLOURS.get(entry.level)
    return f"\x1b[2m{place}\x1b[0m {text}" if colour is None else f"\x1b[2m{place}\x1b[0m \x1b[{colour}m{text}\x1b[0m"


class LineFormatter(logging.Formatter):
    """`log_line` for any logging handler."""

    def __init__(self, colorize: bool = False) -> None:
        super().__init__()
        self.colorize = colorize

    def format(self, record: logging.LogRecord) -> str:
        return log_line(entry_of(record), self.colorize)
