"""How a table that is edited looks: the widths of its columns, its rows, the box that shows a cell in full.

`grid.py` owns one and gives it the keys' results; nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from midstream.console.grids.kind import BadCell
from midstream.console.panes.help_box import HelpBox, Words
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run
from midstream.console.widgets.table import Column, Placed, heading, lay_out, row
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.panes.grid import Grid

_PAINTED = 2048  # bytes of a cell that are looked at to paint it
_EXPLAINED = 8192  # and in the box below
_WIDTH_ROWS = 500  # rows that decide how wide the columns are
_LONGEST = 60
_OFFERED = 40
_TYPED = 24  # cells that a column has at least while something is typed in it, if there is room
_MARKS = 3  # cells for the cursor and the state of a row


class GridLook:
    """See the module. `cursor` is the cell of the row where the hardware cursor belongs, when it was painted."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._widths: tuple[object, list[int]] = (None, [])
        self.cursor = _MARKS

    def head(self, columns: int) -> list[Line]:
        """The title of the table with its state, and the titles of the columns."""
        grid = self._grid
        count = len(grid.rows)
        line: list[Run] = [
            ("title", f" {visible(grid.kind.title)}"),
            ("dim", f"  {count:,} row{'' if count == 1 else 's'}"),
        ]
        if grid.is_stale:
            line.append(("failed", "  ! changed by somebody else meanwhile"))
        elif grid.is_changed:
            line.append(("edited", f"  {grid.rows.changes()}"))
        if note := grid.kind.note():
            line.append(("dim", f"  {note}"))
        flow = getattr(grid.kind, "flow", None)
        if flow is not None:
            words = grid.console.master.showing.text(f"  {flow.request.method} {flow.request.pretty_url}")
            line.append(("dim", visible(words)))
        return [line, heading(self._layout(columns))]

    def column_at(self, cell: int, columns: int) -> int:
        """The column of the table at a cell of the screen."""
        start = 0
        for number, placed in enumerate(self._layout(columns)):
            start += placed.gap + placed.cells
            if cell < start:
                return max(number - 1, 0)
        return len(self._grid.kind.columns) - 1

    def row(self, index: int, columns: int) -> Line:
        """The runs of one row."""
        grid = self._grid
        each = grid.rows[index]
        is_focused = index == grid.scroll.focus
        bad = grid.bad(each)
        state = "!" if bad else " " if not each.is_touched else "+" if each.origin is None else "E"
        layout = self._layout(columns)
        texts: dict[str, Run | Sequence[Run]] = {
            "mark": ("value.bad" if bad else "edited", f"{'>' if is_focused else ' '}{state}")
        }
        start = 0
        for number, placed in enumerate(layout):
            start += placed.gap
            if number:
                if is_focused and number - 1 == grid.column:
                    self.cursor = start
                    texts[placed.name] = self._focused_runs(placed.cells, bad)
                else:
                    texts[placed.name] = self._runs(index, number - 1, bad)
            start += placed.cells
        return row(layout, texts)

    def box(self) -> HelpBox:
        """The focused cell in full, and what is wrong with it."""
        grid = self._grid
        at = min(grid.scroll.focus, len(grid.rows) - 1)
        each = grid.rows[at]
        data, lines = each.cells[grid.column], list[Words]()
        bad = grid.bad(each)
        if problem := grid.problem or (bad.reason if bad else ""):
            lines.append(("value.bad", f"! {visible(problem)}"))
        elif advice := grid.kind.advice(each.cells):
            lines.append(("dim", advice))
        if grid.field is not None and grid.field.offered:
            lines.append(("value", visible("  ".join(grid.field.offered[:_OFFERED]))))
        text = grid.field.text if grid.field is not None else grid.kind.text_of(data[:_EXPLAINED])
        lines.append(("header.value", visible(text[:_EXPLAINED])) if text else ("dim", "empty"))
        size = f"  {len(data):,} bytes" if len(data) > 80 else ""
        return HelpBox(f"row {at + 1} of {len(grid.rows):,}, {grid.kind.columns[grid.column]}{size}", lines)

    def _focused_runs(self, room: int, bad: BadCell | None) -> Sequence[Run]:
        grid = self._grid
        if grid.field is not None:
            window = grid.field.window(max(room - 2, 1))
            self.cursor += 1 + window.cursor
            pad = " " * max(room - 2 - cells.width(window.text), 0)
            role = "value.bad" if grid.problem else "prompt"
            return [("border", "["), (role, window.text), ("prompt", pad), ("border", "]")]
        role, text = self._runs(grid.scroll.focus, grid.column, bad)[0]
        return [(role if role == "value.bad" else "focus", cells.fit(text, room))]

    def _runs(self, index: int, column: int, bad: BadCell | None) -> Sequence[Run]:
        kind = self._grid.kind
        data = self._grid.rows[index].cells[column]
        text = visible(kind.text_of(data[:_PAINTED])) + ("…" if len(data) > _PAINTED else "")
        role = "header.name" if column == 0 and len(kind.columns) > 1 else "header.value"
        if bad is not None and bad.column == column:
            role = "value.bad"
        return [(role, text or ("-" if column in kind.nested else ""))]

    def _layout(self, columns: int) -> tuple[Placed, ...]:
        names, rows = self._grid.kind.columns, self._grid.rows
        if self._widths[0] is not rows.revision:
            widest = [len(name) for name in names]
            for each in islice(rows, _WIDTH_ROWS):
                for number, cell in enumerate(each.cells):
                    widest[number] = max(widest[number], min(len(cell), _LONGEST))
            self._widths = (rows.revision, widest)
        widest = list(self._widths[1])
        room = max(columns - _MARKS - len(names), len(names))
        rest = _widest_column(widest)
        if self._grid.field is not None:
            widest[self._grid.column] = max(widest[self._grid.column], _TYPED)
        share = max(room * 2 // 5 if len(names) == 2 else room // len(names), 4)
        placed = [Column("mark", "", width=_MARKS, gap=0)]
        for number, name in enumerate(names):
            placed.append(Column(str(number), name, width=0 if number == rest else min(widest[number], share)))
        return lay_out(tuple(placed), columns)


def _widest_column(widest: Sequence[int]) -> int:
    """The column that takes what the others leave: the value, unless others are much longer."""
    longest = max(widest)
    return 1 if len(widest) > 1 and widest[1] * 2 >= longest else list(widest).index(longest)
