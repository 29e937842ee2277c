"""The lines of the event log: entries of a level and an origin, repeats folded into one line with a counter.

Kept by the log pane, which paints them. An addon that fails on each flow must not flood the pane: what was said within
the last ten seconds counts up where it stands. Bounded, and each entry costs the same however many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from midstream.hub.log import LogEntry, log_tier

FOLD_SECONDS = 10.0
_SLACK = 500
_MOST_REMEMBERED = 1000


class LogLine:
    """An entry, and how often it was said within ten seconds; `entry` is the latest of them."""

    __slots__ = ("count", "entry", "first")

    def __init__(self, entry: LogEntry) -> None:
        self.entry = entry
        self.count = 1
        self.first = entry.timestamp


class LogLines:
    """See the module. `verbosity` is the least level, `source` the only origin that is shown, if one is chosen."""

    def __init__(self, limit: int = 10_000) -> None:
        self.limit = limit
        self.verbosity = "info"
        self.source = ""
        self.lines: list[LogLine] = []
        self.errors = 0
        self.sources: Counter[str] = Counter()
        self._recent: dict[tuple[str, str, str], LogLine] = {}

    def clear(self) -> None:
        """Forget all of them, and who said something."""
        self.lines.clear()
        self._recent.clear()
        self.sources.clear()
        self.errors = 0

    def read(self, entries: Iterable[LogEntry]) -> None:
        """Begin anew with these."""
        self.clear()
        for entry in entries:
            self.add(entry)

    def takes(self, entry: LogEntry) -> bool:
        """Whether it is of the level and the origin that are shown."""
        return log_tier(entry.level) <= log_tier(self.verbosity) and self.source in ("", entry.source)

    def add(self, entry: LogEntry) -> int:
        """Take an entry; how many lines left at the beginning for it, or -1 when it is not shown."""
        self.sources[entry.source] += 1
        if not self.takes(entry):
            return -1
        self.errors += entry.level == "error"
        key = (entry.level, entry.source, entry.msg)
        known = self._recent.get(key)
        # Compared with the first: a fault that repeats for an hour gets a line every ten seconds, not one for all.
        if known is not None and 0 <= entry.timestamp - known.first < FOLD_SECONDS:
            known.count += 1
            known.entry = entry
            return 0
        line = LogLine(entry)
        self.lines.append(line)
        self._remember(key, line)
        return self._bound()

    def _remember(self, key: tuple[str, str, str], line: LogLine) -> None:
        self._recent.pop(key, None)
        self._recent[key] = line
        if len(self._recent) > _MOST_REMEMBERED:
            del self._recent[next(iter(self._recent))]

    def _bound(self) -> int:
        if len(self.lines) <= self.limit + _SLACK:
            return 0
        # Dropped in blocks: taking one off the front of a list for each entry would be quadratic.
        gone = len(self.lines) - self.limit
        self.errors -= sum(line.count for line in self.lines[:gone] if line.entry.level == "error")
        del self.lines[:gone]
        return gone
