"""Feeds the deprecated event `add_log` from the log, for as long as an addon handles it.

Made by the addon manager. New addons install a logging handler instead (`midstream.log`).
"""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING

from midstream.hub import ctx
from midstream.hub.log import EventLogHandler, LogEntry

if TYPE_CHECKING:
    from midstream.hub.master import Master


class AddLogRelay:
    """Emits `add_log` for each record, from the loop rather than from within the logging call."""

    def __init__(self, master: Master) -> None:
        # The log knows this relay by its handler, and must not keep a master that is over, or never ran.
        self._master = weakref.ref(master)
        self._handler = EventLogHandler(self._schedule, logging.DEBUG)
        self._listening = False
        self._speaking = False

    def listen(self, wanted: bool) -> None:
        """Start or stop, as there are handlers or not."""
        if wanted and not self._listening:
            self._handler.install(self._master())
        elif self._listening and not wanted:
            self._handler.uninstall()
        self._listening = wanted

    def _schedule(self, entry: LogEntry) -> None:
        master = self._master()
        if master is not None and not self._speaking:
            master.event_loop.call_soon(self._emit, master, entry)

    def _emit(self, master: Master, entry: LogEntry) -> None:
        # What the handlers log themselves, or fail with, would come back for ever.
        self._speaking = True
        try:
            with ctx.use(master):  # the record may come from outside of every master
                master.events.add_log.sync(entry)
        finally:
            self._speaking = False
