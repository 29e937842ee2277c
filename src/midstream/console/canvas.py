"""Lines of (role, text) runs for the console's own rows and pop-ups: measured, clipped, painted.

A thin layer over widgets/canvas.py and widgets/cells.py for callers that have texts as they are. What comes from
traffic must have passed `text.escape.visible` before.
"""

from __future__ import annotations

from collections.abc import Iterable

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, PaintedRow, RowsCanvas, Run, paint_blank, paint_row

__all__ = ["Line", "Run", "clip", "line_width", "paint", "width"]


def width(text: str) -> int:
    """Terminal cells of a text."""
    return cells.width(cells.prepare(text))


def clip(text: str, room: int, mark: str = "") -> str:
    """At most `room` cells of the text, ending in `mark` if something was cut off."""
    return cells.clip(cells.prepare(text), room, mark)[0]


def line_width(line: Line) -> int:
    """Terminal cells of all runs."""
    return sum(width(text) for _, text in line)


def paint(
    lines: Iterable[Line], columns: int, rows: int, fill: str = "text", cursor: tuple[int, int] | None = None
) -> RowsCanvas:
    """Exactly `rows` rows of `columns` cells; missing rows and cells are painted in the role `fill`."""
    painted: list[PaintedRow] = []
    for line in lines:
        if len(painted) == rows:
            break
        painted.append(paint_row(line, columns, fill))
    while len(painted) < rows:
        painted.append(paint_blank(columns, fill))
    return RowsCanvas(painted, columns, cursor)
