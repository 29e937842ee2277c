"""Paints the rows of the flow list: a table whose columns an option names, or two lines for each flow.

The flow list hands it the visible rows; painted rows are kept until the flow has changed, the width or the columns. It
looks at rows only, never at flows, and knows no position in the list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from midstream.console.glyphs import beyond_ascii
from midstream.console.panes import flow_columns, flow_lines, flow_row, timeline
from midstream.console.widgets.canvas import Line, PaintedRow, Run, mark, overlay, paint_row
from midstream.console.widgets.cells import fit
from midstream.console.widgets.table import Placed, lay_out, row

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.store.rows import Row

_TICKS = 2  # a second: so often are rows painted whose flows are in flight
_BARS = "timeline"


class _Frame(NamedTuple):
    """What the rows of one picture share. `bars` are the cells of the timeline with its gap, 0 for none; the columns
    stand before and after it.
    """

    columns: int
    focus: bool
    now: float
    axis: timeline.Axis
    before: tuple[Placed, ...]
    gap: int
    bars: int
    after: tuple[Placed, ...]

    @property
    def left(self) -> int:
        """Cells before the bars."""
        return min(_width(self.before), self.columns - self.bars) if self.bars else self.columns


class _Kept(NamedTuple):
    """A painted flow, and what it depended on; with a timeline in two parts, for the bar goes between them."""

    state: tuple[int, int, int]
    rows: list[PaintedRow]
    after: PaintedRow


class FlowPainter:
    """`painted_rows` counts the flows that were painted anew so far; tests count the work by it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._view = console.view
        self.clock: Callable[[], float] = time.time
        self.painted_rows = 0
        self._columns = flow_columns.WIDEST  # at which it was painted last
        self._digits = 3
        self._kept: dict[tuple[str, bool, bool], _Kept] = {}
        self._kept_for: tuple[object, ...] = ()
        self._headings: list[tuple[int, int, str]] = []

    # -- the form -----------------------------------------------------------------------------------------------------

    @property
    def is_table(self) -> bool:
        """Whether each flow has one row under a heading; else two lines."""
        return self._option("console_flowlist_layout", "default") != "list"

    @property
    def lines(self) -> int:
        """Rows of the screen for each flow."""
        return 1 if self.is_table else flow_lines.COUNT

    @property
    def timeline(self) -> str:
        """One of `timeline.MODES`."""
        return "off" if self._option("console_plain", False) else str(self._option("console_timeline", "axis"))

    @property
    def has_bars(self) -> bool:
        """Whether there is room for a timeline at the width that was painted last, and one is wanted."""
        layout = lay_out(flow_columns.columns_of(self._names()), self._columns)
        return self.is_table and any(placed.name == _BARS for placed in layout)

    def forget(self) -> None:
        """There are no flows: numbers begin anew."""
        self._digits = 3

    def order_at(self, column: int) -> str:
        """The order that the heading at this cell stands for; "" for none."""
        for first, last, name in self._headings:
            if first <= column <= last and name in flow_columns.COLUMNS:
                return flow_columns.COLUMNS[name].order
        return ""

    # -- painting -----------------------------------------------------------------------------------------------------

    def paint(self, rows: Sequence[Row], columns: int, focus: bool) -> list[PaintedRow]:
        """The heading, if there is one, and the rows."""
        self._digits = max(self._digits, *(len(str(each.number)) for each in rows))
        self._columns = columns
        frame = self._frame(rows, columns, focus)
        pattern = self._console.search.finder.pattern
        form = (columns, self.is_table, self._digits, frame.before, frame.after, pattern, beyond_ascii())
        if form != self._kept_for:
            self._kept.clear()
            self._kept_for = form
        painted = [self._heading(frame)] if self.is_table else []
        kept: dict[tuple[str, bool, bool], _Kept] = {}
        for each in rows:
            key = (each.id, each.id == self._view.focus_id, focus)
            one = kept[key] = self._one(self._kept.get(key), each, frame)
            painted += [[*one.rows[0], *self._bar(each, frame), *one.after]] if frame.bars else one.rows
        self._kept = kept
        return painted

    def _frame(self, rows: Sequence[Row], columns: int, focus: bool) -> _Frame:
        now = self.clock()
        axis = timeline.axis_of(rows, now, self.timeline == "axis")
        layout = lay_out(flow_columns.columns_of(self._names()), columns, (("number", self._digits),))
        at = next((index for index, placed in enumerate(layout) if placed.name == _BARS), None)
        if at is None or not self.is_table:
            return _Frame(columns, focus, now, axis, layout, 0, 0, ())
        bars = layout[at]
        return _Frame(columns, focus, now, axis, layout[:at], bars.gap, bars.cells + bars.gap, layout[at + 1 :])

    def _names(self) -> tuple[str, ...]:
        if not self.is_table:
            return ()
        options = self._console.master.options
        names: Sequence[str] = (options.console_columns if "console_columns" in options else ()) or flow_columns.DEFAULT
        if self.timeline == "off":
            names = [name for name in names if not name.startswith(_BARS)] or ["url"]
        return tuple(names)

    def _one(self, kept: _Kept | None, each: Row, frame: _Frame) -> _Kept:
        tick = int(frame.now * _TICKS) if flow_row.is_ticking(each) else 0
        state = (each.revision, self._console.master.showing.revision, tick)
        if kept is not None and kept.state == state:
            return kept
        self.painted_rows += 1
        is_focused = each.id == self._view.focus_id
        show = self._console.master.showing.text
        if not self.is_table:
            sight = flow_row.Sight(frame.now, show, frame.columns)
            lines = flow_lines.lines_of(each, self._digits, sight, is_focused)
            return _Kept(state, [self._row(line, frame.columns, is_focused, frame.focus) for line in lines], [])
        placed = (*frame.before, *frame.after)
        sight = flow_row.Sight(frame.now, show, next((one.cells for one in placed if one.name == "url"), 0))
        cells = flow_row.texts(each, (one.name for one in placed), sight)
        if is_focused:
            cells["marks"] = flow_row.marks(each, focused=True)
        rest = frame.columns - frame.left - frame.bars
        after = self._row(row(frame.after, cells), rest, is_focused, frame.focus) if rest > 0 else []
        return _Kept(state, [self._row(row(frame.before, cells), frame.left, is_focused, frame.focus)], after)

    def _row(self, line: Line, columns: int, is_focused: bool, focus: bool) -> PaintedRow:
        finder = self._console.search.finder
        if not is_focused:
            return paint_row(mark(line, finder, "match") if finder else line, columns)
        role = _focus_role(focus)
        runs = overlay(line, role)
        return paint_row(mark(runs, finder, "match.on") if finder else runs, columns, role)

    def _bar(self, each: Row, frame: _Frame) -> PaintedRow:
        role = _focus_role(frame.focus) if each.id == self._view.focus_id else _bar_role(each)
        text = timeline.bar(each, frame.axis, frame.bars - frame.gap, frame.now)
        return paint_row([(role, " " * frame.gap + text)], frame.bars, role)

    def _heading(self, frame: _Frame) -> PaintedRow:
        self._headings = []
        is_usual = self._view.order == "time" and not self._view.reversed
        sorted_by = "" if is_usual else self._sorted_column(frame)
        arrow = "↑" if self._view.reversed else "↓"
        runs: list[Run] = []
        at = 0
        for placed in (*frame.before, *((_bars(frame),) if frame.bars else ()), *frame.after):
            at += placed.gap
            self._headings.append((at, at + placed.cells - 1, placed.name))
            at += placed.cells
            title = timeline.heading(frame.axis, placed.cells) if placed.name == _BARS else placed.title
            if placed.name == sorted_by:
                title = title[: placed.cells - 1] + arrow
            runs.append(("title", " " * placed.gap + fit(title, placed.cells, placed.align, "")))
        return paint_row(runs, frame.columns, "title")

    def _sorted_column(self, frame: _Frame) -> str:
        """The shown column that the list is sorted by; its own name counts before those that share the order."""
        shown = [placed.name for placed in (*frame.before, *frame.after)]
        if self._view.order in shown:
            return self._view.order
        known = flow_columns.COLUMNS
        return next((name for name in shown if name in known and known[name].order == self._view.order), "")

    def _option(self, name: str, default: object) -> object:
        options = self._console.master.options
        return getattr(options, name) if name in options else default


def _bars(frame: _Frame) -> Placed:
    return Placed(_BARS, _BARS, frame.bars - frame.gap, "left", frame.gap)


def _width(layout: Sequence[Placed]) -> int:
    return sum(placed.gap + placed.cells for placed in layout)


def _focus_role(focus: bool) -> str:
    return "focus" if focus else "focus.idle"


def _bar_role(each: Row) -> str:
    if each.held:
        return "held"
    if flow_row.has_failed(each):
        return "failed"
    return "live" if flow_row.is_ticking(each) else "dim"
