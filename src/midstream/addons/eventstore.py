"""Keeps the last log entries for panes that show them.

The console's log pane reads `data` and hangs a function into `on_change`; both are plain attributes, as the console
may know this addon only by its name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import command
from midstream.hub.log import EventLogHandler, LogEntry, threshold

CAPACITY = 10_000


class EventStore:
    """The store; the oldest entries leave first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.data: deque[LogEntry] = deque(maxlen=capacity)
        self.on_change: list[Callable[[LogEntry | None], object]] = []
        """Called with each new entry, and with None when the store was emptied."""
        self._handler = EventLogHandler(self._keep, threshold("info"))

    def load(self, loader: Loader) -> None:
        self._handler.install(loader.master)

    def configure(self, updated: set[str]) -> None:
        """Debug records are kept only while somebody wants to see them: most of them come from libraries."""
        if "console_eventlog_verbosity" in updated:
            wanted = threshold(ctx.options.console_eventlog_verbosity)
            self._handler.setLevel(min(wanted, threshold("info")))

    def done(self) -> None:
        """Removed while the rest goes on; at the end of the program the master takes the handler away, last of all."""
        if ctx.master.is_running:
            self._handler.uninstall()

    @command("eventstore.clear")
    def clear(self) -> None:
        """Empty the event log."""
        self.data.clear()
        self._tell(None)

    def _keep(self, entry: LogEntry) -> None:
        self.data.append(entry)
        self._tell(entry)

    def _tell(self, entry: LogEntry | None) -> None:
        for callback in tuple(self.on_change):
            callback(entry)
