"""A window onto a text of any size: a cursor line, scrolling, wrapping, and painting of the visible rows only.

Panes that show text own a `TextViewer`, give it `Pieces` and ask it for painted rows. A place is a piece and a row
inside it, so that the cost of a move depends on the window, never on the length of the text. With `has_cursor` a row is
under the cursor and moves go by it; without, they move the picture. What is found is told by hits.py, selecting is
copy_mode.py. It is no urwid widget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from midstream.console.finder import Finder
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import PaintedRow, Run, paint_blank, paint_row
from midstream.console.widgets.pieces import LINE_NUMBER, FixedPieces, Piece, Pieces, places
from midstream.console.widgets.wrapping import Place, length, painted_over, skipped, wrapped

Spot: TypeAlias = tuple[int, int]
"""A piece, and a row inside it."""

_SIDEWAYS = 8
_BEYOND = 1 << 30


class TextViewer:
    """See the module. `wrap` may be changed at any time; `finder` is what is marked as found, `hit` the place that has
    the focus (a piece, and which of the places in it); `selected` gives the marked part of a piece's text.
    """

    def __init__(self, *, has_cursor: bool = False) -> None:
        self.pieces: Pieces = FixedPieces([])
        self.has_cursor = has_cursor
        self.wrap = True
        self.finder: Finder | None = None
        self.hit: tuple[int, int] | None = None
        self.selected: Callable[[int], tuple[int, int] | None] = lambda piece: None
        self.painted_pieces = 0  # pieces laid out so far; tests count the work by it
        self.cursor: Spot = (0, 0)
        self._top: Spot = (0, 0)
        self._left = 0
        self._columns = 80
        self._height = 20
        self._laid: dict[int, list[list[Run]]] = {}

    # -- the text -----------------------------------------------------------------------------------------------------

    def show(self, pieces: Pieces, *, keep_place: bool = False) -> None:
        """Show another text; from its beginning, unless it is the same one grown or changed."""
        self.pieces = pieces
        self._laid.clear()
        if not keep_place:
            self._top, self.cursor, self._left, self.hit = (0, 0), (0, 0), 0, None

    def changed(self) -> None:
        """What is marked, or the text itself, is another now: lay it out anew."""
        self._laid.clear()

    def toggle_wrap(self) -> bool:
        """Wrap long lines or cut them at the edge; returns what is so now."""
        self.wrap = not self.wrap
        self._left = 0
        self._top, self.cursor = (self._top[0], 0), (self.cursor[0], 0)
        self._laid.clear()
        return self.wrap

    # -- moving -------------------------------------------------------------------------------------------------------

    @property
    def top(self) -> int:
        """The first piece that is visible."""
        return self._top[0]

    @property
    def top_spot(self) -> Spot:
        """The first row that is visible."""
        return self._top

    def go_back(self, top: Spot, cursor: Spot) -> None:
        """Stand where one stood before."""
        self._top, self.cursor = top, cursor
        self._clamp()

    @property
    def height(self) -> int:
        """Rows of the window."""
        return self._height

    def move(self, move: str) -> bool:
        """Do one of the moves of `Pane.navigate`; False: it is none of ours."""
        page = max(self._height - 2, 1)
        rows = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        if move in rows:
            if not self.has_cursor:
                self.scroll(rows[move])
                return True
            if abs(rows[move]) > 1:
                self._top = self.step(self._top, rows[move])
            self.put(self.step(self.cursor, rows[move]))
        elif move == "start":
            self._top = (0, 0)
            self.put((0, 0))
        elif move == "end":
            self._top = (max(len(self.pieces), 1), 0)
            self._clamp()
            self.put(self.step((max(len(self.pieces) - 1, 0), 0), _BEYOND))
        elif move in ("left", "right"):
            self._shift(-_SIDEWAYS if move == "left" else _SIDEWAYS)
        else:
            return False
        return True

    def scroll(self, rows: int) -> None:
        """Move the picture by rows; the cursor goes along only where it would leave it."""
        self._top = self.step(self._top, rows)
        self._clamp()
        last = self.step(self._top, self._height - 1)
        self.cursor = min(max(self.cursor, self._top), last)

    def put(self, spot: Spot) -> None:
        """Put the cursor there, and move the picture as little as that takes."""
        piece = max(min(spot[0], len(self.pieces) - 1), 0)
        inner = min(spot[1], len(self._rows_of(piece)) - 1) if len(self.pieces) else 0
        self.cursor = (piece, max(inner, 0))
        if self.cursor < self._top:
            self._top = self.cursor
        elif self._row_on_screen(self.cursor) is None:
            self._top = self.step(self.cursor, 1 - self._height)
        self._clamp()

    def step(self, spot: Spot, rows: int) -> Spot:
        """The row so many rows further down or up; the first or the last one where the text ends."""
        piece, inner = spot
        count = len(self.pieces)
        if not count:
            return (0, 0)
        if piece >= count:
            piece, inner = count - 1, 0
        inner += rows
        while inner < 0 and piece > 0:
            piece -= 1
            inner += len(self._rows_of(piece))
        while piece < count - 1 and inner >= len(self._rows_of(piece)):
            inner -= len(self._rows_of(piece))
            piece += 1
        return piece, max(min(inner, len(self._rows_of(piece)) - 1), 0)

    def _shift(self, cells_: int) -> None:
        if not self.wrap:
            self._left = max(self._left + cells_, 0)
            self._laid.clear()

    def go(self, piece: int, row: int = 0) -> None:
        """Put the cursor on a row; a third from the top if it was outside of the picture."""
        piece = max(min(piece, len(self.pieces) - 1), 0)
        if self._row_on_screen((piece, row)) is None:
            self._top = self.step((piece, row), -(self._height // 3))
        self.put((piece, row))

    def row_of(self, piece: int) -> int | None:
        """Where on the screen the first row of a piece stands, if it does."""
        return self._row_on_screen((piece, 0))

    def _row_on_screen(self, spot: Spot) -> int | None:
        at, inner = self._top
        if spot < self._top:
            return None
        above = -inner
        while at < spot[0] and above < self._height:
            above += len(self._rows_of(at))
            at += 1
        return above + spot[1] if at == spot[0] and above + spot[1] < self._height else None

    # -- what is found ------------------------------------------------------------------------------------------------

    def look_for(self, finder: Finder | None) -> None:
        """What is marked from now on."""
        self.finder, self.hit = finder, None
        self._laid.clear()

    def show_hit(self, piece: int, number: int) -> None:
        """Bring a place into the picture, and mark it."""
        self.hit = (piece, number)
        self._laid.clear()
        if not self.wrap:
            self.reveal_cells(*self._cells_of_hit())
        rows = self._rows_of(piece)
        self.go(piece, next((at for at, runs in enumerate(rows) if any(role == "match.on" for role, _ in runs)), 0))

    def _cells_of_hit(self) -> Spot:
        before = after = 0
        assert self.hit is not None
        for role, text in self._marked(self.hit[0], self.pieces.piece(self.hit[0])).runs:
            after = before + cells.measure(text)
            if role == "match.on":
                return before, after
            before = after
        return 0, 0

    def reveal_cells(self, before: int, after: int) -> None:
        """Scroll sideways as far as these cells of a line that is not wrapped ask for."""
        room = self._columns * 2 // 3  # the prefix has a part of the row
        if before < self._left or after > self._left + room:
            self._left = max(before - self._columns // 3, 0)
            self._laid.clear()

    # -- painting -----------------------------------------------------------------------------------------------------

    def paint(self, columns: int, height: int) -> list[PaintedRow]:
        """Exactly `height` rows of `columns` cells."""
        gutter = int(self.has_cursor and columns > 2)
        self._resize(columns - gutter, max(height, 1))
        rows: list[PaintedRow] = []
        used: dict[int, list[list[Run]]] = {}
        piece, inner = self._top
        while len(rows) < height and piece < len(self.pieces):
            used[piece] = self._rows_of(piece)
            for number, line in enumerate(used[piece][inner:], inner):
                # The sign is there without colour, too; the terminal's own cursor stands on it.
                sign: list[Run] = [("focus", ">") if (piece, number) == self.cursor else ("text", " ")]
                rows.append(paint_row([*sign[:gutter], *line], columns))
                if len(rows) == height:
                    break
            piece, inner = piece + 1, 0
        self._laid = used
        rows.extend(paint_blank(columns) for _ in range(height - len(rows)))
        return rows

    def _resize(self, columns: int, height: int) -> None:
        if columns != self._columns:
            self._columns = columns
            self._laid.clear()
        self._height = height
        self._clamp()
        if self.has_cursor:
            self.put(self.cursor)

    @property
    def cursor_row(self) -> int:
        """Where on the screen the cursor stands."""
        return self._row_on_screen(self.cursor) or 0

    @property
    def position(self) -> str:
        """`top`, `end`, `all` or a percentage, for a title bar."""
        count = len(self.pieces)
        last = self.step(self._top, self._height - 1)
        is_end = not count or (last[0] == count - 1 and last == self.step(last, _BEYOND))
        if self._top == (0, 0):
            return "all" if is_end else "top"
        return "end" if is_end else f"{100 * self._top[0] // count} %"

    def _clamp(self) -> None:
        """Never past the end: the last row stands at the bottom at most."""
        count = len(self.pieces)
        if not count:
            self._top = self.cursor = (0, 0)
            return
        if count - 1 - self._top[0] >= self._height:  # each piece has a row at least: the end is far, and not laid out
            self._top = self.step(self._top, 0)
            return
        last = self.step((count - 1, 0), _BEYOND)
        top = self.step(self._top, 0) if self._top[0] < count else last
        self._top = min(top, self.step(last, 1 - self._height))

    # -- laying out ---------------------------------------------------------------------------------------------------

    def text_of(self, piece: int) -> str:
        """A piece's text as it is painted, its prefix too, unless that is a line number."""
        shown = self.pieces.piece(piece)
        return "".join(text for _, text in (*_prepared(_lead(shown)), *_prepared(shown.runs)))

    def rows_of(self, piece: int) -> list[tuple[int, int]]:
        """Of each row of a piece: where in `text_of` it begins, and the cells that stand before its text."""
        shown = self.pieces.piece(piece)
        lead = length(_prepared(_lead(shown)))
        indent = self._indent(_prepared(shown.prefix))
        found, at = [(0, 0 if lead else indent)], lead
        if self.wrap:
            for runs in wrapped(_prepared(shown.runs), max(self._columns - indent, 4), shown.words)[:-1]:
                at += length(runs)
                found.append((at, indent))
        return found

    @property
    def left(self) -> int:
        """Cells of a line that are scrolled away, where lines are not wrapped."""
        return self._left

    def _indent(self, prefix: Sequence[Run]) -> int:
        return min(sum(cells.width(text) for _, text in prefix), max(self._columns - 4, 0))

    def _rows_of(self, index: int) -> list[list[Run]]:
        rows = self._laid.get(index)
        if rows is None:
            if len(self._laid) > 4 * self._height + 64:
                self._laid.clear()
            rows = self._laid[index] = self._lay_out(index)
            self.painted_pieces += 1
        return rows

    def _lay_out(self, index: int) -> list[list[Run]]:
        piece = self._marked(index, self.pieces.piece(index))
        prefix, runs = _prepared(piece.prefix), _prepared(piece.runs)
        if (selected := self.selected(index)) is not None:
            prefix, runs = _selected(piece, prefix, runs, selected)
        if not self.wrap:
            return [[*prefix, *skipped(runs, self._left)]]
        indent = self._indent(prefix)
        lines = wrapped(runs, max(self._columns - indent, 4), piece.words)
        blank = [("text", " " * indent)] if indent else []
        return [[*(blank if number else prefix), *line] for number, line in enumerate(lines)]

    def _marked(self, index: int, piece: Piece) -> Piece:
        """All places that are found in their role, and the one that has the focus in its own."""
        if self.finder is None or not self.finder:
            return piece
        focus = self.hit[1] if self.hit is not None and self.hit[0] == index else -1
        before, behind = places(piece.prefix, self.finder), places(piece.runs, self.finder)
        prefix = painted_over(piece.prefix, _in_roles(before, focus))
        runs = painted_over(piece.runs, _in_roles(behind, focus - len(before)))
        return piece._replace(prefix=prefix, runs=runs)


def _in_roles(found: list[tuple[int, int]], focus: int) -> list[Place]:
    return [(start, end, "match.on" if at == focus else "match") for at, (start, end) in enumerate(found)]


def _lead(piece: Piece) -> Sequence[Run]:
    """The prefix, if it is a part of the text."""
    return () if piece.prefix and piece.prefix[0][0] == LINE_NUMBER else piece.prefix


def _prepared(runs: Sequence[Run]) -> list[Run]:
    return [(role, cells.prepare(text)) for role, text in runs]


def _selected(piece: Piece, prefix: list[Run], runs: list[Run], part: tuple[int, int]) -> tuple[list[Run], list[Run]]:
    """The runs with a part of `text_of` in the role of what is selected."""
    start, end = part
    lead = length(prefix) if _lead(piece) else 0
    if lead:
        prefix = painted_over(prefix, [(start, end, "focus")])
    marked = painted_over(runs, [(max(start - lead, 0), max(end - lead, 0), "focus")])
    if not length(runs):
        marked = [("focus", " ")]  # an empty line in the middle of what is selected
    return prefix, marked
