"""What the panes with numbered rows have in common: a title row, a scrolled list, and a box of details below it.

Log, options, commands and help derive from it and say what a row is. The flow list does not: its place belongs to flow
ids, and there may be a hundred thousand of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

import urwid

from midstream.console.pane import Pane
from midstream.console.panes.help_box import HelpBox
from midstream.console.search_rows import SearchRows
from midstream.console.widgets.canvas import (
    Line,
    PaintedRow,
    RowsCanvas,
    cut_line,
    mark,
    overlay,
    paint_blank,
    paint_row,
)
from midstream.console.widgets.scroll import Scroll
from midstream.console.widgets.table import fit_runs
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.finder import Finder

_Row = TypeVar("_Row")

WHEEL_ROWS = 3
_BOX_FROM = 10  # rows from which there is room for a box below the list
_LONGEST_FOUND = 30  # cells of what was looked for, in a title
_BESIDE_FROM = 100  # columns from which the box stands at the right instead of below


class ListPane(Pane):
    """See the module. Subclasses give `row_count`, `row_runs` and `row_text`, and may give a title and a box."""

    no_cache = ["render"]
    box_beside = True  # on wide screens the box stands at the right of the list
    box_share = 3  # the box below takes at most a part of the pane: one third
    narrows = False  # whether a search leaves only the rows that it finds; see `left_of`

    def __init__(self, console: object) -> None:
        super().__init__(console)  # type: ignore[arg-type]
        self.scroll = Scroll()
        self._list_top = 1
        self.narrowed_by: Finder | None = None

    # -- for subclasses -----------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        """How many rows there are now."""
        raise NotImplementedError

    def row_runs(self, index: int, columns: int) -> Line:
        """The runs of one row."""
        raise NotImplementedError

    def row_text(self, index: int) -> str:
        """The text that a search looks at."""
        raise NotImplementedError

    def copies(self) -> Mapping[str, Callable[[], str]]:
        focus = self.scroll.focus
        return {"line": lambda: self.row_text(focus)} if focus < self.row_count() else {}

    def head(self, columns: int) -> Sequence[Line]:
        """The rows above the list."""
        return []

    def box(self, columns: int) -> HelpBox | None:
        """What is said about the focused row."""
        return None

    def nothing(self) -> str:
        """What an empty list says."""
        return ""

    def is_plain(self, index: int) -> bool:
        """Whether the focused row keeps its own roles (a row that is being edited)."""
        return False

    def list_columns(self, columns: int) -> int:
        """What a box leaves for the rows in a pane of `columns` cells."""
        return columns - columns // 3 if self._has_box_beside(columns) else columns

    def _has_box_beside(self, columns: int) -> bool:
        return self.box_beside and columns >= _BESIDE_FROM

    # -- moving -------------------------------------------------------------------------------------------------------

    def navigate(self, move: str) -> None:
        self.scroll.count = self.row_count()
        if self.scroll.move(move):
            self.console.request_frame(now=True)

    def search_rows(self) -> SearchRows:
        return SearchRows(self.row_count, lambda: self.scroll.focus, self.row_text, self._go)

    def _go(self, index: int) -> None:
        self.scroll.count = self.row_count()
        self.scroll.go(index)
        self.console.request_frame(now=True)

    def search_place(self) -> tuple[int, int, Finder | None]:
        return self.scroll.focus, self.scroll.top, self.narrowed_by

    def search_return(self, place: object) -> None:
        assert isinstance(place, tuple)
        focus, top, narrowed_by = place
        if narrowed_by is not self.narrowed_by:
            self.narrow(narrowed_by)
        self.scroll.focus, self.scroll.top = focus, top

    def narrow(self, finder: Finder | None) -> int | None:
        if not self.narrows:
            return None
        if finder is not self.narrowed_by:
            self.row_count()
            self.narrowed_by = finder
            self.scroll.count = self.row_count()
            self.scroll.go(self.scroll.focus if finder is None else 0)
            self.console.request_frame(now=True)
        return self.row_count()

    def left_of(self, rows: list[_Row], text: Callable[[_Row], str], *, is_sorted: bool = True) -> list[_Row]:
        """The rows that a search leaves; `is_sorted` puts those first that hold it nearest to their beginning."""
        if self.narrowed_by is None:
            return rows
        places = [(next(self.narrowed_by.spans(text(each)), None), each) for each in rows]
        found = [(span[0], each) for span, each in places if span is not None]
        if is_sorted:
            found.sort(key=itemgetter(0))
        return [each for _, each in found]

    def narrowed_title(self, count: int, total: int) -> Line:
        """How many rows there are, and of how many, when a search left them."""
        if self.narrowed_by is None:
            return [("title", f"{count}   " if count == total else f"{count} of {total}   ")]
        words = visible(self.narrowed_by.pattern)[:_LONGEST_FOUND]
        return [
            ("title", "find: "),
            ("prompt", words),
            ("title", f"  {count} of {total}   "),
            *self.key_hint("console.cancel", "all   "),
        ]

    def cancel(self) -> bool:
        if self.narrowed_by is not None:
            self.narrow(None)
            return True
        return super().cancel()

    def place_focus(self, place: str) -> None:
        self.scroll.count = self.row_count()
        self.scroll.place_focus(place)

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        self.scroll.count = self.row_count()
        if button in (4, 5):
            self.scroll.wheel(-WHEEL_ROWS if button == 4 else WHEEL_ROWS)
            self.console.request_frame(now=True)
            return True
        index = self.scroll.top + row - self._list_top
        if button != 1 or row < self._list_top or not 0 <= index < self.scroll.count:
            return False
        if index == self.scroll.focus:
            self.navigate("select")
        else:
            self.scroll.focus = index
        self.console.request_frame(now=True)
        return True

    # -- painting -----------------------------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        columns, rows = size
        head = [paint_row(cut_line(line, columns), columns) for line in self.head(columns)][: max(rows - 1, 0)]
        self._list_top = len(head)
        box = self.box(columns)
        beside = box is not None and self._has_box_beside(columns)
        list_columns = self.list_columns(columns) if beside else columns
        box_columns = columns - list_columns or columns
        below = 0
        if box is not None and not beside and rows >= _BOX_FROM:
            below = min(box.height(columns), rows // self.box_share)
        room = max(rows - len(head) - below, 0)
        self.scroll.resize(self.row_count(), room)
        painted = [*head, *self._paint_list(list_columns, room, focus)]
        if beside and box is not None:
            boxed = box.paint(box_columns, room)
            painted[len(head) :] = [[*line, *boxed[at]] for at, line in enumerate(painted[len(head) :])]
        elif below and box is not None:
            painted += box.paint(columns, below)
        return RowsCanvas(painted[:rows], columns, self.get_cursor_coords(size) if focus else None)

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        at = self._list_top + self.scroll.focus - self.scroll.top
        return (0, at) if self.scroll.count and 0 <= at < size[1] else None

    def _paint_list(self, columns: int, room: int, focus: bool) -> list[PaintedRow]:
        painted: list[PaintedRow] = []
        finder = self.console.search.finder
        if not self.scroll.count and room > 1:
            painted += [paint_blank(columns), paint_row([("dim", f"  {self.nothing()}")], columns)]
        for index in range(self.scroll.top, min(self.scroll.top + room, self.scroll.count)):
            runs = fit_runs(self.row_runs(index, columns), columns)
            if index != self.scroll.focus or self.is_plain(index):
                painted.append(paint_row(mark(runs, finder, "match"), columns))
                continue
            role = "focus" if focus else "focus.idle"
            painted.append(paint_row(mark(overlay(runs, role), finder, "match.on"), columns, role))
        painted.extend(paint_blank(columns) for _ in range(room - len(painted)))
        return painted[:room]
