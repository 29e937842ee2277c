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
    """`on_held` is called with the id of a flow that has just been held."""

    def __init__(self, view: View, on_held: Callable[[str], None]) -> None:
        self._view = view
        self._on_held = on_held
        self.held: dict[str, str] = {}
        self.marked: set[str] = set()
        self.in_flight: set[str] = set()
        self.per_second: deque[int] = deque(maxlen=SECONDS)
        self._second = int(time.monotonic())
        self._now = 0
        for id_ in view.all_ids:
            self._look_at(id_)

    def note(self, change: Change) -> bool:
        """One change; True: a shown counter is another now."""
        before = (len(self.held), len(self.marked))
        if change.kind in ("add", "update"):
            if change.kind == "add":
                self._now += 1
            if change.id is not None:
                self._look_at(change.id)
        elif change.kind == "remove" and change.id is not None:
            self.held.pop(change.id, None)
            self.marked.discard(change.id)
            self.in_flight.discard(change.id)
        elif change.kind == "refresh":
            self._prune()
        return change.kind != "update" or (len(self.held), len(self.marked)) != before

    def roll(self) -> None:
        """Once a second: close the bars of the seconds that have passed."""
        now = int(time.monotonic())
        while self._second < now:
            self.per_second.append(self._now)
            self._now = 0
            self._second += 1
            if now - self._second > SECONDS:
                self._second = now - SECONDS

    @property
    def rate(self) -> float:
        """Flows a second, over the last five."""
        last = list(self.per_second)[-5:]
        return sum(last) / len(last) if last else 0.0

    def bars(self, count: int = 10) -> str:
        """A sparkline of the last seconds."""
        last = list(self.per_second)[-count:]
        top = max(last, default=0)
        if not top:
            return ""
        return "".join(BARS[min(8, (value * 8 + top - 1) // top)] for value in last)

    def _look_at(self, id_: str) -> None:
        try:
            row = self._view.row(id_)
        except KeyError:
            return
        if row.marked:
            self.marked.add(id_)
        else:
            self.marked.discard(id_)
        if row.live and row.duration is None:
            self.in_flight.add(id_)
        else:
            self.in_flight.discard(id_)
        if not row.held:
            self.held.pop(id_, None)
        else:
            # A response that a person writes for a held request moves the hold, which is no news.
            is_new = id_ not in self.held
            self.held[id_] = row.held
            if is_new:
                self._on_held(id_)

    def _prune(self) -> None:
        self.held = {id_: side for id_, side in self.held.items() if id_ in self._view}
        self.marked = {id_ for id_ in self.marked if id_ in self._view}
        self.in_flight = {id_ for id_ in self.in_flight if id_ in self._view}
