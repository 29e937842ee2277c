"""The line above a body: what it is and how large; where the cursor stands in it, and which hit of a search it is.

It stays at the top of the picture while the body is scrolled. Painted by the detail pane.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from midstream.console.widgets import cells
from midstream.console.widgets.body_pieces import TextPieces
from midstream.console.widgets.body_viewer import BodyView
from midstream.console.widgets.canvas import PaintedRow, Run, line_width, paint_row
from midstream.console.widgets.json_pointer import Pointer
from midstream.text.escape import visible
from midstream.work.slices import Budget, Generation, Token

if TYPE_CHECKING:
    from midstream.console.console import Console

_POINTER_AT_ONCE = 0.002
_LEAST_NOTE = 12  # cells


class PointerLine:
    """The JSON pointer of the line under the cursor; looked for in slices where that takes long."""

    def __init__(self, console: Console) -> None:
        self.text = ""
        self._console = console
        self._newest = Generation()
        self._data: bytes | None = None  # which text
        self._at = -1  # where in it

    def of(self, body: BodyView | None, line: int) -> str:
        """The pointer of a line of the body, or what is known of it now."""
        data = body.json_text if body is not None else None
        if data is None or body is None or not isinstance(body.pieces, TextPieces):
            return ""
        if not 0 <= line < len(body.pieces):
            return ""
        start = body.pieces.index.span(line)[0] - body.pieces.index.offset(line)
        if self._data is data and self._at == start:
            return self.text
        self._data, self._at = data, start
        token = self._newest.begin()
        pointer = Pointer(data, start)
        steps = pointer.find()
        budget = Budget(_POINTER_AT_ONCE)
        for _ in steps:
            if budget.spent():
                self.text = "…"
                self._console.spawn(self._go_on(pointer, steps, token), "JSON pointer")
                return self.text
        self.text = pointer.text or "/"
        return self.text

    def forget(self) -> None:
        """The text has gone."""
        self._newest.cancel()
        self._data, self._at, self.text = None, -1, ""

    async def _go_on(self, pointer: Pointer, steps: Iterator[None], token: Token) -> None:
        budget = Budget()
        for _ in steps:
            if budget.spent():
                await budget.rest()
            if not token.current:
                return
        if token.current:
            self.text = pointer.text or "/"
            self._console.request_frame()


def bar_row(title: Run, note: str, right: list[Run], columns: int, on: bool) -> PaintedRow:
    """The line; what stands at the right gives way from its end where there is little room."""
    left: list[Run] = [("focus", ">") if on else ("text", " "), title, ("dim", f"  {visible(note)}")]
    shown = list(right)
    room = columns - 1
    needed = min(line_width(left), line_width(left[:2]) + _LEAST_NOTE)
    while shown and needed + line_width(shown) + 2 > room:
        shown.pop()
    space = room - line_width(shown) - 1
    runs = _cut(left, space)
    runs.append(("text", " " * (columns - line_width(runs) - line_width(shown) - 1)))
    return paint_row([*runs, *shown], columns)


def _cut(runs: list[Run], room: int) -> list[Run]:
    kept: list[Run] = []
    for role, text in runs:
        shown = cells.cut(text, room, cells.ELLIPSIS)
        kept.append((role, shown))
        room -= cells.measure(shown)
        if room <= 0:
            break
    return kept
