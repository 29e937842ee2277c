"""Commands that move in ways which the arrow keys do not: half pages, a row by its number, the next held flow, tabs.

Nested in the console's addon; the vim and emacs key sets live on them. Plain moves are `console.nav.*` in commands.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from midstream.console.panes.list_pane import ListPane
from midstream.console.status import TABS
from midstream.flows.errors import CommandError
from midstream.hub.commands import command
from midstream.store.specs import Flows

if TYPE_CHECKING:
    from midstream.console.console import Console

Place = Literal["top", "centre", "bottom"]
_ROWS_AROUND = 5  # tabs, headings, filter line, status, hints
PLACES: tuple[Place, ...] = ("top", "centre", "bottom")


class Motions:
    """See the module."""

    name = "console_motions"

    def __init__(self, console: Console) -> None:
        self._console = console
        self._range_from: str | None = None

    @command("console.nav.halfdown")
    def nav_halfdown(self) -> None:
        """Half a page down."""
        self._half_page("down")

    @command("console.nav.halfup")
    def nav_halfup(self) -> None:
        """Half a page up."""
        self._half_page("up")

    def _half_page(self, move: str) -> None:
        pane = self._console.focused_pane
        rows = self._console.terminal.size[1] - _ROWS_AROUND
        if self._console.stacks.layout == "vertical":
            rows //= 2
        for _ in range(max(1, rows // 2)):
            pane.navigate(move)

    @command("console.nav.line")
    def nav_line(self, *number: str) -> None:
        """Go to a row by its number, to the last one without a number."""
        pane = self._console.focused_pane
        if not number:
            pane.navigate("end")
            return
        if not (number[0].isascii() and number[0].isdecimal() and len(number[0]) < 10):
            raise CommandError(f"{number[0]!r} is no number of a row")
        index = max(int(number[0]), 1) - 1
        if pane.name == "flows":
            if shown := self._console.view.shown:
                self._console.view.set_focus(shown[min(index, len(shown) - 1)])
        elif isinstance(pane, ListPane):
            pane.scroll.count = pane.row_count()
            pane.scroll.go(index)
        else:
            pane.navigate("start")
            for _ in range(min(index, 100_000)):
                pane.navigate("down")
        self._console.request_frame(now=True)

    @command("console.nav.place")
    def nav_place(self, place: str) -> None:
        """Scroll so that the focused row stands at the top, in the centre, or at the bottom."""
        if place not in PLACES:
            raise CommandError(f"{place!r} is no place; there are {', '.join(PLACES)}")
        self._console.focused_pane.place_focus(place)
        self._console.request_frame(now=True)

    @command("console.tab.next")
    def tab_next(self) -> None:
        """The next tab of the details, or the next pane of the tab bar."""
        self._tab(1)

    @command("console.tab.prev")
    def tab_prev(self) -> None:
        """The tab before, or the pane before in the tab bar."""
        self._tab(-1)

    def _tab(self, step: int) -> None:
        pane = self._console.focused_pane
        if "detail" in pane.contexts:
            pane.navigate("next" if step > 0 else "previous")
            return
        names = [name for _, name in TABS if name in self._console.pane_names]
        at = names.index(pane.name) if pane.name in names else 0
        self._console.open_pane(names[(at + step) % len(names)])

    @command("console.held.next")
    def held_next(self) -> None:
        """Go to the next held flow."""
        self._held(1)

    @command("console.held.prev")
    def held_prev(self) -> None:
        """Go to the held flow before."""
        self._held(-1)

    def _held(self, step: int) -> None:
        view = self._console.view
        places = sorted(place for id_ in self._console.tally.held if (place := view.index(id_)) is not None)
        if not places:
            raise CommandError("no flow is held")
        here = view.index(view.focus_id) if view.focus_id is not None else None
        if here is None:
            here = -1
        beyond = [place for place in places if (place - here) * step > 0]
        if step > 0:
            found = beyond[0] if beyond else places[0]
        else:
            found = beyond[-1] if beyond else places[-1]
        view.set_focus(view.shown[found])

    @command("console.flows.mark.range")
    def flows_mark_range(self) -> None:
        """Mark all rows from here on; at the second call, up to here."""
        view = self._console.view
        here = view.index(view.focus_id) if view.focus_id is not None else None
        if here is None:
            raise CommandError("there is no flow in focus")
        start = view.index(self._range_from) if self._range_from is not None else None
        if start is None:
            self._range_from = view.focus_id
            self._console.message("a range to mark begins here: go to its other end and press the key again")
            return
        self._range_from = None
        first, last = sorted((start, here))
        found = Flows(view.shown[first : last + 1], view)
        self._console.master.commands.call("flow.mark", found, ":default:")
        count = last + 1 - first
        self._console.message(f"{count:,} flows marked" if count > 1 else "one flow marked")
