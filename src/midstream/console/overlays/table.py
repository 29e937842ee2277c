"""Rows of a command's result in a box, read only. Made by results.py."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from midstream.console.overlays.box import Overlay
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.text.escape import visible


class Table(Overlay):
    """Rows of a command's result, read only."""

    def __init__(self, title: str, rows: Sequence[Sequence[object]]) -> None:
        super().__init__(title)
        self.rows = [[_cell(cell) for cell in row] for row in rows]
        columns = zip_longest(*self.rows, fillvalue="")
        self.widths = [min(60, max(map(cells.measure, column))) for column in columns]
        self._top = 0
        self._visible = 1

    def press(self, key: str) -> None:
        page = max(1, self._visible - 1)
        step = {"up": -1, "k": -1, "down": 1, "j": 1, "page_up": -page, "page_down": page, "space": page}.get(key)
        if key in ("home", "g"):
            step = -len(self.rows)
        elif key in ("end", "G"):
            step = len(self.rows)
        if step is None:
            super().press(key)
            return
        self._top = max(0, min(self._top + step, len(self.rows) - self._visible))

    def body(self, columns: int, rows: int) -> list[Line]:
        self._visible = max(1, rows)
        lines: list[Line] = []
        for row in self.rows[self._top : self._top + self._visible]:
            fitted = [cells.fit(cell, max(room, cells.measure(cell))) for cell, room in zip(row, self.widths)]  # noqa: B905
            lines.append([("menu", "  ".join(fitted))])
        return lines or [[("menu", "no rows")]]


def _cell(value: object) -> str:
    if isinstance(value, bytes):
        return visible(value[:4096].decode("utf-8", "backslashreplace"))
    return visible(str(value)[:4096])
