"""Find in the focused pane: `/`, then `n` and `N`. The pane knows how; this remembers what was looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midstream.console.console import Console


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
