"""Find in the focused pane: `/`, then `n` and `N`. The pane knows how; this remembers what was looked for.

Panes whose texts are long look through them by a `SlicedSearch`, so that the loop is never held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from midstream.work.slices import Budget, Generation, Token

if TYPE_CHECKING:
    from midstream.console.console import Console

_AT_ONCE = 0.01


class Search:
    """The last text looked for, the same in every pane."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.pattern = ""

    def start(self, pattern: str) -> None:
        """Look for another text; an empty one ends the search."""
        self.pattern = pattern
        self.again(backwards=False)

    def again(self, backwards: bool) -> None:
        """The next match, or the one before."""
        if not self.pattern:
            self._console.focused_pane.search("")
            return
        if not self._console.focused_pane.search(self.pattern, backwards):
            self._console.message(f"not found: {self.pattern}", "warn", log=False)


class SlicedSearch:
    """One search at a time: a short one ends within the key press, a longer one goes on and tells its result itself.

    `found` gets the place.
    """

    def __init__(self, console: Console, found: Callable[[int], object]) -> None:
        self._console = console
        self._found = found
        self._newest = Generation()

    def start(self, places: Iterator[int | None], pattern: str) -> bool:
        """Go to the first of `places`, which are None after each piece of work; False: there is none."""
        token = self._newest.begin()
        budget = Budget(_AT_ONCE)
        for place in places:
            if place is not None:
                self._found(place)
                return True
            if budget.spent():
                self._console.spawn(self._go_on(places, pattern, token), "search")
                return True
        return False

    def cancel(self) -> None:
        """End the search, if one goes on."""
        self._newest.cancel()

    async def _go_on(self, places: Iterator[int | None], pattern: str, token: Token) -> None:
        budget = Budget()
        for place in places:
            if not token.current:
                return
            if place is not None:
                self._found(place)
                return
            if budget.spent():
                await budget.rest()
        if token.current:
            self._console.message(f"not found: {pattern}", "warn", log=False)
