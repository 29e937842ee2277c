"""What was logged while an addon was tested, and which of its handlers failed.

Made by `addon_context.context`, which has it as `log`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from midstream.hub.log import LogEntry, MasterLogHandler, entry_of
from midstream.hub.master import Master

# Whose errors mean that an addon did not do its part. What an addon logs by itself is no failure of the test.
_TELL_OF_FAILURES = (
    "midstream.hub.addons",
    "midstream.hub.background",
    "midstream.hub.failures",
    "midstream.hub.master",
)


class CaughtLog:
    """The records of one master, oldest first, as entries with `msg`, `level`, `source` and `exc_text`."""

    def __init__(self, master: Master) -> None:
        self.entries: list[LogEntry] = []
        self._failures: list[BaseException] = []
        self._handler = _Catcher(self._catch)
        self._handler.install(master)

    @property
    def messages(self) -> list[str]:
        """What was said, without levels."""
        return [entry.msg for entry in self.entries]

    def has(self, level: str, text: str = "") -> bool:
        """Whether something with `text` in it was logged at this level: debug, info, alert, warn or error."""
        wanted = "warn" if level == "warning" else level
        return any(entry.level == wanted and text in entry.msg for entry in self.entries)

    def clear(self) -> None:
        """Forget what was logged so far, failures of handlers included."""
        self.entries.clear()
        self._failures.clear()

    def take_failures(self) -> list[BaseException]:
        """What handlers and background tasks raised since the last call."""
        taken, self._failures = self._failures, []
        return taken

    def _catch(self, record: logging.LogRecord) -> None:
        entry = entry_of(record)
        self.entries.append(entry)
        if record.levelno >= logging.ERROR and record.name in _TELL_OF_FAILURES:
            error = record.exc_info[1] if record.exc_info else None
            self._failures.append(error or AssertionError(entry.msg))


class _Catcher(MasterLogHandler):
    """Everything from `debug` on but the chatter of asyncio."""

    def __init__(self, sink: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(logging.DEBUG)
        self._sink = sink

    def filter(self, record: logging.LogRecord) -> bool:
        return (record.name != "asyncio" or record.levelno >= logging.WARNING) and super().filter(record)

    def emit(self, record: logging.LogRecord) -> None:
        self._sink(record)
