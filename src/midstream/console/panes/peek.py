"""The peek of the flow list: the beginning of the focused flow's body, below the rows, or beside them on wide screens.

Follows the focus, and is part of the flow list's picture: it never has the keys. What it shows is bounded
(body_preview.py): a large body as it came, its first kilobytes. Whole bodies are in the details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midstream.console.key_names import show_chord
from midstream.console.panes.body_preview import BodyPreview
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import PaintedRow, paint_blank, paint_row
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

BESIDE_FROM = 180  # columns from which the peek stands at the right
_LEAST_ROWS = 4  # of the list and of the peek, with their titles
_LEAST_COLUMNS = 60
_SHARES = (15, 85)
_KEYS = (
    ("console.layout.shrink", ""),
    ("console.layout.grow", "resize"),
    ("console.peek", "close"),
    ("console.view.flow @focus", "open"),
)


class Peek:
    """`is_open` is what `console.peek` switches; a pane with no room for it shows the rows alone."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._preview = BodyPreview(console)
        self.is_open = False
        self._share = 60  # of the rows of the list, in per cent
        self._is_dragged = False

    def toggle(self) -> None:
        """Open or close it."""
        self.is_open = not self.is_open
        self._console.request_frame(now=True)

    # -- the room -----------------------------------------------------------------------------------------------------

    def list_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """What it leaves of the pane for the rows."""
        columns, rows = size
        if self._is_beside(columns):
            return max(_LEAST_COLUMNS, min(columns * self._share // 100, columns - _LEAST_COLUMNS)), rows
        if not self.is_open or rows < 2 * _LEAST_ROWS:
            return size
        return columns, max(_LEAST_ROWS, min(rows * self._share // 100, rows - _LEAST_ROWS))

    def resize(self, by: int) -> bool:
        """Move the divider by some per cent; False: it is closed."""
        if self.is_open:
            self._set_share(self._share + by)
        return self.is_open

    def _set_share(self, share: int) -> None:
        self._share = max(_SHARES[0], min(share, _SHARES[1]))
        self._console.request_frame(now=True)

    def _is_beside(self, columns: int) -> bool:
        return self.is_open and columns >= BESIDE_FROM

    # -- painting -----------------------------------------------------------------------------------------------------

    def beside(self, listed: list[PaintedRow], flow: Flow | None, size: tuple[int, int]) -> list[PaintedRow]:
        """The painted rows of the list, and the peek below or beside them."""
        columns, rows = self.list_size(size)
        if (columns, rows) == size or flow is None:
            return listed
        if rows < size[1]:
            return [*listed, *self._paint(flow, size[0], size[1] - rows)]
        peek = self._paint(flow, size[0] - columns - 1, rows)
        line: PaintedRow = [("border", None, b"|")]
        return [[*left, *line, *right] for left, right in zip(listed, peek, strict=True)]

    def _paint(self, flow: Flow, columns: int, rows: int) -> list[PaintedRow]:
        painted = [self._title(flow, columns), *self._preview.rows(flow, "", columns, rows - 1)]
        painted.extend(paint_blank(columns) for _ in range(rows - len(painted)))
        return painted

    def _title(self, flow: Flow, columns: int) -> PaintedRow:
        number = self._console.view.row(flow.id).number if flow.id in self._console.view else 0
        label = cells.cut(f"-- peek: {number} {visible(self._preview.title(flow))} ", columns, "…")
        keys = "  ".join(self._hints())
        gap = columns - cells.measure(label) - cells.measure(keys) - 4
        if gap < 2:
            keys, gap = "", columns - cells.measure(label)
        return paint_row([("border", label + "-" * gap + (f" {keys} --" if keys else ""))], columns)

    def _hints(self) -> list[str]:
        keymap = self._console.keys.keymap
        contexts = ("flows", "list", "global")
        found = ((keymap.keys_for(command, contexts), words) for command, words in _KEYS)
        return [f"{visible(show_chord(keys))} {words}".rstrip() for keys, words in found if keys]

    # -- the mouse ----------------------------------------------------------------------------------------------------

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        """A press: on the divider it begins to be dragged, the wheel scrolls the text. False: it was in the rows."""
        self._is_dragged = False
        columns, rows = self.list_size(size)
        if (columns, rows) == size or (column < columns and row < rows):
            return False
        if button in (4, 5):
            self._preview.scroll(-3 if button == 4 else 3)
            self._console.request_frame(now=True)
        elif column == columns or row == rows:
            self._is_dragged = True
        return True

    def dragged(self, size: tuple[int, int], column: int, row: int) -> None:
        """The divider goes where the mouse is."""
        if self._is_dragged:
            self._set_share(100 * column // size[0] if self._is_beside(size[0]) else 100 * row // size[1])
