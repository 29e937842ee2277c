"""The box beside or below a list that explains the focused row: words wrapped to its width, in a thin frame."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, PaintedRow, paint_row
from midstream.console.widgets.table import fit_runs
from midstream.console.widgets.text_viewer import wrapped


class HelpBox:
    """`lines` are runs that are cut at the edge; a plain text among them is wrapped by words."""

    def __init__(self, title: str, lines: Sequence[Line | str]) -> None:
        self._title = title
        self._lines = lines

    def height(self, columns: int) -> int:
        """The rows it would like to have, frame included."""
        return len(self._laid_out(columns - 4)) + 2

    def paint(self, columns: int, rows: int) -> list[PaintedRow]:
        """Exactly `rows` rows of `columns` cells."""
        inner = max(columns - 4, 1)
        title = cells.clip(cells.prepare(f" {self._title} "), max(columns - 4, 0))[0]
        top = "+-" + title + "-" * max(columns - cells.width(title) - 3, 0) + "+"
        painted = [paint_row([("border", top)], columns)]
        body = self._laid_out(inner)[: max(rows - 2, 0)]
        body += [[] for _ in range(rows - 2 - len(body))]
        for line in body:
            painted.append(paint_row([("border", "| "), *fit_runs(line, inner), ("border", " |")], columns))
        painted.append(paint_row([("border", "+" + "-" * (columns - 2) + "+")], columns))
        return painted[:rows]

    def _laid_out(self, columns: int) -> list[Line]:
        laid: list[Line] = []
        for line in self._lines:
            if isinstance(line, str):
                laid.extend(line_part for text in line.split("\n") for line_part in _wrap(text, max(columns, 8)))
            else:
                laid.append(line)
        return laid


def _wrap(text: str, columns: int) -> list[Line]:
    if text.isascii():
        return [[("text", part)] for part in textwrap.wrap(text, columns) or [""]]
    # textwrap counts characters; wide ones take two cells each.
    return list(wrapped([("text", cells.prepare(text))], columns))
