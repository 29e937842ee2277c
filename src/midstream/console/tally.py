"""Counts what the status bar shows (held, marked, flows a second), so that no frame walks over all flows.

The console gives it each change of the view. It keeps ids only.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from midstream.store.view import Change, View

SECONDS = 30
BARS = " ▁▂▃▄▅▆▇█"


class Tally:
    """`on_held` is called with the id of a flow that has just been held, `on_none_held` when the last was let go."""

    def __init__(
        self, view: View, on_held: Callable[[str], None], on_none_held: Callable[[], None] = lambda: None
    ) -> None:
        self._view = view
        self._on_held, self._on_none_held = on_held, on_none_held
        self.held: dict[str, str] = {}
        self.held_since: dict[str, float] = {}  # by the clock of the loop; of the same flows, in the same order
        self.marked: set[str] = set()
        self.in_flight: dict[str, int] = {}  # and how many bytes of each are counted so far
        self.per_second: deque[int] = deque(maxlen=SECONDS)
        self.bytes_per_second: deque[int] = deque(maxlen=SECONDS)
        self._second = int(time.monotonic())
        self._now = self._bytes_now = 0
        for id_ in view.all_ids:
            self._look_at(id_)

    def note(self, change: Change) -> bool:
        """One change; True: a shown counter is another now."""
        before = (len(self.held), len(self.marked))
        if change.kind in ("add", "update"):
            if change.id is not None:
                self._look_at(change.id, change.kind == "add")
        elif change.kind == "remove" and change.id is not None:
            self._let_go(change.id)
            self.marked.discard(change.id)
            self.in_flight.pop(change.id, None)
        elif change.kind == "refresh":
            self._prune()
        return change.kind != "update" or (len(self.held), len(self.marked)) != before

    def roll(self) -> None:
        """Once a second: close the bars of the seconds that have passed."""
        now = int(time.monotonic())
        while self._second < now:
            self.per_second.append(self._now)
            self.bytes_per_second.append(self._bytes_now)
            self._now = self._bytes_now = 0
            self._second += 1
            if now - self._second > SECONDS:
                self._second = now - SECONDS

    @property
    def rate(self) -> float:
        """Flows a second, over the last five."""
        last = list(self.per_second)[-5:]
        return sum(last) / len(last) if last else 0.0

    @property
    def bytes_rate(self) -> float:
        """Bytes of bodies and messages a second, over the last five."""
        last = list(self.bytes_per_second)[-5:]
        return sum(last) / len(last) if last else 0.0

    def bars(self, count: int = 10) -> str:
        """A sparkline of the last seconds."""
        last = list(self.per_second)[-count:]
        top = max(last, default=0)
        if not top:
            return ""
        return "".join(BARS[min(8, (value * 8 + top - 1) // top)] for value in last)

    def _look_at(self, id_: str, is_new: bool = False) -> None:
        try:
            row = self._view.row(id_)
        except KeyError:
            return
        self._now += is_new and row.live  # what is read from a file is no traffic
        if row.marked:
            self.marked.add(id_)
        else:
            self.marked.discard(id_)
        if id_ in self.in_flight:
            self._bytes_now += max(row.size - self.in_flight[id_], 0)
        if row.live and row.duration is None:
            self.in_flight[id_] = row.size
        else:
            self.in_flight.pop(id_, None)
        if not row.held:
            self._let_go(id_)
        else:
            # A response that a person writes for a held request moves the hold, which is no news.
            is_news = id_ not in self.held
            self.held[id_] = row.held
            if is_news:
                self.held_since[id_] = time.monotonic()
                self._on_held(id_)

    def _let_go(self, id_: str) -> None:
        if self.held.pop(id_, None) is not None:
            del self.held_since[id_]
            if not self.held:
                self._on_none_held()

    def _prune(self) -> None:
        for id_ in [id_ for id_ in self.held if id_ not in self._view]:
            self._let_go(id_)
        self.marked &= self._view.all_ids
        self.in_flight = {id_: size for id_, size in self.in_flight.items() if id_ in self._view}
