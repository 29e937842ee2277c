"""The one-canvas painter: rows of (role, text) runs become one urwid canvas, clipped by terminal cells.

A pane paints each visible row once with `paint_row`, may keep the result for the next frame, and hands the rows to a
`RowsCanvas`. Texts must have passed `text.escape.visible`; what the terminal cannot show is replaced here. There is no
widget per row, and nothing here knows what a row means.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import urwid

from midstream.console.finder import Finder
from midstream.console.widgets import cells

Run: TypeAlias = tuple[str, str]
Line: TypeAlias = Sequence[Run]
Piece: TypeAlias = tuple[str, None, bytes]
PaintedRow: TypeAlias = list[Piece]


def paint_row(runs: Iterable[Run], columns: int, fill: str = "text") -> PaintedRow:
    """Exactly `columns` cells: runs beyond that are cut, missing cells are painted in the role `fill`."""
    row: PaintedRow = []
    left = columns
    for role, text in runs:
        if text.isascii() and text.isprintable():
            size = len(text)
            if size > left:
                text, size = text[:left], left
            data = text.encode()
        else:
            text, size = cells.clip(cells.prepare(text), left)
            data = cells.encode(text)
        if data:
            row.append((role, None, data))
            left -= size
        if left <= 0:
            break
    if left > 0:
        row.append((fill, None, b" " * left))
    return row


def paint_blank(columns: int, fill: str = "text") -> PaintedRow:
    """An empty row."""
    return [(fill, None, b" " * columns)]


def line_width(line: Line) -> int:
    """Terminal cells of all runs."""
    return sum(cells.measure(text) for _, text in line)


def cut_line(line: Line, columns: int) -> Line:
    """The line, ending in an ellipsis when it is wider than `columns`."""
    if line_width(line) <= columns:
        return line
    kept: list[Run] = []
    left = columns
    for role, text in line:
        if cells.measure(text) >= left:
            return [*kept, (role, cells.cut(f"{text}…", left, "…"))]
        kept.append((role, text))
        left -= cells.measure(text)
    return kept


def paint(
    lines: Iterable[Line], columns: int, rows: int, fill: str = "text", cursor: tuple[int, int] | None = None
) -> RowsCanvas:
    """Exactly `rows` rows of `columns` cells; missing rows and cells are painted in the role `fill`."""
    painted = [paint_row(line, columns, fill) for line in islice(lines, rows)]
    painted += [paint_blank(columns, fill) for _ in range(rows - len(painted))]
    return RowsCanvas(painted, columns, cursor)


def overlay(runs: Sequence[Run], role: str) -> list[Run]:
    """The same texts all in one role, as the focused row of a list is painted."""
    return [(role, text) for _, text in runs]


def mark(runs: Sequence[Run], finder: Finder, role: str) -> list[Run]:
    """The same texts, with what a search finds in them in `role`; a place may reach over several runs."""
    spans = list(finder.spans("".join([text for _, text in runs]))) if finder else []
    if not spans:
        return list(runs)
    marked: list[Run] = []
    at = 0
    rest = iter(spans)
    start, end = next(rest)
    for own, text in runs:
        done = 0
        while done < len(text):
            while end <= at + done:
                start, end = next(rest, _NOWHERE)
            inside = start <= at + done
            stop = min(len(text), (end if inside else start) - at)
            marked.append((role if inside else own, text[done:stop]))
            done = stop
        at += len(text)
    return marked


_NOWHERE = (sys.maxsize, sys.maxsize)


class RowsCanvas(urwid.Canvas):
    """Painted rows, all of the same width. Not checked again: `paint_row` made them fit."""

    def __init__(self, rows: Sequence[PaintedRow], columns: int, cursor: tuple[int, int] | None = None) -> None:
        super().__init__()
        self._rows = rows
        self._columns = columns
        if cursor is not None and 0 <= cursor[0] < columns and 0 <= cursor[1] < len(rows):
            self.cursor = cursor

    def rows(self) -> int:
        return len(self._rows)

    def cols(self) -> int:
        return self._columns

    def content(
        self,
        trim_left: int = 0,
        trim_top: int = 0,
        cols: int = 0,
        rows: int = 0,
        attr: Mapping[Hashable, Hashable] | None = None,
    ) -> Iterator[Any]:
        """The rows as urwid reads them; the arguments cut out a part when something lies over the canvas."""
        cols = cols or self._columns - trim_left
        rows = rows or len(self._rows) - trim_top
        whole = trim_left == 0 and cols == self._columns
        for row in self._rows[trim_top : trim_top + rows]:
            part = row if whole else _cut(row, trim_left, cols)
            if attr:
                part = [(attr.get(role, role), charset, data) for role, charset, data in part]  # type: ignore[misc]
            yield part


def _cut(row: PaintedRow, left: int, columns: int) -> PaintedRow:
    part: PaintedRow = []
    position = 0
    right = left + columns
    for role, charset, data in row:
        text = data.decode("utf-8", "replace")
        size = cells.width(text)
        if position + size > left and position < right:
            text = cells.skip(text, left - position)
            room = right - max(position, left)
            text, used = cells.clip(text, room)
            text += " " * (min(position + size, right) - max(position, left) - used)
            part.append((role, charset, cells.encode(text)))
        position += size
    return part
