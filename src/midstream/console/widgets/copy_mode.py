"""Copy mode: a cursor that walks over the characters of a text and selects some of them, without a mouse.

A pane that shows a `TextViewer` makes one, hands it every key while it is on, and copies what `text` gives. What is
copied is what is shown: characters that must not reach a terminal are their placeholders in the copy, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import wcwidth

from midstream.console.widgets import cells

if TYPE_CHECKING:
    from midstream.console.widgets.text_viewer import TextViewer

MOST = 8 * 1024 * 1024
"""Characters that are copied; larger things are saved to files."""

_WORD = re.compile(r"\w+|[^\w\s]+")
KEYS = (
    ("v", "select"),
    ("V", "select lines"),
    ("y", "copy"),
    ("w b e 0 $", "move"),
    ("esc", "leave"),
)


class CopyMode:
    """See the module. `on` while it has the keys; `ended` is called with True when the selection is to be copied."""

    def __init__(self, viewer: TextViewer, ended: Callable[[bool], object]) -> None:
        self.on = False
        self.by_lines = False
        self._viewer = viewer
        self._ended = ended
        self._at = (0, 0)  # a piece, and a character of its text
        self._anchor: tuple[int, int] | None = None
        self._goal: int | None = None  # the cell that up and down keep to

    def start(self) -> None:
        """Begin at the cursor of the viewer."""
        piece, row = self._viewer.cursor
        rows = self._viewer.rows_of(piece) if len(self._viewer.pieces) else [(0, 0)]
        self._at, self._anchor, self._goal, self.on = (piece, rows[min(row, len(rows) - 1)][0]), None, None, True
        self._viewer.selected = self._part
        self._show()

    def leave(self) -> None:
        """End without copying."""
        self.on, self._anchor = False, None
        self._viewer.selected = lambda piece: None
        self._viewer.changed()

    def press(self, key: str) -> bool:
        """One key, by our names; False: it is none of ours."""
        if key in ("esc", "q", "ctrl c", "ctrl g", "ctrl v"):
            if self._anchor is not None and key == "esc":
                self._anchor = None
                self._show()
                return True
            self.leave()
            self._ended(False)
        elif key in ("y", "enter"):
            if self._anchor is None:
                self._anchor, self.by_lines = self._at, True
            self._ended(True)
        elif key in ("v", "V", " ", "space"):
            self._select(key == "V")
        elif key == "o" and self._anchor is not None:
            self._at, self._anchor = self._anchor, self._at
            self._show()
        elif not self._move(key):
            return False
        return True

    def _select(self, by_lines: bool) -> None:
        if self._anchor is not None and self.by_lines == by_lines:
            self._anchor = None
        else:
            self._anchor = self._anchor or self._at
        self.by_lines = by_lines
        self._show()

    # -- what is selected ---------------------------------------------------------------------------------------------

    @property
    def words(self) -> str:
        """What is so now, for a title bar."""
        if self._anchor is None:
            return "copy mode"
        (first, start), (last, end) = sorted((self._anchor, self._at))
        if self.by_lines or first != last:
            return f"{last - first + 1:,} line{'s' if last > first else ''} selected"
        return f"{end - start + 1:,} selected"

    def _part(self, piece: int) -> tuple[int, int] | None:
        """The selected part of a piece."""
        if self._anchor is None:
            return None
        first, last = sorted((self._anchor, self._at))
        if not first[0] <= piece <= last[0]:
            return None
        return self._between(first, last, piece, self.by_lines)

    def _between(self, first: tuple[int, int], last: tuple[int, int], piece: int, by_lines: bool) -> tuple[int, int]:
        text = self._viewer.text_of(piece)
        low = first[1] if piece == first[0] and not by_lines else 0
        high = _after(text, last[1]) if piece == last[0] and not by_lines else len(text)
        return low, high

    def text(self) -> Iterator[str]:
        """What is selected now, in parts, whatever is pressed while they are taken; ValueError when it is too long."""
        assert self._anchor is not None
        first, last = sorted((self._anchor, self._at))
        return self._parts(first, last, self.by_lines)

    def _parts(self, first: tuple[int, int], last: tuple[int, int], by_lines: bool) -> Iterator[str]:
        size = 0
        for piece in range(first[0], last[0] + 1):
            if piece >= len(self._viewer.pieces):
                return
            low, high = self._between(first, last, piece, by_lines)
            part = self._viewer.text_of(piece)[low:high]
            if piece > first[0] and not self._viewer.pieces.piece(piece).continues:
                part = "\n" + part
            size += len(part)
            if size > MOST:
                raise ValueError(f"more than {MOST // (1024 * 1024)} MB are selected; save the body to a file instead")
            yield part

    # -- moving -------------------------------------------------------------------------------------------------------

    def _move(self, key: str) -> bool:
        page = max(self._viewer.height - 2, 1)
        rows = {
            "down": 1,
            "j": 1,
            "up": -1,
            "k": -1,
            "page_down": page,
            "ctrl f": page,
            "page_up": -page,
            "ctrl b": -page,
        }
        if key in rows:
            self._rows(rows[key])
            return True
        piece, at = self._at
        text = self._viewer.text_of(piece) if len(self._viewer.pieces) else ""
        last = max(len(self._viewer.pieces) - 1, 0)
        match key:
            case "left" | "h":
                spot = (piece, _before(text, at))
            case "right" | "l":
                after = _after(text, at)
                spot = (piece, after if after < len(text) else at)
            case "0" | "home" | "ctrl a":
                spot = (piece, 0)
            case "^":
                spot = (piece, len(text) - len(text.lstrip()))
            case "$" | "end" | "ctrl e":
                spot = (piece, _before(text, len(text)))
            case "w" | "b" | "e":
                spot = self._word(key)
            case "g":
                spot = (0, 0)
            case "G":
                spot = (last, 0)
            case _:
                return False
        self._at, self._goal = spot, None
        self._show()
        return True

    def _word(self, key: str) -> tuple[int, int]:
        """The next word, the one before, or the end of one; in a line further on when there is none here."""
        piece, at = self._at
        step, count = -1 if key == "b" else 1, len(self._viewer.pieces)
        while 0 <= piece < count:
            found = [match.span() for match in _WORD.finditer(self._viewer.text_of(piece))]
            if key == "w":
                hits = [start for start, _ in found if start > at]
            elif key == "e":
                hits = [end - 1 for _, end in found if end - 1 > at]
            else:
                hits = [start for start, _ in found if start < at]
            if hits:
                return piece, hits[-1] if key == "b" else hits[0]
            piece += step
            if abs(piece - self._at[0]) > self._viewer.height:  # many empty lines: a screen of them is a word
                break
            at = 1 << 30 if key == "b" else -1
        return min(max(piece, 0), max(count - 1, 0)), 0 if key == "b" or piece < count else self._at[1]

    def _rows(self, rows: int) -> None:
        if not len(self._viewer.pieces):
            return
        piece, row, cell = self._place()
        if self._goal is None:
            self._goal = cell
        piece, row = self._viewer.step((piece, row), rows)
        starts = self._viewer.rows_of(piece)
        start, before = starts[row]
        text = self._viewer.text_of(piece)
        end = starts[row + 1][0] if row + 1 < len(starts) else len(text)
        kept, _ = cells.clip(text[start:end], max(self._goal - before, 0))
        at = start + len(kept)
        self._at = (piece, _before(text, end) if at >= end and end > start else at)
        self._show()

    def _place(self) -> tuple[int, int, int]:
        """The piece, its row, and the cell of the character under the cursor."""
        piece, at = self._at
        starts = self._viewer.rows_of(piece)
        row = max(number for number, (start, _) in enumerate(starts) if start <= at)
        start, before = starts[row]
        return piece, row, before + cells.width(self._viewer.text_of(piece)[start:at])

    def _show(self) -> None:
        self._viewer.changed()
        if not len(self._viewer.pieces):
            return
        piece, row, cell = self._place()
        if not self._viewer.wrap:
            self._viewer.reveal_cells(cell, cell + 1)
        self._viewer.put((piece, row))

    @property
    def column(self) -> int:
        """The cell of the cursor in its row, as it is painted."""
        if not len(self._viewer.pieces):
            return 0
        piece, row, cell = self._place()
        if self._viewer.wrap:
            return cell
        before = self._viewer.rows_of(piece)[row][1]
        return max(cell - self._viewer.left, before)


def _before(text: str, at: int) -> int:
    """Where the character before a place begins; a letter with its marks is one."""
    low = max(at - 64, 0)
    begins, position = low, low
    for cluster in wcwidth.iter_graphemes(text[low:at]):
        begins = position
        position += len(cluster)
    return begins


def _after(text: str, at: int) -> int:
    """Where the character at a place ends."""
    for cluster in wcwidth.iter_graphemes(text[at : at + 64]):
        return at + len(cluster)
    return at
