"""All places of a text that a search finds, in order: "1 of 3", and where the next one is.

The detail pane makes one `Hits` for each search and lets it collect: a short text is searched within the key press, a
longer one in slices of a few milliseconds. A regular expression in a large body is asked in a thread, which lets the
loop run meanwhile, and is given up after two seconds: it may backtrack for ever.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from midstream.console.finder import Finder
from midstream.console.widgets.pieces import Pieces
from midstream.text.patterns import TooSlow
from midstream.work.slices import Budget

MOST = 1_000_000
"""Places that are counted."""

SECONDS = 2.0
"""What a regular expression may take for one slice of a body."""

ASIDE = 64 * 1024
"""Bytes of a body from which a regular expression is asked in a thread."""

_PLACES = 256  # taken over between two looks at the clock
_SLICE = 1024 * 1024
_OVERLAP = 64 * 1024  # a place may begin in one slice and end in the next one
_LINE_END = 64 * 1024  # how far a slice looks for one to end at


@runtime_checkable
class Scannable(Protocol):
    """Pieces over bytes."""

    data: bytes

    def piece_at(self, offset: int) -> int | None:
        """The piece that holds a byte; None when it is not known (yet)."""
        ...


class Scan:
    """One regular expression, one body, one thread."""

    def __init__(self, data: bytes, finder: Finder) -> None:
        self.begins = array("Q")
        self.done = 0  # bytes
        self.problem = ""
        self.size = len(data)
        self._data = data
        self._finder = finder
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End soon: at the next slice."""
        self._stopped.set()

    def run(self) -> None:
        """In the thread."""
        while self.done < self.size and not self._stopped.is_set() and len(self.begins) < MOST:
            end = self._end_of_slice()
            try:
                found = self._finder.begins(self._data, self.done, min(end + _OVERLAP, self.size), SECONDS)
            except TooSlow as slow:
                self.problem = f"{slow}: it was stopped after {SECONDS:g} s"
                return
            for begin in found:
                if begin >= end:
                    break
                self.begins.append(begin)
            self.done = end

    def _end_of_slice(self) -> int:
        end = self.done + _SLICE
        if end >= self.size:
            return self.size
        at = self._data.find(b"\n", end, end + _LINE_END)
        return at + 1 if at >= 0 else end


class Hits:
    """See the module. `at` is the place that has the focus, -1 before there is one."""

    def __init__(self, finder: Finder, pieces: Pieces) -> None:
        self.finder = finder
        self.complete = False
        self.at = -1
        self.problem = ""
        self.share = 0  # percent of the text that is searched
        self.scan: Scan | None = None  # what has to be awaited before the next step
        self._pieces = pieces
        self._places = array("Q")

    def __len__(self) -> int:
        return len(self._places)

    def collect(self, budget: Budget) -> Iterator[None]:
        """Search; yields when the budget is spent, and when `scan` has to be run by whoever can wait."""
        total = max(len(self._pieces), 1)
        for first, part in self._pieces.parts():
            self.share = 100 * first // total
            if isinstance(part, Scannable) and not self.finder.is_literal and len(part.data) > ASIDE:
                self.scan = scan = Scan(part.data, self.finder)
                yield
                self.scan = None
                yield from self._take(scan, part, first, budget)
            else:
                yield from self._walk(first, part, total, budget)
            if self.problem or len(self._places) >= MOST:
                break
        self.problem = self.problem or self.finder.problem
        self.complete = True

    def _walk(self, first: int, part: Pieces, total: int, budget: Budget) -> Iterator[None]:
        for found in part.hits(self.finder):
            if found is not None:
                self._places.append(first + found)
                self.share = 100 * (first + found) // total
                if len(self._places) >= MOST:
                    return
            elif budget.spent():
                yield

    def _take(self, scan: Scan, part: Scannable, first: int, budget: Budget) -> Iterator[None]:
        self.problem = scan.problem
        for number, begin in enumerate(scan.begins):
            piece = part.piece_at(begin)
            if piece is None:
                return
            self._places.append(first + piece)
            if number % _PLACES == 0 and budget.spent():
                yield

    # -- going there --------------------------------------------------------------------------------------------------

    def first(self, piece: int, backwards: bool) -> bool:
        """Take the first place at or behind a piece (or before it), around the end. False: there is none."""
        if not self._places:
            return False
        at = bisect_right(self._places, piece) - 1 if backwards else bisect_left(self._places, piece)
        self.at = at % len(self._places)
        return True

    def step(self, backwards: bool) -> None:
        """The next place, or the one before, around the end."""
        self.at = (self.at + (-1 if backwards else 1)) % len(self._places)

    def place_of(self, number: int) -> int:
        """The piece of a place."""
        return self._places[number]

    @property
    def place(self) -> tuple[int, int]:
        """The piece of the place that has the focus, and which of the places in that piece it is."""
        piece = self._places[self.at]
        return piece, self.at - bisect_left(self._places, piece)

    @property
    def words(self) -> str:
        """`1 of 3`, for a title bar."""
        if self.at < 0:
            return ""
        more = "+" if len(self._places) >= MOST or not self.complete else ""
        return f"{self.at + 1:,} of {len(self._places):,}{more}"
