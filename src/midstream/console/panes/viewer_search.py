"""Searching the text of a viewer: at once where it is short, else in slices, and in a thread what may take long.

The detail pane owns one. What the hits are is in widgets/hits.py; what is looked for is told by `console.search`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from midstream.console.finder import finder as finder_for
from midstream.console.widgets.hits import Hits
from midstream.console.widgets.pieces import Pieces
from midstream.work.apart import run_apart
from midstream.work.slices import Budget, Generation, Token

if TYPE_CHECKING:
    from midstream.console.console import Console

_AT_ONCE = 0.008
# The thread ends by itself: a slice takes two seconds at most, and there are not more than a few.
_MOST_SECONDS = 120.0


class ViewerSearch:
    """See the module. `show` is called when there is a hit to be shown: `hits.at` is the one."""

    def __init__(self, console: Console, show: Callable[[Hits], object]) -> None:
        self.hits: Hits | None = None
        self._console = console
        self._show = show
        self._newest = Generation()
        self._pieces: Pieces | None = None
        self._runs = False
        self._from: tuple[int, int] | None = None

    @property
    def runs(self) -> bool:
        """Whether a search goes on."""
        return self._runs

    @property
    def words(self) -> str:
        """`1 of 3`, or how far the search is."""
        if self.hits is None:
            return ""
        if not self._runs:
            return self.hits.words
        scan = self.hits.scan
        share = 100 * scan.done // scan.size if scan is not None and scan.size else self.hits.share
        return f"{self.hits.words}  searching {min(share, 99)} %, esc stops".strip()

    def start(self, pattern: str, pieces: Pieces, piece: int, backwards: bool) -> bool:
        """Go to the next hit at or behind a piece of a text; the one after the last shown, if it is the same search.

        False: there is none.
        """
        if self.hits is not None and self._pieces is pieces and self.hits.finder.pattern == pattern:
            if self._runs or len(self.hits):
                if len(self.hits):
                    self.hits.step(backwards)
                    self._show(self.hits)
                return True
            return False
        # The same search in a text that has changed meanwhile: go on from the hit that is shown.
        old = self.hits
        self._from = old.place if old is not None and old.at >= 0 and old.finder.pattern == pattern else None
        if self._from is not None:
            piece = self._from[0]
        self.cancel()
        self._pieces = pieces
        hits = self.hits = Hits(finder_for(pattern), pieces)
        budget = Budget(_AT_ONCE)
        steps = hits.collect(budget)
        token = self._newest.begin()
        for _ in steps:
            self._runs = True
            self._console.spawn(self._go_on(hits, steps, (piece, backwards), token), "search")
            return True
        return self._finish(hits, piece, backwards)

    def again(self, pieces: Pieces) -> None:
        """The same text stands in other rows now: show the same hit."""
        if (old := self.hits) is None or self._runs or old.at < 0:
            return
        self.forget()
        self.start(old.finder.pattern, pieces, 0, False)
        found = self.hits
        if found is not None and found.complete and old.at < len(found):
            found.at = old.at
            self._show(found)

    def cancel(self) -> bool:
        """End the search, if one goes on; False: none does."""
        self._newest.cancel()
        did, self._runs = self._runs, False
        if self.hits is not None and self.hits.scan is not None:
            self.hits.scan.stop()
        return did

    def forget(self) -> None:
        """The text has gone, or nothing is looked for."""
        self.cancel()
        self.hits = self._pieces = None

    async def _go_on(self, hits: Hits, steps: Iterator[None], place: tuple[int, bool], token: Token) -> None:
        budget = Budget()
        while True:
            if hits.scan is not None:
                await self._scanned(hits)
            if not token.current:
                return
            # The first hit is shown while the others are counted still.
            if hits.at < 0 and not place[1] and len(hits) and hits.place_of(len(hits) - 1) >= place[0]:
                self._finish(hits, *place)
            if budget.spent():
                self._console.request_frame()
                await budget.rest()
            if next(steps, hits) is hits:  # exhausted
                break
        if not token.current:
            return
        self._runs = False
        if hits.at >= 0:
            self._tell(hits)
        elif not self._finish(hits, *place):
            self._console.message(f"not found: {hits.finder.pattern}", "warn", log=False)
        self._console.request_frame()

    async def _scanned(self, hits: Hits) -> None:
        assert hits.scan is not None
        try:
            await run_apart(hits.scan.run, _MOST_SECONDS, "search")
        except TimeoutError:
            hits.scan.stop()
            hits.scan.problem = f"the search takes more than {_MOST_SECONDS:g} s: it was stopped"
        except asyncio.CancelledError:
            hits.scan.stop()
            raise

    def _finish(self, hits: Hits, piece: int, backwards: bool) -> bool:
        if hits.problem:
            self._console.message(hits.problem, "warn", log=False)
        if not hits.first(piece, backwards and self._from is None):
            return bool(hits.problem)
        if self._from is not None and hits.place[0] == self._from[0]:
            hits.at = min(hits.at + self._from[1], len(hits) - 1)
            hits.step(backwards)
        self._show(hits)
        self._tell(hits)
        return True

    def _tell(self, hits: Hits) -> None:
        self._console.search.note = hits.words
