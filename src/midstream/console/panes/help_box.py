"""The box beside or below a list that explains the focused row: words wrapped to its width, in a thin frame."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TypeAlias

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, PaintedRow, Run, paint_row
from midstream.console.widgets.table import fit_runs
from midstream.console.widgets.wrapping import wrapped

Words: TypeAlias = "list[Run] | Run | str"


class HelpBox:
    """`lines`: a list of runs is cut at the edge; a text, or one (role, text) pair, is wrapped by words."""

    def __init__(self, title: str, lines: Sequence[Words]) -> None:
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
            if isinstance(line, list):
                laid.append(line)
                continue
            role, text = ("text", line) if isinstance(line, str) else line
            for part in text.split("\n"):
                laid.extend(_wrap(role, part, max(columns, 8)))
        return laid


def _wrap(role: str, text: str, columns: int) -> list[Line]:
    if text.isascii():
        return [[(role, part)] for part in textwrap.wrap(text, columns) or [""]]
    # textwrap counts characters; wide ones take two cells each.
    return list(wrapped([(role, cells.prepare(text))], columns))
