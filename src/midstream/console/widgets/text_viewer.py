"""A window onto a text of any size: scrolling, wrapping, searching, and painting of the visible rows only.

Panes that show text own a `TextViewer`, give it `Pieces` and ask it for painted rows. A place is a piece and a row
inside it, so that the cost of a move depends on the window, never on the length of the text. It is no urwid widget.
"""

from __future__ import annotations

from collections.abc import Iterator

import wcwidth

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, PaintedRow, Run, paint_blank, paint_row
from midstream.console.widgets.pieces import FixedPieces, Piece, Pieces, matches_of

_SIDEWAYS = 8


class TextViewer:
    """See the module. `wrap` may be changed at any time; `pattern` is what is marked as found."""

    def __init__(self) -> None:
        self.pieces: Pieces = FixedPieces([])
        self.wrap = True
        self.pattern = ""
        self.found: int | None = None  # the piece that the last search stopped at
        self._match = 0  # which of the matches in that piece
        self.painted_pieces = 0  # pieces laid out so far; tests count the work by it
        self._top = (0, 0)  # piece, row inside it
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
            self._top, self._left, self.found = (0, 0), 0, None

    def changed(self) -> None:
        """The pieces have changed or become more: lay them out anew."""
        self._laid.clear()

    def toggle_wrap(self) -> bool:
        """Wrap long lines or cut them at the edge; returns what is so now."""
        self.wrap = not self.wrap
        self._left = 0
        self._top = (self._top[0], 0)
        self._laid.clear()
        return self.wrap

    # -- moving -------------------------------------------------------------------------------------------------------

    @property
    def top(self) -> int:
        """The first piece that is visible."""
        return self._top[0]

    def move(self, move: str) -> bool:
        """Do one of the moves of `Pane.navigate`; False: it is none of ours."""
        page = max(self._height - 2, 1)
        match move:
            case "up":
                self.scroll(-1)
            case "down":
                self.scroll(1)
            case "page_up":
                self.scroll(-page)
            case "page_down":
                self.scroll(page)
            case "start":
                self._top = (0, 0)
            case "end":
                self._top = (max(len(self.pieces), 1), 0)
                self._clamp()
            case "left" | "right":
                self._shift(-_SIDEWAYS if move == "left" else _SIDEWAYS)
            case _:
                return False
        return True

    def scroll(self, rows: int) -> None:
        """Move the picture by rows."""
        piece, inner = self._top
        count = len(self.pieces)
        if not count:
            return
        inner += rows
        while inner < 0 and piece > 0:
            piece -= 1
            inner += len(self._rows_of(piece))
        while piece < count - 1 and inner >= len(self._rows_of(piece)):
            inner -= len(self._rows_of(piece))
            piece += 1
        self._top = (piece, max(inner, 0))
        self._clamp()

    def _shift(self, cells_: int) -> None:
        if not self.wrap:
            self._left = max(self._left + cells_, 0)
            self._laid.clear()

    def go(self, piece: int, row: int = 0) -> None:
        """Bring a row of a piece into the picture, a third from the top if it was outside."""
        if not self._shows(piece, row):
            self._top = (max(min(piece, len(self.pieces) - 1), 0), row)
            self.scroll(-(self._height // 3))

    def _shows(self, piece: int, row: int) -> bool:
        at, inner = self._top
        if (piece, row) < (at, inner):
            return False
        above = -inner
        while at < piece and above < self._height:
            above += len(self._rows_of(at))
            at += 1
        return above + row < self._height

    # -- searching ----------------------------------------------------------------------------------------------------

    def matches(self, pattern: str, backwards: bool) -> Iterator[int | None]:
        """The pieces with a match, the next one first, around the end; None after each slice of work."""
        count = len(self.pieces)
        if not count:
            return
        step = -1 if backwards else 1
        start = self._top[0] if self.found is None else self.found + step
        if self.found is not None and self.pattern != pattern:
            start = self.found
        start %= count
        yield from self.pieces.find(pattern, start, backwards)
        for found in self.pieces.find(pattern, count - 1 if backwards else 0, backwards):
            if found is not None and (found <= start if backwards else found >= start):
                return
            yield found

    def step(self, pattern: str, backwards: bool) -> bool:
        """Go to another match in the piece of the last one; False: there is none, so look further."""
        if self.found is None or pattern != self.pattern or self.found >= len(self.pieces):
            return False
        match = self._match + (-1 if backwards else 1)
        if not 0 <= match < _count_matches(self.pieces.piece(self.found), pattern):
            return False
        self._show_match(match)
        return True

    def mark(self, piece: int, pattern: str, backwards: bool = False) -> None:
        """Show the first match of a piece, or its last one."""
        self.pattern, self.found = pattern, piece
        self._show_match(max(_count_matches(self.pieces.piece(piece), pattern) - 1, 0) if backwards else 0)

    def _show_match(self, match: int) -> None:
        assert self.found is not None
        self._match = match
        self._laid.clear()
        if not self.wrap:
            self._reveal_match()
        rows = self._rows_of(self.found)
        self.go(self.found, next((number for number, runs in enumerate(rows) if _has_match(runs)), 0))

    def _reveal_match(self) -> None:
        """Scroll sideways as far as the match asks for."""
        assert self.found is not None
        before = after = 0
        for role, text in _highlighted(self.pieces.piece(self.found), self.pattern, self._match).runs:
            after = before + cells.measure(text)
            if role == "match.on":
                break
            before = after
        room = self._columns * 2 // 3  # the prefix has a part of the row
        if before < self._left or after > self._left + room:
            self._left = max(before - self._columns // 3, 0)

    # -- painting -----------------------------------------------------------------------------------------------------

    def paint(self, columns: int, height: int) -> list[PaintedRow]:
        """Exactly `height` rows of `columns` cells."""
        if columns != self._columns:
            self._columns = columns
            self._laid.clear()
        self._height = max(height, 1)
        self._clamp()
        rows: list[PaintedRow] = []
        piece, inner = self._top
        used: dict[int, list[list[Run]]] = {}
        while len(rows) < height and piece < len(self.pieces):
            used[piece] = self._rows_of(piece)
            for line in used[piece][inner:]:
                rows.append(paint_row(line, columns))
                if len(rows) == height:
                    break
            piece, inner = piece + 1, 0
        self._laid = used
        rows.extend(paint_blank(columns) for _ in range(height - len(rows)))
        return rows

    @property
    def position(self) -> str:
        """`top`, `end`, `all` or a percentage, for a title bar."""
        first, last = self._top[0], len(self.pieces)
        visible = self._visible_pieces()
        if not last or (first == 0 and self._top[1] == 0 and visible.stop >= last):
            return "all"
        if first == 0 and self._top[1] == 0:
            return "top"
        return "end" if visible.stop >= last else f"{100 * first // last} %"

    def _visible_pieces(self) -> range:
        piece, inner = self._top
        room = self._height + inner
        first = piece
        while piece < len(self.pieces) and room > 0:
            room -= len(self._rows_of(piece))
            piece += 1
        return range(first, piece)

    def _clamp(self) -> None:
        """Never past the end: the last row stands at the bottom at most."""
        piece, inner = self._top
        count = len(self.pieces)
        if not count:
            self._top = (0, 0)
            return
        if piece >= count:
            piece, inner = count - 1, 1 << 30
        inner = min(inner, len(self._rows_of(piece)) - 1)
        below, at = len(self._rows_of(piece)) - inner, piece + 1
        while below < self._height and at < count:
            below += len(self._rows_of(at))
            at += 1
        missing = self._height - below
        while missing > 0 and (piece > 0 or inner > 0):
            if inner == 0:
                piece -= 1
                inner = len(self._rows_of(piece))
            step = min(inner, missing)
            inner -= step
            missing -= step
        self._top = (piece, inner)

    def _rows_of(self, index: int) -> list[list[Run]]:
        rows = self._laid.get(index)
        if rows is None:
            if len(self._laid) > 4 * self._height + 64:
                self._laid.clear()
            rows = self._laid[index] = self._lay_out(index)
            self.painted_pieces += 1
        return rows

    def _lay_out(self, index: int) -> list[list[Run]]:
        piece = self.pieces.piece(index)
        if self.pattern:
            piece = _highlighted(piece, self.pattern, self._match if index == self.found else -1)
        prefix = [(role, cells.prepare(text)) for role, text in piece.prefix]
        indent = min(sum(cells.width(text) for _, text in prefix), max(self._columns - 4, 0))
        runs = [(role, cells.prepare(text)) for role, text in piece.runs]
        if not self.wrap:
            return [[*prefix, *_skipped(runs, self._left)]]
        lines = wrapped(runs, max(self._columns - indent, 4), piece.words)
        blank = [("text", " " * indent)] if indent else []
        return [[*(blank if number else prefix), *line] for number, line in enumerate(lines)]


def wrapped(runs: Line, width: int, words: bool = False) -> list[list[Run]]:
    """Prepared runs cut into rows of at most `width` cells, between `words` if they can; at least one row."""
    rows: list[list[Run]] = [[]]
    room = width
    for role, text in runs:
        if text.isascii():
            start = 0
            while start < len(text):
                if room <= 0:
                    rows.append([])
                    room = width
                part = text[start : start + room]
                start += len(part)
                room -= len(part)
                if words and not room and start < len(text) and " " in part.strip():
                    kept = part[: part.rindex(" ") + 1]
                    start -= len(part) - len(kept)
                    part = kept
                rows[-1].append((role, part))
            continue
        part = ""
        for cluster in wcwidth.iter_graphemes(text):
            size = wcwidth.width(cluster, control_codes="ignore")
            if size > room:
                rows[-1].append((role, part))
                rows.append([])
                part, room = "", width
            part += cluster
            room -= size
        if part:
            rows[-1].append((role, part))
    return rows


def _skipped(runs: Line, left: int) -> list[Run]:
    kept: list[Run] = []
    for role, text in runs:
        size = cells.width(text)
        if left >= size:
            left -= size
            continue
        kept.append((role, cells.skip(text, left)))
        left = 0
    return kept


def _has_match(runs: Line) -> bool:
    return any(role == "match.on" for role, _ in runs)


def _places(runs: Line, pattern: str) -> list[tuple[int, int]]:
    return matches_of("".join(text for _, text in runs), pattern)


def _count_matches(piece: Piece, pattern: str) -> int:
    return len(_places(piece.prefix, pattern)) + len(_places(piece.runs, pattern))


def _highlighted(piece: Piece, pattern: str, focus: int) -> Piece:
    """All matches in their role, and the one with the number `focus` in its own."""
    before = len(_places(piece.prefix, pattern))
    prefix, runs = _marked(piece.prefix, pattern, focus), _marked(piece.runs, pattern, focus - before)
    return piece._replace(prefix=prefix, runs=runs)


def _marked(runs: Line, pattern: str, focus: int) -> Line:
    """Matches may go across runs (a coloured line has many)."""
    places = _places(runs, pattern)
    if not places:
        return runs
    marked: list[Run] = []
    at = 0
    for role, text in runs:
        position = 0
        for number, (start, end) in enumerate(places):
            low, high = max(start - at, position), min(end - at, len(text))
            if low < high:
                marked += [(role, text[position:low]), ("match.on" if number == focus else "match", text[low:high])]
                position = high
        marked.append((role, text[position:]))
        at += len(text)
    return [run for run in marked if run[1]]
