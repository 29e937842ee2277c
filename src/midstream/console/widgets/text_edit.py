"""The editor for texts of many lines: a text, a cursor, undo, and the rows that are visible of it.

Panes that edit in place own one, give it the keys they have no use for themselves, and paint what `paint` returns.
What keys do within a line is `LineEdit`'s. Nothing is laid out but the rows between the cursor and the edge of the
screen, so a key costs the same in a text of 64 kB as in an empty one. It knows nothing of bytes: `text_bytes.py`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run
from midstream.console.widgets.line_edit import KillRing, LineEdit
from midstream.text.escape import visible

MOST = 64 * 1024
"""Bytes of a text that is edited in place; what is longer is for an editor of its own."""
GUTTER = 2
"""Cells at the left, where a mark says which line is wrong."""

_UNDO_STEPS = 200
_UNDO_LENGTH = 4 * 1024 * 1024  # characters kept for undo, all steps together
_TAB = "␉   "


class _Rows:
    """Where the rows of one line begin, as far as somebody asked; `end` is the line's, `done` means all are found."""

    __slots__ = ("done", "end", "starts")

    def __init__(self, start: int, end: int) -> None:
        self.starts, self.end, self.done = [start], end, False


class TextEdit:
    """See the module. `problem` says why the last key was refused; `bad_line` counts from 1 and is marked.

    `hits` are the places that were found, in order: (start, end).
    """

    def __init__(self, text: str = "", *, kill_ring: KillRing | None = None, most: int = MOST) -> None:
        self._edit = LineEdit(text, kill_ring=kill_ring, multiline=True)
        self._edit.cursor = 0
        self._most = most
        self.problem = ""
        self.bad_line: int | None = None
        self.hits: Sequence[tuple[int, int]] = ()
        self._undo: list[tuple[str, int]] = []
        self._redo: list[tuple[str, int]] = []
        self._typing = False
        self._width = 80
        self._page = 10
        self._lines: dict[int, _Rows] = {}
        self._top = 0
        self._goal: int | None = None  # the cell that up and down return to
        self._painted: list[tuple[int, int]] = []

    @property
    def text(self) -> str:
        return self._edit.text

    @property
    def cursor(self) -> int:
        return self._edit.cursor

    @property
    def place(self) -> tuple[int, int]:
        """Line and column of the cursor, counted from 1."""
        start = self.text.rfind("\n", 0, self.cursor) + 1
        return self.text.count("\n", 0, self.cursor) + 1, self.cursor - start + 1

    def set_text(self, text: str, cursor: int = 0) -> None:
        """Another text; undo brings the old one back."""
        self._remember()
        self._edit.set_text(text, cursor)
        self._changed(0)

    def go_to(self, cursor: int) -> None:
        """The cursor to an index of the text."""
        self._edit.cursor = max(0, min(cursor, len(self.text)))

    @property
    def spot(self) -> tuple[int, int]:
        """Where the cursor is, and what the first painted row shows."""
        return self.cursor, self._top

    def go_back(self, spot: tuple[int, int]) -> None:
        """To a `spot` of before."""
        self.go_to(spot[0])
        self._top = min(spot[1], len(self.text))

    def go_to_line(self, number: int) -> None:
        """The cursor to the start of a line, counted from 1."""
        at = 0
        for _ in range(number - 1):
            found = self.text.find("\n", at)
            if found < 0:
                break
            at = found + 1
        self._edit.cursor = at

    # -- keys ---------------------------------------------------------------------------------------------------------

    def press(self, key: str) -> bool:
        """Do what a key means; False: it means nothing here."""
        if key.startswith("meta "):
            key = "alt " + key[5:]
        self.problem = ""
        if key in _MOVES:
            _MOVES[key](self)
            self._typing = False
            return True
        self._goal = None
        if key in _UNDO_KEYS:
            self._step(self._undo, self._redo)
            return True
        if key in _REDO_KEYS:
            self._step(self._redo, self._undo)
            return True
        key = {"enter": "alt enter", "tab": "\t", "space": " "}.get(key, key)
        before, cursor = self.text, self.cursor
        if not self._edit.press(key):
            return False
        self._after(before, cursor, is_typing=len(key) == 1 and key not in " \t")
        return True

    def paste(self, text: str) -> None:
        """Pasted text is text; half surrogates, which no terminal means, become question marks."""
        self.problem, self._goal = "", None
        before, cursor = self.text, self.cursor
        self._edit.insert("".join("?" if "\ud800" <= each <= "\udfff" else each for each in text))
        self._after(before, cursor, is_typing=False)

    def click(self, column: int, row: int) -> None:
        """The cursor to a cell that was painted."""
        if not self._painted:
            return
        # Keys that came with the click may have made the text shorter than what was painted.
        start, end = (min(place, len(self.text)) for place in self._painted[min(max(row, 0), len(self._painted) - 1)])
        self._edit.cursor = self._at_cell(start, end, max(column - GUTTER, 0))
        self._goal, self._typing = None, False

    def _after(self, before: str, cursor: int, is_typing: bool) -> None:
        text = self.text
        if text is before or text == before:
            self._typing = False
            return
        if len(text) > len(before) and _size_beyond(text, self._most):
            self._edit.text, self._edit.cursor = before, cursor
            self.problem = f"more than {self._most // 1024} kB are not edited in place"
            return
        if not (is_typing and self._typing):
            self._remember(before, cursor)
        self._redo.clear()
        self._typing = is_typing
        # Two characters before the cursor may be swapped, and where a row begins depends on what begins it.
        self._changed(min(cursor, self.cursor) - 3)

    def _remember(self, text: str | None = None, cursor: int | None = None) -> None:
        self._undo.append((self.text if text is None else text, self.cursor if cursor is None else cursor))
        room = max(_UNDO_LENGTH // max(len(self.text), 1), 10)
        del self._undo[: -min(_UNDO_STEPS, room)]

    def _step(self, back: list[tuple[str, int]], forth: list[tuple[str, int]]) -> None:
        self._typing = False
        if not back:
            self.problem = "nothing more to undo" if back is self._undo else "nothing to redo"
            return
        forth.append((self.text, self.cursor))
        self._edit.set_text(*back.pop())
        self._changed(0)

    def _changed(self, kept: int) -> None:
        """Forget the rows behind `kept`: up to there the text is what it was."""
        if kept <= 0:
            self._lines.clear()
            return
        lines = {}
        for start, rows in self._lines.items():
            if rows.end < kept:
                lines[start] = rows
            elif start <= kept:
                left = _Rows(start, self._line_end(start))
                left.starts = [at for at in rows.starts if at <= kept]
                lines[start] = left
        self._lines = lines

    # -- moves --------------------------------------------------------------------------------------------------------

    def _vertical(self, step: int) -> None:
        start, end = self._row(self.cursor)
        if self._goal is None:
            self._goal = sum(_cells(character) for character in self.text[start : self.cursor])
        for _ in range(abs(step)):
            other = self._above(start) if step < 0 else self._below(start)
            if other is None:
                break
            start, end = self._row(other)
        self._edit.cursor = self._at_cell(start, end, self._goal)

    def _up(self) -> None:
        self._vertical(-1)

    def _down(self) -> None:
        self._vertical(1)

    def _page_up(self) -> None:
        self._vertical(1 - self._page)

    def _page_down(self) -> None:
        self._vertical(self._page - 1)

    def _to_start(self) -> None:
        self._edit.cursor, self._goal = 0, None

    def _to_end(self) -> None:
        self._edit.cursor, self._goal = len(self.text), None

    def _at_cell(self, start: int, end: int, cell: int) -> int:
        used = 0
        for index in range(start, end):
            used += _cells(self.text[index])
            if used > cell:
                return index
        # The last place of a wrapped row is the first of the next one.
        is_wrapped = end < len(self.text) and self.text[end] != "\n"
        return max(end - 1, start) if is_wrapped else end

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _line_end(self, start: int) -> int:
        end = self.text.find("\n", start)
        return len(self.text) if end < 0 else end

    def _rows_to(self, index: int) -> _Rows:
        """The rows of the line that holds `index`, found as far as that."""
        start = self.text.rfind("\n", 0, index) + 1
        rows = self._lines.get(start)
        if rows is None:
            rows = self._lines[start] = _Rows(start, self._line_end(start))
        while not rows.done and rows.starts[-1] <= index:
            following = self._next(rows.starts[-1], rows.end)
            if following is None:
                rows.done = True
            else:
                rows.starts.append(following)
        return rows

    def _next(self, start: int, end: int) -> int | None:
        """Where the row behind the one at `start` begins; a full last row is followed by one for the cursor."""
        part = self.text[start : min(start + self._width, end)]
        if part.isascii() and part.isprintable():
            return start + self._width if start + self._width <= end else None
        used = 0
        for index, character in enumerate(part, start):
            used += _cells(character)
            if used > self._width:
                return max(index, start + 1)
        at = start + len(part)
        return at if used == self._width or at < end else None

    def _row(self, index: int) -> tuple[int, int]:
        """The row that holds `index`: its start and its end."""
        rows = self._rows_to(index)
        number = bisect_right(rows.starts, index) - 1
        return rows.starts[number], rows.starts[number + 1] if number + 1 < len(rows.starts) else rows.end

    def _below(self, start: int) -> int | None:
        _, end = self._row(start)
        rows = self._rows_to(start)
        if rows.starts[-1] > start:
            return end
        return rows.end + 1 if rows.end < len(self.text) else None

    def _above(self, start: int) -> int | None:
        return self._row(start - 1)[0] if start > 0 else None

    def _walk(self, start: int | None) -> Iterator[tuple[int, int]]:
        while start is not None:
            yield self._row(start)
            start = self._below(start)

    # -- painting -----------------------------------------------------------------------------------------------------

    def paint(self, columns: int, rows: int) -> tuple[list[Line], tuple[int, int]]:
        """The visible rows, at most `rows`, and the cell of the cursor among them (column, row)."""
        width = max(columns - GUTTER - 1, 1)
        if width != self._width:
            self._width = width
            self._lines.clear()
        self._page = max(rows, 2)
        self._scroll(max(rows, 1))
        self._painted, place = [], (GUTTER, 0)
        lines: list[Line] = []
        number = self.text.count("\n", 0, self._top) + 1
        for start, end in self._walk(self._top):
            if len(lines) == rows:
                break
            if start <= self.cursor <= end and (start <= self.cursor < end or self._row(self.cursor)[0] == start):
                used = sum(_cells(character) for character in self.text[start : self.cursor])
                place = (min(GUTTER + used, max(columns - 1, 0)), len(lines))
            is_first = start == 0 or self.text[start - 1] == "\n"
            mark = "! " if number == self.bad_line and is_first else "  "
            lines.append([("value.bad", mark), *self._row_runs(start, end)])
            self._painted.append((start, end))
            number += self.text.startswith("\n", end)
        return lines, place

    def _row_runs(self, start: int, end: int) -> list[Run]:
        runs: list[Run] = []
        at, first = start, bisect_right(self.hits, (start, start))
        for low, high in islice(self.hits, max(first - 1, 0), None):
            if low >= end:
                break
            if high > start:
                found = self.text[max(low, start) : min(high, end)]
                runs += _runs(self.text[at : max(low, start)])
                runs.append(("match.on" if low == self.cursor else "match", "".join(text for _, text in _runs(found))))
                at = min(high, end)
        return [*runs, *_runs(self.text[at:end])]

    def _scroll(self, rows: int) -> None:
        """The top so that the cursor is visible, moved as little as possible."""
        top = self._row(min(self._top, len(self.text)))[0]
        wanted = self._row(self.cursor)[0]
        if wanted <= top:
            self._top = wanted
            return
        for number, (start, _) in enumerate(self._walk(top)):
            if number == rows:
                break
            if start == wanted:
                self._top = top
                return
        self._top = wanted
        for _ in range(rows - 1):
            self._top = self._above(self._top) or 0


def _runs(text: str) -> list[Run]:
    if text.isascii() and text.isprintable():
        return [("text", text)] if text else []
    runs: list[Run] = []
    role, gathered = "text", ""
    for character in text:
        shown = _shown(character, cells.unicode_terminal())[0]
        its_role = "text" if shown == character else "control"
        if its_role != role and gathered:
            runs.append((role, gathered))
            gathered = ""
        role = its_role
        gathered += shown
    return [*runs, (role, gathered)] if gathered else runs


def _cells(character: str) -> int:
    return 1 if " " <= character <= "~" else _shown(character, cells.unicode_terminal())[1]


@lru_cache(4096)
def _shown(character: str, unicode: bool) -> tuple[str, int]:
    """A character as it is painted, and its cells. Marks stand on a base of their own, so that each has a place."""
    text = cells.prepare(_TAB if character == "\t" else visible(character))
    return text, cells.width(text)


def _size_beyond(text: str, most: int) -> bool:
    return len(text) * 4 > most and len(text.encode("utf-8", "surrogatepass")) > most


_MOVES = {
    "up": TextEdit._up,
    "down": TextEdit._down,
    "ctrl p": TextEdit._up,
    "ctrl n": TextEdit._down,
    "page_up": TextEdit._page_up,
    "page_down": TextEdit._page_down,
    "alt <": TextEdit._to_start,
    "alt >": TextEdit._to_end,
    "ctrl home": TextEdit._to_start,
    "ctrl end": TextEdit._to_end,
}
_UNDO_KEYS = ("ctrl z", "ctrl _", "alt u")
_REDO_KEYS = ("ctrl r", "alt e")
