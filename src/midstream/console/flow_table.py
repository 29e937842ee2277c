"""The flows that a command gave back, as a box over the panes: enter goes to one of them in the flow list.

Made by results.py. It is no second flow list: nothing in it moves, and flows that are gone say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console.overlays import Overlay
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.flows.flow import Flow
from midstream.store.rows import Row, row_of
from midstream.text.escape import visible
from midstream.text.sizes import human_size

if TYPE_CHECKING:
    from midstream.console.console import Console


class FlowTable(Overlay):
    """See the module."""

    keys = (("enter", "go to the flow"), ("down", "next"), ("esc", "close"))

    def __init__(self, console: Console, title: str, flows: Sequence[Flow]) -> None:
        super().__init__(f"{title}  {len(flows):,} flow{'' if len(flows) == 1 else 's'}")
        self._console = console
        self._flows = flows
        self._top = 0
        self._room = 1
        self.position = 0

    def press(self, key: str) -> None:
        last, page = len(self._flows) - 1, max(1, self._room - 1)
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "tab": 1, "page_up": -page, "page_down": page, "space": page}
        if key == "enter":
            self._go_to(self.position)
        elif key in ("home", "g"):
            self.position = 0
        elif key in ("end", "G"):
            self.position = last
        elif key in steps:
            self.position = max(0, min(self.position + steps[key], last))
        else:
            super().press(key)

    def body(self, columns: int, rows: int) -> list[Line]:
        self._room = max(1, rows)
        self._top = min(max(self._top, self.position - self._room + 1), self.position)
        shown = range(self._top, min(len(self._flows), self._top + self._room))
        return [
            [("menu.on", f"> {text}") if index == self.position else ("menu", f"  {text}")]
            for index in shown
            for text in [self._text(self._row(index), columns - 2)]
        ]

    def _row(self, index: int) -> Row | None:
        try:
            flow = self._flows[index]
        except LookupError:  # it was removed since
            return None
        return self._console.view.row(flow.id) if flow.id in self._console.view else row_of(flow)

    def _text(self, row: Row | None, columns: int) -> str:
        if row is None:
            return "     (removed)"
        code = "ERR" if row.failed else "" if row.status is None else str(row.status)
        number = str(row.number or "").rjust(4)
        place = f"{row.host}:{row.port}{row.path}" if row.port else f"{row.host}{row.path}"
        where = visible(self._console.master.showing.text(place))
        return f"{number} {cells.fit(visible(row.method), 7)} {cells.fit(where, max(10, columns - 25))} " + (
            f"{code:>3} {human_size(row.size):>6}"
        )

    def _go_to(self, index: int) -> None:
        console = self._console
        row = self._row(index)
        if row is None:
            console.message("this flow was removed", "warn", log=False)
        elif row.id not in console.view:
            console.message("this flow is not in the list", "warn", log=False)
        elif row.id not in console.view.shown:
            console.message(f"flow {row.number} is hidden by the filter", "warn", log=False)
        else:
            self.finished = True
            console.view.set_focus(row.id)
            console.open_pane("flows")
