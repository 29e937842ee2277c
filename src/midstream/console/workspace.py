"""The part of the screen where the panes are: one or two of them with a divider, and the log drawer below.

The layout asks it for a canvas of a size and hands it what the mouse does there. What is open, and which pane has the
focus, the stacks know; here is only where each was painted, and whether there is room for it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple, cast

import urwid

from midstream.console.key_names import show_chord
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import PaintedRow, RowsCanvas, paint, paint_row
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.pane import Pane

logger = logging.getLogger(__name__)

BESIDE_FROM = 100  # columns from which two panes fit side by side
_LEAST_COLUMNS = 20
_LEAST_ROWS = 4  # of a pane among others, with its title
WHEEL_STEPS = 3


class Area(NamedTuple):
    """Cells of the workspace."""

    left: int
    top: int
    columns: int
    rows: int

    def holds(self, column: int, row: int) -> bool:
        return self.left <= column < self.left + self.columns and self.top <= row < self.top + self.rows


class _Part(NamedTuple):
    rows: list[PaintedRow]
    cursor: tuple[int, int] | None = None


class Workspace:
    """See the module. `sizes` are those of the panes that were painted last, by their names."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._places: list[tuple[Area, Pane]] = []
        self._dividers: dict[str, Area] = {}  # "columns", "rows", "drawer": which share a drag changes
        self._size = (80, 20)
        self._held: str | Pane | None = None  # what the mouse was pressed on and drags now

    # --- painting ---------------------------------------------------------------------------------------------------

    def paint(self, size: tuple[int, int], focus: bool, small: bool) -> urwid.Canvas:
        """Everything that fits; `small` screens have one pane."""
        columns, rows = self._size = size
        stacks = self._console.stacks
        self._places, self._dividers = [], {}
        stacks.halves_fit = not small and self._halves_fit(columns, rows)
        stacks.drawer_fits = not small and rows > 2 * _LEAST_ROWS
        shown = list(stacks.shown)
        drawer = shown.pop() if len(shown) > 1 and shown[-1] is stacks.drawer else None
        below = 0
        if drawer is not None:
            below = max(_LEAST_ROWS, min(rows * stacks.drawer_share // 100, rows - _LEAST_ROWS))
        part = self._panes(shown, Area(0, 0, columns, rows - below), focus)
        if drawer is not None:
            self._dividers["drawer"] = Area(0, rows - below, columns, 1)
            end = f"{self._key('console.drawer')} {'close' if stacks.focused is drawer else 'focus'}"
            lower = self._pane(drawer, Area(0, rows - below + 1, columns, below - 1), focus)
            part = _above(part, _above(_Part([self._title(drawer, columns, end)]), lower))
        cursor = part.cursor
        if cursor is None and focus and self._console.is_plain and self._places:
            # A screen reader follows the cursor: an empty list has a place as well.
            area = next((area for area, pane in self._places if pane is stacks.focused), self._places[0][0])
            cursor = (area.left, area.top)
        return RowsCanvas(part.rows, columns, cursor)

    def _halves_fit(self, columns: int, rows: int) -> bool:
        if self._console.stacks.layout == "horizontal":
            return columns >= BESIDE_FROM
        return rows >= 2 * _LEAST_ROWS + 2

    def _panes(self, panes: list[Pane], area: Area, focus: bool) -> _Part:
        stacks = self._console.stacks
        if len(panes) < 2:
            return self._pane(panes[0], area, focus)
        if stacks.layout == "horizontal":
            first = _share(area.columns - 1, stacks.share, _LEAST_COLUMNS)
            self._dividers["columns"] = Area(first, area.top, 1, area.rows)
            left = self._titled(panes[0], area._replace(columns=first), focus)
            right_area = Area(first + 1, area.top, area.columns - first - 1, area.rows)
            right = self._titled(panes[1], right_area, focus)
            return _beside(left, right)
        if area.rows < 2 * _LEAST_ROWS:  # the drawer has taken the room
            here = stacks.pane
            return self._pane(here, area, focus)
        first = _share(area.rows, stacks.share, _LEAST_ROWS)
        self._dividers["rows"] = Area(0, area.top + first, area.columns, 1)
        upper = self._titled(panes[0], area._replace(rows=first), focus)
        lower_area = Area(0, area.top + first, area.columns, area.rows - first)
        return _above(upper, self._titled(panes[1], lower_area, focus, always=True))

    def _titled(self, pane: Pane, area: Area, focus: bool, always: bool = False) -> _Part:
        """A pane below its title row. `always`: without titles there is a plain line, to tell two panes apart."""
        has_title = self._option("console_layout_headers", True)
        if not has_title and not always:
            return self._pane(pane, area, focus)
        inner = Area(area.left, area.top + 1, area.columns, area.rows - 1)
        row = (
            self._title(pane, area.columns) if has_title else paint_row([("border", "-" * area.columns)], area.columns)
        )
        return _above(_Part([row]), self._pane(pane, inner, focus))

    def _title(self, pane: Pane, columns: int, end: str = "") -> PaintedRow:
        on = pane is self._console.stacks.focused
        line = "=" if on else "-"
        label = f"{line}{line} {visible(pane.title())} "
        end = f" {end} {line}{line}" if end else ""
        gap = columns - cells.measure(label) - cells.measure(end)
        text = f"{label}{line * gap}{end}" if gap >= 0 else label + line * columns
        return paint_row([("tab.on" if on else "border", text)], columns)

    def _pane(self, pane: Pane, area: Area, focus: bool) -> _Part:
        self._places.append((area, pane))
        on = focus and pane is self._console.stacks.focused
        canvas = _render(pane, (area.columns, area.rows), on)
        cursor = canvas.cursor
        at = (area.left + cursor[0], area.top + cursor[1]) if cursor is not None and on else None
        return _Part([cast(PaintedRow, row) for row in canvas.content()], at)

    # --- the mouse --------------------------------------------------------------------------------------------------

    def press(self, button: int, column: int, row: int) -> None:
        """A button or the wheel, at a cell of the workspace."""
        console = self._console
        for name, area in self._dividers.items():
            if button == 1 and area.holds(column, row):
                self._held = name
                return
        for area, pane in self._places:
            if not area.holds(column, row):
                continue
            wheel = button in (4, 5)
            if not wheel:
                console.focus_pane(pane)
                self._held = pane
            if not pane.clicked((area.columns, area.rows), button, column - area.left, row - area.top) and wheel:
                for _ in range(WHEEL_STEPS):
                    pane.navigate("up" if button == 4 else "down")

    def drag(self, column: int, row: int) -> None:
        """The mouse moves while its button is down."""
        held, stacks = self._held, self._console.stacks
        columns, rows = self._size
        if held == "columns":
            stacks.set_share(100 * column // max(1, columns - 1))
        elif held == "rows":
            above = rows - (self._dividers["drawer"].top if "drawer" in self._dividers else rows)
            stacks.set_share(100 * row // max(1, rows - above))
        elif held == "drawer":
            stacks.set_drawer_share(100 * (rows - row) // max(1, rows))
        elif held is not None and not isinstance(held, str):
            self._drag_in(held, column, row)
            return
        if held is not None:
            self._console.request_frame(now=True)

    def _drag_in(self, pane: Pane, column: int, row: int) -> None:
        for area, each in self._places:
            if each is pane:
                pane.dragged((area.columns, area.rows), column - area.left, row - area.top)

    def release(self) -> None:
        """The button is up again."""
        held, self._held = self._held, None
        if held in ("columns", "rows"):
            self._console.keep_share()

    # --- small things -----------------------------------------------------------------------------------------------

    def _option(self, name: str, default: bool) -> bool:
        return bool(getattr(self._console.master.options, name, default))

    def _key(self, command: str) -> str:
        keys = self._console.keys.keymap.keys_for(command, ("global",))
        return visible(show_chord(keys)) if keys else ""


def _share(whole: int, share: int, least: int) -> int:
    return max(least, min(whole * share // 100, whole - least))


def _above(upper: _Part, lower: _Part) -> _Part:
    return _Part([*upper.rows, *lower.rows], upper.cursor or lower.cursor)


def _beside(left: _Part, right: _Part) -> _Part:
    line: PaintedRow = [("border", None, b"|")]
    rows = [[*one, *line, *other] for one, other in zip(left.rows, right.rows, strict=True)]
    return _Part(rows, left.cursor or right.cursor)


def _render(pane: Pane, size: tuple[int, int], focus: bool) -> urwid.Canvas:
    # Data changes without urwid's knowing, so its canvas cache would show old rows.
    pane._invalidate()
    try:
        canvas = pane.render(size, focus)
        if (canvas.cols(), canvas.rows()) != size:
            raise ValueError(f"{canvas.cols()}x{canvas.rows()} cells were painted instead of {size[0]}x{size[1]}")
        return canvas
    except Exception as error:
        # A pane that cannot be painted must not take the whole screen along, nor the way to quit. Said once: it would
        # fail at each frame.
        if not getattr(pane, "_failed_to_paint", False):
            pane._failed_to_paint = True  # type: ignore[attr-defined]
            logger.exception("the pane %s cannot be painted", pane.name)
        return paint([[("failed", f" this pane cannot be painted: {visible(repr(error))}")]], *size)
