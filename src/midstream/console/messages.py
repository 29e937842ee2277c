"""The message line: what the console says, and what the log says from alert up, for a few seconds.

Errors stay until a key. `Console.message` is the door; nothing else writes there.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from midstream.hub.log import ALERT, EventLogHandler, LogEntry

if TYPE_CHECKING:
    from midstream.console.console import Console

SECONDS = 5.0

logger = logging.getLogger("midstream.console")  # who says it, for people


class Messages:
    """`shown` is (text, level) or None; `unseen_errors` counts those logged while no log was on the screen."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.shown: tuple[str, str] | None = None
        self.unseen_errors = 0
        self._until = 0.0
        self._echo = False
        self._handler = EventLogHandler(self._logged, ALERT)

    def open(self) -> None:
        """Listen to the log."""
        self._handler.install(self._console.master)

    def close(self) -> None:
        """Do not listen any more."""
        self._handler.uninstall()

    def show(self, text: str, level: str, log: bool) -> None:
        """Show a line; with `log`, warnings and errors go to the log as well."""
        self.shown = (text.strip().split("\n", 1)[0], level)
        self._until = asyncio.get_running_loop().time() + SECONDS
        if log and level in ("warn", "error"):
            self._echo = True
            try:
                severity = logging.ERROR if level == "error" else logging.WARNING
                logger.log(severity, "%s", text, extra={"seen_on_screen": True})
            finally:
                self._echo = False
        self._console.request_frame()

    def expire(self, by_key: bool = False) -> None:
        """Take the message away when its time is over; a key takes any away."""
        if self.shown is None:
            return
        over = asyncio.get_running_loop().time() >= self._until
        if by_key or (over and self.shown[1] != "error"):
            self.shown = None

    def clear(self) -> None:
        """Take it away now."""
        self.shown = None

    def log_was_seen(self) -> None:
        """The log is on the screen."""
        self.unseen_errors = 0

    def _logged(self, entry: LogEntry) -> None:
        if self._echo:
            return  # it came from `show` itself
        if entry.level == "error" and self._console.drawer is None and self._console.shown_name != "log":
            self.unseen_errors += 1
        # Messages about a script begin with its name themselves, and who says our own is clear.
        named = entry.source in ("", logger.name.rpartition(".")[2]) or entry.msg.startswith(entry.source)
        self.show(entry.msg if named else f"{entry.source}: {entry.msg}", entry.level, log=False)
